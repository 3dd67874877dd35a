package propose

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever a page of somebody else says, its hosts are names of the internet, each
// once, and the style sheets to fetch are few and have an address.
func FuzzPage(f *testing.F) {
	f.Add(`<base href="https://a.example/"><link rel=stylesheet href=s.css><style>@import "//b.example/x.css"; a{background:url(https://c.example/i.png)}</style><img srcset="https://d.example/1.png 1x, :// 2x">`)
	f.Add(`<base href="http://[::1"><script src="https://%zz.example"></script><iframe src=javascript:alert(1)>`)
	f.Fuzz(func(t *testing.T, body string) {
		page := &url.URL{Scheme: "https", Host: "page.example", Path: "/"}
		found := newFound()
		for _, style := range found.read(page, []byte(body)) {
			if style.Host == "" {
				t.Errorf("a style sheet from nowhere: %v", style)
			}
		}
		found.readStyle(page, body)
		seen := map[string]bool{}
		for _, host := range found.list() {
			if seen[host.Name] || !strings.Contains(host.Name, ".") || host.Name != strings.ToLower(host.Name) || host.Times < 1 {
				t.Errorf("found %+v", host)
			}
			seen[host.Name] = true
		}
	})
}

package propose_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"schulwart.org/server/errs"
	"schulwart.org/server/propose"
)

const lessonPage = `<!doctype html><html><head>
<link rel="stylesheet" href="/style.css"><link rel="preconnect" href="https://api.example.org">
<link rel="icon" href="https://icons.example.net/i.png">
<style>body{background:url("https://pictures.example.com/ground.jpg")}</style>
<script src="https://cdn.example.net/app.js"></script><script src="//www.googletagmanager.com/gtm.js"></script>
</head><body><img srcset="https://img.example.com/1.png 1x, https://img.example.com/2.png 2x">
<iframe src="https://player.example.tv/v/1"></iframe><a href="https://elsewhere.example/">nobody loads this</a></body></html>`

func serve(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(lessonPage))
	})
	mux.HandleFunc("/style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		_, _ = w.Write([]byte(`@import "https://sheets.example.org/more.css"; @font-face{src:url(https://fonts.example.org/a.woff2)}`))
	})
	mux.HandleFunc("/gone", http.NotFound)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestHostsOfAPage(t *testing.T) {
	server := serve(t)
	hosts, err := propose.New(netip.MustParsePrefix("127.0.0.0/8")).Hosts(context.Background(), server.URL+"/page")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]struct {
		why    propose.Why
		needed bool
	}{
		"127.0.0.1": {propose.Page, true}, "api.example.org": {propose.Data, true}, "icons.example.net": {propose.Image, false},
		"pictures.example.com": {propose.Image, false}, "cdn.example.net": {propose.Script, true}, "www.googletagmanager.com": {propose.Script, false},
		"img.example.com": {propose.Image, false}, "player.example.tv": {propose.Frame, true}, "fonts.example.org": {propose.Font, true},
		"sheets.example.org": {propose.Style, true},
	}
	for _, host := range hosts {
		expected, known := want[host.Name]
		if !known {
			t.Errorf("%s is not loaded by the page", host.Name)
			continue
		}
		if host.Why != expected.why || host.Needed != expected.needed {
			t.Errorf("%s: %s, needed %v; want %s, %v", host.Name, host.Why, host.Needed, expected.why, expected.needed)
		}
		delete(want, host.Name)
	}
	for name := range want {
		t.Errorf("%s was not found", name)
	}
}

func TestNothingButPublicAddresses(t *testing.T) {
	server := serve(t)
	finder := propose.New()
	for _, address := range []string{server.URL + "/page", "http://10.0.0.1/", "http://[fe80::1]/", "http://169.254.169.254/latest/", "http://100.64.0.1/", "http://192.168.0.1:8080/"} {
		if _, err := finder.Hosts(context.Background(), address); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestFaultsArePlain(t *testing.T) {
	server := serve(t)
	finder := propose.New(netip.MustParsePrefix("127.0.0.0/8"))
	for address, key := range map[string]string{
		"": "propose.no_address", "hello": "propose.no_address", "ftp://example.org/": "propose.no_address", "https://a:b@example.org/": "propose.no_address",
		server.URL + "/gone": "propose.no_page",
	} {
		_, err := finder.Hosts(context.Background(), address)
		if fault := errs.Find(err); fault == nil || fault.Key != key {
			t.Errorf("%q: %v, want %s", address, err, key)
		}
	}
}

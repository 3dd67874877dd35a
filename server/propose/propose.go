// Package propose finds the hosts that a web page needs, so that a list of
// allowed sites does not break half of the page that it is about. It reads the
// page as a browser would begin to, without running its scripts: what a script
// fetches later it cannot know, and says nothing about.
package propose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"schulwart.org/server/errs"
)

// Why says how a page uses a host.
type Why string

// The uses, from the most to the least needed.
const (
	Page     Why = "page"     // the page itself
	Redirect Why = "redirect" // on the way to it
	Frame    Why = "frame"
	Script   Why = "script"
	Style    Why = "style"
	Font     Why = "font"
	Data     Why = "data"
	Media    Why = "media"
	Image    Why = "image"
)

// Host is a host that the page loads from.
type Host struct {
	Name   string
	Why    Why // its most important use
	Times  int
	Needed bool // the page is probably broken without it
}

// Bounds of what is fetched for one question.
const (
	patience   = 8 * time.Second
	largest    = 2 << 20 // bytes of one document
	mostStyles = 6
	mostHops   = 5
)

// Finder asks the web. The zero value is not ready; see New.
type Finder struct {
	client *http.Client
}

// New returns a finder that goes to public addresses only: what a teacher types
// must not make the server look around in its own network. The addresses named
// as allowed are excepted, for tests and demonstrations.
func New(allowed ...netip.Prefix) *Finder {
	dialer := &net.Dialer{Timeout: 4 * time.Second, Control: func(_, address string, _ syscall.RawConn) error { return public(address, allowed) }}
	return &Finder{client: &http.Client{
		Timeout: patience,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 4 * time.Second, ResponseHeaderTimeout: 5 * time.Second,
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) >= mostHops || r.URL.Scheme != "https" && r.URL.Scheme != "http" {
				return errHops
			}
			return nil
		},
	}}
}

var (
	errPrivate = errors.New("propose: not a public address")
	errHops    = errors.New("propose: too many redirects")
)

// public refuses addresses that are not of the public internet. It is asked for
// the address that is dialled, so a name cannot lead elsewhere afterwards.
func public(address string, allowed []netip.Prefix) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	for _, prefix := range allowed {
		if prefix.Contains(ip) {
			return nil
		}
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || shared.Contains(ip) || translated.Contains(ip) || at.Port() != 443 && at.Port() != 80 {
		return errPrivate
	}
	return nil
}

var (
	shared     = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598, behind a provider's NAT
	translated = netip.MustParsePrefix("64:ff9b::/96")  // RFC 6052, may hide a private IPv4 address
)

// Hosts fetches a page and names what it loads from. Faults that a person can
// read: Invalid "propose.no_address", Unavailable "propose.no_answer",
// "propose.no_page" and "propose.refused".
func (f *Finder) Hosts(ctx context.Context, address string) ([]Host, error) {
	page, err := readAddress(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found := newFound()
	found.add(page, Page)
	body, at, kind, err := f.get(ctx, page)
	if err != nil {
		return nil, faultOf(err)
	}
	if at.Hostname() != page.Hostname() {
		found.redirected(page.Hostname(), at)
	}
	if !strings.Contains(kind, "html") {
		return found.list(), nil
	}
	for _, style := range found.read(at, body) {
		if sheet, from, kind, err := f.get(ctx, style); err == nil && strings.Contains(kind, "css") {
			found.readStyle(from, string(sheet))
		}
	}
	return found.list(), nil
}

func readAddress(typed string) (*url.URL, error) {
	typed = strings.TrimSpace(typed)
	if typed != "" && !strings.Contains(typed, "://") {
		typed = "https://" + typed
	}
	page, err := url.Parse(typed)
	if err != nil || page.Scheme != "https" && page.Scheme != "http" || !strings.Contains(page.Hostname(), ".") || page.User != nil {
		return nil, errs.E(errs.Invalid, "propose.no_address").In("url")
	}
	return page, nil
}

// get returns a document, where it was found, and its type.
func (f *Finder) get(ctx context.Context, page *url.URL) ([]byte, *url.URL, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page.String(), nil)
	if err != nil {
		return nil, nil, "", err
	}
	request.Header.Set("User-Agent", "Mozilla/5.0 (compatible; Schulwart)")
	request.Header.Set("Accept", "text/html,text/css,*/*;q=0.5")
	answer, err := f.client.Do(request)
	if err != nil {
		return nil, nil, "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 400 {
		return nil, nil, "", statusError(answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, largest))
	return body, answer.Request.URL, answer.Header.Get("Content-Type"), err
}

type statusError int

func (e statusError) Error() string { return fmt.Sprintf("propose: status %d", int(e)) }

func faultOf(err error) error {
	var status statusError
	switch {
	case errors.Is(err, errPrivate):
		return errs.E(errs.Invalid, "propose.refused").In("url").Because(err)
	case errors.As(err, &status):
		return errs.E(errs.Invalid, "propose.no_page", "status", int(status)).In("url").Because(err)
	}
	return errs.E(errs.Unavailable, "propose.no_answer").In("url").Because(err)
}

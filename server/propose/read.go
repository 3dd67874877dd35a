package propose

import (
	"bytes"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// order is from the most to the least needed use.
var order = []Why{Page, Redirect, Frame, Script, Style, Font, Data, Media, Image}

// found gathers hosts.
type found struct {
	hosts map[string]*Host
	names []string // in the order in which they were met
}

func newFound() *found { return &found{hosts: map[string]*Host{}} }

// add notes one use of a host.
func (f *found) add(at *url.URL, why Why) {
	name := strings.ToLower(at.Hostname())
	if name == "" || !strings.Contains(name, ".") || at.Scheme != "https" && at.Scheme != "http" && at.Scheme != "wss" {
		return
	}
	host, known := f.hosts[name]
	if !known {
		host = &Host{Name: name, Why: why}
		f.hosts[name] = host
		f.names = append(f.names, name)
	}
	host.Times++
	if slices.Index(order, why) < slices.Index(order, host.Why) {
		host.Why = why
	}
}

// redirected notes that the page lives elsewhere.
func (f *found) redirected(from string, to *url.URL) {
	f.hosts[from].Why = Redirect
	f.add(to, Page)
}

// list returns what was found, the most needed first. A host below one that is
// listed (www.example.org below example.org) needs no line of its own.
func (f *found) list() []Host {
	var hosts []Host
	for _, name := range f.names {
		host := *f.hosts[name]
		if f.covered(name) {
			continue
		}
		host.Needed = host.Why != Image && host.Why != Media && !counts(name)
		hosts = append(hosts, host)
	}
	slices.SortStableFunc(hosts, func(a, b Host) int { return slices.Index(order, a.Why) - slices.Index(order, b.Why) })
	return hosts
}

func (f *found) covered(name string) bool {
	for _, other := range f.names {
		if other != name && strings.HasSuffix(name, "."+other) {
			return true
		}
	}
	return false
}

// counters are hosts that count visitors or show advertisements. They are named
// but not chosen: no lesson needs them.
var counters = []string{
	"google-analytics.com", "googletagmanager.com", "doubleclick.net", "googlesyndication.com", "facebook.net", "hotjar.com", "matomo.cloud",
	"etracker.com", "etracker.de", "ioam.de", "criteo.com", "adition.com", "scorecardresearch.com", "taboola.com", "outbrain.com",
}

func counts(name string) bool {
	return slices.ContainsFunc(counters, func(counter string) bool { return name == counter || strings.HasSuffix(name, "."+counter) })
}

// uses says which attributes of which elements load something.
var uses = map[string]map[string]Why{
	"script": {"src": Script}, "img": {"src": Image, "srcset": Image}, "source": {"src": Media, "srcset": Image}, "iframe": {"src": Frame}, "frame": {"src": Frame},
	"video": {"src": Media, "poster": Image}, "audio": {"src": Media}, "embed": {"src": Frame}, "object": {"data": Frame}, "input": {"src": Image}, "track": {"src": Media},
	"form": {"action": Data},
}

// read goes through a page and returns the style sheets that it links, because
// fonts and images hide in them.
func (f *found) read(page *url.URL, body []byte) []*url.URL {
	var styles []*url.URL
	base, inStyle := page, false
	tokens := html.NewTokenizer(bytes.NewReader(body))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return styles
		case html.TextToken:
			if inStyle {
				f.readStyle(base, string(tokens.Raw()))
			}
		case html.EndTagToken:
			inStyle = false
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			attributes := map[string]string{}
			for _, attribute := range token.Attr {
				attributes[attribute.Key] = attribute.Val
			}
			inStyle = token.Data == "style"
			switch token.Data {
			case "base":
				if at, err := page.Parse(attributes["href"]); err == nil && attributes["href"] != "" {
					base = at
				}
			case "link":
				if style := f.link(base, attributes); style != nil && len(styles) < mostStyles {
					styles = append(styles, style)
				}
			default:
				f.element(base, token.Data, attributes)
			}
		}
	}
}

func (f *found) element(base *url.URL, name string, attributes map[string]string) {
	for attribute, why := range uses[name] {
		for _, address := range addresses(attribute, attributes[attribute]) {
			f.resolve(base, address, why)
		}
	}
	if style := attributes["style"]; style != "" {
		f.readStyle(base, style)
	}
}

// link notes what a link element loads; the address of a style sheet is
// returned, too.
func (f *found) link(base *url.URL, attributes map[string]string) *url.URL {
	rel := strings.Fields(strings.ToLower(attributes["rel"]))
	has := func(word string) bool { return slices.Contains(rel, word) }
	switch {
	case has("stylesheet"):
		return f.resolve(base, attributes["href"], Style)
	case has("preload"), has("modulepreload"):
		kind := map[string]Why{"script": Script, "style": Style, "font": Font, "image": Image, "fetch": Data}[attributes["as"]]
		if kind == "" {
			kind = Script
		}
		f.resolve(base, attributes["href"], kind)
	case has("preconnect"), has("dns-prefetch"):
		// The page says that it will fetch from there soon.
		f.resolve(base, attributes["href"], Data)
	case has("icon"), has("apple-touch-icon"):
		f.resolve(base, attributes["href"], Image)
	}
	return nil
}

func (f *found) resolve(base *url.URL, address string, why Why) *url.URL {
	if strings.TrimSpace(address) == "" {
		return nil
	}
	at, err := base.Parse(strings.TrimSpace(address))
	if err != nil {
		return nil
	}
	f.add(at, why)
	if at.Host == "" || at.Scheme != "https" && at.Scheme != "http" {
		return nil // data:, javascript: and the like: nothing to fetch
	}
	return at
}

// addresses splits a srcset; any other attribute holds one.
func addresses(attribute, value string) []string {
	if attribute != "srcset" {
		return []string{value}
	}
	var list []string
	for candidate := range strings.SplitSeq(value, ",") {
		if words := strings.Fields(candidate); len(words) > 0 {
			list = append(list, words[0])
		}
	}
	return list
}

var styleAddress = regexp.MustCompile(`(?i)(@import\s+)?(?:url\(\s*["']?([^"')]+)["']?\s*\)|@import\s+["']([^"']+)["'])`)

// readStyle notes what a style sheet loads. What looks like a font by its name
// is one; the rest are images.
func (f *found) readStyle(base *url.URL, text string) {
	for _, match := range styleAddress.FindAllStringSubmatch(text, -1) {
		address, why := match[2], Image
		if match[3] != "" {
			address, why = match[3], Style
		} else if match[1] != "" {
			why = Style
		} else if font.MatchString(address) {
			why = Font
		}
		f.resolve(base, address, why)
	}
}

var font = regexp.MustCompile(`(?i)\.(woff2?|ttf|otf|eot)([?#]|$)`)

package packages

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/url"
	"strings"

	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

// WebApp puts addresses into the menu. Each opens in a window of its own where the
// browser can do that.
type WebApp struct {
	Places   host.Tree
	Commands host.Commands
}

// browsers are those that can show one page, in the order in which they are taken:
// where there is one with windows for single pages, it is that.
var browsers = []struct{ name, option string }{
	{"chromium", "--app="}, {"chromium-browser", "--app="}, {"google-chrome", "--app="}, {"microsoft-edge", "--app="}, {"brave-browser", "--app="}, {"firefox", "--new-window "}, {"firefox-esr", "--new-window "}, {"xdg-open", ""},
}

// start is the command of the entry; empty where there is no browser.
func (s WebApp) start(address string) string {
	for _, browser := range browsers {
		if s.Commands.Has(browser.name) {
			before, own, apart := strings.Cut(browser.option, " ")
			if !apart {
				return browser.name + ` "` + before + address + `"`
			}
			return strings.TrimSpace(browser.name+" "+before+own) + ` "` + address + `"`
		}
	}
	return ""
}

// addressOf writes an address so that nothing in it means anything to a menu: no
// quotes, nothing that a shell or a desktop entry would replace.
func addressOf(text string) (string, bool) {
	address, err := url.Parse(text)
	if err != nil || address.Scheme != "https" || address.Hostname() == "" || address.User != nil {
		return "", false
	}
	text = strings.NewReplacer(`"`, "%22", "`", "%60", "$", "%24", `\`, "%5C", " ", "%20").Replace(address.String())
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", false
	}
	return strings.ReplaceAll(text, "%", "%%"), true
}

// Able says why the shortcut cannot be had here.
func (s WebApp) Able(d rollout.Declared) *ddm.Reason {
	if d.Action == rollout.Remove {
		return nil
	}
	if _, ok := addressOf(d.URL); !ok {
		return &ddm.Reason{Code: "package.bad-address"}
	}
	if s.start("") == "" {
		return &ddm.Reason{Code: "package.no-browser"}
	}
	return nil
}

func (s WebApp) entry(d rollout.Declared) []byte {
	address, _ := addressOf(d.URL)
	return entryText(d, s.start(address), "Icon=web-browser", "Categories=Network;", "X-Schulwart-Web=true")
}

// Present names the version whose entry is there, to the letter.
func (s WebApp) Present(_ context.Context, d rollout.Declared) (string, error) {
	entry, err := s.Places.Read(entryPath(d.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if version := entryVersion(entry); version != d.Version || bytes.Equal(entry, s.entry(d)) {
		return version, nil
	}
	return half(d.Version), nil
}

// Install writes the entry.
func (s WebApp) Install(_ context.Context, d rollout.Declared, _ string) error {
	_, err := s.Places.Write(entryPath(d.Name), s.entry(d))
	return err
}

// Remove takes the entry away.
func (s WebApp) Remove(_ context.Context, d rollout.Declared) error {
	return s.Places.Remove(entryPath(d.Name))
}

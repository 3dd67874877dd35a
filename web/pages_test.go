package web_test

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"schulwart.org/web"
	"schulwart.org/web/sample"
)

// draw renders every sample in every language and theme and hands over the text.
func draw(t *testing.T, look func(t *testing.T, name, html string)) {
	t.Helper()
	for _, s := range sample.All() {
		for _, lang := range web.Languages() {
			t.Run(s.Name+" "+lang, func(t *testing.T) {
				var page bytes.Buffer
				if err := s.Draw(sample.Frame(lang, "dark")).Render(context.Background(), &page); err != nil {
					t.Fatal(err)
				}
				look(t, s.Name, page.String())
			})
		}
	}
}

func TestEveryPage(t *testing.T) {
	inline := regexp.MustCompile(`\s(style|on[a-z]+|hx-on[^=]*)=`)
	script := regexp.MustCompile(`<script[^>]*>`)
	foreign := regexp.MustCompile(`(?:src|href|action|hx-post|hx-get)="(https?:)?//`)
	id := regexp.MustCompile(`\sid="([^"]+)"`)
	draw(t, func(t *testing.T, name, html string) {
		if at := strings.Index(html, "⟦"); at >= 0 {
			t.Errorf("a key is shown: %.60s", html[at:])
		}
		for _, bad := range []string{"%!", "{count}", "<nil>", "templ.SafeURL", "about:invalid"} {
			if at := strings.Index(html, bad); at >= 0 {
				t.Errorf("%q is shown: %.80s", bad, html[max(0, at-40):])
			}
		}
		if left := regexp.MustCompile(`>[^<]*\{[a-z]+\}[^<]*<`).FindString(html); left != "" {
			t.Errorf("an argument is missing: %s", left)
		}
		if found := inline.FindString(regexp.MustCompile(`<svg.*?</svg>`).ReplaceAllString(html, "")); found != "" {
			t.Errorf("inline %q breaks the Content-Security-Policy", found)
		}
		for _, tag := range script.FindAllString(html, -1) {
			if !strings.Contains(tag, " src=") && !strings.Contains(tag, `type="application/json"`) {
				t.Errorf("inline script: %s", tag)
			}
		}
		if found := foreign.FindString(html); found != "" {
			t.Errorf("points at another host: %s", found)
		}
		seen := map[string]bool{}
		for _, match := range id.FindAllStringSubmatch(html, -1) {
			if seen[match[1]] {
				t.Errorf("id %q twice", match[1])
			}
			seen[match[1]] = true
		}
		if strings.HasPrefix(strings.ToLower(html), "<!doctype") && strings.Count(html, "<h1") != 1 {
			t.Errorf("%d headings of the first order", strings.Count(html, "<h1"))
		}
	})
}

// The board's parts find their places by id; a part without its place would be
// lost without a word.
func TestFragmentsFindTheirPlaces(t *testing.T) {
	drawn := map[string]string{}
	draw(t, func(t *testing.T, name, html string) { drawn[name] = html })
	places := regexp.MustCompile(`id="([^"]+)"[^>]*hx-swap-oob="(?:outerHTML|innerHTML)"`).FindAllStringSubmatch(drawn["board-fragments"], -1)
	if len(places) != 4 {
		t.Fatalf("%d fragments, want 4", len(places))
	}
	for _, match := range places {
		if !strings.Contains(drawn["board-running"], `id="`+match[1]+`"`) {
			t.Errorf("the board has no place for %q", match[1])
		}
	}
	if strings.Contains(drawn["board-running"], "hx-swap-oob") {
		t.Error("the whole page must not replace anything out of band")
	}
}

func TestBoardKeepsItsPromises(t *testing.T) {
	var page bytes.Buffer
	for _, s := range sample.All() {
		if s.Name == "board-running" {
			if err := s.Draw(sample.Frame("de", "")).Render(context.Background(), &page); err != nil {
				t.Fatal(err)
			}
		}
	}
	html := page.String()
	for what, want := range map[string]string{
		"the sentence of the mode":             "Internet aus bis 10:35",
		"what comes afterwards":                "Danach ist alles wieder wie vorher, auch auf Geräten ohne Verbindung.",
		"a stream":                             `data-stream="/unterricht/g7b/live"`,
		"codes for when the server is down":    `"codes":["12345678"`,
		"a live region":                        `aria-live="polite"`,
		"the way to planned examinations":      `<a class="mode" href="/pruefungen">`,
		"a pressed mode that ends when tapped": `formaction="/unterricht/g7b/laufend/m1/ende"`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("missing %s: %q", what, want)
		}
	}
	if strings.Contains(html, `value="exam"`) {
		t.Error("the board starts examinations; it only leads to them")
	}
}

package linux_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/agent/packages"
	"schulwart.org/policies/rollout"
)

// What is rolled out without a package of the system can be named like any other
// program, and what is said of one is not said of the others, nor of the browser.
func TestWhatWasRolledOutIsAProgramOfItsOwn(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	s := newSchool(t, time.Minute)
	tree := host.SystemTree{Root: s.root}
	images := packages.AppImage{Places: tree}
	for name, from := range map[string]string{"tux": "/bin/echo", "org.example.Rechner": "/bin/sleep"} {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		if err := images.Install(t.Context(), rollout.Declared{Kind: rollout.AppImage, Name: name, Version: "1.0", SHA256: hex.EncodeToString(sum[:])}, from); err != nil {
			t.Fatal(err)
		}
	}
	pages := packages.WebApp{Places: tree, Commands: &host.FakeCommands{Answer: map[string]func(host.Command) ([]byte, error){"firefox-esr": func(host.Command) ([]byte, error) { return nil, nil }}}}
	for _, name := range []string{"vokabeln.example", "karten.example"} {
		if err := pages.Install(t.Context(), rollout.Declared{Kind: rollout.WebApp, Name: name, Version: "1", URL: "https://" + name + "/"}, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"app.schulwart.tux", "app.schulwart.org.example.Rechner", "app.schulwart.vokabeln.example"} {
		if !slices.ContainsFunc(linux.Installed(tree), func(a linux.App) bool { return a.ID == id }) {
			t.Errorf("%s is in no menu", id)
		}
	}
	tux, other, browser := filepath.Join(s.root, "opt/schulwart/apps/tux/tux-1.0.AppImage"), filepath.Join(s.root, "opt/schulwart/apps/org.example.Rechner/org.example.Rechner-1.0.AppImage"), filepath.Join(s.root, "usr/bin/firefox-esr")
	wants := func(what string, allow []string, tuxStarts, otherStarts, browserStarts bool) {
		t.Helper()
		set(t, s.driver, focus(time.Minute, allow...))
		s.judging(t)
		for _, program := range []struct {
			path string
			want bool
		}{{tux, tuxStarts}, {other, otherStarts}, {browser, browserStarts}} {
			eventually(t, what+": "+filepath.Base(program.path), func() bool { return start(t, pupil, program.path, "0") == program.want })
		}
	}
	wants("one of them", []string{"tux"}, true, false, false)
	wants("the other, by its own id", []string{"org.example.Rechner"}, false, true, false)
	wants("a page needs its browser", []string{"vokabeln.example"}, false, false, true)
	wants("a page that is not there", []string{"fremd.example"}, false, false, false)
	wants("the browser itself", []string{"firefox-esr"}, false, false, true)
}

package linux_test

import (
	"encoding/json"
	"testing"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

func examRules(what lease.Examination) enforce.Rules {
	rules := onlyGeogebra
	rules.Exam = &enforce.Exam{ID: "e", Examination: what, Sites: []string{"geogebra.org"}}
	return rules
}

// Each thing that an examination does not open is closed in both browsers, and is
// as before when the examination is over.
func TestAnExamClosesInBrowsersWhatItDoesNotOpen(t *testing.T) {
	const page = "https://geogebra.org/x"
	for name, c := range map[string]struct {
		open                   lease.Examination
		chromium, firefox      string // policy that is there unless it is opened
		preference, alsoClosed string
	}{
		"printing":   {lease.Examination{Page: page, Printing: true}, "PrintingEnabled", "PrintingEnabled", "", "SpellcheckEnabled"},
		"clipboard":  {lease.Examination{Page: page, Clipboard: true}, "DefaultClipboardSetting", "", "", "PrintingEnabled"},
		"capture":    {lease.Examination{Page: page, Capture: true}, "ScreenCaptureAllowed", "DisableFirefoxScreenshots", "media.getdisplaymedia.enabled", "PrintingEnabled"},
		"USB":        {lease.Examination{Page: page, USB: true}, "DefaultWebUsbGuardSetting", "", "", "PrintingEnabled"},
		"spelling":   {lease.Examination{Page: page, Spelling: true}, "SpellcheckEnabled", "", "layout.spellcheckDefault", "GenAiDefaultSettings"},
		"assistants": {lease.Examination{Page: page, Assistants: true}, "GenAiDefaultSettings", "GenerativeAI", "browser.ml.enable", "SpellcheckEnabled"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine()
			b := m.browser()
			set(t, b, examRules(lease.Examination{Page: page}))
			has := func(file, name string) bool {
				p := m.policy(t, file)
				if file == firefoxFile {
					p, _ = p["policies"].(map[string]any)
				}
				_, there := p[name]
				return there
			}
			preference := func() bool {
				policies, _ := m.policy(t, firefoxFile)["policies"].(map[string]any)
				preferences, _ := policies["Preferences"].(map[string]any)
				_, there := preferences[c.preference]
				// What the network part says stands beside it.
				_, beside := preferences["network.http.http3.enable"]
				return there && beside
			}
			if !has(chromiumFile, c.chromium) || c.firefox != "" && !has(firefoxFile, c.firefox) || c.preference != "" && !preference() {
				t.Error("it is not closed")
			}
			set(t, b, examRules(c.open))
			if has(chromiumFile, c.chromium) || c.firefox != "" && has(firefoxFile, c.firefox) || c.preference != "" && preference() {
				t.Error("it is not opened")
			}
			if !has(chromiumFile, c.alsoClosed) || !has(chromiumFile, "DeveloperToolsAvailability") {
				t.Error("more than that was opened")
			}
			if list(m.policy(t, chromiumFile)["URLAllowlist"]) != `["127.0.83.87","geogebra.org","schulwart.test"]` {
				t.Errorf("files and pages of the browser itself: %s", list(m.policy(t, chromiumFile)["URLAllowlist"]))
			}
			set(t, b, nothing)
			if _, err := m.tree.Read(chromiumFile); err == nil {
				t.Error("something is left in Chromium's policies")
			}
			if _, err := m.tree.Read(firefoxFile); err == nil {
				t.Error("something is left in Firefox's policies")
			}
		})
	}
}

func TestAnExamIsRehearsedOnTheDevice(t *testing.T) {
	m := newMachine()
	session := linux.NewSession(linux.SessionOptions{Holds: &host.FakeHolds{Clock: m}, Desktops: m.desktops, Clock: m, Tree: m.tree})
	apps := linux.NewApps(linux.AppsOptions{Holds: &host.FakeHolds{Clock: m}, Clock: m, Tree: m.tree})
	rules := examRules(lease.Examination{Page: "https://geogebra.org/x"})
	rules.Apps = &enforce.Apps{Allow: []string{"org.geogebra.GeoGebra", "libreoffice-writer"}}
	if found := session.Rehearse(rules); found == nil || found.Reason.Code != "session.no-browser" {
		t.Errorf("without a browser: %+v", found)
	}
	for file, text := range map[string]string{"/usr/bin/chromium": "", "/usr/share/applications/libreoffice-writer.desktop": "[Desktop Entry]\nType=Application\nName=Writer\nExec=lowriter\n"} {
		if _, err := m.tree.Write(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if found := session.Rehearse(rules); found != nil {
		t.Errorf("with Chromium: %+v", found)
	}
	if found := apps.Rehearse(rules); found == nil || found.Reason.Code != "app-missing" || found.Reason.Details["app"] != "GeoGebra" {
		t.Errorf("programs: %+v", found)
	}
	m.desktops.SetDesktops(host.Desktop{UID: 1001, Wayland: true})
	if found := session.Rehearse(rules); found == nil || found.Reason.Code != "session.wayland" {
		t.Errorf("on Wayland: %+v", found)
	}
}

// tellers is a helper that reports what it is given.
func tellers(m *machine, report any) *host.FakeHolds {
	return &host.FakeHolds{Clock: m, Report: func(string, []byte) []byte {
		data, _ := json.Marshal(report)
		return data
	}}
}

func TestWhatWasRefusedIsSeen(t *testing.T) {
	m := newMachine()
	apps := linux.NewApps(linux.AppsOptions{Clock: m, Holds: tellers(m, map[string]any{"judging": true, "refused": map[string]int{"xterm": 1, "scrot": 47}})})
	rules := examRules(lease.Examination{})
	rules.Apps = &enforce.Apps{Release: 1e12}
	set(t, apps, rules)
	want := []enforce.Sighting{
		{What: ddm.DeedRefused, Args: map[string]string{"program": "scrot", "times": "40"}},
		{What: ddm.DeedRefused, Args: map[string]string{"program": "xterm", "times": "1"}},
	}
	if got := apps.Sightings(); list(got) != list(want) {
		t.Errorf("%+v", got)
	}
}

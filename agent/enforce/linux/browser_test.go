package linux_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
)

const (
	chromiumFile = "/etc/chromium/policies/managed/schulwart.json"
	firefoxFile  = "/etc/firefox/policies/policies.json"
)

var (
	onlyGeogebra = enforce.Rules{Network: enforce.Network{Reach: enforce.Only, Allow: []string{"geogebra.org", "=www.kmz.de"}, Deny: []string{"games.geogebra.org"}}}
	internetOff  = enforce.Rules{Network: enforce.Network{Reach: enforce.Never}}
	baseFilter   = enforce.Rules{Network: enforce.Network{Deny: []string{"casino.test"}}}
	nothing      = enforce.Rules{}
)

// machine is a pupil's laptop in memory.
type machine struct {
	*host.Fake
	tree     *host.FakeTree
	programs *host.FakePrograms
	desktops *host.FakeDesktops
	notice   time.Duration
	waited   int // by the last waitForTimer
}

func newMachine() *machine {
	m := &machine{host.NewFake(time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC)), &host.FakeTree{}, &host.FakePrograms{}, &host.FakeDesktops{}, time.Minute, 0}
	m.desktops.SetDesktops(host.Desktop{UID: 1001, Display: ":0"})
	m.Advance(time.Hour)
	return m
}

func (m *machine) browser() *linux.Browser {
	return linux.NewBrowser(linux.BrowserOptions{Tree: m.tree, Files: m.Files, Programs: m.programs, Desktops: m.desktops, Notices: m.desktops, Clock: m, Home: []string{"schulwart.test"}, Notice: m.notice})
}

func (m *machine) policy(t *testing.T, file string) map[string]any {
	t.Helper()
	data, err := m.tree.Read(file)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var policy map[string]any
	if err := json.Unmarshal(data, &policy); err != nil {
		t.Fatal(err)
	}
	return policy
}

func set(t *testing.T, driver enforce.Driver, rules enforce.Rules) {
	t.Helper()
	if err := driver.Set(context.Background(), rules); err != nil {
		t.Fatal(err)
	}
}

func wantState(t *testing.T, driver enforce.Driver, state ddm.PartState, code string) {
	t.Helper()
	got := driver.Check(context.Background())
	reason := ""
	if got.Reason != nil {
		reason = got.Reason.Code
	}
	if got.State != state || reason != code {
		t.Fatalf("check: got %s %q, want %s %q", got.State, reason, state, code)
	}
}

// eventually waits for a condition, not for seconds.
func eventually(t *testing.T, what string, met func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if met() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

func list(value any) string {
	data, _ := json.Marshal(value)
	return string(data)
}

func TestBrowserPolicies(t *testing.T) {
	m := newMachine()
	b := m.browser()
	set(t, b, onlyGeogebra)
	wantState(t, b, ddm.PartOK, "")
	p := m.policy(t, chromiumFile)
	if got := list(p["URLBlocklist"]); got != `["*","games.geogebra.org"]` {
		t.Errorf("blocked: %s", got)
	}
	allowed := list(p["URLAllowlist"])
	for _, want := range []string{`"geogebra.org"`, `".www.kmz.de"`, `"schulwart.test"`, `"file://*"`} {
		if !strings.Contains(allowed, want) {
			t.Errorf("allowed lacks %s: %s", want, allowed)
		}
	}
	if p["DnsOverHttpsMode"] != "off" || p["QuicAllowed"] != false || p["IncognitoModeAvailability"] != 1.0 {
		t.Errorf("side doors: %v", p)
	}
	f := m.policy(t, firefoxFile)["policies"].(map[string]any)
	filter := list(f["WebsiteFilter"])
	for _, want := range []string{`"*://*.geogebra.org/*"`, `"*://www.kmz.de/*"`, `"*://*.schulwart.test/*"`} {
		if !strings.Contains(filter, want) {
			t.Errorf("Firefox lacks %s: %s", want, filter)
		}
	}

	set(t, b, internetOff)
	if got := list(m.policy(t, chromiumFile)["URLAllowlist"]); strings.Contains(got, "geogebra") || !strings.Contains(got, "schulwart.test") {
		t.Errorf("internet off allows %s", got)
	}
	set(t, b, baseFilter)
	p = m.policy(t, chromiumFile)
	if list(p["URLBlocklist"]) != `["casino.test"]` || p["URLAllowlist"] != nil || p["IncognitoModeAvailability"] != nil {
		t.Errorf("base filter: %v", p)
	}
	set(t, b, nothing)
	for _, file := range []string{chromiumFile, firefoxFile} {
		if _, err := m.tree.Read(file); err == nil {
			t.Errorf("%s is still there", file)
		}
	}
	wantState(t, b, ddm.PartOK, "")
}

func TestForeignFirefoxPolicyIsKeptAndRestored(t *testing.T) {
	const foreign = `{"policies":{"Homepage":{"URL":"https://schule.test"},"WebsiteFilter":{"Block":["*://*.spiele.test/*"]},"Preferences":{"a":{"Value":1}}}}`
	m := newMachine()
	_, _ = m.tree.Write(firefoxFile, []byte(foreign))
	set(t, m.browser(), baseFilter)
	f := m.policy(t, firefoxFile)["policies"].(map[string]any)
	if !strings.Contains(list(f["Homepage"]), "schule.test") || !strings.Contains(list(f["Preferences"]), `"a"`) {
		t.Errorf("foreign policies are gone: %v", f)
	}
	if got := list(f["WebsiteFilter"]); !strings.Contains(got, "spiele.test") || !strings.Contains(got, "casino.test") {
		t.Errorf("filters do not add up: %s", got)
	}
	// A new process, as after a restart, must know what was there before.
	b := m.browser()
	set(t, b, internetOff)
	set(t, b, nothing)
	if data, _ := m.tree.Read(firefoxFile); string(data) != foreign {
		t.Errorf("restored %s", data)
	}
	// The second time nothing happens: somebody else's change stays.
	_, _ = m.tree.Write(firefoxFile, []byte(`{"policies":{}}`))
	set(t, m.browser(), nothing)
	if data, _ := m.tree.Read(firefoxFile); string(data) != `{"policies":{}}` {
		t.Errorf("touched a file that is not ours: %s", data)
	}
}

func TestSomebodyElsesLaterFileStays(t *testing.T) {
	m := newMachine()
	_, _ = m.tree.Write(firefoxFile, []byte(`{"policies":{"A":1}}`))
	b := m.browser()
	set(t, b, internetOff)
	_, _ = m.tree.Write(firefoxFile, []byte(`{"policies":{"B":2}}`))
	wantState(t, b, ddm.PartDeviating, "browser.changed")
	set(t, b, nothing)
	if data, _ := m.tree.Read(firefoxFile); string(data) != `{"policies":{"B":2}}` {
		t.Errorf("overwrote a later foreign value: %s", data)
	}
}

func TestTamperedPolicyIsSeenAndRepaired(t *testing.T) {
	m := newMachine()
	b := m.browser()
	set(t, b, internetOff)
	_ = m.tree.Remove(chromiumFile)
	wantState(t, b, ddm.PartDeviating, "browser.changed")
	set(t, b, internetOff)
	wantState(t, b, ddm.PartOK, "")
	_, _ = m.tree.Write("/etc/chromium/policies/managed/zz.json", []byte(`{"URLBlocklist":[]}`))
	wantState(t, b, ddm.PartDeviating, "browser.foreign")
	_, _ = m.tree.Write("/etc/chromium/policies/managed/zz.json", []byte(`{"HomepageLocation":"x"}`))
	wantState(t, b, ddm.PartOK, "")
}

func TestAllFilesOrNone(t *testing.T) {
	m := newMachine()
	b := m.browser()
	set(t, b, baseFilter)
	before, _ := m.tree.Read(chromiumFile)
	m.tree.Fail = map[string]error{firefoxFile: errors.New("read-only")}
	if err := b.Set(context.Background(), internetOff); err == nil {
		t.Fatal("no error")
	}
	if after, _ := m.tree.Read(chromiumFile); string(after) != string(before) {
		t.Errorf("the former rules do not hold: %s", after)
	}
}

func TestFullDiskTouchesNothing(t *testing.T) {
	m := newMachine()
	_, _ = m.tree.Write(firefoxFile, []byte(`{"policies":{"A":1}}`))
	m.Files.SetFull(true)
	if err := m.browser().Set(context.Background(), internetOff); !errors.Is(err, host.ErrFull) {
		t.Fatalf("got %v", err)
	}
	if data, _ := m.tree.Read(firefoxFile); string(data) != `{"policies":{"A":1}}` {
		t.Errorf("touched without memory: %s", data)
	}
}

func pupilBrowser(started time.Duration) host.Program {
	return host.Program{PID: 4711, UID: 1001, GID: 1001, Path: "/usr/lib/chromium/chromium", Args: []string{"/usr/lib/chromium/chromium", "--user-data-dir=/home/p/x", "https://geogebra.org"}, Started: started}
}

func TestRunningBrowserRestartsAfterNotice(t *testing.T) {
	m := newMachine()
	b := m.browser()
	set(t, b, nothing)
	m.Advance(time.Minute)
	m.programs.Run(pupilBrowser(m.Read().Elapsed), "DISPLAY=:0")
	m.programs.Run(host.Program{PID: 4712, UID: 1001, Path: "/usr/lib/chromium/chromium", Args: []string{"/usr/lib/chromium/chromium --type=renderer"}, Started: m.Read().Elapsed})
	m.Advance(time.Minute)
	set(t, b, internetOff)
	wantState(t, b, ddm.PartPending, "browser.restart-at")
	if shown := m.desktops.Shown(); len(shown) != 1 || !strings.Contains(shown[0], "60 Sekunden") {
		t.Fatalf("told: %v", shown)
	}
	set(t, b, internetOff)
	if len(m.desktops.Shown()) != 1 || len(m.programs.Asked()) != 0 {
		t.Fatal("told twice, or ended without notice")
	}
	waitForTimer(t, m)
	m.Advance(time.Minute)
	eventually(t, "the browser starts again", func() bool { return len(m.programs.Launched()) == 1 })
	again := m.programs.Launched()[0]
	if again.UID != 1001 || strings.Join(again.Args, " ") != "--user-data-dir=/home/p/x --restore-last-session" || again.Env[0] != "DISPLAY=:0" {
		t.Errorf("started as %+v", again)
	}
	if asked := m.programs.Asked(); len(asked) != 1 || asked[0].PID != 4711 {
		t.Errorf("asked %v", asked)
	}
}

// waitForTimer lets the driver's goroutine reach its clock before time passes.
func waitForTimer(t *testing.T, m *machine) {
	t.Helper()
	eventually(t, "somebody waits for the clock", func() bool { return m.Waits() > m.waited })
	m.waited = m.Waits()
}

func TestModeThatEndsWithinTheNoticeDisturbsNobody(t *testing.T) {
	m := newMachine()
	b := m.browser()
	set(t, b, nothing)
	m.Advance(time.Second)
	m.programs.Run(pupilBrowser(m.Read().Elapsed))
	m.Advance(time.Second)
	set(t, b, internetOff)
	m.Advance(10 * time.Second)
	set(t, b, nothing)
	wantState(t, b, ddm.PartOK, "")
	waitForTimer(t, m)
	m.Advance(time.Hour)
	time.Sleep(50 * time.Millisecond)
	if asked := m.programs.Asked(); len(asked) != 0 {
		t.Errorf("restarted for nothing: %v", asked)
	}
}

func TestBrowserThatAsksItsUserIsLeftAlone(t *testing.T) {
	m := newMachine()
	m.notice = -1
	m.programs.Stubborn = true
	b := m.browser()
	set(t, b, nothing)
	m.Advance(time.Second)
	m.programs.Run(pupilBrowser(m.Read().Elapsed))
	m.Advance(time.Second)
	set(t, b, internetOff)
	eventually(t, "the browser is asked", func() bool { return len(m.programs.Asked()) == 1 })
	if len(m.programs.Launched()) != 0 {
		t.Error("started a second one beside it")
	}
	wantState(t, b, ddm.PartPending, "browser.restart-at")
}

func TestBaseFilterRestartsNobody(t *testing.T) {
	m := newMachine()
	b := m.browser()
	set(t, b, nothing)
	m.Advance(time.Second)
	m.programs.Run(pupilBrowser(m.Read().Elapsed))
	m.Advance(time.Second)
	set(t, b, baseFilter)
	wantState(t, b, ddm.PartOK, "")
}

func pupilFirefox(started time.Duration) host.Program {
	return host.Program{PID: 4800, UID: 1001, Path: "/usr/lib/firefox-esr/firefox-esr", Args: []string{"firefox-esr", "--profile", "/home/p/f", "https://geogebra.org"}, Started: started}
}

// A mode restarts Firefox at its start and at its end, and Firefox brings pages
// back by itself only once.
func TestFirefoxIsToldToBringPagesBack(t *testing.T) {
	m := newMachine()
	b := m.browser()
	set(t, b, internetOff)
	if got := list(m.policy(t, firefoxFile)); !strings.Contains(got, "max_resumed_crashes") {
		t.Errorf("within the mode: %s", got)
	}
	m.Advance(time.Second)
	m.programs.Run(pupilFirefox(m.Read().Elapsed))
	m.Advance(time.Second)
	set(t, b, nothing)
	got := list(m.policy(t, firefoxFile))
	if !strings.Contains(got, "max_resumed_crashes") || strings.Contains(got, "WebsiteFilter") {
		t.Errorf("while the restart at the end is due: %s", got)
	}
	gone := func() bool { _, err := m.tree.Read(firefoxFile); return err != nil }
	waitForTimer(t, m)
	m.Advance(time.Minute)
	eventually(t, "Firefox starts again", func() bool { return len(m.programs.Launched()) == 1 })
	if again := strings.Join(m.programs.Launched()[0].Args, " "); again != "--profile /home/p/f" {
		t.Errorf("started with %q", again)
	}
	waitForTimer(t, m)
	if gone() {
		t.Error("taken away before Firefox could read it")
	}
	m.Advance(time.Minute)
	eventually(t, "nothing is left", gone)
	wantState(t, b, ddm.PartOK, "")
}

func TestModeThatBeginsWhileFirefoxReadsIsArranged(t *testing.T) {
	m := newMachine()
	b := m.browser()
	set(t, b, internetOff)
	m.Advance(time.Second)
	m.programs.Run(pupilFirefox(m.Read().Elapsed))
	m.Advance(time.Second)
	set(t, b, nothing)
	waitForTimer(t, m)
	m.Advance(time.Minute)
	eventually(t, "first restart", func() bool { return len(m.programs.Launched()) == 1 })
	waitForTimer(t, m) // until Firefox has read
	m.Advance(time.Second)
	m.programs.Run(pupilFirefox(m.Read().Elapsed))
	m.Advance(time.Second)
	set(t, b, onlyGeogebra)
	waitForTimer(t, m)
	m.Advance(time.Minute)
	eventually(t, "second restart", func() bool { return len(m.programs.Launched()) == 2 })
	if got := list(m.policy(t, firefoxFile)); !strings.Contains(got, "geogebra.org") {
		t.Errorf("the mode's own policy is gone: %s", got)
	}
}

// uninstall and sweep set, and are gone before any restart.
func TestClosingLeavesNothingForARestart(t *testing.T) {
	m := newMachine()
	b := m.browser()
	set(t, b, internetOff)
	m.Advance(time.Second)
	m.programs.Run(pupilFirefox(m.Read().Elapsed))
	m.Advance(time.Second)
	set(t, b, nothing)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if data, err := m.tree.Read(firefoxFile); err == nil {
		t.Errorf("left behind: %s", data)
	}
	set(t, b, internetOff)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.tree.Read(firefoxFile); err != nil {
		t.Error("an orderly stop released what holds")
	}
}

// What the base policy says of browsers stands beside what a mode says, which is
// the stricter; and goes with neither more nor less than it brought.
func TestBrowserPoliciesOfTheBaseAndOfAModeStandInOneFile(t *testing.T) {
	m := newMachine()
	b := m.browser()
	base := settings(t, family("browsers"), map[string]any{"home-page": "https://start.example/", "private-mode": true, "password-manager": false})
	set(t, b, base)
	p := m.policy(t, chromiumFile)
	if p["HomepageLocation"] != "https://start.example/" || p["PasswordManagerEnabled"] != false || p["IncognitoModeAvailability"] != nil || p["URLBlocklist"] != nil {
		t.Errorf("the base: %v", p)
	}
	lesson := onlyGeogebra
	lesson.Base = base.Base
	set(t, b, lesson)
	p = m.policy(t, chromiumFile)
	if p["HomepageLocation"] != "https://start.example/" || p["IncognitoModeAvailability"] != 1.0 || p["URLBlocklist"] == nil {
		t.Errorf("with a mode: %v", p)
	}
	set(t, b, base)
	if p = m.policy(t, chromiumFile); p["IncognitoModeAvailability"] != nil || p["URLBlocklist"] != nil || p["PasswordManagerEnabled"] != false {
		t.Errorf("after the mode: %v", p)
	}
	f := m.policy(t, firefoxFile)["policies"].(map[string]any)
	if f["OfferToSaveLogins"] != false || f["WebsiteFilter"] != nil {
		t.Errorf("Firefox after the mode: %v", f)
	}
	set(t, b, nothing)
	if files := m.tree.List("/etc/chromium/policies/managed"); len(files) > 0 {
		t.Errorf("left: %v", files)
	}
}

// Firefox has no policy for some things: where it is installed, nothing is
// claimed.
func TestWhatFirefoxCannotDoIsSaid(t *testing.T) {
	m := newMachine()
	b := m.browser()
	rules := settings(t, family("browsers"), map[string]any{"downloads": "blocked"})
	set(t, b, rules)
	if why := b.Lacks("browsers"); why != nil {
		t.Errorf("without Firefox: %+v", why)
	}
	if _, err := m.tree.Write("/usr/bin/firefox-esr", nil); err != nil {
		t.Fatal(err)
	}
	set(t, b, rules)
	if why := b.Lacks("browsers"); why == nil || why.Details["fields"] != "downloads" {
		t.Errorf("with Firefox: %+v", why)
	}
	if why := b.Lacks("proxy"); why != nil {
		t.Errorf("the proxy: %+v", why)
	}
}

package linux_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/scripts/need"
)

// ownPolicies lays a layer of its own over /etc, so that what is written there is
// seen by this process and its children alone.
func ownPolicies(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("sw-test", dir, "tmpfs", 0, "mode=0755"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"upper", "work"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mount("sw-test", "/etc", "overlay", 0, fmt.Sprintf("lowerdir=/etc,upperdir=%s/upper,workdir=%s/work", dir, dir)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Unmount("/etc", syscall.MNT_DETACH)
		_ = syscall.Unmount(dir, syscall.MNT_DETACH)
	})
}

// asked is a web site that remembers which pages were asked for.
type asked struct {
	mu    sync.Mutex
	pages []string
	*httptest.Server
}

func newSite(t *testing.T) *asked {
	t.Helper()
	a := &asked{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.pages = append(a.pages, r.URL.Path)
		a.mu.Unlock()
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintln(w, "<title>page</title>the page")
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *asked) count(page string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, p := range a.pages {
		if p == page {
			n++
		}
	}
	return n
}

// A page is refused by the real Chromium while the policy lies there, and shown
// when it is gone.
func TestRealChromiumObeysThePolicy(t *testing.T) {
	chromium := need.Tool(t, "chromium")
	if !inOwnMounts(t) {
		return
	}
	ownPolicies(t)
	m := newMachine()
	b := linux.NewBrowser(linux.BrowserOptions{Tree: host.SystemTree{}, Files: m.Files, Programs: m.programs, Desktops: m.desktops, Notices: m.desktops, Clock: m})
	site := newSite(t)
	const blocked = "ERR_BLOCKED_BY_ADMINISTRATOR"
	visit := func(page string) (reached bool, said string) {
		before := site.count(page)
		cmd := exec.Command("timeout", "60", chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--user-data-dir="+t.TempDir(), "--dump-dom", site.URL+page)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", page, err, out)
		}
		return site.count(page) > before, string(out)
	}
	if reached, said := visit("/control"); !reached {
		t.Fatalf("without a policy the site is not reached: %s", said)
	}
	// "Local" addresses stay open in every mode, so the site is refused by name.
	deny := enforce.Rules{Network: enforce.Network{Deny: []string{"127.0.0.1"}}}
	set(t, b, deny)
	if reached, said := visit("/denied"); reached || !strings.Contains(said, blocked) {
		t.Errorf("the base filter does not hold: reached %v, %s", reached, said)
	}
	set(t, b, enforce.Rules{Network: enforce.Network{Reach: enforce.Only, Allow: []string{"geogebra.invalid"}}})
	for address, want := range map[string]bool{"http://other.invalid/": true, "http://geogebra.invalid.other.invalid/": true, "http://www.geogebra.invalid/": false} {
		out, _ := exec.Command("timeout", "60", chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--user-data-dir="+t.TempDir(), "--dump-dom", address).CombinedOutput()
		if got := strings.Contains(string(out), blocked); got != want {
			t.Errorf("%s: blocked is %v, want %v", address, got, want)
		}
	}
	set(t, b, nothing)
	if reached, said := visit("/after"); !reached {
		t.Errorf("blocked although nothing holds: %s", said)
	}
}

// A real browser of a pupil is asked to end after notice, comes back, and has
// its page again.
func TestRealBrowserRestartsWithItsPages(t *testing.T) {
	chromium := need.Tool(t, "chromium")
	server := need.Tool(t, "Xvfb")
	if !inOwnMounts(t) {
		return
	}
	ownPolicies(t)
	site := newSite(t)
	home, err := os.MkdirTemp("/var/tmp", "sw-pupil-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	if err := os.Chown(home, pupil, pupil); err != nil {
		t.Fatal(err)
	}
	display := startServer(t, server)
	browser := exec.Command(chromium, "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--user-data-dir="+filepath.Join(home, "profile"), site.URL+"/lesson")
	browser.Dir = "/"
	browser.Env = []string{"DISPLAY=" + display, "HOME=" + home, "PATH=/usr/bin:/bin"}
	browser.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: pupil, Gid: pupil}}
	if err := browser.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = browser.Wait() }()
	t.Cleanup(func() { endOf(home) })
	patiently(t, "the page is open", func() bool { return site.count("/lesson") > 0 })
	// What Chromium has not written down yet it cannot bring back.
	patiently(t, "the session is saved", func() bool {
		files, _ := filepath.Glob(filepath.Join(home, "profile", "Default", "Sessions", "Session_*"))
		return slices.ContainsFunc(files, func(file string) bool {
			data, _ := os.ReadFile(file)
			return bytes.Contains(data, []byte("/lesson"))
		})
	})

	mine := onlyIn{home}
	files := &host.FakeFiles{}
	b := linux.NewBrowser(linux.BrowserOptions{Tree: host.SystemTree{}, Files: files, Programs: mine, Desktops: &host.FakeDesktops{}, Notices: &host.FakeDesktops{}, Clock: host.NewClock(""), Notice: time.Second})
	// The mode leaves this site open, so that the page can come back.
	set(t, b, enforce.Rules{Network: enforce.Network{Reach: enforce.Only, Allow: []string{"127.0.0.1"}}})
	if reading := b.Check(t.Context()); reading.State != ddm.PartPending {
		t.Fatalf("a browser with old rules is %s", reading.State)
	}
	patiently(t, "the browser has started again", func() bool { return b.Check(t.Context()).State == ddm.PartOK && len(mine.browsers()) > 0 })
	patiently(t, "its page is open again", func() bool { return site.count("/lesson") > 1 })
}

// A whole mode on the real Firefox: restarted at its start and at its end, its
// page is open again both times, and nothing stays behind.
func TestRealFirefoxKeepsItsPagesThroughAMode(t *testing.T) {
	firefox := need.Tool(t, "firefox-esr")
	server := need.Tool(t, "Xvfb")
	if !inOwnMounts(t) {
		return
	}
	ownPolicies(t)
	site := newSite(t)
	home, err := os.MkdirTemp("/var/tmp", "sw-pupil-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	profile := filepath.Join(home, "profile")
	if err := os.Mkdir(profile, 0o755); err != nil {
		t.Fatal(err)
	}
	// No welcome pages before ours, all pages loaded at once, a session soon saved.
	prefs := `user_pref("datareporting.policy.dataSubmissionPolicyBypassNotification", true);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("startup.homepage_welcome_url", "about:blank");
user_pref("browser.sessionstore.restore_on_demand", false);
user_pref("browser.sessionstore.interval", 1000);
`
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(prefs), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{home, profile, filepath.Join(profile, "user.js")} {
		if err := os.Chown(path, pupil, pupil); err != nil {
			t.Fatal(err)
		}
	}
	browser := exec.Command(firefox, "--profile", profile, site.URL+"/lesson")
	browser.Dir = "/"
	browser.Env = []string{"DISPLAY=" + startServer(t, server), "HOME=" + home, "PATH=/usr/bin:/bin"}
	browser.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: pupil, Gid: pupil}}
	if err := browser.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = browser.Wait() }()
	t.Cleanup(func() { endOf(home) })
	mine := onlyIn{home}
	b := linux.NewBrowser(linux.BrowserOptions{
		Tree: host.SystemTree{}, Files: &host.FakeFiles{}, Programs: mine, Desktops: &host.FakeDesktops{}, Notices: &host.FakeDesktops{}, Clock: host.NewClock(""), Notice: time.Second, Linger: 30 * time.Second,
	})
	opened := func(times int) func() bool { return func() bool { return site.count("/lesson") >= times } }
	// What Firefox has not written down yet it cannot bring back.
	kept := func(since time.Time) func() bool {
		file := filepath.Join(profile, "sessionstore-backups", "recovery.jsonlz4")
		return func() bool {
			info, err := os.Stat(file)
			data, _ := os.ReadFile(file)
			return err == nil && info.ModTime().After(since) && bytes.Contains(data, []byte("/lesson"))
		}
	}
	began := time.Now()
	patiently(t, "the page is open", opened(1))
	patiently(t, "the session is saved", kept(began))
	again := time.Now()
	set(t, b, enforce.Rules{Network: enforce.Network{Reach: enforce.Only, Allow: []string{"127.0.0.1"}}})
	patiently(t, "the page is open again after the mode began", opened(2))
	patiently(t, "the session is saved again", kept(again))
	set(t, b, nothing)
	patiently(t, "the page is open again after the mode ended", opened(3))
	patiently(t, "no policy is left", func() bool { _, err := os.Stat(firefoxFile); return os.IsNotExist(err) })
	if prefs, err := os.ReadFile(filepath.Join(profile, "prefs.js")); err != nil || strings.Contains(string(prefs), "max_resumed_crashes") {
		t.Errorf("left in the pupil's profile (%v)", err)
	}
}

// onlyIn sees the processes of one home, and none of other tests.
type onlyIn struct{ home string }

func (o onlyIn) Programs() ([]host.Program, error) {
	all, err := host.SystemPrograms{}.Programs()
	var mine []host.Program
	for _, p := range all {
		if strings.Contains(strings.Join(p.Args, " "), o.home) {
			mine = append(mine, p)
		}
	}
	return mine, err
}

func (onlyIn) Environ(p host.Program) ([]string, error) { return host.SystemPrograms{}.Environ(p) }
func (onlyIn) Running(p host.Program) bool              { return host.SystemPrograms{}.Running(p) }
func (onlyIn) AskToEnd(p host.Program) error            { return host.SystemPrograms{}.AskToEnd(p) }
func (onlyIn) End(p host.Program) error                 { return host.SystemPrograms{}.End(p) }
func (onlyIn) Launch(l host.Launch) error               { return host.SystemPrograms{}.Launch(l) }

func (o onlyIn) browsers() []host.Program {
	all, _ := o.Programs()
	return all
}

// endOf ends what runs out of a home.
func endOf(home string) {
	for _, p := range (onlyIn{home}).browsers() {
		_ = syscall.Kill(p.PID, syscall.SIGKILL)
	}
}

func startServer(t *testing.T, server string) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	x := exec.Command(server, "-displayfd", "3", "-noreset", "-screen", "0", "1024x768x24", "-nolisten", "tcp")
	x.ExtraFiles = []*os.File{write}
	if err := x.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Process.Kill(); _ = x.Wait() })
	write.Close()
	number := make([]byte, 16)
	n, err := read.Read(number)
	if err != nil {
		t.Fatal(err)
	}
	return ":" + strings.TrimSpace(string(number[:n]))
}

// patiently waits for a browser on a busy machine.
func patiently(t *testing.T, what string, met func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if met() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

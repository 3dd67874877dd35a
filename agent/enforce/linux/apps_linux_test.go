package linux_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/scripts/need"
)

const pupil = 20018

// inOwnMounts runs the test again in a process with mounts of its own, where it
// may mount what it likes.
func inOwnMounts(t *testing.T) bool {
	t.Helper()
	const mark = "SCHULWART_TEST_OWN_MOUNTS"
	if os.Getenv(mark) == t.Name() {
		return true
	}
	need.Root(t)
	unshare := need.Tool(t, "unshare")
	cmd := exec.Command(unshare, "--mount", "--propagation", "private", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), mark+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "--- SKIP") {
		need.Missing(t, string(out))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	return false
}

// TestMain lets the test's own program be the helper: whoever judges programs
// must not be the process that starts them.
func TestMain(m *testing.M) {
	root := os.Getenv("SCHULWART_TEST_ROOT")
	if len(os.Args) != 4 || os.Args[1] != "hold" || root == "" {
		os.Exit(m.Run())
	}
	dir := os.Args[3]
	desktops := &host.FakeDesktops{}
	desktops.SetDesktops(host.Desktop{UID: pupil, Display: ":0"})
	hold := linux.HoldApps
	if os.Args[2] == linux.ProgramsName {
		hold = linux.HoldPrograms
	}
	err := hold(dir, linux.AppsHelper{
		Gate:  func(mounts ...string) (linux.ExecGate, error) { return host.OpenExecGate(mounts...) },
		Files: host.SystemTree{Root: root}, Programs: host.SystemPrograms{}, Desktops: desktops, Notices: toldInFile(filepath.Join(dir, "told")), Lineage: host.Lineage, Own: host.OwnFile(),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// toldInFile is a desktop that keeps what it was told.
type toldInFile string

func (f toldInFile) Notify(_ host.Desktop, title, body string) error {
	file, err := os.OpenFile(string(f), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = fmt.Fprintf(file, "%s: %s\n", title, body)
	return err
}

// school is a small system on file systems of its own: programs with desktop
// entries, tools, a pupil's home, and a stick that somebody brought along.
type school struct {
	root, stick string
	driver      *linux.Apps
	dir         string
}

func newSchool(t *testing.T, notice time.Duration) *school {
	t.Helper()
	base := t.TempDir()
	// Tests run below a directory that is closed to everybody else.
	for dir := base; dir != "/"; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode()&0o001 == 0 {
			if err := os.Chmod(dir, info.Mode()|0o011); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := &school{root: filepath.Join(base, "root"), stick: filepath.Join(base, "stick"), dir: t.TempDir()}
	for _, mount := range []string{s.root, s.stick} {
		if err := os.Mkdir(mount, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("sw-test", mount, "tmpfs", 0, "mode=0755"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(mount, syscall.MNT_DETACH) })
	}
	t.Setenv("SCHULWART_TEST_ROOT", s.root)
	holds, err := host.NewHolds(s.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holds.Drop(linux.AppsName) })
	s.driver = linux.NewApps(linux.AppsOptions{Holds: holds, Clock: host.NewClock(""), Notice: notice, Mounts: []string{s.root, s.stick}, Browser: "editor"})
	s.furnish(t)
	return s
}

func (s *school) told() string {
	data, _ := os.ReadFile(filepath.Join(s.dir, "told"))
	return string(data)
}

func (s *school) furnish(t *testing.T) {
	t.Helper()
	for name, from := range map[string]string{
		"usr/bin/geogebra": "sleep", "usr/bin/firefox-esr": "echo", "usr/lib/firefox-esr/firefox-bin": "echo", "usr/bin/mousetweaks": "echo", "usr/bin/ls": "ls",
		"usr/bin/editor": "sh", "usr/bin/python3": "cat", "lib64/ld-linux-x86-64.so.2": "/lib64/ld-linux-x86-64.so.2", "usr/bin/panel": "echo",
	} {
		s.install(t, name, from)
	}
	s.write(t, "usr/bin/quiz", "#!"+s.root+"/usr/bin/python3\n", 0o755)
	for id, text := range map[string]string{
		"org.geogebra.GeoGebra": "Name=GeoGebra\nExec=geogebra %F", "firefox-esr": "Name=Firefox\nExec=/usr/bin/firefox-esr %u",
		"mousetweaks": "Name=Maushilfe\nExec=mousetweaks\nCategories=Utility;Accessibility;", "quiz": "Name=Quiz\nExec=env A=b quiz", "editor": "Name=Editor\nExec=\"editor\" --new",
		"panel": "Name=Leiste\nExec=panel", "gone": "Name=Fort\nExec=gone\nHidden=true",
	} {
		s.write(t, "usr/share/applications/"+id+".desktop", "[Desktop Entry]\nType=Application\n"+text+"\n", 0o644)
	}
	s.write(t, "etc/xdg/autostart/panel.desktop", "[Desktop Entry]\nType=Application\nName=Leiste\nExec=panel\n", 0o644)
	s.write(t, "var/lib/dpkg/info/firefox-esr.list", "/.\n/usr\n/usr/bin\n/usr/bin/firefox-esr\n/usr/lib/firefox-esr\n/usr/lib/firefox-esr/firefox-bin\n/usr/share/applications/firefox-esr.desktop\n", 0o644)
	for _, home := range []string{filepath.Join(s.root, "home"), filepath.Join(s.root, "tmp")} {
		if err := os.Mkdir(home, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(home, pupil, pupil); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *school) install(t *testing.T, name, from string) {
	t.Helper()
	if !strings.HasPrefix(from, "/") {
		from = "/bin/" + from
	}
	to := filepath.Join(s.root, name)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, from, to, 0)
}

func (s *school) write(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	to := filepath.Join(s.root, name)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string, owner int) string {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(to, owner, owner); err != nil {
		t.Fatal(err)
	}
	return to
}

// start runs a program as somebody and reports whether it started.
func start(t *testing.T, uid int, path string, args ...string) bool {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		return false
	}
	var code *exec.ExitError
	if errors.As(err, &code) && strings.Contains(string(out), "not permitted") {
		return false
	}
	if err != nil {
		t.Fatalf("%s %v: %v: %s", path, args, err, out)
	}
	return true
}

func focus(release time.Duration, allow ...string) enforce.Rules {
	return enforce.Rules{Apps: &enforce.Apps{Allow: allow, By: "Frau Oert", Until: time.Now().Add(release), Release: release}}
}

func (s *school) judging(t *testing.T) {
	t.Helper()
	eventually(t, "the helper judges", func() bool {
		state := s.driver.Check(t.Context())
		if state.State == ddm.PartNotPossible {
			need.Missing(t, "fanotify permission events in this kernel")
		}
		return state.State == ddm.PartOK || state.State == ddm.PartPending && state.Reason.Code != "apps.starting"
	})
}

func TestOnlyTheseProgramsStart(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	s := newSchool(t, time.Minute)
	at := func(name string) string { return filepath.Join(s.root, name) }
	homeCopy := copyFile(t, "/bin/echo", at("home/geogebra"), pupil)
	renamed := copyFile(t, "/bin/echo", at("usr/bin/firefox-old"), 0)
	_ = renamed
	stickCopy := copyFile(t, "/bin/echo", filepath.Join(s.stick, "geogebra"), 0)
	foreign := copyFile(t, "/bin/echo", at("tmp/tool"), pupil)
	if !start(t, pupil, at("usr/bin/firefox-esr")) {
		t.Fatal("refused before anything holds")
	}
	set(t, s.driver, focus(time.Minute, "org.geogebra.GeoGebra", "quiz", "editor", "tux"))
	s.judging(t)

	for name, c := range map[string]struct {
		uid  int
		path string
		args []string
		want bool
	}{
		"an allowed program":                 {pupil, at("usr/bin/geogebra"), []string{"0"}, true},
		"another program":                    {pupil, at("usr/bin/firefox-esr"), nil, false},
		"another program by its inner file":  {pupil, at("usr/lib/firefox-esr/firefox-bin"), nil, false},
		"another program, as root":           {0, at("usr/bin/firefox-esr"), nil, true},
		"a copy under an allowed name":       {pupil, homeCopy, nil, false},
		"a tool of their own":                {pupil, foreign, nil, false},
		"a copy on a stick that root made":   {pupil, stickCopy, nil, false},
		"a tool of the system":               {pupil, at("usr/bin/ls"), nil, true},
		"an aid for people who need one":     {pupil, at("usr/bin/mousetweaks"), nil, true},
		"a part of the session":              {pupil, at("usr/bin/panel"), nil, true},
		"an allowed script with its runner":  {pupil, at("usr/bin/quiz"), nil, true},
		"a runner by hand":                   {pupil, at("usr/bin/python3"), []string{"/etc/hostname"}, false},
		"a runner out of an allowed program": {pupil, at("usr/bin/editor"), []string{"-c", at("usr/bin/python3") + " /etc/hostname; true"}, true},
		"a loader by hand":                   {pupil, at("lib64/ld-linux-x86-64.so.2"), []string{"/bin/echo"}, false},
		"the refused one out of an allowed":  {pupil, at("usr/bin/editor"), []string{"-c", at("usr/bin/firefox-esr") + "; exit $?"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := start(t, c.uid, c.path, c.args...); got != c.want {
				t.Errorf("started: %v, want %v", got, c.want)
			}
		})
	}
	t.Run("another name for the same file", func(t *testing.T) {
		if err := os.Rename(at("usr/bin/firefox-esr"), at("usr/bin/ls2")); err != nil {
			t.Fatal(err)
		}
		if start(t, pupil, at("usr/bin/ls2")) {
			t.Error("started")
		}
	})
	t.Run("the pupil is told", func(t *testing.T) {
		eventually(t, "a notice", func() bool {
			return strings.Contains(s.told(), "Firefox startet gerade nicht: Frau Oert hat bis")
		})
	})
	t.Run("what is not there is said", func(t *testing.T) {
		reading := s.driver.Check(t.Context())
		if reading.State != ddm.PartOK || reading.Reason == nil || reading.Reason.Details["names"] != "Tux" {
			t.Errorf("got %+v %+v", reading, reading.Reason)
		}
	})
	t.Run("everything starts again", func(t *testing.T) {
		set(t, s.driver, nothing)
		if !start(t, pupil, homeCopy) || !start(t, pupil, at("usr/bin/ls2")) {
			t.Error("still refused")
		}
		wantState(t, s.driver, ddm.PartOK, "")
	})
}

// Nobody tells the helper that it is over: not the agent, nobody.
func TestProgramsAreReleasedInTime(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	s := newSchool(t, time.Minute)
	browser := filepath.Join(s.root, "usr/bin/firefox-esr")
	set(t, s.driver, focus(2*time.Second, "org.geogebra.GeoGebra"))
	began := time.Now()
	s.judging(t)
	if start(t, pupil, browser) {
		t.Fatal("started within the mode")
	}
	eventually(t, "the browser starts", func() bool { return start(t, pupil, browser) })
	if took := time.Since(began); took < 1500*time.Millisecond || took > 4*time.Second {
		t.Errorf("held for %s instead of 2 s", took)
	}
}

func TestOpenProgramIsAskedToCloseAfterNotice(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	s := newSchool(t, time.Second)
	s.install(t, "usr/bin/game", "sleep")
	s.write(t, "usr/share/applications/game.desktop", "[Desktop Entry]\nType=Application\nName=Spiel\nExec=game\n", 0o644)
	game := exec.Command(filepath.Join(s.root, "usr/bin/game"), "60")
	game.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: pupil, Gid: pupil}}
	if err := game.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- game.Wait() }()
	began := time.Now()
	set(t, s.driver, focus(time.Minute, "org.geogebra.GeoGebra"))
	eventually(t, "it is reported as open", func() bool {
		reading := s.driver.Check(t.Context())
		return reading.State == ddm.PartPending && reading.Reason.Code == "apps.closing" && strings.Contains(reading.Reason.Details["names"], "Spiel")
	})
	eventually(t, "the pupil is told first", func() bool { return strings.Contains(s.told(), "Spiel") })
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		_ = game.Process.Kill()
		t.Fatal("still open")
	}
	if time.Since(began) < 900*time.Millisecond {
		t.Error("closed without notice")
	}
}

// A pupil's program that lay in memory alone (memfd_create) started in *focus* and
// stayed, and the device did not even see it: the kernel asks about files only.
func TestAProgramFromMemoryIsEndedWhereNoFileIsAskedAbout(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	s := newSchool(t, time.Minute)
	set(t, s.driver, focus(time.Minute, "org.geogebra.GeoGebra"))
	eventually(t, "the kernel asks", func() bool { return s.driver.Check(t.Context()).State == ddm.PartOK })
	sleep, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	memory, err := unix.MemfdCreate("game", 0)
	if err != nil {
		need.Missing(t, "programs in memory: "+err.Error())
	}
	file := os.NewFile(uintptr(memory), "game")
	defer file.Close()
	if _, err := file.Write(sleep); err != nil {
		t.Fatal(err)
	}
	game := exec.Command("/proc/self/fd/3", "60")
	game.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: pupil, Gid: pupil}}
	game.ExtraFiles = []*os.File{file}
	if err := game.Start(); err != nil {
		t.Fatalf("the kernel asks about programs in memory by now: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- game.Wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Errorf("it ended by itself: %v", err)
		}
	case <-time.After(10 * time.Second):
		_ = game.Process.Kill()
		t.Fatal("still there")
	}
	eventually(t, "the pupil is told", func() bool { return strings.Contains(s.told(), "game") })
}

func TestAppsDriverTellsTheHelper(t *testing.T) {
	m := newMachine()
	holds := &host.FakeHolds{Clock: m}
	a := linux.NewApps(linux.AppsOptions{Holds: holds, Clock: m})
	set(t, a, focus(time.Minute, "geogebra"))
	wantState(t, a, ddm.PartPending, "apps.starting")
	m.Advance(5 * time.Second)
	wantState(t, a, ddm.PartDeviating, "apps.gone")
	holds.Report = func(string, []byte) []byte { return []byte(`{"fault":"no fanotify"}`) }
	wantState(t, a, ddm.PartNotPossible, "apps.fanotify")
	holds.Report = func(string, []byte) []byte { return []byte(`{"judging":true}`) }
	wantState(t, a, ddm.PartOK, "")
	holds.Kill(linux.AppsName)
	wantState(t, a, ddm.PartDeviating, "apps.gone")
	var order struct{ Allow []string }
	if err := json.Unmarshal(holds.Held(linux.AppsName).Content, &order); err != nil || len(order.Allow) != 1 {
		t.Errorf("told %v (%v)", order, err)
	}
	set(t, a, nothing)
	wantState(t, a, ddm.PartOK, "")
}

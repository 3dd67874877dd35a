package aside_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/scripts/need"
)

const examinee = 20021

// room is a pupil's real session: a display, a window manager, a person, and the
// helper that looks after it in an examination.
type room struct {
	t       *testing.T
	display string
	home    string
	env     []string
	holds   *host.SystemHolds
	dir     string
	driver  *linux.Session
	asked   atomic.Int64 // how often the page was asked for
	down    atomic.Bool  // the page's server does not answer
	page    string
	state   string // of the agent
	until   time.Time
}

func newRoom(t *testing.T) *room {
	t.Helper()
	need.Root(t)
	server, manager := need.Tool(t, "Xvfb"), need.Tool(t, "openbox")
	for _, tool := range []string{"xdotool", "xprop", "chromium"} {
		need.Tool(t, tool)
	}
	r := &room{t: t}
	base, err := os.MkdirTemp("", "sw-room-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	if err := os.Chmod(base, 0o711); err != nil {
		t.Fatal(err)
	}
	r.home, r.dir = filepath.Join(base, "home"), filepath.Join(base, "hold")
	for _, dir := range []string{r.home, filepath.Join(r.home, "run")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, examinee, examinee); err != nil {
			t.Fatal(err)
		}
	}
	r.display = r.newDisplay(server)
	r.env = []string{"DISPLAY=" + r.display, "HOME=" + r.home, "XDG_RUNTIME_DIR=" + filepath.Join(r.home, "run"), "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "USER=pupil"}
	r.start(manager)
	r.eventually("the window manager", func() bool { return strings.Contains(r.property("-root", "_NET_SUPPORTED"), "_NET_ACTIVE_WINDOW") })
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if r.down.Load() {
			if hijacked, _, err := w.(http.Hijacker).Hijack(); err == nil {
				hijacked.Close()
			}
			return
		}
		r.asked.Add(1)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!doctype html><title>Mathe</title><body style='background:#fff'><textarea autofocus></textarea>")
	}))
	t.Cleanup(site.Close)
	r.page = site.URL + "/exam"
	r.state = filepath.Join(base, "agent")
	if r.holds, err = host.NewHolds(r.dir, ""); err != nil {
		t.Fatal(err)
	}
	r.driver = linux.NewSession(linux.SessionOptions{
		Holds: r.holds, Desktops: host.SystemDesktops{}, Clock: host.NewClock(""), Profiles: host.DirProfiles(filepath.Join(base, "profiles")),
		State: r.state, Displays: []string{r.display}, Flags: []string{"--no-sandbox", "--disable-gpu", "--disable-background-networking"},
	})
	t.Cleanup(func() {
		if err := r.driver.Set(context.Background(), enforce.Rules{}); err != nil {
			t.Error(err)
		}
	})
	return r
}

// newDisplay starts a display and returns its name.
func (r *room) newDisplay(server string) string {
	r.t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		r.t.Fatal(err)
	}
	x := exec.Command(server, "-displayfd", "3", "-noreset", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-ac")
	x.ExtraFiles = []*os.File{write}
	if err := x.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = x.Process.Kill(); _ = x.Wait() })
	write.Close()
	number := make([]byte, 16)
	n, err := read.Read(number)
	if err != nil {
		r.t.Fatal(err)
	}
	return ":" + strings.TrimSpace(string(number[:n]))
}

// start runs a program as the pupil, who ends with the test.
func (r *room) start(name string, args ...string) *exec.Cmd {
	r.t.Helper()
	return r.startAs(examinee, r.env, name, args...)
}

func (r *room) startAs(uid uint32, env []string, name string, args ...string) *exec.Cmd {
	r.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Dir = env, "/"
	if uid == examinee {
		cmd.Dir = r.home
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}, Setsid: true}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); _ = cmd.Wait() })
	return cmd
}

// closes waits until the helper has ended a program of the pupil. It may come to
// that before the program has written anything.
func (r *room) closes(program *exec.Cmd) {
	r.t.Helper()
	r.eventually("it was seen, and closed", func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(program.Process.Pid) + "/stat")
		_, rest, _ := strings.Cut(string(stat), ") ")
		return err != nil || strings.HasPrefix(rest, "Z")
	})
}

func (r *room) do(args ...string) string {
	cmd := exec.Command("timeout", append([]string{"10", "xdotool"}, args...)...)
	cmd.Env = append(os.Environ(), "DISPLAY="+r.display)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

func (r *room) exam(what lease.Examination) {
	r.t.Helper()
	until := time.Now().Add(10 * time.Minute)
	r.until = until
	rules := enforce.Rules{Apps: &enforce.Apps{}, Exam: &enforce.Exam{ID: "e", By: "Frau Oert", Examination: what, Until: until, Release: time.Until(until)}}
	if err := r.driver.Set(context.Background(), rules); err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) sees(what string, state ddm.PartState) {
	r.t.Helper()
	var last enforce.Reading
	r.eventually(what, func() bool {
		last = r.driver.Check(context.Background())
		return last.State == state
	}, func() string { return fmt.Sprintf("%s %+v", last.State, last.Reason) })
}

// eventually waits for a condition, not for seconds.
func (r *room) eventually(what string, met func() bool, why ...func() string) {
	r.t.Helper()
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if met() {
			return
		}
	}
	for _, w := range why {
		what += ": " + w()
	}
	r.t.Fatalf("waited in vain: %s", what)
}

// browser is the process of the examination's browser.
func (r *room) browser() int {
	programs, err := host.SystemPrograms{}.Programs()
	if err != nil {
		return 0
	}
	for _, p := range programs {
		line := strings.Join(p.Args, " ")
		if p.UID == examinee && filepath.Base(p.Path) == "chromium" && strings.Contains(line, "/schulwart-exam-") && !strings.Contains(line, "--type=") {
			return p.PID
		}
	}
	return 0
}

func (r *room) front() string {
	return r.property("-id", strings.TrimSpace(r.do("getactivewindow")), "WM_CLASS")
}

func (r *room) property(args ...string) string {
	cmd := exec.Command("xprop", args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+r.display)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

func (r *room) sighted(what ddm.Deed) bool {
	for _, s := range r.driver.Sightings() {
		if s.What == what {
			return true
		}
	}
	return false
}

// The bypasses that a pupil tries in the session itself, each by its name.
func TestBypassesOfTheExamScreen(t *testing.T) {
	r := newRoom(t)
	r.start(need.Tool(t, "xterm"))
	r.eventually("a program of the pupil", func() bool { return strings.Contains(r.front(), "erm") })
	r.exam(lease.Examination{Title: "Mathe", Page: r.page})
	r.sees("the exam is in front", ddm.PartOK)
	r.eventually("the page was asked for", func() bool { return r.asked.Load() > 0 })

	t.Run("closing the exam window with Alt+F4", func(t *testing.T) {
		pid := r.browser()
		r.do("key", "alt+F4")
		r.eventually("it is open again", func() bool { now := r.browser(); return now != 0 && now != pid })
		r.sees("in front again", ddm.PartOK)
		if !r.sighted(ddm.DeedBrowser) {
			t.Error("nobody hears of it")
		}
	})
	t.Run("killing the exam window", func(t *testing.T) {
		pid := r.browser()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		r.eventually("it is open again", func() bool { now := r.browser(); return now != 0 && now != pid })
		r.sees("in front again", ddm.PartOK)
	})
	t.Run("switching windows with Alt+Tab", func(t *testing.T) {
		r.do("key", "alt+Tab")
		r.do("search", "--class", "XTerm", "windowactivate", "--sync") // returns when it has the keyboard
		r.eventually("the exam is in front again", func() bool { return strings.Contains(r.front(), "schulwart-exam") })
	})
	t.Run("another workspace", func(t *testing.T) {
		r.do("set_num_desktops", "4", "set_desktop", "2")
		r.eventually("the workspace", func() bool { return strings.TrimSpace(r.do("get_desktop")) == "2" })
		r.eventually("the exam is on it", func() bool { return strings.Contains(r.front(), "schulwart-exam") })
		r.do("set_desktop", "0")
	})
	t.Run("leaving full screen with F11", func(t *testing.T) {
		r.do("key", "F11")
		r.sees("it fills the screen", ddm.PartOK)
	})
	t.Run("a second browser with a profile of one's own", func(t *testing.T) {
		r.closes(r.start("/usr/bin/chromium", "--no-sandbox", "--disable-gpu", "--user-data-dir="+filepath.Join(r.home, "own"), "about:blank"))
		r.sees("the exam is in front", ddm.PartOK)
	})
	t.Run("a second browser whose profile is called like the exam's", func(t *testing.T) {
		r.closes(r.start("/usr/bin/chromium", "--no-sandbox", "--disable-gpu", "--user-data-dir="+filepath.Join(r.home, "schulwart-exam-own"), "about:blank"))
		r.sees("the exam is in front", ddm.PartOK)
	})
	t.Run("killing the helper", func(t *testing.T) {
		data, err := os.ReadFile(r.holds.LockFile(linux.SessionName))
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
		if err != nil {
			t.Fatal(err)
		}
		browser := r.browser()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		r.eventually("another helper", func() bool {
			now, _ := os.ReadFile(r.holds.LockFile(linux.SessionName))
			return r.holds.Held(linux.SessionName).Running && strings.TrimSpace(string(now)) != strconv.Itoa(pid)
		})
		r.sees("it looks after the session", ddm.PartOK)
		if now := r.browser(); now != browser {
			t.Error("the exam window was closed by it")
		}
	})
	t.Run("the network is gone while the page loads", func(t *testing.T) {
		r.down.Store(true)
		r.do("key", "F5")
		time.Sleep(time.Second) // the page of the fault stands
		r.down.Store(false)
		asked := r.asked.Load()
		r.do("key", "F5")
		r.eventually("reload is the way back", func() bool { return r.asked.Load() > asked })
	})

	if err := r.driver.Set(context.Background(), enforce.Rules{}); err != nil {
		t.Fatal(err)
	}
	r.sees("everything is as before", ddm.PartOK)
	if r.browser() != 0 {
		t.Error("the exam window is still there")
	}
	if entries, _ := os.ReadDir(filepath.Join(filepath.Dir(r.home), "profiles")); len(entries) > 0 {
		t.Error("the profile is still there")
	}
	r.eventually("the pupil's program has the keyboard again", func() bool { return strings.Contains(r.front(), "erm") })
}

func TestBypassCarryingTextThroughTheClipboard(t *testing.T) {
	r := newRoom(t)
	clip := need.Tool(t, "xclip")
	copied := func(text string) {
		cmd := exec.Command("sh", "-c", "printf %s "+text+" | "+clip+" -selection clipboard")
		cmd.Env = append(os.Environ(), "DISPLAY="+r.display)
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
	}
	paste := func() string {
		cmd := exec.Command("timeout", "5", "xclip", "-selection", "clipboard", "-o")
		cmd.Env = append(os.Environ(), "DISPLAY="+r.display)
		out, _ := cmd.Output()
		return string(out)
	}
	// xclip leaves before the display has its offer.
	copied("before")
	r.eventually("the clipboard works here", func() bool { return paste() == "before" })
	r.exam(lease.Examination{})
	r.eventually("what was copied before is gone", func() bool { return paste() == "" })
	copied("within")
	r.eventually("what another program offers is gone", func() bool { return paste() == "" })
	r.eventually("the log hears of it", func() bool { return r.sighted(ddm.DeedClipboard) })
	if err := r.driver.Set(context.Background(), enforce.Rules{}); err != nil {
		t.Fatal(err)
	}
	copied("after")
	r.eventually("the clipboard is the pupil's again", func() bool { return paste() == "after" })
}

// Another account at the same laptop, on a display of its own, is in the
// examination as well.
func TestBypassLoggingInAsSomebodyElse(t *testing.T) {
	r := newRoom(t)
	const other = examinee + 1
	second := r.newDisplay(need.Tool(t, "Xvfb"))
	home := filepath.Join(filepath.Dir(r.home), "other")
	if err := errors.Join(os.Mkdir(home, 0o700), os.Chown(home, other, other)); err != nil {
		t.Fatal(err)
	}
	env := []string{"DISPLAY=" + second, "HOME=" + home, "PATH=/usr/bin:/bin", "LANG=C.UTF-8"}
	r.startAs(other, env, need.Tool(t, "openbox"))
	r.startAs(other, env, need.Tool(t, "xterm"))
	r.start(need.Tool(t, "xterm"))
	r.driver = linux.NewSession(linux.SessionOptions{
		Holds: r.holds, Desktops: host.SystemDesktops{}, Clock: host.NewClock(""), Profiles: host.DirProfiles(filepath.Join(filepath.Dir(r.home), "profiles")),
		State: r.state, Displays: []string{r.display, second}, Flags: []string{"--no-sandbox", "--disable-gpu", "--disable-background-networking"},
	})
	r.exam(lease.Examination{Title: "Mathe", Page: r.page})
	r.eventually("the exam on both displays", func() bool {
		programs, err := host.SystemPrograms{}.Programs()
		if err != nil {
			return false
		}
		open := map[int]bool{}
		for _, p := range programs {
			if line := strings.Join(p.Args, " "); filepath.Base(p.Path) == "chromium" && strings.Contains(line, "/schulwart-exam-") && strings.Contains(line, r.page) {
				open[p.UID] = true
			}
		}
		return open[examinee] && open[other]
	})
	r.sees("in front on both", ddm.PartOK)
}

package display_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"schulwart.org/agent/display"
	"schulwart.org/agent/host"
	"schulwart.org/scripts/need"
)

const pupil = 20017

// session is a pupil's X11 session: a server without a screen, and a program in
// it that writes down what is typed.
type session struct {
	name  string // ":93"
	typed string // file
	env   []string
	conn  *xgb.Conn
}

func startSession(t *testing.T) *session {
	t.Helper()
	need.Root(t)
	server := need.Tool(t, "Xvfb")
	xterm := need.Tool(t, "xterm")
	need.Tool(t, "xdotool")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, serverKey(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XAUTHORITY", keys)
	x := exec.Command(server, "-displayfd", "3", "-noreset", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-auth", keys)
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
	s := &session{name: ":" + strings.TrimSpace(string(number[:n]))}
	dir, err := os.MkdirTemp("", "sw-pupil-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, pupil, pupil); err != nil {
		t.Fatal(err)
	}
	// The pupil has a copy, which the cover does not need: it asks the server's own.
	if err := exec.Command("install", "-o", strconv.Itoa(pupil), "-m", "600", keys, filepath.Join(dir, "key")).Run(); err != nil {
		t.Fatal(err)
	}
	s.typed = filepath.Join(dir, "typed")
	term := exec.Command(xterm, "-geometry", "100x40+0+0", "-e", "sh", "-c", "stty -echo; while read line; do echo \"$line\" >>"+s.typed+"; done")
	s.env = []string{"DISPLAY=" + s.name, "HOME=" + dir, "XAUTHORITY=" + filepath.Join(dir, "key"), "PATH=/usr/bin:/bin"}
	term.Env = s.env
	term.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: pupil, Gid: pupil}}
	if err := term.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = term.Process.Kill(); _ = term.Wait() })
	if s.conn, err = xgb.NewConnDisplay(s.name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.conn.Close)
	s.do(t, "search", "--sync", "--onlyvisible", "--class", "xterm")
	return s
}

// openTo returns an environment with which somebody else may draw here.
func (s *session) openTo(t *testing.T, uid int) []string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sw-other-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	keys := filepath.Join(dir, "key")
	if err := os.WriteFile(keys, serverKey(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, keys} {
		if err := os.Chown(path, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"DISPLAY=" + s.name, "HOME=" + dir, "XAUTHORITY=" + keys, "PATH=/usr/bin:/bin"}
}

// serverKey is an Xauthority file with one key for every display.
func serverKey() []byte {
	file := []byte{0xFF, 0xFF, 0, 0, 0, 0}
	for _, field := range []string{"MIT-MAGIC-COOKIE-1", "sixteen bytes it"} {
		file = append(append(file, 0, byte(len(field))), field...)
	}
	return file
}

// do runs xdotool as whoever sits at the keyboard.
func (s *session) do(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("timeout", append([]string{"10", "xdotool"}, args...)...)
	cmd.Env = append(os.Environ(), "DISPLAY="+s.name)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("xdotool %v: %v: %s", args, err, out)
	}
	return string(out)
}

// write types a line and returns whether the program in the session read it.
func (s *session) write(t *testing.T, line string) {
	t.Helper()
	s.do(t, "mousemove", "200", "200")
	s.do(t, "type", line)
	s.do(t, "key", "Return")
}

func (s *session) read() string {
	data, _ := os.ReadFile(s.typed)
	return string(data)
}

// picture is what the screen shows.
func (s *session) picture(t *testing.T) *image.RGBA {
	t.Helper()
	screen := xproto.Setup(s.conn).DefaultScreen(s.conn)
	wide, high := int(screen.WidthInPixels), int(screen.HeightInPixels)
	reply, err := xproto.GetImage(s.conn, xproto.ImageFormatZPixmap, xproto.Drawable(screen.Root), 0, 0, uint16(wide), uint16(high), 0xFFFFFFFF).Reply()
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, wide, high))
	for i := range wide * high {
		img.Pix[i*4], img.Pix[i*4+1], img.Pix[i*4+2], img.Pix[i*4+3] = reply.Data[i*4+2], reply.Data[i*4+1], reply.Data[i*4], 0xFF
	}
	return img
}

// covered reports whether every corner shows the ground of the cover, and the
// middle something bright on it.
func (s *session) covered(t *testing.T) bool {
	t.Helper()
	img := s.picture(t)
	bounds := img.Bounds()
	ground := color.RGBA{0x0B, 0x10, 0x20, 0xFF}
	for _, at := range []image.Point{{0, 0}, {bounds.Max.X - 1, 0}, {0, bounds.Max.Y - 1}, {bounds.Max.X - 1, bounds.Max.Y - 1}, {200, 200}} {
		if img.RGBAAt(at.X, at.Y) != ground {
			return false
		}
	}
	bright := 0
	for y := bounds.Max.Y / 4; y < bounds.Max.Y*3/4; y++ {
		for x := range bounds.Max.X {
			if img.RGBAAt(x, y).R > 0xE0 {
				bright++
			}
		}
	}
	return bright > 1000
}

func eventually(t *testing.T, within time.Duration, what string, met func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for time.Since(start) < within {
		if met() {
			return time.Since(start)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("not within %s: %s", within, what)
	return 0
}

// cover covers the session through the real helper.
func (s *session) cover(t *testing.T, length time.Duration) *host.SystemHolds {
	t.Helper()
	dir := t.TempDir()
	holds, err := host.NewHolds(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	order, err := json.Marshal(display.Order{By: "Frau Oert", Message: "Wir schauen uns Aufgabe 3 an der Tafel an.", Until: time.Now().Add(length), Total: 5 * time.Minute, Displays: []string{s.name}})
	if err != nil {
		t.Fatal(err)
	}
	if err := holds.Hold(display.Name, order, length); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holds.Drop(display.Name) })
	return holds
}

func (s *session) report(holds *host.SystemHolds) display.Seen {
	var report display.Report
	_ = json.Unmarshal(holds.Held(display.Name).Report, &report)
	return report[s.name]
}

func TestCoveredScreen(t *testing.T) {
	s := startSession(t)
	s.write(t, "before")
	eventually(t, 5*time.Second, "typing reaches the program", func() bool { return strings.Contains(s.read(), "before") })

	holds := s.cover(t, 5*time.Minute)
	took := eventually(t, 5*time.Second, "screen is covered", func() bool { return s.covered(t) })
	t.Logf("covered after %s", took)
	eventually(t, 5*time.Second, "the helper has read that back", func() bool {
		seen := s.report(holds)
		return seen.Covered && seen.Held && seen.Screens == 1
	})

	t.Run("looks covered to the self-test", func(t *testing.T) {
		if covered, err := display.LooksCovered(s.name); err != nil || !covered {
			t.Errorf("covered is %v, %v", covered, err)
		}
	})
	// That it reaches nobody is seen at the end: what is typed after it arrives.
	t.Run("typing", func(t *testing.T) { s.write(t, "hidden") })
	t.Run("languages by key and by mouse", func(t *testing.T) {
		german := s.picture(t)
		s.do(t, "key", "F3")
		eventually(t, 3*time.Second, "another language", func() bool { return !bytes.Equal(s.picture(t).Pix, german.Pix) && s.covered(t) })
		s.keep(t, "arabic")
		s.do(t, "mousemove", "300", "739", "click", "1")
		eventually(t, 3*time.Second, "German again", func() bool { return s.buttonLit(t, 300, 722) })
		s.keep(t, "german")
	})
	t.Run("a window of a program does not come above it", func(t *testing.T) {
		top := exec.Command(need.Tool(t, "xmessage"), "-geometry", "300x200+50+50", "above")
		top.Env = append(os.Environ(), "DISPLAY="+s.name)
		if err := top.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = top.Process.Kill(); _ = top.Wait() }()
		s.do(t, "search", "--sync", "--class", "xmessage")
		id := strings.Fields(s.do(t, "search", "--class", "xmessage"))[0]
		s.do(t, "windowraise", id)
		eventually(t, 2*time.Second, "the cover is above again", func() bool { return s.covered(t) })
	})
	t.Run("comes back within a second when its process is killed", func(t *testing.T) {
		pid := child(t, s.name)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, 2*time.Second, "another process covers", func() bool { return childOf(s.name) != 0 && childOf(s.name) != pid })
		t.Logf("back after %s", eventually(t, time.Second, "covered again", func() bool { return s.covered(t) && s.report(holds).Held }))
	})
	t.Run("comes back when its window is closed by a trick", func(t *testing.T) {
		window := strings.Fields(s.do(t, "search", "--class", "schulwart"))[0]
		number, err := strconv.ParseUint(window, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		pid := child(t, s.name)
		xproto.KillClient(s.conn, uint32(number))
		// The display may give the next window the number of the last.
		eventually(t, 3*time.Second, "another window", func() bool {
			now := childOf(s.name)
			return now != 0 && now != pid && s.covered(t) && s.report(holds).Held
		})
	})
	t.Run("stays when its keeper is killed", func(t *testing.T) {
		keeper := keeperOf(t, holds)
		if err := syscall.Kill(keeper, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if !s.covered(t) {
				s.keep(t, "open")
				t.Fatal("open in between")
			}
			time.Sleep(20 * time.Millisecond)
		}
		eventually(t, time.Second, "another keeper", func() bool { return holds.Held(display.Name).Running && keeperOf(t, holds) != keeper })
	})
	t.Run("name says who and until when", func(t *testing.T) {
		eventually(t, 2*time.Second, "window with a name", func() bool {
			out, _ := exec.Command("env", "DISPLAY="+s.name, "xdotool", "search", "--class", "schulwart", "getwindowname").Output()
			return strings.Contains(string(out), "Schau bitte nach vorn. Frau Oert")
		})
	})
	t.Run("ends when it is told to", func(t *testing.T) {
		if err := holds.Drop(display.Name); err != nil {
			t.Fatal(err)
		}
		eventually(t, 2*time.Second, "screen is free", func() bool { return !s.covered(t) })
		s.write(t, "after")
		eventually(t, 5*time.Second, "typing reaches the program again", func() bool { return strings.Contains(s.read(), "after") })
		if covered, err := display.LooksCovered(s.name); err != nil || covered {
			t.Errorf("covered is %v, %v", covered, err)
		}
		if strings.Contains(s.read(), "hidden") {
			t.Error("what was typed on the cover reached the program below")
		}
	})
}

// Nobody is left who could end it: the agent is gone, and so is the keeper.
func TestCoverEndsByItsOwnClock(t *testing.T) {
	s := startSession(t)
	dir := t.TempDir()
	order, _ := json.Marshal(display.Order{By: "Frau Oert", Until: time.Now().Add(3 * time.Second), Displays: []string{s.name}})
	holds, err := host.NewHolds(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := holds.Hold(display.Name, order, 3*time.Second); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Second, "screen is covered", func() bool { return s.covered(t) })
	// From here on nobody touches the helper: not even the watch may be needed.
	eventually(t, 6*time.Second, "screen is free", func() bool { return !s.covered(t) })
	if took := time.Since(start); took < 2800*time.Millisecond || took > 4*time.Second {
		t.Errorf("held for %s instead of 3 s", took)
	}
	eventually(t, 2*time.Second, "helper has gone", func() bool { return !holds.Held(display.Name).Running })
}

// buttonLit reports whether the place shows the accent: the button is chosen.
func (s *session) buttonLit(t *testing.T, x, y int) bool {
	t.Helper()
	return s.picture(t).RGBAAt(x, y) == color.RGBA{0x9A, 0xB2, 0xEA, 0xFF}
}

// keep saves the screen where SCHULWART_PICTURES says, to be looked at.
func (s *session) keep(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("SCHULWART_PICTURES")
	if dir == "" {
		return
	}
	file, err := os.Create(filepath.Join(dir, "x11-"+name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, s.picture(t)); err != nil {
		t.Fatal(err)
	}
}

func child(t *testing.T, name string) int {
	t.Helper()
	pid := childOf(name)
	if pid == 0 {
		t.Fatal("no process covers the display")
	}
	return pid
}

// childOf finds the process that covers a display.
func childOf(name string) int { return processOf("cover", name) }

// processOf finds the process that does something on a display.
func processOf(what, name string) int {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		line, _ := os.ReadFile(dir + "/cmdline")
		if string(line) != "schulwart-agent\x00"+what+"\x00" {
			continue
		}
		env, _ := os.ReadFile(dir + "/environ")
		if strings.Contains(string(env), "DISPLAY="+name+"\x00") {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			return pid
		}
	}
	return 0
}

func keeperOf(t *testing.T, holds *host.SystemHolds) int {
	t.Helper()
	data, err := os.ReadFile(holds.LockFile(display.Name))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(data), &pid); err != nil {
		return 0
	}
	return pid
}

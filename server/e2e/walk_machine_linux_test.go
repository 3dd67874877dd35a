package e2e

import (
	"context"
	"image"
	"image/png"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/miekg/dns"

	"schulwart.org/policies/lease"
	"schulwart.org/scripts/need"
	"schulwart.org/scripts/rig"
	"schulwart.org/server/lesson"
)

// The walk: a device enrols, a teacher taps, the pupil meets it, the board says
// so, and it ends. Server and agent are processes of their own; the teacher and
// the pupil each have a real browser.
func TestTheWalk(t *testing.T) {
	for _, tool := range []string{"chromium", "Xvfb", "xterm", "xdotool"} {
		need.Tool(t, tool)
	}
	c := newTown(t)
	m := c.laptop(theAgent(t))
	m.furnish()
	desktop := m.desktop()
	board := c.teacher()
	board.tile("bereit")
	board.shot("1-enrolled")
	m.opens("lernen.example")
	if page := m.browse("https://spiel.example/"); !strings.Contains(page, "This is spiel.example") {
		t.Errorf("before any mode the pupil's browser shows %.300s", page)
	}

	step(t, "offline", func() {
		download := made(c.Open(m.Namespace, "video.example", "/download", rig.Ask{}))(t)
		defer download.Close()
		must(t, download.Flowing())
		began := time.Now()
		board.do(order{"do": "tap", "kind": "offline"}, nil)
		if cut := download.UntilCut(); !cut.Outcome.Blocked() {
			t.Errorf("an open download lives on: %v", cut)
		}
		t.Logf("the download was cut %v after the tap", time.Since(began).Round(time.Millisecond))
		board.tile("aktiv")
		t.Logf("the board said so %v after the tap", time.Since(began).Round(time.Millisecond))
		for _, site := range rig.Sites {
			m.shut(site.Name)
		}
		m.refuses(c)
		if page := m.browse("https://lernen.example/"); strings.Contains(page, "This is") {
			t.Errorf("the pupil's browser shows %.300s", page)
		}
		m.knows(c)
		if got := m.AskTime(rig.Time.Addr); got.Outcome != rig.OK {
			t.Errorf("the time: %v", got)
		}
		board.shot("2-offline")
		board.do(order{"do": "end"}, nil)
		board.tile("beendet")
		m.opens("lernen.example")
	})

	step(t, "sites", func() {
		board.do(order{"do": "form", "kind": "sites", "group": c.house.class, "fields": order{"sites": "lernen.example, shared-good.example, quic.example"}}, nil)
		board.tile("aktiv")
		for _, site := range []rig.Site{rig.Lernen, rig.SharedGood, rig.Quic} {
			m.opens(site.Name)
		}
		for _, site := range []rig.Site{rig.Spiel, rig.Video, rig.SharedBad} {
			m.shut(site.Name)
		}
		// Two names share an address: the other one is not reached by it.
		if got := c.Ask(m.Namespace, "https://shared-bad.example/", rig.Ask{Addr: rig.SharedGood.Addr}); !got.Outcome.Blocked() {
			t.Errorf("the neighbour on the shared address: %v", got)
		}
		m.refuses(c)
		if page := m.browse("https://lernen.example/"); !strings.Contains(page, "This is lernen.example") {
			t.Errorf("an allowed page shows %.300s", page)
		}
		if page := m.browse("https://spiel.example/"); strings.Contains(page, "This is") {
			t.Errorf("a page that is not allowed shows %.300s", page)
		}
		board.shot("3-sites")
		board.do(order{"do": "end"}, nil)
		board.tile("beendet")
		m.opens("spiel.example")
	})

	step(t, "screen", func() {
		desktop.types("before")
		await(t, "typing to arrive", func() bool { return strings.Contains(desktop.typed(), "before") })
		if desktop.covered() {
			t.Fatal("covered before the tap")
		}
		began := time.Now()
		board.do(order{"do": "tap", "kind": "screen"}, nil)
		await(t, "the screen to be covered", desktop.covered)
		t.Logf("the screen was covered %v after the tap", time.Since(began).Round(time.Millisecond))
		board.tile("aktiv")
		desktop.keep(filepath.Join(board.shots, "4-pupil.png"))
		board.shot("4-screen")
		desktop.types("hidden")
		stays(t, "covered", 300*time.Millisecond, desktop.covered)
		board.do(order{"do": "end"}, nil)
		await(t, "the screen to be free", func() bool { return !desktop.covered() })
		board.tile("beendet")
		desktop.types("after")
		await(t, "typing to arrive again", func() bool { return strings.Contains(desktop.typed(), "after") })
		if strings.Contains(desktop.typed(), "hidden") {
			t.Error("what was typed on the covered screen reached a program")
		}
	})

	step(t, "focus", func() {
		if out, err := m.pupil(nil, "chromium", "--version").CombinedOutput(); err != nil {
			t.Fatalf("before: %v: %s", err, out)
		}
		// A program that is open already may stay until it was told to close; here
		// nothing is open.
		m.sh("pkill -x xterm")
		board.do(order{"do": "form", "kind": "focus", "group": c.house.class, "check": order{"app": "geogebra"}}, nil)
		board.tile("aktiv")
		for name, want := range map[string]bool{"/usr/bin/geogebra": true, "/usr/lib/chromium/chromium": false, "/home/pupil/copy": false} {
			out, err := m.pupil(nil, name, "--version").CombinedOutput()
			if (err == nil) != want {
				t.Errorf("%s starts: %v (%v %.200s)", name, err == nil, err, out)
			}
		}
		m.opens("spiel.example") // focus is about programs
		board.shot("5-focus")
		board.do(order{"do": "end"}, nil)
		board.tile("beendet")
		await(t, "every program to start again", func() bool { return m.pupil(nil, "chromium", "--version").Run() == nil })
	})

	step(t, "the end comes by itself", func() {
		p := c.as(oert)
		id := c.mode(p, lease.Offline, soon(6*time.Second))
		m.shut("lernen.example")
		p.reaches(id, lesson.Ended, 1)
		m.opens("lernen.example")
		board.tile("beendet")
	})
	var faults []string
	board.do(order{"do": "faults"}, &faults)
	if len(faults) > 0 {
		t.Errorf("scripts of the board failed: %q", faults)
	}
	if s := m.status(); !s.Agrees || len(s.Leases) != 0 {
		t.Errorf("at the end the agent says %+v", s)
	}
}

// refuses checks the ways round a mode that leaves none of them open.
func (m *machine) refuses(c *town) {
	m.t.Helper()
	for name, got := range map[string]rig.Answer{
		"QUIC":                            c.Ask(m.Namespace, "https://quic.example/", rig.Ask{HTTP3: true, Addr: rig.Quic.Addr}),
		"a bare address":                  c.Get(m.Namespace, "https://"+rig.Direct.Addr.String()+"/"),
		"DNS over HTTPS":                  c.Ask(m.Namespace, "https://"+rig.KnownDoHName+"/dns-query", rig.Ask{Addr: rig.KnownDoH, Body: []byte("x")}),
		"another name server":             m.Query("spiel.example", dns.TypeA, "udp", netAddr(rig.KnownDoH, 53)),
		"DNS over TLS":                    m.Query("lernen.example", dns.TypeA, "tcp-tls", netAddr(rig.KnownDoH, 853)),
		"a site that lies about its name": c.Ask(m.Namespace, "https://spiel.example/", rig.Ask{Addr: rig.Spiel.Addr, SNI: "elsewhere.example"}),
	} {
		// The QUIC library hides that the kernel refused to send.
		refused := got.Outcome.Blocked() || got.Err != nil && strings.Contains(got.Err.Error(), "operation not permitted")
		if !refused || got.Took > 2*time.Second {
			m.t.Errorf("%s: %v", name, got)
		}
	}
}

// knows checks that the device reaches its server, whatever the mode, and the
// pupil the server's pages.
func (m *machine) knows(c *town) {
	m.t.Helper()
	var pages []rig.Answer
	for _, addr := range []netip.Addr{rig.ServerAddr, rig.ServerAddr6} {
		ctx, cancel := context.WithTimeout(context.Background(), rig.Patience)
		conn, err := m.Dial(ctx, netip.AddrPortFrom(addr, 8443).String(), rig.Ask{})
		cancel()
		if err != nil {
			m.t.Errorf("the device's server at %s: %v", addr, err)
			continue
		}
		conn.Close()
		pages = append(pages, c.Ask(m.Namespace, "https://"+rig.ServerName+"/healthz", rig.Ask{Addr: addr}))
	}
	// It is open where the server proved to be, which is one of both.
	if !slices.ContainsFunc(pages, func(page rig.Answer) bool { return page.Outcome == rig.OK }) {
		m.t.Errorf("the pupil's page: %v", pages)
	}
}

// step is a part of a story whose parts need each other.
func step(t testing.TB, name string, do func()) {
	t.Helper()
	began := time.Now()
	do()
	t.Logf("%s: %v", name, time.Since(began).Round(time.Millisecond))
	if t.Failed() {
		t.FailNow()
	}
}

// furnish installs a program, and gives the pupil a copy of another one.
func (m *machine) furnish() {
	m.t.Helper()
	m.sh(`cp /bin/true /usr/bin/geogebra
printf '[Desktop Entry]\nType=Application\nName=GeoGebra\nExec=geogebra %F\n' >/usr/share/applications/org.geogebra.GeoGebra.desktop
cp /bin/true /home/pupil/copy && chown pupil /home/pupil/copy`)
}

// browse opens a page in the pupil's browser, under whatever policies lie there,
// and returns what it shows.
func (m *machine) browse(address string) string {
	m.t.Helper()
	cmd := m.pupil(nil, "timeout", "40", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage",
		"--ignore-certificate-errors", "--user-data-dir=/home/pupil/profile", "--dump-dom", address)
	out, err := cmd.Output()
	if err != nil {
		m.t.Logf("browser: %v", err)
	}
	return string(out)
}

// desktop is the pupil's X11 session with a program in it that writes down what
// is typed.
type desktop struct {
	m    *machine
	conn *xgb.Conn
}

const display = ":7"

func (m *machine) desktop() *desktop {
	m.t.Helper()
	server := m.command("Xvfb", display, "-noreset", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-ac")
	must(m.t, server.Start())
	go func() { _ = server.Wait() }()
	// The socket lies in the machine's own file system, seen through its first
	// process.
	socket := "/proc/" + itoa(m.pid) + "/root/tmp/.X11-unix/X7"
	d := &desktop{m: m}
	await(m.t, "the display", func() bool {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return false
		}
		d.conn, err = xgb.NewConnNet(conn)
		return err == nil
	})
	m.t.Cleanup(d.conn.Close)
	d.terminal()
	return d
}

// terminal opens the program that writes down what is typed.
func (d *desktop) terminal() {
	m := d.m
	m.t.Helper()
	term := m.pupil([]string{"DISPLAY=" + display}, "xterm", "-geometry", "100x40+0+0", "-e", "sh", "-c", `stty -echo; while read line; do echo "$line" >>/home/pupil/typed; done`)
	must(m.t, term.Start())
	go func() { _ = term.Wait() }()
	d.tool("search", "--sync", "--onlyvisible", "--class", "xterm")
}

func (d *desktop) tool(args ...string) {
	d.m.t.Helper()
	cmd := d.m.command("timeout", append([]string{"20", "xdotool"}, args...)...)
	cmd.Env = append(cmd.Env, "DISPLAY="+display)
	if out, err := cmd.CombinedOutput(); err != nil {
		d.m.t.Fatalf("xdotool %v: %v: %s", args, err, out)
	}
}

func (d *desktop) types(line string) {
	d.m.t.Helper()
	d.tool("mousemove", "200", "200", "type", line)
	d.tool("key", "Return")
}

func (d *desktop) typed() string {
	data, _ := os.ReadFile(d.m.disk("/home/pupil/typed"))
	return string(data)
}

func (d *desktop) picture() *image.RGBA {
	d.m.t.Helper()
	screen := xproto.Setup(d.conn).DefaultScreen(d.conn)
	wide, high := int(screen.WidthInPixels), int(screen.HeightInPixels)
	reply := made(xproto.GetImage(d.conn, xproto.ImageFormatZPixmap, xproto.Drawable(screen.Root), 0, 0, uint16(wide), uint16(high), 0xFFFFFFFF).Reply())(d.m.t)
	img := image.NewRGBA(image.Rect(0, 0, wide, high))
	for i := range wide * high {
		img.Pix[i*4], img.Pix[i*4+1], img.Pix[i*4+2], img.Pix[i*4+3] = reply.Data[i*4+2], reply.Data[i*4+1], reply.Data[i*4], 0xFF
	}
	return img
}

// covered reports whether all corners, and a place that the program covers
// otherwise, show one dark ground, and the middle something bright on it.
func (d *desktop) covered() bool {
	img := d.picture()
	high := img.Bounds().Max
	ground := img.RGBAAt(high.X-1, high.Y-1)
	if ground.R > 0x40 || ground.G > 0x40 || ground.B > 0x60 {
		return false
	}
	for _, at := range []image.Point{{0, 0}, {high.X - 1, 0}, {0, high.Y - 1}, {200, 200}} {
		if img.RGBAAt(at.X, at.Y) != ground {
			return false
		}
	}
	bright := 0
	for y := high.Y / 4; y < high.Y*3/4; y++ {
		for x := range high.X {
			if img.RGBAAt(x, y).R > 0xE0 {
				bright++
			}
		}
	}
	return bright > 1000
}

func (d *desktop) keep(file string) {
	d.m.t.Helper()
	out := made(os.Create(file))(d.m.t)
	defer out.Close()
	must(d.m.t, png.Encode(out, d.picture()))
}

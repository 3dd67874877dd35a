package aside_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"schulwart.org/agent/control"
	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/reconcile"
	"schulwart.org/agent/words"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// attentive is an agent that hears who raises a hand.
type attentive struct {
	mu     sync.Mutex
	up     bool
	raised int
	link   string
}

func (a *attentive) Status() reconcile.Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return reconcile.Status{Running: true, Link: a.link, Hand: a.up}
}

func (a *attentive) Hand(up bool) reconcile.Outcome {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.up = up
	if up {
		a.raised++
		return reconcile.Outcome{Key: "hand.up"}
	}
	return reconcile.Outcome{Key: "hand.down"}
}

func (a *attentive) says(link string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.link = link
}

func (a *attentive) hand() bool { return a.Status().Hand }

func (*attentive) Release(string, string) reconcile.Outcome { return reconcile.Outcome{} }
func (*attentive) Reload()                                  {}
func (*attentive) Sync()                                    {}
func (*attentive) Pause() (func(), bool)                    { return nil, false }

// listen lets an agent answer in the room.
func (r *room) listen(agent control.Agent) {
	r.t.Helper()
	if err := os.Mkdir(r.state, 0o755); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- control.Serve(ctx, r.state, agent, slog.New(slog.DiscardHandler)) }()
	r.t.Cleanup(func() { cancel(); <-done })
}

// ground is the colour of the bar.
var ground = color.RGBA{0x0B, 0x10, 0x20, 0xFF}

// picture is what the screen shows.
func (r *room) picture() *image.RGBA {
	r.t.Helper()
	conn, err := xgb.NewConnDisplay(r.display)
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	screen := xproto.Setup(conn).DefaultScreen(conn)
	reply, err := xproto.GetImage(conn, xproto.ImageFormatZPixmap, xproto.Drawable(screen.Root), 0, 0, screen.WidthInPixels, screen.HeightInPixels, 0xFFFFFFFF).Reply()
	if err != nil {
		r.t.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, int(screen.WidthInPixels), int(screen.HeightInPixels)))
	for i := 0; i < len(img.Pix); i += 4 {
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = reply.Data[i+2], reply.Data[i+1], reply.Data[i], 0xFF
	}
	return img
}

// bar finds the bar on the screen: its ground's colour in a row near an edge.
func (r *room) bar(top bool) (area image.Rectangle) {
	r.t.Helper()
	img := r.picture()
	y := img.Bounds().Max.Y - 10
	if top {
		y = 10
	}
	for x := range img.Bounds().Max.X {
		if img.RGBAAt(x, y) == ground {
			area = area.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return area
}

// shoot keeps a picture of the screen.
func (r *room) shoot(file string) {
	r.t.Helper()
	out, err := os.Create(file)
	if err == nil {
		err = errors.Join(png.Encode(out, r.picture()), out.Close())
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) ask(method, host, path string, head map[string]string) (int, string) {
	request, err := http.NewRequest(method, "http://"+linux.PupilHost+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if host != "" {
		request.Host = host
	}
	for name, value := range head {
		request.Header.Set(name, value)
	}
	client := http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

// The pupil reads whose examination it is and the own end, on a bar that is drawn
// and on a page that a screen reader can read, and asks for help on both.
func TestThePupilReadsTheOwnEndAndAsksForHelp(t *testing.T) {
	r := newRoom(t)
	agent := &attentive{link: "stream"}
	r.listen(agent)
	r.exam(lease.Examination{Title: "Mathe <7b>", Page: r.page, Calculator: "scientific"})
	r.sees("the exam is in front", ddm.PartOK)
	r.eventually("the page was asked for", func() bool { return r.asked.Load() > 0 })
	r.eventually("the bar at the lower edge", func() bool { return r.bar(false).Dx() > 300 })

	t.Run("what the page says", func(t *testing.T) {
		r.eventually("the agent's link", func() bool {
			_, text := r.ask("GET", "", "/", nil)
			return strings.Contains(text, "Du bist verbunden.")
		})
		_, text := r.ask("GET", "", "/", nil)
		for _, want := range []string{`<html lang="de" dir="ltr">`, "<h1>Mathe &lt;7b&gt;</h1>", "Von Frau Oert", "Deine Zeit endet um " + words.Clock(r.until, nil) + " Uhr.", "Noch 10 min.", "Taschenrechner: ein wissenschaftlicher (WTR).", "Ich brauche Hilfe", `href="` + r.page + `"`} {
			if !strings.Contains(text, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if _, text := r.ask("GET", "", "/?s=ar", nil); !strings.Contains(text, `<html lang="ar" dir="rtl">`) {
			t.Error("the page is not in Arabic")
		}
		agent.says("none")
		r.eventually("that there is no connection", func() bool {
			_, text := r.ask("GET", "", "/", nil)
			return strings.Contains(text, "Gerade keine Verbindung. Schreib ruhig weiter.")
		})
		agent.says("stream")
	})
	t.Run("pages of others cannot ask", func(t *testing.T) {
		for name, got := range map[string]int{
			"another site":        first(r.ask("POST", "", "/melden?up=1", map[string]string{"Origin": "https://moodle.example"})),
			"nobody":              first(r.ask("POST", "", "/melden?up=1", nil)),
			"by a name of theirs": first(r.ask("GET", "rebind.example", "/", nil)),
			"by GET":              first(r.ask("GET", "", "/melden?up=1", nil)),
		} {
			if got < 400 {
				t.Errorf("%s is answered %d", name, got)
			}
		}
		if agent.hand() {
			t.Error("the hand is up")
		}
	})
	t.Run("by the keyboard, on the page", func(t *testing.T) {
		r.do("key", "ctrl+Tab")
		r.eventually("the page behind the examination", func() bool {
			return strings.Contains(r.do("getactivewindow", "getwindowname"), "Deine Prüfung: Mathe")
		})
		r.eventually("the hand is up", func() bool {
			// A blank does nothing on a link, so that it does not matter when the page
			// begins to hear.
			r.do("key", "Tab")
			r.do("key", "space")
			return agent.hand()
		})
		r.do("key", "ctrl+Tab")
		r.eventually("the examination again", func() bool { return strings.HasPrefix(r.do("getactivewindow", "getwindowname"), "Mathe") })
		r.sees("the exam is in front", ddm.PartOK)
	})
	t.Run("by the keyboard, on the bar", func(t *testing.T) {
		r.eventually("the bar to know that the hand is up", func() bool { r.do("key", "ctrl+alt+m"); return !agent.hand() })
	})
	t.Run("by the mouse, on the bar", func(t *testing.T) {
		bar := r.bar(false)
		r.eventually("the hand is up", func() bool {
			// The button stands before what moves the bar, at its right end.
			r.do("mousemove", strconv.Itoa(bar.Max.X-130), strconv.Itoa(bar.Min.Y-12), "click", "1")
			time.Sleep(400 * time.Millisecond) // a click takes its time to be heard
			return agent.hand()
		})
	})
	t.Run("closing the bar through the display", func(t *testing.T) {
		// Whoever may draw on a display may end others' connections to it.
		conn, err := xgb.NewConnDisplay(r.display)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		tree, err := xproto.QueryTree(conn, xproto.Setup(conn).DefaultScreen(conn).Root).Reply()
		if err != nil {
			t.Fatal(err)
		}
		bar := r.bar(false)
		killed := 0
		for _, window := range tree.Children {
			g, err := xproto.GetGeometry(conn, xproto.Drawable(window)).Reply()
			if err == nil && g.Height < 80 && bar.Min.In(image.Rect(int(g.X), int(g.Y), int(g.X)+int(g.Width), int(g.Y)+int(g.Height))) {
				killed++
				xproto.KillClientChecked(conn, uint32(window)).Check() //nolint:errcheck // what came of it is seen
			}
		}
		if killed != 1 {
			t.Fatalf("%d windows are the bar", killed)
		}
		r.eventually("the bar is back", func() bool { return r.bar(false).Dx() > 300 })
		r.sees("the exam is in front", ddm.PartOK)
	})
	t.Run("out of the way", func(t *testing.T) {
		r.eventually("the bar at the upper edge", func() bool {
			r.do("key", "ctrl+alt+l")
			time.Sleep(300 * time.Millisecond)
			return r.bar(true).Dx() > 300 && r.bar(false).Dx() == 0
		})
	})
	if keep := os.Getenv("SCHULWART_SHOTS"); keep != "" {
		r.shoot(filepath.Join(keep, "pupil-bar.png"))
		r.do("key", "ctrl+Tab")
		time.Sleep(time.Second)
		r.shoot(filepath.Join(keep, "pupil-page.png"))
	}
	if err := r.driver.Set(context.Background(), enforce.Rules{}); err != nil {
		t.Fatal(err)
	}
	r.sees("everything is as before", ddm.PartOK)
	if status, _ := r.ask("GET", "", "/", nil); status != 0 {
		t.Error("the page is still there")
	}
	if r.bar(true).Dx() > 300 {
		t.Error("the bar is still there")
	}
}

func first(status int, _ string) int { return status }

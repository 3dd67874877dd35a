package display

import (
	"bufio"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/randr"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"

	"schulwart.org/agent/host"
	"schulwart.org/agent/words"
)

// told is a line from the keeper to the process that covers one display.
type told struct {
	Order Order         `json:"order"`
	Left  time.Duration `json:"left"`
	Voice bool          `json:"voice"`
	// Reader says that a screen reader runs in the session: what it cannot read is
	// read aloud by itself.
	Reader bool `json:"reader,omitempty"`
	// Answer is what was said of the last code.
	Answer verdict `json:"answer"`
}

// said is a line back.
type said struct {
	Covered bool       `json:"covered"` // on top of everything, as read back
	Held    bool       `json:"held"`    // keyboard and mouse
	Screens int        `json:"screens"`
	Fault   string     `json:"fault,omitempty"`
	Speak   words.Lang `json:"speak,omitempty"` // read aloud, please: everything, or what Say is
	Say     string     `json:"say,omitempty"`
	Code    string     `json:"code,omitempty"` // was typed; Lang is in which language to answer
	Lang    words.Lang `json:"lang,omitempty"`
}

// cover is the window above everything on one display.
type cover struct {
	conn    *xgb.Conn
	screen  *xproto.ScreenInfo
	window  xproto.Window
	canvas  *canvas
	cursor  xproto.Cursor
	keys    map[xproto.Keycode]uint32 // first keysym of each key
	outputs []image.Rectangle
	rows    [][]button // per output
	faking  bool       // keys can be sent (XTEST)

	lang    words.Lang
	told    told
	ends    time.Duration // on the clock
	clock   host.Clock
	drawn   string // label and sweep of the ring last drawn
	alone   bool   // the keeper is gone
	code    entry  // where a code is asked for
	refused int    // rounds in which somebody else held the keyboard
	aloud   bool   // what is typed and answered is read aloud, too
	out     *json.Encoder
}

// linger is how long the cover stays when its keeper is gone: long enough for
// the next keeper to put another one over it.
const linger = 3 * time.Second

// round is the rhythm in which the cover looks whether it is still on top.
const round = 200 * time.Millisecond

// Cover covers the display named in the environment, as told on in, until its
// time is over. It returns when that is so, when the display is gone, or a
// moment after in was closed.
func Cover(in io.Reader, out io.Writer) error {
	orders := make(chan told)
	go readOrders(in, orders)
	// A keeper that is gone must not end its cover by the broken pipe.
	signal.Ignore(syscall.SIGPIPE)
	first, ok := <-orders
	if !ok {
		return nil
	}
	xgb.Logger.SetOutput(io.Discard)
	tell := json.NewEncoder(out)
	conn, err := xgb.NewConnDisplay(os.Getenv("DISPLAY"))
	if err != nil {
		_ = tell.Encode(said{Fault: err.Error()})
		return fmt.Errorf("connecting to display: %w", err)
	}
	defer conn.Close()
	c := &cover{conn: conn, clock: host.NewClock(""), lang: words.German, out: tell}
	c.take(first)
	if err := c.open(); err != nil {
		return err
	}
	return c.run(orders)
}

func readOrders(in io.Reader, orders chan<- told) {
	defer close(orders)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var t told
		if json.Unmarshal(lines.Bytes(), &t) == nil {
			orders <- t
		}
	}
}

// say has something read aloud that is only drawn, once somebody listens.
func (c *cover) say(text string) {
	if text != "" && (c.aloud || c.told.Reader) {
		// Where the keeper is gone nobody speaks.
		_ = c.out.Encode(said{Speak: c.lang, Say: text})
	}
}

func (c *cover) take(t told) {
	c.told, c.ends = t, c.clock.Read().Elapsed+t.Left
}

func (c *cover) left() time.Duration { return c.ends - c.clock.Read().Elapsed }

// open makes the window, as large as all screens together.
func (c *cover) open() error {
	c.screen = xproto.Setup(c.conn).DefaultScreen(c.conn)
	c.faking = xtest.Init(c.conn) == nil
	hasOutputs := randr.Init(c.conn) == nil
	window, err := xproto.NewWindowId(c.conn)
	if err != nil {
		return fmt.Errorf("covering screen: %w", err)
	}
	c.window = window
	if c.canvas, err = c.create(); err != nil {
		return err
	}
	c.keys = keysyms(c.conn)
	// Windows that appear above ours are seen by what happens on the root.
	xproto.ChangeWindowAttributes(c.conn, c.screen.Root, xproto.CwEventMask, []uint32{xproto.EventMaskSubstructureNotify | xproto.EventMaskStructureNotify})
	if err := c.layout(hasOutputs); err != nil {
		return err
	}
	c.title()
	if err := c.draw(); err != nil {
		return err
	}
	if err := xproto.MapWindowChecked(c.conn, window).Check(); err != nil {
		return fmt.Errorf("covering screen: %w", err)
	}
	c.hold()
	return nil
}

func (c *cover) create() (*canvas, error) {
	const (
		font      = "cursor"
		leftArrow = 68
	)
	if id, err := xproto.NewFontId(c.conn); err == nil {
		if cursor, err := xproto.NewCursorId(c.conn); err == nil {
			xproto.OpenFont(c.conn, id, uint16(len(font)), font)
			xproto.CreateGlyphCursor(c.conn, cursor, id, id, leftArrow, leftArrow+1, 0xFFFF, 0xFFFF, 0xFFFF, 0, 0, 0)
			c.cursor = cursor
		}
	}
	// A window that no window manager arranges or closes.
	err := xproto.CreateWindowChecked(c.conn, c.screen.RootDepth, c.window, c.screen.Root, 0, 0, c.screen.WidthInPixels, c.screen.HeightInPixels, 0,
		xproto.WindowClassInputOutput, c.screen.RootVisual, xproto.CwBackPixel|xproto.CwOverrideRedirect|xproto.CwEventMask|xproto.CwCursor,
		[]uint32{background(c.screen), 1, xproto.EventMaskKeyPress | xproto.EventMaskButtonPress | xproto.EventMaskVisibilityChange | xproto.EventMaskStructureNotify, uint32(c.cursor)}).Check()
	if err != nil {
		return nil, fmt.Errorf("covering screen: %w", err)
	}
	return newCanvas(c.conn, c.screen, c.window)
}

// run lives until the time is over.
func (c *cover) run(orders <-chan told) error {
	events := make(chan xgb.Event, 64)
	go func() {
		defer close(events)
		for {
			event, fault := c.conn.WaitForEvent()
			if event == nil && fault == nil {
				return
			}
			if event != nil {
				events <- event
			}
		}
	}()
	tick := time.NewTicker(round)
	defer tick.Stop()
	for c.left() > 0 {
		select {
		case t, ok := <-orders:
			if !ok {
				orders, c.alone = nil, true
				c.ends = min(c.ends, c.clock.Read().Elapsed+linger)
				continue
			}
			answered := c.code.hear(t.Answer)
			changed := !t.Order.equal(c.told.Order) || t.Voice != c.told.Voice || answered
			c.take(t)
			if answered {
				c.say(t.Answer.Text)
			}
			if changed {
				if err := c.draw(); err != nil {
					return err
				}
			}
		case event, ok := <-events:
			if !ok {
				return fmt.Errorf("covering screen: display has closed")
			}
			if err := c.happened(event); err != nil {
				return err
			}
		case <-tick.C:
			if err := c.look(); err != nil {
				return err
			}
		}
	}
	return nil
}

// look reads back whether the window is on top and the keyboard held, mends
// what is not, and says what was found.
func (c *cover) look() error {
	top, err := c.onTop()
	if err != nil {
		return err
	}
	state, err := xproto.GetWindowAttributes(c.conn, c.window).Reply()
	if err != nil {
		return fmt.Errorf("reading back: %w", err)
	}
	if !top && c.alone {
		// The next keeper's cover has come; two would fight for the keyboard.
		c.ends = 0
		return nil
	}
	if !top {
		c.raise()
	}
	report := said{Covered: top && state.MapState == xproto.MapStateViewable, Held: c.hold(), Screens: len(c.outputs)}
	// Where the keeper is gone nobody listens; the cover lingers all the same.
	_ = c.out.Encode(report)
	return c.ring()
}

// onTop reports whether no window that can be seen is above ours. Programs keep
// windows ready that are not shown, and the next cover is one while it is drawn.
func (c *cover) onTop() (bool, error) {
	tree, err := xproto.QueryTree(c.conn, c.screen.Root).Reply()
	if err != nil {
		return false, fmt.Errorf("reading back: %w", err)
	}
	for _, window := range slices.Backward(tree.Children) {
		if window == c.window {
			return true, nil
		}
		// One that is gone by now is not above anything.
		state, err := xproto.GetWindowAttributes(c.conn, window).Reply()
		if err == nil && state.MapState == xproto.MapStateViewable && state.Class == xproto.WindowClassInputOutput {
			return false, nil
		}
	}
	return false, nil
}

func (c *cover) raise() {
	xproto.ConfigureWindow(c.conn, c.window, xproto.ConfigWindowStackMode, []uint32{xproto.StackModeAbove})
}

// hold takes keyboard and mouse, and tells whether both are ours. An open menu
// holds them too; it is asked to close by the key that closes menus.
func (c *cover) hold() bool {
	keyboard, err := xproto.GrabKeyboard(c.conn, false, c.window, xproto.TimeCurrentTime, xproto.GrabModeAsync, xproto.GrabModeAsync).Reply()
	held := err == nil && keyboard.Status == xproto.GrabStatusSuccess
	pointer, err := xproto.GrabPointer(c.conn, false, c.window, xproto.EventMaskButtonPress, xproto.GrabModeAsync, xproto.GrabModeAsync, c.window, c.cursor, xproto.TimeCurrentTime).Reply()
	held = held && err == nil && pointer.Status == xproto.GrabStatusSuccess
	if held {
		c.refused = 0
		return true
	}
	c.refused++
	if c.refused == 2 || c.refused%10 == 0 {
		c.escape()
	}
	return false
}

func (c *cover) escape() {
	const escape = 0xFF1B
	if !c.faking {
		return
	}
	for code, symbol := range c.keys {
		if symbol == escape {
			xtest.FakeInput(c.conn, xproto.KeyPress, byte(code), 0, c.screen.Root, 0, 0, 0)
			xtest.FakeInput(c.conn, xproto.KeyRelease, byte(code), 0, c.screen.Root, 0, 0, 0)
			return
		}
	}
}

// happened answers one event.
func (c *cover) happened(event xgb.Event) error {
	switch e := event.(type) {
	case xproto.KeyPressEvent:
		const f1 = 0xFFBE
		if before := len(c.code.digits); c.told.Order.Code && c.code.key(c.keys[e.Detail]) {
			if len(c.code.digits) > before {
				c.say(c.code.digits[before:])
			}
			return c.typed()
		}
		return c.choose(func(b button) bool { return c.keys[e.Detail] == f1+uint32(b.key)-1 })
	case xproto.ButtonPressEvent:
		at := image.Pt(int(e.RootX), int(e.RootY))
		return c.choose(func(b button) bool { return at.In(b.area) })
	case xproto.VisibilityNotifyEvent:
		if e.State != xproto.VisibilityUnobscured && !c.alone {
			c.raise()
		}
	case xproto.MapNotifyEvent:
		if e.Window != c.window && !c.alone {
			c.raise()
		}
	case xproto.ConfigureNotifyEvent:
		if e.Window == c.screen.Root {
			c.screen.WidthInPixels, c.screen.HeightInPixels = e.Width, e.Height
			if err := c.layout(true); err != nil {
				return err
			}
			return c.draw()
		}
	case xproto.UnmapNotifyEvent:
		if e.Window == c.window {
			xproto.MapWindow(c.conn, c.window)
		}
	case xproto.DestroyNotifyEvent:
		if e.Window == c.window {
			return fmt.Errorf("covering screen: window was destroyed")
		}
	case xproto.MappingNotifyEvent:
		c.keys = keysyms(c.conn)
	}
	return nil
}

// choose follows the first button that fits.
func (c *cover) choose(fits func(button) bool) error {
	for _, row := range c.rows {
		for _, b := range row {
			if !fits(b) {
				continue
			}
			if b.lang == "" {
				c.aloud = true
				return c.out.Encode(said{Speak: c.lang})
			}
			c.lang = b.lang
			c.title()
			return c.draw()
		}
	}
	return nil
}

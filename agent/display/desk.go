package display

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/randr"
	"github.com/jezek/xgb/xproto"
)

// DeskOrder is what the process is told that looks after one display during an
// examination.
type DeskOrder struct {
	// Class is the WM_CLASS of the examination's window, which is kept in front;
	// empty for none.
	Class string `json:"class,omitempty"`
	// Clipboard lets programs exchange text.
	Clipboard bool `json:"clipboard,omitempty"`
	// Screens lets more than one screen show something.
	Screens bool `json:"screens,omitempty"`
	// Bar is what the pupil reads all the time; nil for nothing.
	Bar  *Bar          `json:"bar,omitempty"`
	Left time.Duration `json:"left"` // zero or less: everything as before
}

// DeskSeen is what was read back of one display.
type DeskSeen struct {
	Window  bool `json:"window"`  // the examination's window is there
	Front   bool `json:"front"`   // it has the keyboard and fills the screen
	Screens int  `json:"screens"` // that show something
	Dark    int  `json:"dark"`    // that were switched off
	// Emptied counts how often something was carried from one program to another.
	Emptied int `json:"emptied,omitempty"`
	// Asked counts how often the pupil raised a hand or took it down, Up is what
	// was wanted last.
	Asked int    `json:"asked,omitempty"`
	Up    bool   `json:"up,omitempty"`
	Fault string `json:"fault,omitempty"`
}

// desk looks after one display.
type desk struct {
	conn   *xgb.Conn
	root   xproto.Window
	own    xproto.Window // owns what nobody shall paste
	randr  bool
	atoms  map[string]xproto.Atom
	order  DeskOrder
	active xproto.Window
	seen   DeskSeen
	fronts int // looks since the window was asked to come forward
	fights int // how often a screen was switched on again
	shown  *shownBar
}

// deskAtoms are names of EWMH and ICCCM.
var deskAtoms = []string{"_NET_ACTIVE_WINDOW", "_NET_CLIENT_LIST", "_NET_WM_STATE", "_NET_WM_STATE_FULLSCREEN", "_NET_WM_STATE_ABOVE", "_NET_WM_STATE_STICKY", "_NET_WM_DESKTOP", "CLIPBOARD", "_SCHULWART_DARK"}

// Desk looks after the display named in the environment, as told on in, until the
// time is over or nobody tells any more. What it switched off is on again then.
func Desk(in io.Reader, out io.Writer) error {
	orders := make(chan DeskOrder)
	go func() {
		defer close(orders)
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			var o DeskOrder
			if json.Unmarshal(lines.Bytes(), &o) == nil {
				orders <- o
			}
		}
	}()
	signal.Ignore(syscall.SIGPIPE)
	first, ok := <-orders
	if !ok {
		return nil
	}
	xgb.Logger.SetOutput(io.Discard)
	tell := json.NewEncoder(out)
	conn, err := xgb.NewConnDisplay(os.Getenv("DISPLAY"))
	if err != nil {
		_ = tell.Encode(DeskSeen{Fault: err.Error()})
		return fmt.Errorf("connecting to display: %w", err)
	}
	defer conn.Close()
	d := &desk{conn: conn, order: first, atoms: map[string]xproto.Atom{}}
	if err := d.open(); err != nil {
		return err
	}
	defer d.light()
	return d.run(orders, tell)
}

func (d *desk) open() error {
	screen := xproto.Setup(d.conn).DefaultScreen(d.conn)
	d.root, d.randr = screen.Root, randr.Init(d.conn) == nil
	for _, name := range deskAtoms {
		reply, err := xproto.InternAtom(d.conn, false, uint16(len(name)), name).Reply()
		if err != nil {
			return fmt.Errorf("looking after display: %w", err)
		}
		d.atoms[name] = reply.Atom
	}
	own, err := xproto.NewWindowId(d.conn)
	if err != nil {
		return fmt.Errorf("looking after display: %w", err)
	}
	d.own = own
	if err := xproto.CreateWindowChecked(d.conn, 0, own, d.root, -10, -10, 1, 1, 0, xproto.WindowClassInputOnly, 0, 0, nil).Check(); err != nil {
		return fmt.Errorf("looking after display: %w", err)
	}
	xproto.ChangeWindowAttributes(d.conn, d.root, xproto.CwEventMask, []uint32{xproto.EventMaskPropertyChange | xproto.EventMaskStructureNotify})
	if !d.order.Clipboard && d.order.Left > 0 {
		// What was copied before the examination is not carried into it.
		d.empty(d.atoms["CLIPBOARD"])
		d.empty(xproto.AtomPrimary)
	}
	return nil
}

func (d *desk) run(orders <-chan DeskOrder, tell *json.Encoder) error {
	events := make(chan xgb.Event, 64)
	go func() {
		defer close(events)
		for {
			event, fault := d.conn.WaitForEvent()
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
	for d.order.Left > 0 {
		select {
		case order, ok := <-orders:
			if !ok {
				return nil
			}
			d.order = order
			continue
		case event, ok := <-events:
			if !ok {
				return fmt.Errorf("looking after display: display has closed")
			}
			look, asked := d.answer(event)
			if asked {
				_ = tell.Encode(d.seen)
			}
			if !look {
				continue
			}
		case <-tick.C:
			_ = tell.Encode(d.seen)
		}
		d.look()
	}
	return nil
}

// answer takes in what happened on the display, and says whether it is worth a
// look, and whether the pupil asked for something.
func (d *desk) answer(event xgb.Event) (look, asked bool) {
	switch e := event.(type) {
	case xproto.SelectionRequestEvent:
		d.decline(e)
	case xproto.ButtonPressEvent:
		return false, d.clicked(e)
	case xproto.KeyPressEvent:
		return false, d.typed(e)
	case xproto.PropertyNotifyEvent:
		return e.Atom == d.atoms["_NET_ACTIVE_WINDOW"], false
	}
	return false, false
}

func (d *desk) look() {
	d.active = d.window(d.root, "_NET_ACTIVE_WINDOW")
	if !d.order.Clipboard {
		d.part(d.atoms["CLIPBOARD"])
		d.part(xproto.AtomPrimary)
	}
	d.front()
	d.darken()
	d.bar()
}

// part empties a selection whose owner is not the program that has the keyboard:
// within one program people may copy as they like.
func (d *desk) part(selection xproto.Atom) {
	owner, err := xproto.GetSelectionOwner(d.conn, selection).Reply()
	if err != nil || owner.Owner == 0 || owner.Owner == d.own || d.sameProgram(owner.Owner, d.active) {
		return
	}
	d.empty(selection)
	d.seen.Emptied++
}

func (d *desk) empty(selection xproto.Atom) {
	xproto.SetSelectionOwner(d.conn, d.own, selection, xproto.TimeCurrentTime)
}

// decline answers whoever wants to paste what is not there (ICCCM 2.2).
func (d *desk) decline(e xproto.SelectionRequestEvent) {
	answer := xproto.SelectionNotifyEvent{Time: e.Time, Requestor: e.Requestor, Selection: e.Selection, Target: e.Target, Property: 0}
	xproto.SendEvent(d.conn, false, e.Requestor, 0, string(answer.Bytes()))
}

// sameProgram reports whether two windows belong to one connection: the upper
// bits of an id name it.
func (d *desk) sameProgram(a, b xproto.Window) bool {
	mask := ^xproto.Setup(d.conn).ResourceIdMask
	return b != 0 && uint32(a)&mask == uint32(b)&mask
}

// front keeps the examination's window before all others, on every workspace and
// as large as the screen.
func (d *desk) front() {
	d.seen.Window, d.seen.Front = false, false
	if d.order.Class == "" {
		return
	}
	windows := d.examWindows()
	if len(windows) == 0 {
		return
	}
	d.seen.Window = true
	main := windows[0]
	state := d.values(main, "_NET_WM_STATE")
	full := contains(state, uint32(d.atoms["_NET_WM_STATE_FULLSCREEN"])) || d.fills(main)
	for _, window := range windows {
		if window == d.active {
			d.seen.Front = full
		}
	}
	if d.seen.Front {
		d.fronts = 0
		return
	}
	// Asked again and again, a window manager that is busy becomes no faster.
	if d.fronts++; d.fronts%5 != 1 {
		return
	}
	const add, fromPager, everywhere = 1, 2, 0xFFFFFFFF
	if !full {
		d.ask(main, "_NET_WM_STATE", add, uint32(d.atoms["_NET_WM_STATE_FULLSCREEN"]), uint32(d.atoms["_NET_WM_STATE_ABOVE"]), fromPager)
	}
	d.ask(main, "_NET_WM_DESKTOP", everywhere, fromPager)
	d.ask(main, "_NET_ACTIVE_WINDOW", fromPager, xproto.TimeCurrentTime)
	xproto.ConfigureWindow(d.conn, main, xproto.ConfigWindowStackMode, []uint32{xproto.StackModeAbove})
	if d.window(d.root, "_NET_CLIENT_LIST") == 0 {
		// Without a window manager nobody else gives it the keyboard.
		xproto.SetInputFocus(d.conn, xproto.InputFocusPointerRoot, main, xproto.TimeCurrentTime)
		d.seen.Front = d.fills(main)
	}
}

// fills reports whether a window is as large as the display or its first screen.
func (d *desk) fills(window xproto.Window) bool {
	geometry, err := xproto.GetGeometry(d.conn, xproto.Drawable(window)).Reply()
	if err != nil {
		return false
	}
	for _, area := range outputs(d.conn, d.root) {
		if int(geometry.Width) >= area.Dx() && int(geometry.Height) >= area.Dy() {
			return true
		}
	}
	screen := xproto.Setup(d.conn).DefaultScreen(d.conn)
	return geometry.Width >= screen.WidthInPixels && geometry.Height >= screen.HeightInPixels
}

// examWindows lists the windows of the examination, the oldest first.
func (d *desk) examWindows() []xproto.Window {
	var found []xproto.Window
	candidates := d.values(d.root, "_NET_CLIENT_LIST")
	if len(candidates) == 0 {
		if tree, err := xproto.QueryTree(d.conn, d.root).Reply(); err == nil {
			for _, child := range tree.Children {
				candidates = append(candidates, uint32(child))
			}
		}
	}
	for _, id := range candidates {
		reply, err := xproto.GetProperty(d.conn, false, xproto.Window(id), xproto.AtomWmClass, xproto.AtomString, 0, 64).Reply()
		if err == nil && strings.Contains(string(reply.Value), d.order.Class) {
			found = append(found, xproto.Window(id))
		}
	}
	return found
}

func (d *desk) window(of xproto.Window, property string) xproto.Window {
	if values := d.values(of, property); len(values) > 0 {
		return xproto.Window(values[0])
	}
	return 0
}

// values reads a list of numbers.
func (d *desk) values(of xproto.Window, property string) []uint32 {
	reply, err := xproto.GetProperty(d.conn, false, of, d.atoms[property], xproto.GetPropertyTypeAny, 0, 1024).Reply()
	if err != nil || reply.Format != 32 {
		return nil
	}
	values := make([]uint32, 0, reply.ValueLen)
	for i := 0; i+4 <= len(reply.Value); i += 4 {
		values = append(values, xgb.Get32(reply.Value[i:]))
	}
	return values
}

// ask sends the window manager a message about a window (EWMH).
func (d *desk) ask(window xproto.Window, message string, data ...uint32) {
	for len(data) < 5 {
		data = append(data, 0)
	}
	event := xproto.ClientMessageEvent{Format: 32, Window: window, Type: d.atoms[message], Data: xproto.ClientMessageDataUnionData32New(data)}
	xproto.SendEvent(d.conn, false, d.root, xproto.EventMaskSubstructureNotify|xproto.EventMaskSubstructureRedirect, string(event.Bytes()))
}

func contains(list []uint32, value uint32) bool {
	for _, v := range list {
		if v == value {
			return true
		}
	}
	return false
}

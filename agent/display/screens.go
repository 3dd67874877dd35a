package display

import (
	"image"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/randr"
	"github.com/jezek/xgb/xproto"
)

// layout makes the window as large as the display and finds its screens.
func (c *cover) layout(hasOutputs bool) error {
	wide, high := c.screen.WidthInPixels, c.screen.HeightInPixels
	xproto.ConfigureWindow(c.conn, c.window, xproto.ConfigWindowX|xproto.ConfigWindowY|xproto.ConfigWindowWidth|xproto.ConfigWindowHeight|xproto.ConfigWindowStackMode,
		[]uint32{0, 0, uint32(wide), uint32(high), xproto.StackModeAbove})
	c.outputs = nil
	if hasOutputs {
		c.outputs = outputs(c.conn, c.screen.Root)
	}
	if len(c.outputs) == 0 {
		c.outputs = []image.Rectangle{image.Rect(0, 0, int(wide), int(high))}
	}
	return c.canvas.stretch(wide, high)
}

// outputs returns the areas of all screens; mirrored ones count once.
func outputs(conn *xgb.Conn, root xproto.Window) []image.Rectangle {
	resources, err := randr.GetScreenResourcesCurrent(conn, root).Reply()
	if err != nil {
		return nil
	}
	seen := map[image.Rectangle]bool{}
	var areas []image.Rectangle
	for _, crtc := range resources.Crtcs {
		info, err := randr.GetCrtcInfo(conn, crtc, resources.ConfigTimestamp).Reply()
		if err != nil || info.Width == 0 || info.Height == 0 {
			continue
		}
		area := image.Rect(int(info.X), int(info.Y), int(info.X)+int(info.Width), int(info.Y)+int(info.Height))
		if !seen[area] {
			seen[area] = true
			areas = append(areas, area)
		}
	}
	return areas
}

func (c *cover) scene() scene {
	return scene{
		text: textOf(c.lang, c.told.Order), message: c.told.Order.Message, code: c.shownCode(),
		left: c.left(), total: max(c.told.Order.Total, c.told.Left), voice: c.told.Voice,
	}
}

// draw puts everything on every screen.
func (c *cover) draw() error {
	c.canvas.wipe(c.screen.WidthInPixels, c.screen.HeightInPixels)
	s := c.scene()
	c.rows, c.drawn = nil, ""
	for _, area := range c.outputs {
		v := newView(area.Dx(), area.Dy())
		body, err := v.body(s)
		if err != nil {
			return err
		}
		foot, row, err := v.foot(s)
		if err != nil {
			return err
		}
		for i := range row {
			row[i].area = row[i].area.Add(area.Min)
		}
		c.rows = append(c.rows, row)
		c.canvas.put(body.at.Add(area.Min), body.image)
		c.canvas.put(foot.at.Add(area.Min), foot.image)
	}
	if err := c.ring(); err != nil {
		return err
	}
	c.canvas.show(image.Rect(0, 0, int(c.screen.WidthInPixels), int(c.screen.HeightInPixels)))
	return nil
}

// ring draws the time that is left where its look has changed since.
func (c *cover) ring() error {
	s := c.scene()
	// A second of the ring is seen; less is not.
	now := string(s.text.Lang) + s.left.Round(1e9).String()
	if now == c.drawn {
		return nil
	}
	c.drawn = now
	for _, area := range c.outputs {
		ring, err := newView(area.Dx(), area.Dy()).ring(s)
		if err != nil {
			return err
		}
		at := ring.at.Add(area.Min)
		c.canvas.put(at, ring.image)
		c.canvas.show(ring.image.Bounds().Add(at))
	}
	return nil
}

// title gives the window its sentence as a name, where aids that read windows
// find it (EWMH _NET_WM_NAME).
func (c *cover) title() {
	text := textOf(c.lang, c.told.Order)
	name := []byte(text.Title + " " + text.Who + " " + text.Until)
	xproto.ChangeProperty(c.conn, xproto.PropModeReplace, c.window, xproto.AtomWmClass, xproto.AtomString, 8, 20, []byte("schulwart\x00Schulwart\x00"))
	atoms := map[string]xproto.Atom{}
	for _, atom := range []string{"_NET_WM_NAME", "UTF8_STRING"} {
		if reply, err := xproto.InternAtom(c.conn, false, uint16(len(atom)), atom).Reply(); err == nil {
			atoms[atom] = reply.Atom
		}
	}
	for _, property := range []xproto.Atom{xproto.AtomWmName, atoms["_NET_WM_NAME"]} {
		if property != 0 && atoms["UTF8_STRING"] != 0 {
			xproto.ChangeProperty(c.conn, xproto.PropModeReplace, c.window, property, atoms["UTF8_STRING"], 8, uint32(len(name)), name)
		}
	}
}

// keysyms reads what each key means without other keys held.
func keysyms(conn *xgb.Conn) map[xproto.Keycode]uint32 {
	setup := xproto.Setup(conn)
	first, count := setup.MinKeycode, byte(setup.MaxKeycode-setup.MinKeycode+1)
	reply, err := xproto.GetKeyboardMapping(conn, first, count).Reply()
	if err != nil || reply.KeysymsPerKeycode == 0 {
		return nil
	}
	keys := make(map[xproto.Keycode]uint32, count)
	for i := range int(count) {
		keys[first+xproto.Keycode(i)] = uint32(reply.Keysyms[i*int(reply.KeysymsPerKeycode)])
	}
	return keys
}

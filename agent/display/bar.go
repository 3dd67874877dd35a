package display

import (
	"image"
	"image/color"
	"time"

	"github.com/jezek/xgb/xproto"

	"schulwart.org/agent/words"
)

// Bar is what the narrow bar says that a pupil sees beside the examination: whose
// it is, the own end and nobody else's, and how to ask for help. It is drawn, so a
// screen reader does not know it; the page in the examination's browser says the
// same to those.
type Bar struct {
	Title   string    `json:"title"`
	By      string    `json:"by"`
	Until   time.Time `json:"until"`
	Battery *int      `json:"battery,omitempty"`
	Linked  bool      `json:"linked,omitempty"`
	Hand    bool      `json:"hand,omitempty"`
}

// barImage draws the bar for a screen of the view's size, no wider than it. The
// areas are those of the button and of what moves the bar, within the picture.
func (v view) barImage(b Bar, left time.Duration, lang words.Lang) (img *image.RGBA, button, mover image.Rectangle, err error) {
	big, err := newPen(strong, 18*v.scale)
	if err != nil {
		return nil, button, mover, err
	}
	plain, err := newPen(regular, 17*v.scale)
	if err != nil {
		return nil, button, mover, err
	}
	small, err := newPen(strong, 12.5*v.scale)
	if err != nil {
		return nil, button, mover, err
	}
	text := words.ExamBar(lang, words.ExamNow{Until: b.Until, Left: left, Battery: b.Battery}, b.Linked, b.Hand, nil)
	high, gap := 46*v.scale, 18*v.scale
	buttonWide := plain.width(text.Button) + small.width(text.Keys) + 40*v.scale
	most := float64(v.width) - 16*v.scale - buttonWide - high - 3*gap
	type part struct {
		pen  *pen
		ink  color.Color
		text string
	}
	parts := []part{{plain, ink, text.Until}, {big, ink, text.Left}}
	room := most
	for _, p := range parts {
		room -= p.pen.width(p.text) + gap
	}
	// What matters most comes first; what has no room is left out.
	for _, more := range []part{{big, ink, b.Title}, {plain, muted, text.Link}, {plain, muted, text.Battery}, {plain, muted, b.By}} {
		wide := more.pen.width(more.text)
		if more.text == "" || room < wide+gap {
			continue
		}
		room -= wide + gap
		if more.text == b.Title {
			parts = append([]part{more}, parts...)
		} else {
			parts = append(parts, more)
		}
	}
	total := most - room + buttonWide + high + 2*gap
	img = image.NewRGBA(image.Rect(0, 0, int(total), int(high)))
	block(img, img.Bounds(), accent)
	block(img, img.Bounds().Inset(max(1, int(1.6*v.scale))), ground)
	x := gap
	for _, p := range parts {
		shown := p.text
		if isRTL(shown) {
			shown = visual(shape(shown))
		}
		p.pen.write(img, x, high/2+p.pen.size*0.35, p.ink, shown)
		x += p.pen.width(p.text) + gap
	}
	inset := int(6 * v.scale)
	button = image.Rect(int(x), inset, int(x+buttonWide), int(high)-inset)
	v.barButton(img, button, plain, small, text, b.Hand)
	mover = image.Rect(int(x+buttonWide+gap/2), inset, int(x+buttonWide+gap/2+high), int(high)-inset)
	for _, down := range []bool{false, true} {
		fill(img, muted, arrow(mover, down))
	}
	return img, button, mover, nil
}

func (v view) barButton(img *image.RGBA, area image.Rectangle, plain, small *pen, text words.BarText, raised bool) {
	inside, label, key := color.Color(ground), color.Color(ink), color.Color(muted)
	if raised {
		inside, label, key = accent, ground, ground
	}
	fill(img, accent, rounded(area, 8*v.scale))
	fill(img, inside, rounded(area.Inset(max(1, int(1.6*v.scale))), 6.4*v.scale))
	middle := float64(area.Min.Y+area.Max.Y) / 2
	at := float64(area.Min.X) + 14*v.scale
	plain.write(img, at, middle+plain.size*0.34, label, text.Button)
	small.write(img, at+plain.width(text.Button)+12*v.scale, middle+small.size*0.36, key, text.Keys)
}

// arrow is one of two triangles, above and below the middle of an area.
func arrow(area image.Rectangle, down bool) [][2]float64 {
	x, y := float64(area.Min.X+area.Max.X)/2, float64(area.Min.Y+area.Max.Y)/2
	size := float64(area.Dy()) * 0.22
	if down {
		return [][2]float64{{x - size, y + size*0.4}, {x + size, y + size*0.4}, {x, y + size*1.7}}
	}
	return [][2]float64{{x + size, y - size*0.4}, {x - size, y - size*0.4}, {x, y - size*1.7}}
}

// shownBar is the bar's window on one display.
type shownBar struct {
	window        xproto.Window
	canvas        *canvas
	drawn         string
	area          image.Rectangle // on the display
	button, mover image.Rectangle
	top           bool // at the upper edge
	fights        int  // looks since it was brought forward
}

// The keys of the bar, with Control and Alt: to ask for help, and to move it.
const (
	keyHand = 'm'
	keyMove = 'l'
)

// bar shows what the order says, or takes the bar away.
func (d *desk) bar() {
	if d.order.Bar == nil {
		d.unbar()
		return
	}
	if d.shown == nil && !d.openBar() {
		return
	}
	d.drawBar()
	d.raiseBar()
}

func (d *desk) unbar() {
	if d.shown == nil {
		return
	}
	xproto.DestroyWindow(d.conn, d.shown.window)
	d.grabKeys(false)
	d.shown = nil
}

// openBar makes the window: one that no window manager arranges, closes or gives
// the keyboard.
func (d *desk) openBar() bool {
	screen := xproto.Setup(d.conn).DefaultScreen(d.conn)
	window, err := xproto.NewWindowId(d.conn)
	if err != nil {
		return false
	}
	err = xproto.CreateWindowChecked(d.conn, screen.RootDepth, window, d.root, 0, 0, 1, 1, 0, xproto.WindowClassInputOutput, screen.RootVisual,
		xproto.CwBackPixel|xproto.CwOverrideRedirect|xproto.CwEventMask, []uint32{background(screen), 1, xproto.EventMaskButtonPress | xproto.EventMaskStructureNotify}).Check()
	if err != nil {
		return false
	}
	canvas, err := newCanvas(d.conn, screen, window)
	if err != nil {
		xproto.DestroyWindow(d.conn, window)
		return false
	}
	d.shown = &shownBar{window: window, canvas: canvas}
	d.grabKeys(true)
	return true
}

// grabKeys takes the bar's keys, whatever locks are on. Another program that has
// taken them keeps them: the bar can be clicked.
func (d *desk) grabKeys(take bool) {
	const control, alt, lock, num = xproto.ModMaskControl, xproto.ModMask1, xproto.ModMaskLock, xproto.ModMask2
	for code := range d.barKeys() {
		for _, locks := range []uint16{0, lock, num, lock | num} {
			if take {
				xproto.GrabKey(d.conn, false, d.root, control|alt|locks, code, xproto.GrabModeAsync, xproto.GrabModeAsync)
			} else {
				xproto.UngrabKey(d.conn, code, d.root, control|alt|locks)
			}
		}
	}
}

// barKeys finds the keys on the keyboard. Where no key writes these letters, it is
// those that do on a German one.
func (d *desk) barKeys() map[xproto.Keycode]rune {
	keys := map[xproto.Keycode]rune{}
	for code, symbol := range keysyms(d.conn) {
		if symbol == keyHand || symbol == keyMove {
			keys[code] = rune(symbol)
		}
	}
	if len(keys) == 0 {
		return map[xproto.Keycode]rune{58: keyHand, 46: keyMove}
	}
	return keys
}

// drawBar draws the bar anew if it says something else, and puts it in its place.
func (d *desk) drawBar() {
	b, s := *d.order.Bar, d.shown
	screen := image.Rect(0, 0, int(xproto.Setup(d.conn).DefaultScreen(d.conn).WidthInPixels), int(xproto.Setup(d.conn).DefaultScreen(d.conn).HeightInPixels))
	if d.randr {
		if areas := outputs(d.conn, d.root); len(areas) > 0 {
			screen = areas[0]
		}
	}
	lang := words.Preferred()
	text := words.ExamBar(lang, words.ExamNow{Until: b.Until, Left: d.order.Left, Battery: b.Battery}, b.Linked, b.Hand, nil)
	say := b.Title + b.By + text.Until + text.Left + text.Battery + text.Link + text.Button + screen.String()
	if s.top {
		say += "top"
	}
	if say == s.drawn {
		return
	}
	img, button, mover, err := newView(screen.Dx(), screen.Dy()).barImage(b, d.order.Left, lang)
	if err != nil {
		return
	}
	size := img.Bounds().Size()
	at := image.Pt(screen.Min.X+(screen.Dx()-size.X)/2, screen.Max.Y-size.Y)
	if s.top {
		at.Y = screen.Min.Y
	}
	if err := s.canvas.stretch(uint16(size.X), uint16(size.Y)); err != nil {
		return
	}
	s.canvas.put(image.Point{}, img)
	xproto.ConfigureWindow(d.conn, s.window, xproto.ConfigWindowX|xproto.ConfigWindowY|xproto.ConfigWindowWidth|xproto.ConfigWindowHeight|xproto.ConfigWindowStackMode,
		[]uint32{uint32(at.X), uint32(at.Y), uint32(size.X), uint32(size.Y), xproto.StackModeAbove})
	xproto.MapWindow(d.conn, s.window)
	s.canvas.show(image.Rectangle{Max: size})
	s.drawn, s.area, s.button, s.mover = say, image.Rectangle{Min: at, Max: at.Add(size)}, button, mover
}

// raiseBar brings the bar forward where a window hides all of it. Menus and hints
// above a part of it are let be.
func (d *desk) raiseBar() {
	tree, err := xproto.QueryTree(d.conn, d.root).Reply()
	if err != nil {
		return
	}
	for i := len(tree.Children) - 1; i >= 0 && tree.Children[i] != d.shown.window; i-- {
		if d.hides(tree.Children[i]) {
			// A window manager that insists is not fought in every round.
			if d.shown.fights++; d.shown.fights%3 == 1 {
				xproto.ConfigureWindow(d.conn, d.shown.window, xproto.ConfigWindowStackMode, []uint32{xproto.StackModeAbove})
			}
			return
		}
	}
	d.shown.fights = 0
}

func (d *desk) hides(window xproto.Window) bool {
	state, err := xproto.GetWindowAttributes(d.conn, window).Reply()
	if err != nil || state.MapState != xproto.MapStateViewable || state.Class != xproto.WindowClassInputOutput {
		return false
	}
	g, err := xproto.GetGeometry(d.conn, xproto.Drawable(window)).Reply()
	return err == nil && d.shown.area.In(image.Rect(int(g.X), int(g.Y), int(g.X)+int(g.Width), int(g.Y)+int(g.Height)))
}

// pressed answers a key or a click; false if it was none of the bar's.
func (d *desk) pressed(hand, move bool) bool {
	switch {
	case d.shown == nil:
	case hand:
		d.seen.Asked, d.seen.Up = d.seen.Asked+1, !d.order.Bar.Hand
		return true
	case move:
		d.shown.top = !d.shown.top
		d.drawBar()
	}
	return false
}

func (d *desk) clicked(e xproto.ButtonPressEvent) bool {
	if d.shown == nil || e.Event != d.shown.window {
		return false
	}
	at := image.Pt(int(e.EventX), int(e.EventY))
	return d.pressed(at.In(d.shown.button), at.In(d.shown.mover))
}

func (d *desk) typed(e xproto.KeyPressEvent) bool {
	key := d.barKeys()[e.Detail]
	return d.pressed(key == keyHand, key == keyMove)
}

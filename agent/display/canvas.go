package display

import (
	"errors"
	"fmt"
	"image"
	"math/bits"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// canvas puts pictures on a window in the format of the display. They go to the
// window's background, so that it is whole the moment it appears and the display
// mends it by itself.
type canvas struct {
	conn   *xgb.Conn
	window xproto.Window
	back   xproto.Pixmap
	ground uint32
	gc     xproto.Gcontext
	depth  byte
	bytes  int // per pixel
	pad    int // bytes to which a row is filled up
	msb    bool
	shift  [3]int // of red, green, blue in a pixel
	width  [3]int // bits of each
	most   int    // bytes in one request
}

func newCanvas(conn *xgb.Conn, screen *xproto.ScreenInfo, window xproto.Window) (*canvas, error) {
	setup := xproto.Setup(conn)
	c := &canvas{conn: conn, window: window, depth: screen.RootDepth, msb: setup.ImageByteOrder == xproto.ImageOrderMSBFirst}
	// A request holds at most this many words of four bytes; 24 bytes are its head.
	c.most = int(setup.MaximumRequestLength)*4 - 32
	for _, format := range setup.PixmapFormats {
		if format.Depth == c.depth {
			c.bytes, c.pad = int(format.BitsPerPixel)/8, int(format.ScanlinePad)/8
		}
	}
	if c.bytes != 2 && c.bytes != 3 && c.bytes != 4 {
		return nil, fmt.Errorf("drawing: display has %d bytes per pixel", c.bytes)
	}
	visual, ok := visualOf(screen)
	if !ok {
		return nil, errors.New("drawing: display has no true colours")
	}
	c.setMasks(visual)
	gc, err := xproto.NewGcontextId(conn)
	if err != nil {
		return nil, fmt.Errorf("drawing: %w", err)
	}
	c.gc = gc
	c.ground = background(screen)
	if err := xproto.CreateGCChecked(conn, gc, xproto.Drawable(window), xproto.GcForeground, []uint32{c.ground}).Check(); err != nil {
		return nil, fmt.Errorf("drawing: %w", err)
	}
	return c, nil
}

// stretch makes an empty background of a size.
func (c *canvas) stretch(wide, high uint16) error {
	former := c.back
	back, err := xproto.NewPixmapId(c.conn)
	if err != nil {
		return fmt.Errorf("drawing: %w", err)
	}
	if err := xproto.CreatePixmapChecked(c.conn, c.depth, back, xproto.Drawable(c.window), wide, high).Check(); err != nil {
		return fmt.Errorf("drawing: %w", err)
	}
	c.back = back
	c.wipe(wide, high)
	xproto.ChangeWindowAttributes(c.conn, c.window, xproto.CwBackPixmap, []uint32{uint32(back)})
	if former != 0 {
		xproto.FreePixmap(c.conn, former)
	}
	return nil
}

// wipe makes the background empty.
func (c *canvas) wipe(wide, high uint16) {
	xproto.PolyFillRectangle(c.conn, xproto.Drawable(c.back), c.gc, []xproto.Rectangle{{Width: wide, Height: high}})
}

// show brings a part of the background to the window.
func (c *canvas) show(area image.Rectangle) {
	xproto.ClearArea(c.conn, false, c.window, int16(area.Min.X), int16(area.Min.Y), uint16(area.Dx()), uint16(area.Dy()))
}

func (c *canvas) setMasks(visual xproto.VisualInfo) {
	for i, mask := range []uint32{visual.RedMask, visual.GreenMask, visual.BlueMask} {
		c.shift[i], c.width[i] = bits.TrailingZeros32(mask), bits.OnesCount32(mask)
	}
}

// background is the ground's colour as the display writes it.
func background(screen *xproto.ScreenInfo) uint32 {
	visual, ok := visualOf(screen)
	if !ok {
		return screen.BlackPixel
	}
	c := &canvas{}
	c.setMasks(visual)
	return c.pixel(ground.R, ground.G, ground.B)
}

func visualOf(screen *xproto.ScreenInfo) (xproto.VisualInfo, bool) {
	for _, depth := range screen.AllowedDepths {
		for _, visual := range depth.Visuals {
			if visual.VisualId == screen.RootVisual {
				return visual, visual.RedMask != 0
			}
		}
	}
	return xproto.VisualInfo{}, false
}

// pixel is a colour as the display writes it.
func (c *canvas) pixel(r, g, b uint8) uint32 {
	var p uint32
	for i, value := range [3]uint8{r, g, b} {
		wide := uint32(value)
		if c.width[i] >= 8 {
			wide <<= c.width[i] - 8
		} else {
			wide >>= 8 - c.width[i]
		}
		p |= wide << c.shift[i]
	}
	return p
}

// put draws the picture with its corner at a place, in strips as large as a
// request may be.
func (c *canvas) put(at image.Point, img *image.RGBA) {
	wide, high := img.Bounds().Dx(), img.Bounds().Dy()
	row := (wide*c.bytes + c.pad - 1) / c.pad * c.pad
	strip := max(1, c.most/row)
	for top := 0; top < high; top += strip {
		rows := min(strip, high-top)
		data := make([]byte, rows*row)
		for y := range rows {
			c.encode(data[y*row:], img.Pix[(top+y)*img.Stride:], wide)
		}
		xproto.PutImage(c.conn, xproto.ImageFormatZPixmap, xproto.Drawable(c.back), c.gc, uint16(wide), uint16(rows), int16(at.X), int16(at.Y+top), 0, c.depth, data)
	}
}

func (c *canvas) encode(into, pix []byte, wide int) {
	for x := range wide {
		p := c.pixel(pix[x*4], pix[x*4+1], pix[x*4+2])
		for i := range c.bytes {
			shift := 8 * i
			if c.msb {
				shift = 8 * (c.bytes - 1 - i)
			}
			into[x*c.bytes+i] = byte(p >> shift)
		}
	}
}

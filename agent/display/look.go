package display

import (
	"fmt"
	"io"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// LooksCovered looks at the screen itself: every corner shows the ground of the
// cover, and there is writing in between. It needs the key to the display in the
// environment.
func LooksCovered(name string) (bool, error) {
	xgb.Logger.SetOutput(io.Discard)
	conn, err := xgb.NewConnDisplay(name)
	if err != nil {
		return false, fmt.Errorf("connecting to display: %w", err)
	}
	defer conn.Close()
	screen := xproto.Setup(conn).DefaultScreen(conn)
	back := background(screen)
	wide, high := int16(screen.WidthInPixels), int16(screen.HeightInPixels)
	for _, at := range [][2]int16{{0, 0}, {wide - 1, 0}, {0, high - 1}, {wide - 1, high - 1}} {
		row, err := pixels(conn, screen, at[0], at[1], 1, 1)
		if err != nil {
			return false, err
		}
		if row[0] != back {
			return false, nil
		}
	}
	written := 0
	for y := high / 8; y < high*7/8; y += 4 {
		row, err := pixels(conn, screen, 0, y, uint16(wide), 1)
		if err != nil {
			return false, err
		}
		for _, pixel := range row {
			if pixel != back {
				written++
			}
		}
	}
	return written > 200, nil
}

// pixels reads a part of the screen, as the display writes it.
func pixels(conn *xgb.Conn, screen *xproto.ScreenInfo, x, y int16, wide, high uint16) ([]uint32, error) {
	reply, err := xproto.GetImage(conn, xproto.ImageFormatZPixmap, xproto.Drawable(screen.Root), x, y, wide, high, 0xFFFFFFFF).Reply()
	if err != nil {
		return nil, fmt.Errorf("reading screen: %w", err)
	}
	count := int(wide) * int(high)
	if len(reply.Data) < count*4 {
		return nil, fmt.Errorf("reading screen: only displays with four bytes per pixel can be read")
	}
	var mask uint32
	if visual, ok := visualOf(screen); ok {
		mask = visual.RedMask | visual.GreenMask | visual.BlueMask
	}
	msb := xproto.Setup(conn).ImageByteOrder == xproto.ImageOrderMSBFirst
	read := make([]uint32, count)
	for i := range read {
		b := reply.Data[i*4 : i*4+4]
		if msb {
			read[i] = uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		} else {
			read[i] = uint32(b[3])<<24 | uint32(b[2])<<16 | uint32(b[1])<<8 | uint32(b[0])
		}
		read[i] &= mask
	}
	return read, nil
}

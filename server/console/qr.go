package console

import (
	"rsc.io/qr"

	"schulwart.org/web"
)

// code draws a text as QR code. Texts that are too long for one give none.
func code(text string) web.QR {
	drawn, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil
	}
	rows := make(web.QR, drawn.Size)
	for y := range rows {
		rows[y] = make([]bool, drawn.Size)
		for x := range rows[y] {
			rows[y][x] = drawn.Black(x, y)
		}
	}
	return rows
}

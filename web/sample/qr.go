package sample

import (
	"rsc.io/qr"
	"schulwart.org/web"
)

// code makes a QR code for a sample.
func code(text string) web.QR {
	made, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil
	}
	modules := make(web.QR, made.Size)
	for y := range modules {
		modules[y] = make([]bool, made.Size)
		for x := range modules[y] {
			modules[y][x] = made.Black(x, y)
		}
	}
	return modules
}

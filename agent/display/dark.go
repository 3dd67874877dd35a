package display

import (
	"strings"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/randr"
	"github.com/jezek/xgb/xproto"
)

// A screen that is switched off is written down on the display itself: whoever
// comes next can switch it on again, and a display that is gone needs nobody.

// lit is a screen as it was: the numbers that switch it on again.
type lit struct {
	crtc     randr.Crtc
	x, y     int16
	mode     randr.Mode
	rotation uint16
	outputs  []randr.Output
}

func (l lit) numbers() []uint32 {
	numbers := []uint32{uint32(l.crtc), uint32(uint16(l.x)), uint32(uint16(l.y)), uint32(l.mode), uint32(l.rotation), uint32(len(l.outputs))}
	for _, output := range l.outputs {
		numbers = append(numbers, uint32(output))
	}
	return numbers
}

func readLit(numbers []uint32) (all []lit) {
	for len(numbers) >= 6 {
		count := int(numbers[5])
		if count < 0 || len(numbers) < 6+count {
			return all
		}
		l := lit{crtc: randr.Crtc(numbers[0]), x: int16(numbers[1]), y: int16(numbers[2]), mode: randr.Mode(numbers[3]), rotation: uint16(numbers[4])}
		for _, output := range numbers[6 : 6+count] {
			l.outputs = append(l.outputs, randr.Output(output))
		}
		all, numbers = append(all, l), numbers[6+count:]
	}
	return all
}

// mostFights is how often a screen is switched off again after somebody switched
// it on; then it is told instead.
const mostFights = 20

// darken switches off every screen but the first.
func (d *desk) darken() {
	on, resources := d.on()
	dark := readLit(d.values(d.root, "_SCHULWART_DARK"))
	d.seen.Screens, d.seen.Dark = len(on), len(dark)
	if d.order.Screens {
		if len(dark) > 0 {
			d.light()
		}
		return
	}
	if len(on) < 2 || d.fights >= mostFights {
		return
	}
	first := d.first(on)
	for i, l := range on {
		if i == first {
			continue
		}
		if !remembered(dark, l.crtc) {
			dark = append(dark, l)
		} else {
			d.fights++
		}
		// What is on the display must be there before anything is dark.
		d.write(dark)
		_, _ = randr.SetCrtcConfig(d.conn, l.crtc, xproto.TimeCurrentTime, resources.ConfigTimestamp, 0, 0, 0, randr.RotationRotate0, nil).Reply()
	}
	on, _ = d.on()
	d.seen.Screens, d.seen.Dark = len(on), len(dark)
}

func remembered(dark []lit, crtc randr.Crtc) bool {
	for _, l := range dark {
		if l.crtc == crtc {
			return true
		}
	}
	return false
}

// light switches on what was switched off, as it was.
func (d *desk) light() {
	dark := readLit(d.values(d.root, "_SCHULWART_DARK"))
	if len(dark) == 0 || !d.randr {
		return
	}
	resources, err := randr.GetScreenResourcesCurrent(d.conn, d.root).Reply()
	if err != nil {
		return
	}
	for _, l := range dark {
		_, _ = randr.SetCrtcConfig(d.conn, l.crtc, xproto.TimeCurrentTime, resources.ConfigTimestamp, l.x, l.y, l.mode, l.rotation, l.outputs).Reply()
	}
	_ = xproto.DeletePropertyChecked(d.conn, d.root, d.atoms["_SCHULWART_DARK"]).Check()
	d.seen.Dark = 0
}

func (d *desk) write(dark []lit) {
	var data []byte
	count := 0
	for _, l := range dark {
		for _, number := range l.numbers() {
			b := make([]byte, 4)
			xgb.Put32(b, number)
			data = append(data, b...)
			count++
		}
	}
	_ = xproto.ChangePropertyChecked(d.conn, xproto.PropModeReplace, d.root, d.atoms["_SCHULWART_DARK"], xproto.AtomCardinal, 32, uint32(count), data).Check()
}

// on lists the screens that show something.
func (d *desk) on() ([]lit, *randr.GetScreenResourcesCurrentReply) {
	if !d.randr {
		return nil, nil
	}
	resources, err := randr.GetScreenResourcesCurrent(d.conn, d.root).Reply()
	if err != nil {
		return nil, nil
	}
	var on []lit
	for _, crtc := range resources.Crtcs {
		info, err := randr.GetCrtcInfo(d.conn, crtc, resources.ConfigTimestamp).Reply()
		if err == nil && info.Mode != 0 && len(info.Outputs) > 0 {
			on = append(on, lit{crtc, info.X, info.Y, info.Mode, info.Rotation, info.Outputs})
		}
	}
	return on, resources
}

// first is the screen that stays: the one built in, or the primary one.
func (d *desk) first(on []lit) int {
	primary, _ := randr.GetOutputPrimary(d.conn, d.root).Reply()
	found := 0
	for i, l := range on {
		for _, output := range l.outputs {
			if primary != nil && primary.Output == output {
				found = i
			}
		}
	}
	for i, l := range on {
		for _, output := range l.outputs {
			info, err := randr.GetOutputInfo(d.conn, output, 0).Reply()
			if err != nil {
				continue
			}
			for _, builtIn := range []string{"eDP", "LVDS", "DSI"} {
				if strings.HasPrefix(string(info.Name), builtIn) {
					return i
				}
			}
		}
	}
	return found
}

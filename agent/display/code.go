package display

import (
	"image"
	"image/color"
	"math"
	"time"

	"schulwart.org/agent/words"
)

// entry is the field into which a code is typed.
type entry struct {
	digits string
	answer verdict   // as shown
	asked  time.Time // and not answered; zero for nothing asked
}

const codeLength = 8

// hear takes what was said of the last code; it reports whether that is new. The
// number of a former process's answer is no news.
func (e *entry) hear(said verdict) bool {
	if said.Number == e.answer.Number {
		return false
	}
	fresh := e.waits()
	e.answer, e.asked = said, time.Time{}
	if !fresh {
		e.answer.Text = ""
	}
	return fresh
}

// unheard is how long a code waits for its answer before another may be typed.
const unheard = 15 * time.Second

func (e *entry) waits() bool { return time.Since(e.asked) < unheard }

// padDigits are the keys of the number pad without its lock, from 0 to 9.
var padDigits = [10]uint32{0xFF9E, 0xFF9C, 0xFF99, 0xFF9B, 0xFF96, 0xFF9D, 0xFF98, 0xFF95, 0xFF97, 0xFF9A}

// key follows a key by its keysym; it reports whether the field changed.
func (e *entry) key(symbol uint32) bool {
	const backspace, escape, keypad0, keypad9 = 0xFF08, 0xFF1B, 0xFFB0, 0xFFB9
	if e.waits() {
		return false
	}
	digit := -1
	switch {
	case symbol >= '0' && symbol <= '9':
		digit = int(symbol - '0')
	case symbol >= keypad0 && symbol <= keypad9:
		digit = int(symbol - keypad0)
	case symbol == backspace && e.digits != "":
		e.digits = e.digits[:len(e.digits)-1]
		return true
	case symbol == escape:
		e.digits = ""
		return true
	}
	for i, pad := range padDigits {
		if symbol == pad {
			digit = i
		}
	}
	if digit < 0 || len(e.digits) == codeLength {
		return false
	}
	if e.digits == "" {
		e.answer.Text = ""
	}
	e.digits += string(rune('0' + digit))
	return true
}

// typed draws the field anew, and asks once it is full.
func (c *cover) typed() error {
	if len(c.code.digits) == codeLength {
		// Where nobody listens, the next process begins with an empty field.
		_ = c.out.Encode(said{Code: c.code.digits, Lang: c.lang})
		c.code.digits, c.code.asked = "", time.Now()
	}
	return c.draw()
}

func (c *cover) shownCode() *entry {
	if !c.told.Order.Code {
		return nil
	}
	return &c.code
}

// textOf is what an order says in one language.
func textOf(lang words.Lang, order Order) words.LockText {
	if order.Code {
		return words.ExamWaits(lang, order.Until, nil)
	}
	return words.Lock(lang, order.By, order.Until, nil)
}

// field draws eight places for digits, and beneath them what was said of the last
// code. It returns where the next line goes.
func (v view) field(img *image.RGBA, big, plain *pen, middle, y float64, s scene) float64 {
	const wide, high, gap, gulf = 44, 60, 8, 22
	total := (wide*codeLength + gap*(codeLength-2) + gulf) * v.scale
	x := middle - total/2
	for i := range codeLength {
		area := image.Rect(int(x), int(y), int(x+wide*v.scale), int(y+high*v.scale))
		frame := color.Color(track)
		if i == len(s.code.digits) && !s.code.waits() {
			frame = accent
		}
		fill(img, frame, rounded(area, 8*v.scale))
		fill(img, ground, rounded(area.Inset(int(math.Max(1, 2*v.scale))), 6*v.scale))
		if i < len(s.code.digits) {
			big.centre(img, float64(area.Min.X+area.Max.X)/2, float64(area.Max.Y)-13*v.scale, ink, s.code.digits[i:i+1])
		}
		x += (wide + gap) * v.scale
		if i == codeLength/2-1 {
			x += (gulf - gap) * v.scale
		}
	}
	y += (high+16)*v.scale + plain.size
	text := s.code.answer.Text
	if s.code.waits() {
		text = "…"
	}
	rtl := isRTL(text)
	for _, line := range plain.lines(text, float64(img.Bounds().Dx())*0.9, rtl) {
		plain.centre(img, middle, y, ink, line)
		y += plain.size * 1.5
	}
	return y
}

package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// whom names the devices of a mode that has no group: "5 Geräte: GYM-0001,
// GYM-0002, GYM-0003 …".
func (m SchoolMode) whom(f Frame) string {
	names := strings.Join(m.Names, ", ")
	if m.Mode.Devices > len(m.Names) {
		names += "\u00a0…"
	}
	return f.T("school.devices", "count", m.Mode.Devices, "names", names)
}

// headline answers the page's question in one sentence or two.
func (p SchoolPage) headline() string {
	teaching := p.T("school.quiet")
	if p.Teaching {
		teaching = p.T("school.teaching")
	}
	return teaching + " " + p.T("school.looks", "count", len(p.Todo), "number", p.inWords(len(p.Todo)))
}

func (p SchoolPage) subline() string {
	parts := []string{p.School, p.Authority, p.Date(p.now())}
	if p.Period != nil {
		parts = append(parts, p.period(*p.Period))
	}
	return strings.Join(parts, " · ")
}

func (p SchoolPage) curveText() string {
	if len(p.Curve.Values) == 0 {
		return p.T("school.curve.none")
	}
	return p.T("school.curve.text", "minutes", int(p.Curve.Step.Minutes()))
}

// sayMore says the further words of a sentence, e.g. its second line. Where
// there are none, the general ones do.
func (f Frame) sayMore(prefix string, s Sentence, what string) string {
	if key := prefix + "." + s.Key + "." + what; Knows(f.Lang, key) {
		return translate(f, key, s.Args)
	}
	return translate(f, prefix+".unknown."+what, s.Args)
}

func urgencyTone(urgency string) string {
	switch urgency {
	case "today":
		return "bad"
	case "soon":
		return "warn"
	}
	return "info"
}

// bellLine is a bell's place on the curve.
type bellLine struct{ x, label string }

// drawnCurve is a curve in the picture's measures: 640 wide, 148 high.
type drawnCurve struct {
	line, area string
	nowX, nowY string
	bells      []bellLine
	peak       int
	peakAt     time.Time
}

// draw places the values between the day's edges. The day is cut to the hours
// that matter, so that the night does not take two thirds of the picture.
func (c Curve) draw(f Frame) drawnCurve {
	const wide, floor, top = 640.0, 148.0, 12.0
	from, until := c.From, c.Until
	if len(c.Values) == 0 || !until.After(from) {
		return drawnCurve{peakAt: from}
	}
	x := func(t time.Time) float64 { return wide * float64(t.Sub(from)) / float64(until.Sub(from)) }
	d := drawnCurve{peakAt: from}
	for i, value := range c.Values {
		if value > d.peak {
			d.peak, d.peakAt = value, from.Add(time.Duration(i)*c.Step)
		}
	}
	y := func(value int) float64 { return floor - (floor-top)*float64(value)/float64(max(1, d.peak)) }
	var line strings.Builder
	for i, value := range c.Values {
		at := x(from.Add(time.Duration(i) * c.Step))
		fmt.Fprintf(&line, "%.1f,%.1f ", at, y(value))
		d.nowX, d.nowY = point(at), point(y(value))
	}
	d.line = strings.TrimSpace(line.String())
	d.area = "0," + point(floor) + " " + d.line + " " + d.nowX + "," + point(floor)
	last := -100.0
	for _, bell := range c.Bells {
		at := x(bell)
		if at < 20 || at > wide-20 {
			continue
		}
		label := f.Clock(bell)
		if at-last < 56 { // labels must not run into each other
			label = ""
		} else {
			last = at
		}
		d.bells = append(d.bells, bellLine{point(at), label})
	}
	return d
}

func point(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

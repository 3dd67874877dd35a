package api

import (
	"slices"
	"time"

	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
)

// Window is when devices may install, in school time. Lessons are never part of it.
type Window struct {
	Open      []Hours     `json:"open,omitempty" maxItems:"50" doc:"Without any: whenever there are no lessons."`
	Free      ground.Free `json:"free,omitempty" enum:",whole,never,only" doc:"Days without lessons: like others, open all day, closed, or the only ones."`
	QuietFrom string      `json:"quiet_from,omitempty" maxLength:"5" doc:"Hours of every day in which nothing happens; without them those of the policy for updates." example:"07:00"`
	QuietTo   string      `json:"quiet_to,omitempty" maxLength:"5" example:"15:00"`
}

// Hours are open hours on some days of the week.
type Hours struct {
	Days []string `json:"days" enum:"mon,tue,wed,thu,fri,sat,sun" minItems:"1" maxItems:"7" nullable:"false"`
	From string   `json:"from" maxLength:"5" example:"14:00"`
	To   string   `json:"to" maxLength:"5" doc:"Not after from: on the next day." example:"18:00"`
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (w Window) of() (ground.Window, error) {
	window := ground.Window{Free: w.Free}
	for _, hours := range w.Open {
		span, err := spanOf(hours.From, hours.To)
		if err != nil {
			return window, err
		}
		open := ground.Hours{Span: span}
		for _, day := range hours.Days {
			open.Days = append(open.Days, time.Weekday(slices.Index(weekdays, day)))
		}
		window.Open = append(window.Open, open)
	}
	if w.QuietFrom == "" && w.QuietTo == "" {
		return window, nil
	}
	var err error
	window.Quiet, err = spanOf(w.QuietFrom, w.QuietTo)
	return window, err
}

func spanOf(from, to string) (ground.Span, error) {
	begin, err := ground.ParseClock(from)
	end, other := ground.ParseClock(to)
	if err != nil || other != nil {
		return ground.Span{}, errs.E(errs.Invalid, "rollout.bad_hours").In("window")
	}
	return ground.Span{From: begin, To: end}, nil
}

func windowOut(w ground.Window) Window {
	out := Window{Free: w.Free}
	if w.Quiet != (ground.Span{}) {
		out.QuietFrom, out.QuietTo = w.Quiet.From.String(), w.Quiet.To.String()
	}
	for _, open := range w.Open {
		hours := Hours{From: open.From.String(), To: open.To.String()}
		for _, day := range open.Days {
			hours.Days = append(hours.Days, weekdays[day])
		}
		out.Open = append(out.Open, hours)
	}
	return out
}

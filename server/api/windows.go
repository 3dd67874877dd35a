package api

import (
	"context"
	"slices"
	"time"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
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

// Calendar is where an authority lies, for public holidays, and its school
// holidays.
type Calendar struct {
	Land   ground.Land `json:"land,omitempty" enum:",BB,BE,BW,BY,HB,HE,HH,MV,NI,NW,RP,SH,SL,SN,ST,TH"`
	Breaks []Break     `json:"breaks" nullable:"false" maxItems:"200"`
}

// Break is days without lessons.
type Break struct {
	Name  string      `json:"name,omitempty" maxLength:"120" example:"Weihnachtsferien"`
	First ground.Date `json:"first" format:"date" example:"2026-12-21"`
	Last  ground.Date `json:"last" format:"date" example:"2027-01-02"`
}

type byAuthority struct {
	ID org.ID `path:"authority" maxLength:"64"`
}

type calendarIn struct {
	ID   org.ID `path:"authority" maxLength:"64"`
	Body Calendar
}

func (d *door) calendar(ctx context.Context, actor may.Actor, in *byAuthority) (*body[Calendar], error) {
	land, breaks, err := d.Rollouts.Calendar(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	out := Calendar{Land: land, Breaks: make([]Break, len(breaks))}
	for i, b := range breaks {
		out.Breaks[i] = Break(b)
	}
	return &body[Calendar]{out}, nil
}

func (d *door) putCalendar(ctx context.Context, actor may.Actor, in *calendarIn) (*body[Calendar], error) {
	breaks := make([]ground.Break, len(in.Body.Breaks))
	for i, b := range in.Body.Breaks {
		breaks[i] = ground.Break(b)
	}
	if err := d.Rollouts.SetCalendar(ctx, actor, in.ID, in.Body.Land, breaks); err != nil {
		return nil, err
	}
	return d.calendar(ctx, actor, &byAuthority{in.ID})
}

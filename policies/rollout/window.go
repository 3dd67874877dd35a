package rollout

import (
	"slices"
	"time"
)

// Free says what a window makes of days without lessons.
type Free string

// The ways to treat days without lessons. The zero value treats them like other
// days of the week.
const (
	FreeAlike Free = ""
	FreeWhole Free = "whole" // open all day
	FreeNever Free = "never" // closed: carts stand locked away
	FreeOnly  Free = "only"  // open then, as the hours say, and on no school day
)

// Valid reports whether there is such a way.
func (f Free) Valid() bool {
	return slices.Contains([]Free{FreeAlike, FreeWhole, FreeNever, FreeOnly}, f)
}

// Hours are open hours on some days of the week.
type Hours struct {
	Days []time.Weekday `json:"days"` // 0 is Sunday; the day on which they begin
	Span
}

// Window is when devices may install. Lessons are never part of it.
type Window struct {
	Open  []Hours `json:"open,omitempty"` // none: at any time
	Free  Free    `json:"free,omitempty"`
	Quiet Span    `json:"quiet,omitzero"` // hours of every day in which nothing happens
	// Deadline, if set, ends the patience: from then on only lessons are spared.
	Deadline time.Time `json:"deadline,omitzero"`
}

// Opening is a stretch of time in which a device may install. It lies within one
// day of the school. Key names it for ever, by that day and the time on the wall
// at which it begins: "2026-03-29T02:30".
type Opening struct {
	Key    string
	Opens  time.Time
	Closes time.Time
	Forced bool // the deadline has passed
}

// Has reports whether the instant lies in the opening.
func (o Opening) Has(at time.Time) bool { return !at.Before(o.Opens) && at.Before(o.Closes) }

// longestLook is how far ahead an opening is looked for, in days: farther than any
// holidays reach.
const longestLook = 400

// Next returns the opening that runs at the instant, or else the next one. There
// is none if the window does not open within 400 days.
func (w Window) Next(calendar Calendar, at time.Time) (Opening, bool) {
	if w.Deadline.IsZero() || at.Before(w.Deadline) {
		if next, ok := w.next(calendar, at, w.spans); ok && (w.Deadline.IsZero() || next.Opens.Before(w.Deadline)) {
			if !w.Deadline.IsZero() && next.Closes.After(w.Deadline) {
				next.Closes = w.Deadline.UTC()
			}
			return next, true
		}
		if w.Deadline.IsZero() {
			return Opening{}, false
		}
		at = w.Deadline
	}
	next, ok := w.next(calendar, at, forced)
	if next.Opens.Before(w.Deadline) {
		next.Opens = w.Deadline.UTC()
	}
	next.Forced = true
	return next, ok
}

// Is reports whether the window is open at the instant.
func (w Window) Is(calendar Calendar, at time.Time) bool {
	next, ok := w.Next(calendar, at)
	return ok && next.Has(at)
}

func (w Window) next(calendar Calendar, at time.Time, spans func(Calendar, Date) []Span) (Opening, bool) {
	zone, day := calendar.zone(), calendar.Today(at)
	for range longestLook {
		for _, opening := range openings(zone, day, spans(calendar, day)) {
			if at.Before(opening.Closes) {
				return opening, true
			}
		}
		day = day.Add(1)
	}
	return Opening{}, false
}

// Day lists the openings of one day of the school; the deadline left aside.
func (w Window) Day(calendar Calendar, day Date) []Opening {
	return openings(calendar.zone(), day, w.spans(calendar, day))
}

// openings turns hours on the wall into stretches of time. One begins when the
// clocks show its beginning for the last time and ends when they show its end for
// the first time after that, so that an hour that comes twice is counted once and
// nothing is open that the hours exclude. One that lies in the hour that is left
// out begins when the clocks jump, and is as long as it was meant.
func openings(zone *time.Location, day Date, spans []Span) []Opening {
	var list []Opening
	for _, span := range spans {
		_, opens := moments(zone, day, span.From)
		closes, last := moments(zone, day, span.To)
		if !closes.After(opens) {
			closes = last
		}
		if !closes.After(opens) {
			closes = opens.Add(time.Duration(span.To-span.From) * time.Minute)
		}
		if n := len(list); n > 0 && opens.Before(list[n-1].Closes) {
			if closes.After(list[n-1].Closes) {
				list[n-1].Closes = closes
			}
			continue
		}
		list = append(list, Opening{Key: string(day) + "T" + span.From.String(), Opens: opens, Closes: closes})
	}
	return list
}

// spans lists the open hours of a day, in order.
func (w Window) spans(calendar Calendar, day Date) []Span {
	school := calendar.SchoolDay(day)
	switch {
	case school && w.Free == FreeOnly, !school && w.Free == FreeNever:
		return nil
	}
	open := []Span{{0, endOfDay}}
	if len(w.Open) > 0 && (school || w.Free != FreeWhole) {
		open = w.hours(day)
	}
	open = without(open, w.Quiet)
	if school {
		open = without(open, calendar.lessons())
	}
	return open
}

// forced lists the hours of a day after the deadline.
func forced(calendar Calendar, day Date) []Span {
	open := []Span{{0, endOfDay}}
	if calendar.SchoolDay(day) {
		open = without(open, calendar.lessons())
	}
	return open
}

// hours lists the weekly hours that fall on a day, those of the evening before
// included, joined and in order.
func (w Window) hours(day Date) []Span {
	var list []Span
	for _, hours := range w.Open {
		over := hours.To <= hours.From
		if slices.Contains(hours.Days, day.Weekday()) {
			if over {
				list = append(list, Span{hours.From, endOfDay})
			} else {
				list = append(list, hours.Span)
			}
		}
		if over && hours.To > 0 && slices.Contains(hours.Days, day.Add(-1).Weekday()) {
			list = append(list, Span{0, hours.To})
		}
	}
	slices.SortFunc(list, func(a, b Span) int { return int(a.From - b.From) })
	joined := list[:0]
	for _, span := range list {
		if n := len(joined); n > 0 && span.From <= joined[n-1].To {
			joined[n-1].To = max(joined[n-1].To, span.To)
		} else if span.To > span.From {
			joined = append(joined, span)
		}
	}
	return joined
}

// without takes hours away from spans that are in order.
func without(spans []Span, away Span) []Span {
	if !away.set() {
		return spans
	}
	if away.To < away.From {
		return without(without(spans, Span{0, away.To}), Span{away.From, endOfDay})
	}
	var left []Span
	for _, span := range spans {
		if before := (Span{span.From, min(span.To, away.From)}); before.To > before.From {
			left = append(left, before)
		}
		if after := (Span{max(span.From, away.To), span.To}); after.To > after.From {
			left = append(left, after)
		}
	}
	return left
}

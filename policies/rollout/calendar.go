package rollout

import (
	"errors"
	"slices"
	"time"
)

// Clock is a time of day in minutes since midnight, as clocks on the wall show
// it; 1440 is the end of the day. It is written "07:30".
type Clock int

const endOfDay Clock = 24 * 60

var errClock = errors.New("rollout: not a time of day")

// ParseClock reads "07:30", or "24:00" for the end of the day.
func ParseClock(text string) (Clock, error) {
	if len(text) != 5 || text[2] != ':' {
		return 0, errClock
	}
	digits := [4]byte{text[0] - '0', text[1] - '0', text[3] - '0', text[4] - '0'}
	for _, digit := range digits {
		if digit > 9 {
			return 0, errClock
		}
	}
	hours, minutes := int(digits[0])*10+int(digits[1]), int(digits[2])*10+int(digits[3])
	if clock := Clock(hours*60 + minutes); minutes < 60 && clock <= endOfDay {
		return clock, nil
	}
	return 0, errClock
}

// String writes the time of day.
func (c Clock) String() string {
	hours, minutes := int(c)/60, int(c)%60
	return string([]byte{byte('0' + hours/10), byte('0' + hours%10), ':', byte('0' + minutes/10), byte('0' + minutes%10)})
}

// MarshalText writes the time of day.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a time of day.
func (c *Clock) UnmarshalText(text []byte) error {
	read, err := ParseClock(string(text))
	*c = read
	return err
}

// Span is a part of a day, the end not included. One whose end is not after its
// beginning reaches over midnight.
type Span struct {
	From Clock `json:"from"`
	To   Clock `json:"to"`
}

// set reports whether the span holds any time at all.
func (s Span) set() bool { return s.From != s.To }

// Break is days without lessons, both ends included: school holidays, a bridge
// day, a holiday that only this community keeps.
type Break struct {
	Name  string `json:"name,omitempty"`
	First Date   `json:"first"`
	Last  Date   `json:"last"`
}

// Calendar is the time of one school.
type Calendar struct {
	Zone string `json:"zone"` // IANA; UTC for one that is not known
	Land Land   `json:"land,omitempty"`
	// Lessons is when a school day begins and ends. The zero value stands for
	// UsualLessons: a school of which nobody knows the bells has lessons, too.
	Lessons Span    `json:"lessons,omitzero"`
	Breaks  []Break `json:"breaks,omitempty"`
}

// UsualLessons is taken where a school's bells are not known.
var UsualLessons = Span{7 * 60, 16 * 60}

func (c Calendar) zone() *time.Location {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// SchoolDay reports whether there are lessons on the day.
func (c Calendar) SchoolDay(day Date) bool {
	if weekday := day.Weekday(); weekday == time.Saturday || weekday == time.Sunday {
		return false
	}
	if _, holiday := c.Land.Holiday(day); holiday {
		return false
	}
	return !slices.ContainsFunc(c.Breaks, func(b Break) bool { return b.First <= day && day <= b.Last })
}

// Today returns the school's day at the instant.
func (c Calendar) Today(at time.Time) Date { return DateOf(at.In(c.zone())) }

func (c Calendar) lessons() Span {
	if c.Lessons.set() {
		return c.Lessons
	}
	return UsualLessons
}

// moments returns the first and the last instant at which the school's clocks
// show the time. In the night in which an hour is left out both are the instant
// at which clocks jump; in the one in which an hour comes twice they differ.
func moments(zone *time.Location, day Date, clock Clock) (first, last time.Time) {
	wall := day.noon().Add(-12*time.Hour + time.Duration(clock)*time.Minute)
	for _, near := range []time.Time{wall.Add(-26 * time.Hour), wall.Add(26 * time.Hour)} {
		_, offset := near.In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		if _, there := at.In(zone).Zone(); there != offset {
			continue
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	if first.IsZero() {
		_, offset := wall.Add(-26 * time.Hour).In(zone).Zone()
		jump, _ := wall.Add(-time.Duration(offset) * time.Second).In(zone).ZoneBounds()
		return jump.UTC(), jump.UTC()
	}
	return first, last
}

// Package calendar is when schools have no lessons: where an authority lies, from
// which its public holidays follow, its school holidays, and the free days that a
// school has of its own. Windows of rollouts keep to it.
package calendar

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/calendar/holidays"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Calendar is the time of one place. A school has its authority's breaks, too.
type Calendar struct {
	Branch org.Branch
	Land   rollout.Land
	Breaks []rollout.Break // of the authority
	Own    []rollout.Break // of the school alone; none at an authority
	// MayWrite reports whether the actor may change what is the place's own.
	MayWrite bool
}

// Store keeps calendars. Each writing method is one transaction with its audit row
// and the durable mark of the devices whose windows may be others now.
type Store interface {
	// FindTarget returns where a place is: an authority or a school.
	FindTarget(ctx context.Context, level org.Level, id org.ID) (org.Branch, error)
	FindCalendar(ctx context.Context, authority org.ID) (rollout.Land, []rollout.Break, error)
	FindBreaks(ctx context.Context, school org.Branch) ([]rollout.Break, error)
	SaveCalendar(ctx context.Context, permit may.Permit, authority org.ID, land rollout.Land, breaks []rollout.Break) error
	SaveBreaks(ctx context.Context, permit may.Permit, school org.Branch, breaks []rollout.Break) error
}

// Tables reads files of rows; see holidays.Rows.
type Tables interface {
	ReadRows(data []byte) ([][]string, error)
}

// Service is the room.
type Service struct {
	Store   Store
	Tables  Tables
	Changes interface{ Wake() }
}

// MostBreaks is how many entries a calendar holds: ten years of them.
const MostBreaks = 200

// Find returns the calendar of an authority or a school.
func (s *Service) Find(ctx context.Context, actor may.Actor, level org.Level, id org.ID) (Calendar, error) {
	branch, err := s.place(ctx, level, id)
	if err == nil {
		_, err = may.Do(actor, may.AppRead, branch)
	}
	if err != nil {
		return Calendar{}, err
	}
	c := Calendar{Branch: branch, MayWrite: may.Can(actor, may.SchoolWrite, branch)}
	if c.Land, c.Breaks, err = s.Store.FindCalendar(ctx, branch.Authority); err != nil || branch.School == "" {
		return c, err
	}
	c.Own, err = s.Store.FindBreaks(ctx, branch)
	return c, err
}

func (s *Service) place(ctx context.Context, level org.Level, id org.ID) (org.Branch, error) {
	if level != org.Authority && level != org.School {
		return org.Branch{}, errs.E(errs.NotFound, "not_found")
	}
	return s.Store.FindTarget(ctx, level, id)
}

// Set says when a place has no lessons: an authority where it lies and its
// holidays, a school the free days of its own. What it said before is replaced.
func (s *Service) Set(ctx context.Context, actor may.Actor, level org.Level, id org.ID, land rollout.Land, breaks []rollout.Break) error {
	branch, err := s.place(ctx, level, id)
	if err != nil {
		return err
	}
	permit, err := may.Do(actor, may.SchoolWrite, branch)
	if err != nil {
		return err
	}
	if breaks, err = tidy(breaks); err != nil {
		return err
	}
	switch {
	case branch.School != "" && land != "":
		err = errs.E(errs.Invalid, "calendar.school_land").In("land")
	case branch.School != "":
		err = s.Store.SaveBreaks(ctx, permit, branch, breaks)
	case land != "" && !land.Valid():
		err = errs.E(errs.Invalid, "calendar.bad_land").In("land")
	default:
		err = s.Store.SaveCalendar(ctx, permit, branch.Authority, land, breaks)
	}
	if err == nil {
		s.Changes.Wake()
	}
	return err
}

// Change adds and removes breaks of a place, and keeps the others and the Land.
func (s *Service) Change(ctx context.Context, actor may.Actor, level org.Level, id org.ID, change func(land rollout.Land, own []rollout.Break) (rollout.Land, []rollout.Break)) error {
	c, err := s.Find(ctx, actor, level, id)
	if err != nil {
		return err
	}
	land, own := c.Land, c.Breaks
	if c.Branch.School != "" {
		land, own = "", c.Own
	}
	land, own = change(land, slices.Clone(own))
	return s.Set(ctx, actor, level, id, land, own)
}

// tidy checks breaks and puts them in order, each once.
func tidy(breaks []rollout.Break) ([]rollout.Break, error) {
	if len(breaks) > MostBreaks {
		return nil, errs.E(errs.Invalid, "calendar.many_breaks", "most", MostBreaks).In("breaks")
	}
	breaks = slices.Clone(breaks)
	for i := range breaks {
		b := &breaks[i]
		b.Name = strings.Join(strings.Fields(strings.ToValidUTF8(b.Name, "")), " ")
		if fault := holidays.Fault(*b); fault != "" {
			return nil, errs.E(errs.Invalid, "calendar."+fault, "line", i+1).In("breaks")
		}
	}
	slices.SortStableFunc(breaks, func(a, b rollout.Break) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last), cmp.Compare(a.Name, b.Name))
	})
	return slices.Compact(breaks), nil
}

// Read says what stands in a file of holidays, and keeps nothing. Known are the
// breaks that are there.
func (s *Service) Read(data []byte, known []rollout.Break) ([]holidays.Line, error) {
	return holidays.Read(data, s.Tables.ReadRows, known)
}

// SchoolYear returns the first and the last day of the school year that the day
// is in: the first of August to the last of July, by the law of every Land.
func SchoolYear(day rollout.Date) (first, last rollout.Date) {
	at, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return "", ""
	}
	year := at.Year()
	if at.Month() < time.August {
		year--
	}
	return rollout.DateOf(time.Date(year, time.August, 1, 0, 0, 0, 0, time.UTC)), rollout.DateOf(time.Date(year+1, time.July, 31, 0, 0, 0, 0, time.UTC))
}

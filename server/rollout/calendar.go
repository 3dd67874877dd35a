package rollout

import (
	"cmp"
	"context"
	"slices"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Calendar returns where an authority lies and its school holidays.
func (s *Service) Calendar(ctx context.Context, actor may.Actor, authority org.ID) (rollout.Land, []rollout.Break, error) {
	branch, err := s.Store.FindTarget(ctx, org.Authority, authority)
	if err == nil {
		_, err = may.Do(actor, may.AppRead, branch)
	}
	if err != nil {
		return "", nil, err
	}
	return s.Store.FindCalendar(ctx, authority)
}

// SetCalendar says where an authority lies and when it has no lessons.
func (s *Service) SetCalendar(ctx context.Context, actor may.Actor, authority org.ID, land rollout.Land, breaks []rollout.Break) error {
	branch, err := s.Store.FindTarget(ctx, org.Authority, authority)
	if err != nil {
		return err
	}
	permit, err := may.Do(actor, may.SchoolWrite, branch)
	if err != nil {
		return err
	}
	if land != "" && !land.Valid() {
		return errs.E(errs.Invalid, "calendar.bad_land").In("land")
	}
	for i, b := range breaks {
		if !b.First.Valid() || !b.Last.Valid() || b.Last < b.First || len(b.Name) > 120 {
			return errs.E(errs.Invalid, "calendar.bad_break", "line", i+1).In("breaks")
		}
	}
	if len(breaks) > 200 {
		return errs.E(errs.Invalid, "calendar.many_breaks", "most", 200).In("breaks")
	}
	breaks = slices.Clone(breaks)
	slices.SortFunc(breaks, func(a, b rollout.Break) int { return cmp.Compare(a.First, b.First) })
	if err := s.Store.SaveCalendar(ctx, permit, authority, land, breaks); err != nil {
		return err
	}
	s.Changes.Wake()
	return nil
}

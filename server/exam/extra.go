package exam

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// ExtraTime is extra time of a person or a device (Nachteilsausgleich), as the
// office entered it. It holds in every examination from then on.
type ExtraTime struct {
	Branch org.Branch // of the school
	Person org.ID     // either …
	Device org.ID     // … or
	Name   string
	Extra
	ByName  string
	Changed time.Time
}

// MaySeeExtra reports whether the actor keeps the extra times of the school.
func MaySeeExtra(actor may.Actor, school org.Branch) bool {
	return may.Can(actor, may.ExtraWrite, school)
}

// Extras lists the extra times of a school. Only the office sees the list;
// invigilators see the ends in their examinations.
func (s *Service) Extras(ctx context.Context, actor may.Actor, school org.Branch) ([]ExtraTime, error) {
	if _, err := may.Do(actor, may.ExtraWrite, school); err != nil {
		return nil, err
	}
	return s.Store.ListExtra(ctx, school)
}

// SetExtra enters extra time for a person or a device; none at all takes it
// back. It holds in examinations that are on the devices already, too.
func (s *Service) SetExtra(ctx context.Context, actor may.Actor, extra ExtraTime) error {
	if err := s.enter(ctx, actor, extra); err != nil {
		return err
	}
	return s.Settle(ctx, extra.Branch)
}

// enter checks an extra time and keeps it; what is on the devices stays as it is.
func (s *Service) enter(ctx context.Context, actor may.Actor, extra ExtraTime) error {
	permit, err := may.Do(actor, may.ExtraWrite, extra.Branch)
	if err != nil {
		return err
	}
	if (extra.Person == "") == (extra.Device == "") {
		return errs.E(errs.Invalid, "extra.no_target").In("target")
	}
	if extra.Minutes < 0 || extra.Percent < 0 || extra.Minutes > MostExtra || extra.Percent > MostExtra {
		return errs.E(errs.Invalid, "exam.too_much_extra", "most", MostExtra).In("minutes")
	}
	var persons, devices []org.ID
	if extra.Person != "" {
		persons = []org.ID{extra.Person}
	} else {
		devices = []org.ID{extra.Device}
	}
	if _, err := s.Store.ExamDevices(ctx, extra.Branch, persons, devices); err != nil {
		return err
	}
	extra.ByName, extra.Changed = actor.Name, s.now()
	return s.Store.PutExtra(ctx, permit, extra)
}

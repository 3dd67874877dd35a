package standard

import (
	"context"
	"strings"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Except files an exception: a deviation of a place from what the levels above it
// say about a field, with owner, reason and end. Faults: Invalid
// "exception.no_reason", "exception.no_end", "exception.too_long",
// "exception.no_owner", "exception.nothing_above", "exception.not_needed" for
// what a policy may say anyway, "policy.faults" for the value; Denied
// "exception.locked" for a field that is locked further up than the actor may
// write; Conflict "exception.exists". Where a second person has to approve, and
// for whoever only proposes, it waits and does not hold.
func (s *Service) Except(ctx context.Context, actor may.Actor, wanted NewException) (Exception, error) {
	place, err := s.Store.PolicyPlace(ctx, wanted.Place)
	if err != nil {
		return Exception{}, err
	}
	permit, asks, err := s.deciding(ctx, actor, place.Branch)
	if err != nil {
		return Exception{}, err
	}
	now := s.now()
	e := Exception{ID: s.NewID(), Place: place, Family: wanted.Family, Field: wanted.Field, Reason: clip(strings.TrimSpace(wanted.Reason), longestReason), Created: now, ByName: actor.Name}
	if e.By, err = s.Store.PersonBehind(ctx, actor.ID); err != nil {
		return Exception{}, err
	}
	if err := e.last(wanted.Starts, wanted.Until, now); err != nil {
		return Exception{}, err
	}
	if err := s.owned(ctx, actor, &e, wanted.Owner); err != nil {
		return Exception{}, err
	}
	if err := s.needed(ctx, actor, &e, wanted.Value, asks); err != nil {
		return Exception{}, err
	}
	if asks {
		e.Asked = Asked{What: AskBegin, Asker: Asker{e.By, actor.Name, now}}
	}
	err = s.Store.CreateException(ctx, permit, e)
	s.wake()
	return e.masked(), err
}

// last checks how long an exception lasts.
func (e *Exception) last(starts, until, now time.Time) error {
	starts, until = starts.UTC().Truncate(time.Millisecond), until.UTC().Truncate(time.Millisecond)
	if starts.Before(now) {
		starts = now
	}
	switch {
	case e.Reason == "":
		return errs.E(errs.Invalid, "exception.no_reason").In("reason")
	case until.IsZero() || !until.After(starts):
		return errs.E(errs.Invalid, "exception.no_end").In("until")
	case until.After(now.Add(LongestException)):
		return errs.E(errs.Invalid, "exception.too_long").In("until")
	}
	e.Starts, e.Until, e.Reminded = starts, until, told(until.Sub(now))
	return nil
}

// remindDays are the days before the end at which an owner is reminded.
var remindDays = []int{90, 30, 7}

// told returns the reminder that an exception of this length has behind it.
func told(length time.Duration) int {
	past := 0
	for _, days := range remindDays {
		if length <= time.Duration(days)*day {
			past = days
		}
	}
	return past
}

// owned finds out who answers for an exception.
func (s *Service) owned(ctx context.Context, actor may.Actor, e *Exception, owner org.ID) error {
	if owner == "" || owner == e.By {
		e.Owner, e.OwnerName = e.By, actor.Name
		if name, err := s.Store.StaffName(ctx, e.Place.Branch, e.By); err == nil {
			e.OwnerName = name
		} else if !errs.Is(err, errs.NotFound) {
			return err
		}
		return nil
	}
	name, err := s.Store.StaffName(ctx, e.Place.Branch, owner)
	if errs.Is(err, errs.NotFound) {
		return errs.E(errs.Invalid, "exception.no_owner").In("owner")
	}
	e.Owner, e.OwnerName = owner, name
	return err
}

// needed checks the value of an exception against what holds above its place.
func (s *Service) needed(ctx context.Context, actor may.Actor, e *Exception, value any, asks bool) error {
	family, ok := catalog.Find(e.Family)
	if !ok {
		return invalid(Faults{{Key: "policy.unknown_family", Family: e.Family, Args: map[string]string{"value": e.Family}}})
	}
	field, ok := family.Field(e.Field)
	if !ok {
		return invalid(Faults{{Key: "policy.unknown_field", Family: e.Family, Field: e.Field}})
	}
	clean, wrong := field.Check(value, field.Name)
	if len(wrong) > 0 {
		faults := Faults{}
		for _, fault := range wrong {
			faults = append(faults, Fault{Key: fault.Key, Family: e.Family, Field: fault.Field, Args: fault.Args})
		}
		return invalid(faults)
	}
	if clean == nil {
		return invalid(Faults{{Key: "policy.missing", Family: e.Family, Field: e.Field}})
	}
	e.Value = clean
	above, err := s.aboveOf(ctx, actor, *e, asks)
	if err != nil {
		return err
	}
	switch {
	case above == nil:
		return errs.E(errs.Invalid, "exception.nothing_above").In("field")
	case catalog.Same(field.Except(above.Value, clean), above.Value):
		return errs.E(errs.Invalid, "exception.no_deviation").In("value")
	case above.Hold == desired.Locked || field.Merge == catalog.Union:
		return nil
	case above.Hold == desired.Free && field.Merge == catalog.Nearest, !field.Deviates(above.Value, clean):
		return errs.E(errs.Invalid, "exception.not_needed").In("value")
	}
	return nil
}

// aboveOf returns what holds above an exception's place; nil if nothing does. It
// is the Denied fault "exception.locked" if that is locked by a place at which
// the actor may not write, or, to ask for one, not propose.
func (s *Service) aboveOf(ctx context.Context, actor may.Actor, e Exception, asks bool) (*desired.Effective, error) {
	ground, err := s.Store.GroundAt(ctx, e.Place.Branch)
	if err != nil {
		return nil, err
	}
	device, err := s.listener(ctx, e.Place)
	if err != nil {
		return nil, err
	}
	ground = ground.upTo(e.Place).without(e.Place.Place)
	above, ok := ground.holding(device, s.Now())[Part{e.Family, e.Field}]
	if !ok || above.Value == nil {
		return nil, nil
	}
	if above.Hold != desired.Locked {
		return &above, nil
	}
	locker, _ := ground.locker(above)
	place, err := s.Store.PolicyPlace(ctx, locker)
	if err != nil {
		return nil, err
	}
	action := may.PolicyWrite
	if asks {
		action = may.PolicyPropose
	}
	if !may.Can(actor, action, place.Branch) {
		return nil, errs.E(errs.Denied, "exception.locked", "place", place.Name, "level", string(place.Level))
	}
	return &above, nil
}

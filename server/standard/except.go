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
// write; Conflict "exception.exists".
func (s *Service) Except(ctx context.Context, actor may.Actor, wanted NewException) (Exception, error) {
	place, err := s.Store.PolicyPlace(ctx, wanted.Place)
	if err != nil {
		return Exception{}, err
	}
	permit, err := may.Do(actor, may.PolicyWrite, place.Branch)
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
	if err := s.needed(ctx, actor, &e, wanted.Value); err != nil {
		return Exception{}, err
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
func (s *Service) needed(ctx context.Context, actor may.Actor, e *Exception, value any) error {
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
	above, err := s.aboveOf(ctx, actor, *e)
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
// the actor may not write.
func (s *Service) aboveOf(ctx context.Context, actor may.Actor, e Exception) (*desired.Effective, error) {
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
	if !may.Can(actor, may.PolicyWrite, place.Branch) {
		return nil, errs.E(errs.Denied, "exception.locked", "place", place.Name, "level", string(place.Level))
	}
	return &above, nil
}

// Extend gives an exception a later end, with a new reason if one is given. Who
// could not file it cannot extend it either.
func (s *Service) Extend(ctx context.Context, actor may.Actor, id org.ID, until time.Time, reason string) (Exception, error) {
	before, permit, err := s.writable(ctx, actor, id)
	if err != nil {
		return Exception{}, err
	}
	if _, err := s.aboveOf(ctx, actor, before); err != nil {
		return Exception{}, err
	}
	after := before
	if reason = strings.TrimSpace(reason); reason != "" {
		after.Reason = clip(reason, longestReason)
	}
	now := s.now()
	if err := after.last(before.Starts, until, now); err != nil {
		return Exception{}, err
	}
	after.Starts = before.Starts
	if !after.Until.After(before.Until) {
		return Exception{}, errs.E(errs.Invalid, "exception.not_later").In("until")
	}
	err = s.Store.UpdateException(ctx, permit, before, after)
	s.wake()
	return after.masked(), err
}

// End ends an exception before its time.
func (s *Service) End(ctx context.Context, actor may.Actor, id org.ID) (Exception, error) {
	before, permit, err := s.writable(ctx, actor, id)
	if err != nil {
		return Exception{}, err
	}
	after := before
	after.Ended, after.EndedName = s.now(), actor.Name
	err = s.Store.UpdateException(ctx, permit, before, after)
	s.wake()
	return after.masked(), err
}

func (s *Service) writable(ctx context.Context, actor may.Actor, id org.ID) (Exception, may.Permit, error) {
	e, err := s.Store.FindException(ctx, id)
	if err != nil {
		return Exception{}, may.Permit{}, err
	}
	permit, err := may.Do(actor, may.PolicyWrite, e.Place.Branch)
	if err == nil && e.Over(s.Now()) {
		err = errs.E(errs.Conflict, "exception.over")
	}
	return e, permit, err
}

// Register lists exceptions, the next end first; those that are over, the last
// end first.
func (s *Service) Register(ctx context.Context, actor may.Actor, filter ExceptionFilter) (entries []Entry, next string, err error) {
	branches, err := readable(actor)
	if err != nil {
		return nil, "", err
	}
	list, next, err := s.Store.ListExceptions(ctx, branches, filter, s.Now())
	if err != nil {
		return nil, "", err
	}
	book := register{s: s, actor: actor, grounds: map[org.Branch]Ground{}, counts: map[desired.Place]int{}}
	for _, e := range list {
		entry, err := book.entry(ctx, e)
		if err != nil {
			return nil, "", err
		}
		entries = append(entries, entry)
	}
	return entries, next, nil
}

// Exception returns one as the register shows it.
func (s *Service) Exception(ctx context.Context, actor may.Actor, id org.ID) (Entry, error) {
	e, err := s.Store.FindException(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	if _, err := may.Do(actor, may.PolicyRead, e.Place.Branch); err != nil {
		return Entry{}, err
	}
	book := register{s: s, actor: actor, grounds: map[org.Branch]Ground{}, counts: map[desired.Place]int{}}
	return book.entry(ctx, e)
}

// register makes entries; what several need is read once.
type register struct {
	s       *Service
	actor   may.Actor
	grounds map[org.Branch]Ground
	counts  map[desired.Place]int
}

func (r register) entry(ctx context.Context, e Exception) (Entry, error) {
	now := r.s.Now()
	entry := Entry{Exception: e.masked(), Age: age(e.Starts, now)}
	if e.Over(now) {
		entry.Age = age(e.Starts, e.Until)
		if !e.Ended.IsZero() {
			entry.Age = age(e.Starts, e.Ended)
		}
		return entry, nil
	}
	entry.Age = max(entry.Age, 0)
	ground, ok := r.grounds[e.Place.Branch]
	if !ok {
		var err error
		if ground, err = r.s.Store.GroundAt(ctx, e.Place.Branch); err != nil {
			return entry, err
		}
		r.grounds[e.Place.Branch] = ground
	}
	devices, ok := r.counts[e.Place.Place]
	if !ok {
		var err error
		if devices, err = r.s.Store.CountPlace(ctx, e.Place); err != nil {
			return entry, err
		}
		r.counts[e.Place.Place] = devices
	}
	entry.Devices = devices
	device, err := r.s.listener(ctx, e.Place)
	if errs.Is(err, errs.NotFound) {
		device, err = standIn(e.Place), nil // out of use
	}
	if err != nil {
		return entry, err
	}
	part := Part{e.Family, e.Field}
	ground = ground.upTo(e.Place)
	with, without := ground.holding(device, now)[part], ground.excluding(e.ID).holding(device, now)
	if then, ok := without[part]; ok {
		entry.Then = maskEffective(then)
	}
	entry.Needless = catalog.Same(with.Value, without[part].Value) && e.Live(now)
	entry.MayEnd = may.Can(r.actor, may.PolicyWrite, e.Place.Branch)
	entry.MayExtend = entry.MayEnd
	if then, ok := without[part]; ok && entry.MayEnd && then.Hold == desired.Locked {
		if locker, found := ground.locker(then); found {
			place, err := r.s.Store.PolicyPlace(ctx, locker)
			if err != nil {
				return entry, err
			}
			entry.MayExtend = may.Can(r.actor, may.PolicyWrite, place.Branch)
		}
	}
	return entry, nil
}

// Expire ends exceptions whose time has come. Devices know the end already, where
// they were reached; the mark tells all others within a minute.
func (s *Service) Expire(ctx context.Context) error {
	n, err := s.Store.ExpireExceptions(ctx, s.Now())
	if n > 0 {
		s.wake()
	}
	return err
}

// Remind tells owners of exceptions that end in 90, 30 or 7 days, each once. A
// message that cannot be sent is tried again the next time; the register and the
// start page say it anyway.
func (s *Service) Remind(ctx context.Context) error {
	var failed error
	unsent := map[org.ID]bool{}
	for i := len(remindDays) - 1; i >= 0; i-- {
		days := remindDays[i]
		list, err := s.Store.EndingExceptions(ctx, s.Now(), days)
		if err != nil {
			return err
		}
		for _, e := range list {
			if unsent[e.ID] {
				continue
			}
			if s.Mail != nil {
				if err := s.Mail.Remind(ctx, e.Owner, e.masked(), days); err != nil {
					failed, unsent[e.ID] = err, true
					continue
				}
			}
			if err := s.Store.Reminded(ctx, e, days); err != nil {
				return err
			}
		}
	}
	return failed
}

package standard

import (
	"context"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

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
	return entry, r.allow(ctx, &entry, ground, without[part])
}

// allow says what the actor may do with an exception that is not over; then is
// what holds without it.
func (r register) allow(ctx context.Context, entry *Entry, ground Ground, then desired.Effective) error {
	branch, action := entry.Place.Branch, may.PolicyWrite
	eyes, err := r.s.Store.FindEyes(ctx, branch.Authority)
	if err != nil {
		return err
	}
	if entry.Asks = eyes.On || !may.Can(r.actor, may.PolicyWrite, branch); entry.Asks {
		action = may.PolicyPropose
	}
	if entry.Asked.What != "" {
		who, err := r.s.Store.PersonBehind(ctx, r.actor.ID)
		own := who == entry.Asked.By
		entry.MayGrant = !own && may.Can(r.actor, may.PolicyApprove, branch)
		entry.MayRefuse = entry.MayGrant || own && may.Can(r.actor, may.PolicyPropose, branch)
		return err
	}
	entry.MayEnd = may.Can(r.actor, action, branch)
	entry.MayExtend = entry.MayEnd
	if !entry.MayEnd || then.Hold != desired.Locked {
		return nil
	}
	locker, found := ground.locker(then)
	if !found {
		return nil
	}
	place, err := r.s.Store.PolicyPlace(ctx, locker)
	entry.MayExtend = err == nil && may.Can(r.actor, action, place.Branch)
	return err
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

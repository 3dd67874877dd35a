package standard

import (
	"context"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Extend gives an exception a later end, with a new reason if one is given. Who
// could not file it cannot extend it either. Where a second person has to
// approve, the end stays as it is until somebody did.
func (s *Service) Extend(ctx context.Context, actor may.Actor, id org.ID, until time.Time, reason string) (Exception, error) {
	before, permit, asks, err := s.changing(ctx, actor, id)
	if err != nil {
		return Exception{}, err
	}
	if _, err := s.aboveOf(ctx, actor, before, asks); err != nil {
		return Exception{}, err
	}
	wish := before
	if reason = strings.TrimSpace(reason); reason != "" {
		wish.Reason = clip(reason, longestReason)
	}
	if err := wish.last(before.Starts, until, s.now()); err != nil {
		return Exception{}, err
	}
	wish.Starts = before.Starts
	if !wish.Until.After(before.Until) {
		return Exception{}, errs.E(errs.Invalid, "exception.not_later").In("until")
	}
	if asks {
		return s.ask(ctx, actor, permit, before, Asked{What: AskExtend, Until: wish.Until, Reason: wish.Reason})
	}
	return s.changeException(ctx, permit, before, wish)
}

// End ends an exception before its time, or asks a second person to.
func (s *Service) End(ctx context.Context, actor may.Actor, id org.ID) (Exception, error) {
	before, permit, asks, err := s.changing(ctx, actor, id)
	if err != nil {
		return Exception{}, err
	}
	if asks {
		return s.ask(ctx, actor, permit, before, Asked{What: AskEnd})
	}
	after := before
	after.Ended, after.EndedName = s.now(), actor.Name
	return s.changeException(ctx, permit, before, after)
}

// changing returns an exception that the actor may change, or ask to change:
// Conflict "exception.over" for one that is over, "exception.waits" while a
// second person has something else of it to decide.
func (s *Service) changing(ctx context.Context, actor may.Actor, id org.ID) (e Exception, permit may.Permit, asks bool, err error) {
	if e, err = s.Store.FindException(ctx, id); err != nil {
		return e, permit, false, err
	}
	permit, asks, err = s.deciding(ctx, actor, e.Place.Branch)
	switch {
	case err != nil:
	case e.Over(s.Now()):
		err = errs.E(errs.Conflict, "exception.over")
	case e.Asked.What != "":
		err = errs.E(errs.Conflict, "exception.waits", "name", e.Asked.ByName)
	}
	return e, permit, asks, err
}

// ask keeps a wish that a second person decides.
func (s *Service) ask(ctx context.Context, actor may.Actor, permit may.Permit, before Exception, wish Asked) (Exception, error) {
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return Exception{}, err
	}
	after := before
	after.Asked = wish
	after.Asked.Asker = Asker{who, actor.Name, s.now()}
	return s.changeException(ctx, permit, before, after)
}

func (s *Service) changeException(ctx context.Context, permit may.Permit, before, after Exception) (Exception, error) {
	err := s.Store.UpdateException(ctx, permit, before, after)
	s.wake()
	return after.masked(), err
}

// Grant does what somebody asked about an exception, as its second person: Denied
// "exception.own" for one's own wish, Conflict "exception.not_asked" where nobody
// asked, and the faults of Except for what has changed since.
func (s *Service) Grant(ctx context.Context, actor may.Actor, id org.ID) (Exception, error) {
	before, who, err := s.asked(ctx, actor, id)
	if err != nil {
		return Exception{}, err
	}
	permit, err := may.Do(actor, may.PolicyApprove, before.Place.Branch)
	if err != nil {
		return Exception{}, err
	}
	if who == before.Asked.By {
		return Exception{}, errs.E(errs.Denied, "exception.own")
	}
	after, now := before, s.now()
	after.Asked, after.Approver, after.ApproverName = Asked{}, who, actor.Name
	switch wish := before.Asked; wish.What {
	case AskBegin:
		err = after.last(before.Starts, before.Until, now)
	case AskExtend:
		after.Reason = wish.Reason
		err = after.last(before.Starts, wish.Until, now)
		after.Starts = before.Starts
	case AskEnd:
		after.Ended, after.EndedName = now, wish.ByName
		return s.changeException(ctx, permit, before, after)
	}
	if err != nil {
		return Exception{}, err
	}
	if _, err := s.aboveOf(ctx, actor, before, false); err != nil {
		return Exception{}, err
	}
	return s.changeException(ctx, permit, before, after)
}

// Refuse leaves an exception as it is, and one that waits for its beginning is
// over. The one who asked can take the wish back so.
func (s *Service) Refuse(ctx context.Context, actor may.Actor, id org.ID) (Exception, error) {
	before, who, err := s.asked(ctx, actor, id)
	if err != nil {
		return Exception{}, err
	}
	action := may.PolicyApprove
	if who == before.Asked.By {
		action = may.PolicyPropose
	}
	permit, err := may.Do(actor, action, before.Place.Branch)
	if err != nil {
		return Exception{}, err
	}
	after := before
	if before.Asked.What == AskBegin {
		after.Ended, after.EndedName = s.now(), actor.Name
	} else {
		after.Asked = Asked{}
	}
	return s.changeException(ctx, permit, before, after)
}

// asked returns an exception about which somebody asked something.
func (s *Service) asked(ctx context.Context, actor may.Actor, id org.ID) (Exception, org.ID, error) {
	e, err := s.Store.FindException(ctx, id)
	if err != nil {
		return Exception{}, "", err
	}
	if _, err := may.Do(actor, may.PolicyRead, e.Place.Branch); err != nil {
		return Exception{}, "", err
	}
	if e.Asked.What == "" || e.Over(s.Now()) {
		return Exception{}, "", errs.E(errs.Conflict, "exception.not_asked")
	}
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	return e, who, err
}

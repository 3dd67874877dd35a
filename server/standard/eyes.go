package standard

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Eyes says whether an authority, or the operator, asks for a second person
// before anything of the standard holds.
type Eyes struct {
	On bool
	// Asked is who wants to do without from now on; that, too, takes a second
	// person. The zero value: nobody.
	Asked Asker
	// MayChange reports whether the actor may switch it on, or ask for the end;
	// MayConfirm, whether the actor is the second person for the end.
	MayChange, MayConfirm bool
}

// Asker is who asked for something that a second person decides.
type Asker struct {
	By     org.ID    `json:"by"`
	ByName string    `json:"by_name"`
	At     time.Time `json:"at"`
}

// FourEyes says whether an authority, or for the empty id the operator, asks for
// a second person.
func (s *Service) FourEyes(ctx context.Context, actor may.Actor, authority org.ID) (Eyes, error) {
	branch := org.Branch{Authority: authority}
	if _, err := may.Do(actor, may.PolicyRead, branch); err != nil {
		return Eyes{}, err
	}
	eyes, err := s.Store.FindEyes(ctx, authority)
	if err != nil {
		return Eyes{}, err
	}
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	eyes.MayChange = may.Can(actor, may.PolicyApprove, branch)
	eyes.MayConfirm = eyes.MayChange && eyes.Asked.By != "" && eyes.Asked.By != who
	return eyes, err
}

// SetFourEyes says whether changes in an authority, or for the empty id those of
// the operator, need a second person. On holds at once, and takes a wish for the
// end back. The end itself takes two: the first call asks, the same call by
// somebody else makes it so; twice by one person is the Denied fault
// "eyes.own".
func (s *Service) SetFourEyes(ctx context.Context, actor may.Actor, authority org.ID, on bool) (Eyes, error) {
	permit, err := may.Do(actor, may.PolicyApprove, org.Branch{Authority: authority})
	if err != nil {
		return Eyes{}, err
	}
	before, err := s.Store.FindEyes(ctx, authority)
	if err != nil {
		return Eyes{}, err
	}
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return Eyes{}, err
	}
	after := Eyes{On: on}
	if before.On && !on {
		switch before.Asked.By {
		case "":
			after = Eyes{On: true, Asked: Asker{who, actor.Name, s.now()}}
		case who:
			return Eyes{}, errs.E(errs.Denied, "eyes.own")
		}
	}
	if before != after {
		if err := s.Store.SetEyes(ctx, permit, authority, before, after); err != nil {
			return Eyes{}, err
		}
	}
	return s.FourEyes(ctx, actor, authority)
}

// Asks reports whether what the actor changes in a branch waits for a second
// person.
func (s *Service) Asks(ctx context.Context, actor may.Actor, branch org.Branch) (bool, error) {
	_, asks, err := s.deciding(ctx, actor, branch)
	return asks, err
}

// deciding returns the permit to change at once what holds in a branch, or to ask
// for it: where the authority wants a second person, or the actor only proposes.
func (s *Service) deciding(ctx context.Context, actor may.Actor, branch org.Branch) (permit may.Permit, asks bool, err error) {
	permit, err = may.Do(actor, may.PolicyWrite, branch)
	if errs.Is(err, errs.Denied) {
		permit, err = may.Do(actor, may.PolicyPropose, branch)
		return permit, true, err
	}
	if err != nil {
		return permit, false, err
	}
	eyes, err := s.Store.FindEyes(ctx, branch.Authority)
	return permit, eyes.On, err
}

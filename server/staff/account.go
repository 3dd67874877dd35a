package staff

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Give gives somebody one more role.
func (s *Service) Give(ctx context.Context, actor may.Actor, id org.ID, grant may.Grant) error {
	permit, err := may.Do(actor, may.StaffWrite, grant.Branch)
	if err != nil {
		return err
	}
	if err := mayGive(actor, grant); err != nil {
		return err
	}
	person, _, err := s.find(ctx, actor, may.StaffRead, id)
	if err != nil {
		return err
	}
	return s.Store.AddGrant(ctx, permit, person, grant)
}

// Take takes a role away. Nobody takes the own last role of administration:
// somebody has to be able to give it back.
func (s *Service) Take(ctx context.Context, actor may.Actor, id org.ID, grant may.Grant) error {
	permit, err := may.Do(actor, may.StaffWrite, grant.Branch)
	if err != nil {
		return err
	}
	if !may.Hands(actor, grant) {
		return errs.E(errs.Denied, "staff.role_too_wide")
	}
	if id == actor.ID {
		return errs.E(errs.Conflict, "staff.not_oneself")
	}
	person, _, err := s.find(ctx, actor, may.StaffRead, id)
	if err != nil {
		return err
	}
	return s.Store.RemoveGrant(ctx, permit, person, grant)
}

// SetLocked locks somebody out, which ends all their sessions and programs, or
// lets them in again.
func (s *Service) SetLocked(ctx context.Context, actor may.Actor, id org.ID, locked bool) error {
	if id == actor.ID {
		return errs.E(errs.Conflict, "staff.not_oneself")
	}
	person, permit, err := s.owned(ctx, actor, id)
	if err != nil {
		return err
	}
	if locked == !person.Locked.IsZero() {
		return nil
	}
	var at time.Time
	if locked {
		at = s.Now()
	}
	return s.Store.LockStaff(ctx, permit, person, at)
}

// Sessions lists the actor's own signed-in browsers, latest first.
func (s *Service) Sessions(ctx context.Context, actor may.Actor) ([]Session, error) {
	return s.Store.ListSessions(ctx, actor.ID, s.Now())
}

// EndSession signs one of the actor's own browsers out.
func (s *Service) EndSession(ctx context.Context, actor may.Actor, session string) error {
	person, err := s.Store.FindStaff(ctx, actor.ID)
	if err != nil {
		return err
	}
	return s.Store.EndSession(ctx, may.Self(actor, person.Home()), person, session)
}

// SignOutEverywhere ends all sessions and tokens of the actor but the session
// kept, which may be empty.
func (s *Service) SignOutEverywhere(ctx context.Context, actor may.Actor, keep string) error {
	person, err := s.Store.FindStaff(ctx, actor.ID)
	if err != nil {
		return err
	}
	return s.Store.EndSessions(ctx, may.Self(actor, person.Home()), person, keep)
}

// SignOutOther ends all sessions and tokens of somebody else.
func (s *Service) SignOutOther(ctx context.Context, actor may.Actor, id org.ID) error {
	person, permit, err := s.owned(ctx, actor, id)
	if err != nil {
		return err
	}
	return s.Store.EndSessions(ctx, permit, person, "")
}

// Seed is a login that is made without an invitation: by the first set-up, by
// the command line, by the demo.
type Seed struct {
	Name     string
	Login    string
	Password string
	Grants   []may.Grant
}

// Create makes a login with a password at once. The permit is one of the
// system's own, or the set-up's.
func (s *Service) Create(ctx context.Context, permit may.Permit, seed Seed) (Person, error) {
	person, hash, err := s.Prepare(ctx, seed)
	if err != nil {
		return Person{}, err
	}
	return person, s.Store.CreateStaff(ctx, permit, person, hash, Code{})
}

// Prepare checks a seed and hashes its password, and keeps nothing: for who
// makes a login in one transaction with other things.
func (s *Service) Prepare(ctx context.Context, seed Seed) (person Person, hash string, err error) {
	var home org.Branch
	if len(seed.Grants) > 0 {
		home.Authority = seed.Grants[0].Branch.Authority
	}
	if person, err = s.newPerson(Invitation{Name: seed.Name, Login: seed.Login, Branch: home}); err != nil {
		return Person{}, "", err
	}
	person.Grants, person.Invited = seed.Grants, false
	if hash, err = s.newPassword(ctx, person, seed.Password); err != nil {
		return Person{}, "", err
	}
	return person, hash, nil
}

// ResetByLogin makes a reset code for a login, for `schulwart user reset` on
// the server itself: who can run it owns the machine. It drops the second factor.
func (s *Service) ResetByLogin(ctx context.Context, login string) (Made, error) {
	login, err := ReadLogin(login)
	if err != nil {
		return Made{}, err
	}
	person, err := s.Store.FindLogin(ctx, login)
	if err != nil {
		return Made{}, err
	}
	permit := may.System("user", person.Home())
	if err := s.Store.PutFactor(ctx, permit, person, "", ""); err != nil {
		return Made{}, err
	}
	made, code := s.makeCode(permit.Actor(), Reset, person)
	return made, s.Store.PutCode(ctx, permit, person, code)
}

// Any reports whether anybody has a login at all.
func (s *Service) Any(ctx context.Context) (bool, error) {
	n, err := s.Store.CountStaff(ctx)
	return n > 0, err
}

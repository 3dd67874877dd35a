package staff

import (
	"context"
	"crypto/hmac"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// issuer is the name under which authenticator apps list the code.
const issuer = "Schulwart"

// factorStep is how long one code stands (RFC 6238).
const factorStep = 30 * time.Second

// Factor is a secret that waits to be read by an authenticator app.
type Factor struct {
	Secret string // base32
	URL    string // otpauth://…, for the QR code
}

// BeginFactor makes a secret for the actor. It takes effect with ConfirmFactor.
// A factor in use is a Conflict fault "staff.factor_in_use": an open session is
// not enough to replace it, RemoveFactor asks for its code.
func (s *Service) BeginFactor(ctx context.Context, actor may.Actor) (Factor, error) {
	person, secrets, err := s.own(ctx, actor)
	if err != nil {
		return Factor{}, err
	}
	if secrets.Factor != "" {
		return Factor{}, errs.E(errs.Conflict, "staff.factor_in_use")
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: person.Login})
	if err != nil {
		return Factor{}, err
	}
	return Factor{Secret: key.Secret(), URL: key.URL()}, s.Store.PutFactor(ctx, may.Self(actor, person.Home()), person, secrets.Factor, key.Secret())
}

// PendingFactor returns the secret that BeginFactor made, NotFound if none waits.
func (s *Service) PendingFactor(ctx context.Context, actor may.Actor) (Factor, error) {
	person, secrets, err := s.own(ctx, actor)
	if err != nil {
		return Factor{}, err
	}
	if secrets.Pending == "" {
		return Factor{}, errs.E(errs.NotFound, "staff.no_factor_begun")
	}
	key, err := otp.NewKeyFromURL("otpauth://totp/" + issuer + ":" + person.Login + "?secret=" + secrets.Pending + "&issuer=" + issuer)
	if err != nil {
		return Factor{}, err
	}
	return Factor{Secret: secrets.Pending, URL: key.URL()}, nil
}

// ConfirmFactor puts the secret of BeginFactor into use, if the code fits it.
func (s *Service) ConfirmFactor(ctx context.Context, actor may.Actor, code string) error {
	person, secrets, err := s.own(ctx, actor)
	if err != nil {
		return err
	}
	if secrets.Factor != "" {
		return errs.E(errs.Conflict, "staff.factor_in_use")
	}
	if secrets.Pending == "" {
		return errs.E(errs.Conflict, "staff.no_factor_begun")
	}
	step := fittingStep(secrets.Pending, code, s.Now())
	if step == 0 {
		return errs.E(errs.Invalid, "staff.bad_factor").In("code")
	}
	if err := s.Store.PutFactor(ctx, may.Self(actor, person.Home()), person, secrets.Pending, ""); err != nil {
		return err
	}
	_, err = s.Store.UseStep(ctx, person.ID, step)
	return err
}

// RemoveFactor takes the actor's second factor away, if the code fits and no
// role demands it.
func (s *Service) RemoveFactor(ctx context.Context, actor may.Actor, code string) error {
	person, err := s.Store.FindStaff(ctx, actor.ID)
	if err != nil {
		return err
	}
	if s.mustAdd(person) {
		return errs.E(errs.Denied, "staff.factor_demanded")
	}
	if _, err := s.CheckFactor(ctx, actor.ID, code, actor.From, actor.Via); err != nil {
		return err
	}
	return s.Store.PutFactor(ctx, may.Self(actor, person.Home()), person, "", "")
}

// DropFactor takes away the second factor of somebody who lost the phone.
func (s *Service) DropFactor(ctx context.Context, actor may.Actor, id org.ID) error {
	person, permit, err := s.owned(ctx, actor, id)
	if err != nil {
		return err
	}
	return s.Store.PutFactor(ctx, permit, person, "", "")
}

// CheckFactor checks the code that follows a password, and records the sign-in.
// A wrong or used code is a Denied fault "staff.bad_factor".
func (s *Service) CheckFactor(ctx context.Context, id org.ID, code, from, door string) (Person, error) {
	key := "factor:" + id.String()
	if err := s.try(ctx, key, from); err != nil {
		return Person{}, err
	}
	person, secrets, err := s.own(ctx, may.Actor{ID: id})
	if err != nil {
		return Person{}, err
	}
	step := int64(0)
	if secrets.Factor != "" {
		step = fittingStep(secrets.Factor, code, s.Now())
	}
	fresh := false
	if step > 0 {
		if fresh, err = s.Store.UseStep(ctx, id, step); err != nil {
			return Person{}, err
		}
	}
	if !fresh {
		return Person{}, errs.E(errs.Denied, "staff.bad_factor").In("code")
	}
	if !person.Locked.IsZero() {
		return Person{}, errs.E(errs.Denied, "staff.locked")
	}
	if err := s.right(ctx, key, from); err != nil {
		return Person{}, err
	}
	return person, s.Store.RecordSignIn(ctx, may.Self(actorOf(person, from, via(door)), person.Home()), person, "factor")
}

// fittingStep returns the step whose code it is, 0 if none: now, the one before
// or the one after, because phones' clocks differ.
func fittingStep(secret, typed string, at time.Time) int64 {
	typed = strings.Join(strings.Fields(typed), "")
	found := int64(0)
	for _, shift := range []time.Duration{-factorStep, 0, factorStep} {
		when := at.Add(shift)
		code, err := totp.GenerateCode(secret, when)
		if err == nil && hmac.Equal([]byte(code), []byte(typed)) {
			found = when.Unix() / int64(factorStep/time.Second)
		}
	}
	return found
}

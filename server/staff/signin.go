package staff

import (
	"context"
	"net"
	"net/netip"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Patience with wrong passwords. A school sits behind one address, so an
// address has more room than a login.
const (
	freeTries    = 5
	freeFromAddr = 60
	longestWait  = 15 * time.Minute
	forgetTries  = time.Hour
)

// Attempt is somebody at the door.
type Attempt struct {
	Login    string
	Password string
	From     string // network address
	Via      string // "console" or "api"
}

// SignedIn is who came in, and what is still to be done.
type SignedIn struct {
	Person    Person
	NeedsCode bool // a code of the second factor has to follow
	MustAdd   bool // the role demands a second factor, and there is none yet
}

// SignIn checks login and password. Wrong ones are a Denied fault
// "staff.bad_login_or_password" that says no more; too many are a TooMany fault
// with "seconds". It begins no session: the door does.
func (s *Service) SignIn(ctx context.Context, attempt Attempt) (SignedIn, error) {
	login, err := ReadLogin(attempt.Login)
	if err != nil {
		login = ""
	}
	if err := s.try(ctx, loginKey(login), attempt.From); err != nil {
		return SignedIn{}, err
	}
	person, secrets, err := s.lookUp(ctx, login)
	if err != nil {
		return SignedIn{}, err
	}
	fits, err := s.hashing.matches(ctx, attempt.Password, secrets.Password)
	if err != nil {
		return SignedIn{}, err
	}
	if !fits {
		return SignedIn{}, errs.E(errs.Denied, "staff.bad_login_or_password").In("password")
	}
	// Only who knows the password learns that the account is locked.
	if !person.Locked.IsZero() {
		return SignedIn{}, errs.E(errs.Denied, "staff.locked")
	}
	if err := s.right(ctx, loginKey(login), attempt.From); err != nil {
		return SignedIn{}, err
	}
	in := SignedIn{Person: person, NeedsCode: secrets.Factor != ""}
	in.MustAdd = !in.NeedsCode && s.mustAdd(person)
	if in.NeedsCode {
		return in, nil
	}
	return in, s.Store.RecordSignIn(ctx, may.Self(actorOf(person, attempt.From, via(attempt.Via)), person.Home()), person, "password")
}

func via(named string) string {
	if named == "" {
		return "console"
	}
	return named
}

func (s *Service) mustAdd(person Person) bool {
	for _, role := range s.FactorRoles {
		for _, grant := range person.Grants {
			if grant.Role == role {
				return true
			}
		}
	}
	return false
}

// lookUp returns the person of a login, and nobody without a fault if there is
// none: the password is then compared with nothing.
func (s *Service) lookUp(ctx context.Context, login string) (Person, Secrets, error) {
	person, err := s.Store.FindLogin(ctx, login)
	if errs.Is(err, errs.NotFound) {
		return Person{}, Secrets{}, nil
	}
	if err != nil {
		return Person{}, Secrets{}, err
	}
	secrets, err := s.Store.StaffSecrets(ctx, person.ID)
	return person, secrets, err
}

// try counts a try of the key and of the address before anything is compared,
// so that tries that come at once do not pass before the first has failed. It is
// a TooMany fault while one of the two has to wait; right takes the count back.
func (s *Service) try(ctx context.Context, key, from string) error {
	if err := s.tryFrom(ctx, from); err != nil {
		return err
	}
	err := s.tryOne(ctx, key, freeTries)
	if errs.Is(err, errs.TooMany) {
		// One impatient person must not make the whole school wait.
		if err := s.rightFrom(ctx, from); err != nil {
			return err
		}
	}
	return err
}

// tryFrom counts a try of an address alone, where no login is known yet.
func (s *Service) tryFrom(ctx context.Context, from string) error {
	return s.tryOne(ctx, addressKey(from), freeFromAddr)
}

func (s *Service) tryOne(ctx context.Context, key string, free int) error {
	until, err := s.Store.CountTry(ctx, key, s.Now(), waitAfter(free), forgetTries)
	if err != nil {
		return err
	}
	if wait := until.Sub(s.Now()); wait > 0 {
		return errs.E(errs.TooMany, "staff.too_many_tries", "seconds", int(wait/time.Second)+1)
	}
	return nil
}

// right forgets the tries of a key whose secret was known, and of the address
// this one: what others guessed from there still counts.
func (s *Service) right(ctx context.Context, key, from string) error {
	if err := s.Store.ClearTries(ctx, key); err != nil {
		return err
	}
	return s.rightFrom(ctx, from)
}

func (s *Service) rightFrom(ctx context.Context, from string) error {
	return s.Store.TakeTryBack(ctx, addressKey(from))
}

// waitAfter doubles the wait with each failure beyond the free ones.
func waitAfter(free int) func(n int) time.Duration {
	return func(n int) time.Duration {
		if n < free {
			return 0
		}
		wait := time.Second << min(n-free+1, 20)
		return min(wait, longestWait)
	}
}

func loginKey(login string) string { return "login:" + login }

// addressKey names an address; of IPv6 the /64, because that is what one
// subscriber has.
func addressKey(from string) string {
	host, _, err := net.SplitHostPort(from)
	if err != nil {
		host = from
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return "from:" + host
	}
	address = address.Unmap().WithZone("")
	if address.Is6() {
		prefix, _ := address.Prefix(64)
		return "from:" + prefix.String()
	}
	return "from:" + address.String()
}

// ChangePassword sets a new password for the actor, who has to know the old
// one. All other sessions end.
func (s *Service) ChangePassword(ctx context.Context, actor may.Actor, session, old, chosen string) error {
	person, secrets, err := s.own(ctx, actor)
	if err != nil {
		return err
	}
	if err := s.try(ctx, loginKey(person.Login), actor.From); err != nil {
		return err
	}
	fits, err := s.hashing.matches(ctx, old, secrets.Password)
	if err != nil {
		return err
	}
	if !fits {
		return errs.E(errs.Invalid, "staff.old_password_wrong").In("old")
	}
	if err := s.right(ctx, loginKey(person.Login), actor.From); err != nil {
		return err
	}
	hash, err := s.newPassword(ctx, person, chosen)
	if err != nil {
		return err
	}
	return s.Store.PutPassword(ctx, may.Self(actor, person.Home()), person, hash, session)
}

func (s *Service) own(ctx context.Context, actor may.Actor) (Person, Secrets, error) {
	person, err := s.Store.FindStaff(ctx, actor.ID)
	if err != nil {
		return Person{}, Secrets{}, err
	}
	secrets, err := s.Store.StaffSecrets(ctx, actor.ID)
	return person, secrets, err
}

// SetPreferences keeps the actor's language and theme.
func (s *Service) SetPreferences(ctx context.Context, actor may.Actor, lang, theme string) error {
	person, err := s.Store.FindStaff(ctx, actor.ID)
	if err != nil {
		return err
	}
	after := person
	if lang == "" || lang == "de" || lang == "en" {
		after.Lang = lang
	}
	if theme == "" || theme == "light" || theme == "dark" {
		after.Theme = theme
	}
	if after.Lang == person.Lang && after.Theme == person.Theme {
		return nil
	}
	return s.Store.UpdateStaff(ctx, may.Self(actor, person.Home()), person, after)
}

// Rename corrects a person's name or login.
func (s *Service) Rename(ctx context.Context, actor may.Actor, id org.ID, name, login string) error {
	person, permit, err := s.owned(ctx, actor, id)
	if err != nil {
		return err
	}
	after := person
	if after.Salutation, after.Name = ReadName(name); after.Name == "" {
		return errs.E(errs.Invalid, "staff.no_name").In("name")
	}
	if after.Login, err = ReadLogin(login); err != nil {
		return err
	}
	return s.Store.UpdateStaff(ctx, permit, person, after)
}

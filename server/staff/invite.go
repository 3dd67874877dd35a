package staff

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// How long a code is good for.
const (
	inviteTime = 7 * 24 * time.Hour
	resetTime  = 24 * time.Hour
)

// Invitation asks for a new login.
type Invitation struct {
	Name       string // as typed; see ReadName
	Login      string // e-mail address
	Role       may.Role
	Branch     org.Branch
	Salutation string
}

// Made is a code that was just made. It is shown once.
type Made struct {
	Kind   CodeKind
	Person Person
	Code   string // "ABCD-EFGH-JKMN-PQRS", for paper and for the link
	Until  time.Time
}

// Invite makes a login for somebody, who chooses a password with the code.
func (s *Service) Invite(ctx context.Context, actor may.Actor, invitation Invitation) (Made, error) {
	permit, err := may.Do(actor, may.StaffWrite, invitation.Branch)
	if err != nil {
		return Made{}, err
	}
	grant := may.Grant{Role: invitation.Role, Branch: invitation.Branch}
	if err := mayGive(actor, grant); err != nil {
		return Made{}, err
	}
	person, err := s.newPerson(invitation)
	if err != nil {
		return Made{}, err
	}
	person.Grants = []may.Grant{grant}
	made, code := s.makeCode(actor, Invite, person)
	return made, s.Store.CreateStaff(ctx, permit, person, "", code)
}

func mayGive(actor may.Actor, grant may.Grant) error {
	if !slices.Contains(may.Roles, grant.Role) {
		return errs.E(errs.Invalid, "staff.unknown_role").In("role")
	}
	if fits := roleFits(grant); !fits {
		return errs.E(errs.Invalid, "staff.role_elsewhere").In("place")
	}
	if !may.Hands(actor, grant) {
		return errs.E(errs.Denied, "staff.role_too_wide")
	}
	return nil
}

// roleFits reports whether a role makes sense at the height of the branch: an
// operator is one of the whole installation, a teacher is one of a school.
func roleFits(grant may.Grant) bool {
	level := grant.Branch.Level()
	switch grant.Role {
	case may.Operator:
		return level == org.Operator
	case may.AuthorityAdmin:
		return level == org.Authority
	case may.SchoolAdmin, may.Teacher:
		return level == org.School
	}
	return level != org.Group && level != org.Device
}

func (s *Service) newPerson(invitation Invitation) (Person, error) {
	salutation, name := ReadName(invitation.Name)
	if invitation.Salutation != "" {
		salutation = invitation.Salutation
	}
	login, err := ReadLogin(invitation.Login)
	if err != nil {
		return Person{}, err
	}
	if name == "" || len(name) > 120 {
		return Person{}, errs.E(errs.Invalid, "staff.no_name").In("name")
	}
	return Person{
		ID: s.NewID(), Authority: invitation.Branch.Authority, Salutation: salutation, Name: name, Login: login,
		Invited: true, Created: s.Now().UTC(), Source: "hand",
	}, nil
}

// ReadLogin checks an e-mail address and returns it in the form in which it is
// kept.
func ReadLogin(typed string) (string, error) {
	login := strings.ToLower(strings.TrimSpace(typed))
	local, domain, found := strings.Cut(login, "@")
	if !found || local == "" || domain == "" || len(login) > 254 || strings.ContainsAny(login, " \t\r\n<>,;\"") || strings.Contains(domain, "@") {
		return "", errs.E(errs.Invalid, "staff.bad_login").In("email")
	}
	return login, nil
}

// InviteAgain makes a new code for somebody who has not chosen a password yet.
// The older code is void.
func (s *Service) InviteAgain(ctx context.Context, actor may.Actor, id org.ID) (Made, error) {
	person, permit, err := s.owned(ctx, actor, id)
	if err != nil {
		return Made{}, err
	}
	if !person.Invited {
		return Made{}, errs.E(errs.Conflict, "staff.not_invited")
	}
	made, code := s.makeCode(actor, Invite, person)
	return made, s.Store.PutCode(ctx, permit, person, code)
}

// Reset makes a code with which the person chooses a new password. The old
// password holds until then.
func (s *Service) Reset(ctx context.Context, actor may.Actor, id org.ID) (Made, error) {
	person, permit, err := s.owned(ctx, actor, id)
	if err != nil {
		return Made{}, err
	}
	if person.Invited {
		return s.InviteAgain(ctx, actor, id)
	}
	made, code := s.makeCode(actor, Reset, person)
	return made, s.Store.PutCode(ctx, permit, person, code)
}

func (s *Service) makeCode(actor may.Actor, kind CodeKind, person Person) (Made, Code) {
	life := inviteTime
	if kind == Reset {
		life = resetTime
	}
	code, until := newCode(), s.Now().Add(life).UTC()
	return Made{Kind: kind, Person: person, Code: code, Until: until},
		Code{Hash: hashCode(code), Kind: kind, Staff: person.ID, By: actor.Name, Until: until}
}

// alphabet leaves out what is mistaken on paper: I, L, O, U (Crockford).
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newCode returns 80 random bits as four groups of four.
func newCode() string {
	var raw [16]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic("staff: no randomness: " + err.Error())
	}
	var code strings.Builder
	for i, b := range raw {
		if i > 0 && i%4 == 0 {
			code.WriteByte('-')
		}
		code.WriteByte(alphabet[b&31])
	}
	return code.String()
}

// ReadCode brings a typed code into the form in which it was made.
func ReadCode(typed string) string {
	var code strings.Builder
	for _, r := range strings.ToUpper(typed) {
		switch r {
		case 'I', 'L':
			r = '1'
		case 'O':
			r = '0'
		}
		if strings.ContainsRune(alphabet, r) {
			code.WriteRune(r)
		}
	}
	return code.String()
}

func hashCode(code string) string {
	sum := sha256.Sum256([]byte(ReadCode(code)))
	return hex.EncodeToString(sum[:])
}

// Invited is what somebody reads who opens an invitation.
type Invited struct {
	Person Person
	By     string
	Until  time.Time
}

// FindInvitation returns what a code invites to. A code that is unknown, used
// or too old is a NotFound fault "staff.bad_code".
func (s *Service) FindInvitation(ctx context.Context, code, from string) (Invited, error) {
	found, person, err := s.open(ctx, Invite, code, from)
	return Invited{Person: person, By: found.By, Until: found.Until}, err
}

// Accept sets the first password of an invited person and returns who it is.
func (s *Service) Accept(ctx context.Context, code, password, from string) (Person, error) {
	_, person, err := s.open(ctx, Invite, code, from)
	if err != nil {
		return Person{}, err
	}
	return person, s.choose(ctx, person, password, from)
}

// ResetPassword sets a new password with a code from the administration.
func (s *Service) ResetPassword(ctx context.Context, login, code, password, from string) (Person, error) {
	_, person, err := s.open(ctx, Reset, code, from)
	if err != nil {
		return Person{}, err
	}
	if typed, err := ReadLogin(login); err != nil || typed != person.Login {
		// open took its try back: the code was right, the login was not.
		if err := s.tryFrom(ctx, from); err != nil {
			return Person{}, err
		}
		return Person{}, errs.E(errs.NotFound, "staff.bad_code").In("code")
	}
	return person, s.choose(ctx, person, password, from)
}

// open finds what a code is good for, and counts wrong ones per address.
func (s *Service) open(ctx context.Context, kind CodeKind, typed, from string) (Code, Person, error) {
	if err := s.tryFrom(ctx, from); err != nil {
		return Code{}, Person{}, err
	}
	code, err := s.Store.FindCode(ctx, hashCode(typed), s.Now())
	if err == nil && code.Kind != kind {
		err = errs.E(errs.NotFound, "staff.bad_code")
	}
	if errs.Is(err, errs.NotFound) {
		return Code{}, Person{}, errs.E(errs.NotFound, "staff.bad_code").In("code")
	}
	if err != nil {
		return Code{}, Person{}, err
	}
	if err := s.rightFrom(ctx, from); err != nil {
		return Code{}, Person{}, err
	}
	person, err := s.Store.FindStaff(ctx, code.Staff)
	if err == nil && !person.Locked.IsZero() {
		err = errs.E(errs.Denied, "staff.locked")
	}
	return code, person, err
}

func (s *Service) choose(ctx context.Context, person Person, password, from string) error {
	hash, err := s.newPassword(ctx, person, password)
	if err != nil {
		return err
	}
	return s.Store.PutPassword(ctx, may.Self(actorOf(person, from, "console"), person.Home()), person, hash, "")
}

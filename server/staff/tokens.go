package staff

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Program is a long-lived token with a name, for a program.
type Program struct {
	ID        org.ID
	Authority org.ID
	Name      string
	Maker     org.ID // whose grants bound it, now and later
	MakerName string
	Grants    []may.Grant
	Created   time.Time
	Expires   time.Time
	Used      time.Time // zero: never
	Revoked   time.Time // zero: not
}

// Lives of tokens.
const (
	loginLife   = 12 * time.Hour
	longestLife = 2 * 365 * 24 * time.Hour
)

// tokenType keeps a token of a program from being taken for any other signed
// thing of ours (RFC 8725, section 3.11).
const tokenType = "api+jwt"

const keyName = "api-key"

// signing holds the key under which programs' tokens are signed, once read.
type signing struct {
	mu  sync.Mutex
	key ed25519.PrivateKey
}

type claims struct {
	jwt.RegisteredClaims
	Epoch   int64 `json:"epoch,omitempty"`
	Program bool  `json:"program,omitempty"` // jti names a program
}

// Login checks login, password and, where one is in use, the code of the second
// factor, and returns a token for some hours.
func (s *Service) Login(ctx context.Context, attempt Attempt, code string) (token string, until time.Time, person Person, err error) {
	attempt.Via = "api"
	in, err := s.SignIn(ctx, attempt)
	if err != nil {
		return "", time.Time{}, Person{}, err
	}
	switch {
	case in.MustAdd:
		return "", time.Time{}, Person{}, errs.E(errs.Denied, "staff.factor_demanded")
	case in.NeedsCode && code == "":
		return "", time.Time{}, Person{}, errs.E(errs.Denied, "staff.code_needed").In("code")
	case in.NeedsCode:
		if _, err := s.CheckFactor(ctx, in.Person.ID, code, attempt.From, "api"); err != nil {
			return "", time.Time{}, Person{}, err
		}
	}
	token, until, err = s.IssueToken(ctx, in.Person)
	return token, until, in.Person, err
}

// IssueToken returns a bearer token for the person.
func (s *Service) IssueToken(ctx context.Context, person Person) (string, time.Time, error) {
	secrets, err := s.Store.StaffSecrets(ctx, person.ID)
	if err != nil {
		return "", time.Time{}, err
	}
	until := s.Now().Add(loginLife).UTC().Truncate(time.Second)
	token, err := s.sign(ctx, claims{RegisteredClaims: s.registered(person.ID, s.NewID(), until), Epoch: secrets.Epoch})
	return token, until, err
}

func (s *Service) registered(subject, id org.ID, until time.Time) jwt.RegisteredClaims {
	return jwt.RegisteredClaims{
		Subject: subject.String(), ID: id.String(), Audience: jwt.ClaimStrings{"schulwart-api"},
		IssuedAt: jwt.NewNumericDate(s.Now()), ExpiresAt: jwt.NewNumericDate(until),
	}
}

func (s *Service) sign(ctx context.Context, c claims) (string, error) {
	key, err := s.signingKey(ctx)
	if err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	token.Header["typ"] = tokenType
	return token.SignedString(key)
}

// signingKey reads the key, or makes it at first use.
func (s *Service) signingKey(ctx context.Context) (ed25519.PrivateKey, error) {
	s.signing.mu.Lock()
	defer s.signing.mu.Unlock()
	if s.signing.key != nil {
		return s.signing.key, nil
	}
	seed, err := s.Store.Secret(ctx, keyName)
	if err != nil {
		return nil, fmt.Errorf("reading the key of programs' tokens: %w", err)
	}
	if seed == nil {
		seed = make([]byte, ed25519.SeedSize)
		if _, err := rand.Read(seed); err != nil {
			return nil, err
		}
		if seed, err = s.Store.EnsureSecret(ctx, keyName, seed); err != nil {
			return nil, fmt.Errorf("keeping the key of programs' tokens: %w", err)
		}
	}
	s.signing.key = ed25519.NewKeyFromSeed(seed)
	return s.signing.key, nil
}

// Bearer returns who a token speaks for. A token that is not ours, too old or
// revoked is a Denied fault "staff.bad_token".
func (s *Service) Bearer(ctx context.Context, token, from string) (may.Actor, error) {
	key, err := s.signingKey(ctx)
	if err != nil {
		return may.Actor{}, err
	}
	var c claims
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithAudience("schulwart-api"), jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.Now))
	_, err = parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		if t.Header["typ"] != tokenType {
			return nil, jwt.ErrTokenUnverifiable
		}
		return key.Public(), nil
	})
	if err != nil {
		return may.Actor{}, errs.E(errs.Denied, "staff.bad_token").Because(err)
	}
	actor, err := s.speaksFor(ctx, c, from)
	if errs.Is(err, errs.NotFound) {
		return may.Actor{}, errs.E(errs.Denied, "staff.bad_token")
	}
	return actor, err
}

func (s *Service) speaksFor(ctx context.Context, c claims, from string) (may.Actor, error) {
	person, secrets, err := s.own(ctx, may.Actor{ID: org.ID(c.Subject)})
	if err != nil {
		return may.Actor{}, err
	}
	if !person.Locked.IsZero() {
		return may.Actor{}, errs.E(errs.Denied, "staff.locked")
	}
	if c.Program {
		return s.programActor(ctx, person, org.ID(c.ID), from)
	}
	if c.Epoch != secrets.Epoch {
		return may.Actor{}, errs.E(errs.Denied, "staff.bad_token")
	}
	return actorOf(person, from, "api"), nil
}

// programActor returns the program with those of its grants that its maker
// still has.
func (s *Service) programActor(ctx context.Context, maker Person, id org.ID, from string) (may.Actor, error) {
	program, err := s.Store.FindProgram(ctx, id)
	if err != nil {
		return may.Actor{}, err
	}
	if !program.Revoked.IsZero() || program.Maker != maker.ID || !s.Now().Before(program.Expires) {
		return may.Actor{}, errs.E(errs.Denied, "staff.bad_token")
	}
	actor := may.Actor{ID: program.ID, Name: program.Name, Login: maker.Login, From: from, Via: "api"}
	owner := actorOf(maker, from, "api")
	for _, grant := range program.Grants {
		if may.Covers(owner, grant) {
			actor.Grants = append(actor.Grants, grant)
		}
	}
	if s.Now().Sub(program.Used) > touchEvery {
		if err := s.Store.TouchProgram(ctx, id, s.Now()); err != nil {
			return may.Actor{}, err
		}
	}
	return actor, nil
}

// CreateProgram makes a named token. Its grants must be the maker's own or such
// as the maker could give away. The token is returned this once.
func (s *Service) CreateProgram(ctx context.Context, actor may.Actor, name string, grants []may.Grant, days int) (string, Program, error) {
	person, err := s.Store.FindStaff(ctx, actor.ID)
	if err != nil {
		return "", Program{}, err // a program cannot make programs: it is not staff
	}
	name = strings.TrimSpace(name)
	life := time.Duration(days) * 24 * time.Hour
	switch {
	case name == "" || len(name) > 120:
		return "", Program{}, errs.E(errs.Invalid, "program.no_name").In("name")
	case len(grants) == 0:
		return "", Program{}, errs.E(errs.Invalid, "program.no_role").In("role")
	case days <= 0 || life > longestLife:
		return "", Program{}, errs.E(errs.Invalid, "program.bad_life", "most", int(longestLife/(24*time.Hour))).In("days")
	}
	for _, grant := range grants {
		if !may.Covers(actor, grant) {
			return "", Program{}, errs.E(errs.Denied, "program.role_too_wide").In("role")
		}
	}
	now := s.Now().UTC()
	program := Program{
		ID: s.NewID(), Authority: person.Authority, Name: name, Maker: person.ID, MakerName: person.Display(),
		Grants: grants, Created: now, Expires: now.Add(life).Truncate(time.Second),
	}
	token, err := s.sign(ctx, claims{RegisteredClaims: s.registered(person.ID, program.ID, program.Expires), Program: true})
	if err != nil {
		return "", Program{}, err
	}
	return token, program, s.Store.CreateProgram(ctx, may.Self(actor, person.Home()), program)
}

// Programs lists the actor's own named tokens.
func (s *Service) Programs(ctx context.Context, actor may.Actor) ([]Program, error) {
	return s.Store.ListPrograms(ctx, actor.ID)
}

// RevokeProgram voids one of the actor's own tokens at once. Doing it twice is
// harmless.
func (s *Service) RevokeProgram(ctx context.Context, actor may.Actor, id org.ID) error {
	program, err := s.Store.FindProgram(ctx, id)
	if err != nil {
		return err
	}
	if program.Maker != actor.ID {
		return errs.E(errs.NotFound, "not_found")
	}
	if !program.Revoked.IsZero() {
		return nil
	}
	return s.Store.RevokeProgram(ctx, may.Self(actor, org.Branch{Authority: program.Authority}), program, s.Now())
}

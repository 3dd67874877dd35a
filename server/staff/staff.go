// Package staff is people with logins: who they are, how they prove it, and
// what they may do where. Pupils have no logins and are not in here.
package staff

import (
	"context"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Person is somebody with a login.
type Person struct {
	ID         org.ID
	Authority  org.ID // whose staff; empty for the operator's own people
	Salutation string // "Frau", "Herr", or empty
	Name       string // first and last name, as far as known
	Login      string // e-mail address, lower-case
	Lang       string // "de", "en", or empty for what the browser prefers
	Theme      string // "light", "dark", or empty for what the system prefers
	Grants     []may.Grant
	Invited    bool      // has not chosen a password yet
	Locked     time.Time // zero: may sign in
	Factor     bool      // second factor in use
	LastSeen   time.Time // zero: never
	Created    time.Time
	Source     string // "hand", or the import profile that made the login
}

// Display returns the name as pupils and colleagues read it: "Frau Oert", or
// the name as it is where no salutation is known.
func (p Person) Display() string {
	if p.Salutation == "" {
		return p.Name
	}
	return p.Salutation + " " + surname(p.Name)
}

// Full returns the whole name, as lists and letters have it; where only a
// surname is known it keeps its salutation.
func (p Person) Full() string {
	if p.Name == surname(p.Name) {
		return p.Display()
	}
	return p.Name
}

// Roles lists the person's roles, widest first, each once.
func (p Person) Roles() []may.Role {
	var roles []may.Role
	for _, role := range may.Roles {
		if slices.ContainsFunc(p.Grants, func(g may.Grant) bool { return g.Role == role }) {
			roles = append(roles, role)
		}
	}
	return roles
}

// Home is the branch that the person's own audit rows belong to.
func (p Person) Home() org.Branch { return org.Branch{Authority: p.Authority} }

// surname returns the last name, with what belongs to it: "Anna von der Heide"
// is Frau von der Heide.
func surname(name string) string {
	words := strings.Fields(name)
	for i, word := range words {
		if i > 0 && word == strings.ToLower(word) {
			return strings.Join(words[i:], " ")
		}
	}
	if len(words) == 0 {
		return name
	}
	return words[len(words)-1]
}

// ReadName splits what people type into salutation and name: "Frau Maria Oert"
// and "Oert, Maria" are both understood.
func ReadName(typed string) (salutation, name string) {
	words := strings.Fields(typed)
	if len(words) > 1 && (words[0] == "Frau" || words[0] == "Herr") {
		salutation, words = words[0], words[1:]
	}
	name = strings.Join(words, " ")
	if last, first, found := strings.Cut(name, ","); found && strings.TrimSpace(first) != "" {
		name = strings.TrimSpace(first) + " " + strings.TrimSpace(last)
	}
	return salutation, name
}

// Secrets are what a person proves to be known with. They never leave the room.
type Secrets struct {
	Password string // argon2id, PHC string; empty: none chosen yet
	Factor   string // base32 secret in use; empty: none
	Pending  string // base32 secret that waits for its first code
	Step     int64  // last TOTP step used: no code counts twice
	Epoch    int64  // programs' tokens of an older epoch are void
}

// CodeKind says what a code that somebody is handed is good for.
type CodeKind string

// The kinds of codes.
const (
	Invite CodeKind = "invite"
	Reset  CodeKind = "reset"
)

// Code is a secret that was handed over, as the store keeps it.
type Code struct {
	Hash  string // SHA-256 of the code; the code itself is shown once
	Kind  CodeKind
	Staff org.ID
	By    string // name of who made it
	Until time.Time
}

// Filter narrows a list of staff.
type Filter struct {
	Query  string // name or login, anywhere in it
	Role   may.Role
	School org.ID
	Cursor string
	Limit  int // 0 means 50
}

// Store is what the room needs to remember. Each writing method is one
// transaction with its audit row.
type Store interface {
	FindStaff(ctx context.Context, id org.ID) (Person, error)
	FindLogin(ctx context.Context, login string) (Person, error)
	// ListStaff lists people who have a grant in one of the branches, by name.
	ListStaff(ctx context.Context, branches []org.Branch, filter Filter) (people []Person, next string, err error)
	// CountStaff counts all people, to know whether this is a first run.
	CountStaff(ctx context.Context) (int, error)
	// CreateStaff adds a person, with a code unless its hash is empty. A login
	// that exists is a Conflict fault "staff.login_taken".
	CreateStaff(ctx context.Context, permit may.Permit, person Person, password string, code Code) error
	UpdateStaff(ctx context.Context, permit may.Permit, before, after Person) error
	// AddGrant gives a role. If sessions are shorter with it, the running ones end.
	AddGrant(ctx context.Context, permit may.Permit, person Person, grant may.Grant) error
	RemoveGrant(ctx context.Context, permit may.Permit, person Person, grant may.Grant) error
	// LockStaff locks (or with a zero instant unlocks) and ends all sessions.
	LockStaff(ctx context.Context, permit may.Permit, person Person, at time.Time) error
	TouchStaff(ctx context.Context, id org.ID, at time.Time) error

	StaffSecrets(ctx context.Context, id org.ID) (Secrets, error)
	// PutPassword sets the password, ends all sessions but the one kept, voids
	// tokens and every open code.
	PutPassword(ctx context.Context, permit may.Permit, person Person, password, keepSession string) error
	// PutFactor changes the second factor. Empty strings remove it.
	PutFactor(ctx context.Context, permit may.Permit, person Person, factor, pending string) error
	// UseStep notes a used TOTP step; false if it or a later one was used.
	UseStep(ctx context.Context, id org.ID, step int64) (bool, error)

	// PutCode replaces the person's open codes of the kind.
	PutCode(ctx context.Context, permit may.Permit, person Person, code Code) error
	FindCode(ctx context.Context, hash string, at time.Time) (Code, error)

	// PutHandover keeps a secret, sealed, about a thing for who made it. Handover
	// returns nil if there is none or its time is over. DeleteHandover reports
	// whether there was one.
	PutHandover(ctx context.Context, by, about org.ID, secret []byte, until time.Time) error
	Handover(ctx context.Context, by, about org.ID, at time.Time) ([]byte, error)
	DeleteHandover(ctx context.Context, by, about org.ID) (bool, error)

	// CountTry notes a try of the key and returns until when the key has to
	// wait, zero if this try may go on. A try that has to wait is not counted,
	// so that knocking does not lengthen the wait. ClearTries forgets all tries,
	// TakeTryBack one.
	CountTry(ctx context.Context, key string, at time.Time, wait func(n int) time.Duration, forget time.Duration) (until time.Time, err error)
	TakeTryBack(ctx context.Context, key string) error
	ClearTries(ctx context.Context, key string) error

	ListSessions(ctx context.Context, id org.ID, at time.Time) ([]Session, error)
	EndSession(ctx context.Context, permit may.Permit, person Person, session string) error
	EndSessions(ctx context.Context, permit may.Permit, person Person, keep string) error
	RecordSignIn(ctx context.Context, permit may.Permit, person Person, how string) error

	CreateProgram(ctx context.Context, permit may.Permit, program Program) error
	FindProgram(ctx context.Context, id org.ID) (Program, error)
	ListPrograms(ctx context.Context, maker org.ID) ([]Program, error)
	RevokeProgram(ctx context.Context, permit may.Permit, program Program, at time.Time) error
	TouchProgram(ctx context.Context, id org.ID, at time.Time) error

	Setting(ctx context.Context, name string) (string, error)
	Secret(ctx context.Context, name string) ([]byte, error)
	// EnsureSecret keeps a secret unless there is one, and returns what is kept.
	EnsureSecret(ctx context.Context, name string, secret []byte) ([]byte, error)
}

// Service is the room.
type Service struct {
	Store Store
	NewID func() org.ID
	Now   func() time.Time
	// FactorRoles are roles that must use a second factor.
	FactorRoles []may.Role
	hashing     hasher
	signing     signing
}

// New makes the room.
func New(store Store, newID func() org.ID) *Service {
	return &Service{Store: store, NewID: newID, Now: time.Now, hashing: newHasher()}
}

// Actor returns the person as may asks for it, with the grants of now. A locked
// or unknown person is a Denied fault.
func (s *Service) Actor(ctx context.Context, id org.ID, from string) (may.Actor, error) {
	person, err := s.Store.FindStaff(ctx, id)
	if err != nil {
		return may.Actor{}, err
	}
	if !person.Locked.IsZero() {
		return may.Actor{}, errs.E(errs.Denied, "staff.locked")
	}
	return actorOf(person, from, "console"), nil
}

func actorOf(person Person, from, via string) may.Actor {
	return may.Actor{ID: person.ID, Name: person.Display(), Login: person.Login, Grants: person.Grants, From: from, Via: via}
}

// Me returns the actor's own account.
func (s *Service) Me(ctx context.Context, actor may.Actor) (Person, error) {
	return s.Store.FindStaff(ctx, actor.ID)
}

// List lists staff of the actor's branches.
func (s *Service) List(ctx context.Context, actor may.Actor, filter Filter) ([]Person, string, error) {
	branches := may.Branches(actor, may.StaffRead)
	if len(branches) == 0 {
		return nil, "", errs.E(errs.Denied, "denied", "action", string(may.StaffRead))
	}
	return s.Store.ListStaff(ctx, branches, filter)
}

// Find returns a person whom the actor may see.
func (s *Service) Find(ctx context.Context, actor may.Actor, id org.ID) (Person, error) {
	person, _, err := s.find(ctx, actor, may.StaffRead, id)
	return person, err
}

// find returns a person and the permit for the action in a branch of theirs.
// Somebody without a grant in reach is not found.
func (s *Service) find(ctx context.Context, actor may.Actor, action may.Action, id org.ID) (Person, may.Permit, error) {
	person, err := s.Store.FindStaff(ctx, id)
	if err != nil {
		return Person{}, may.Permit{}, err
	}
	fault := error(errs.E(errs.NotFound, "not_found"))
	for _, branch := range branchesOf(person) {
		permit, err := may.Do(actor, action, branch)
		if err == nil {
			return person, permit, nil
		}
		if errs.Is(err, errs.Denied) {
			fault = err
		}
	}
	return Person{}, may.Permit{}, fault
}

// branchesOf lists where a person belongs; somebody without any role left
// belongs to the authority that made the login.
func branchesOf(person Person) []org.Branch {
	if len(person.Grants) == 0 {
		return []org.Branch{person.Home()}
	}
	branches := make([]org.Branch, len(person.Grants))
	for i, grant := range person.Grants {
		branches[i] = grant.Branch
	}
	return branches
}

// owned is find for acts on the account itself. It demands that the actor could
// have given every role that the person has: who resets a password takes over
// all of it.
func (s *Service) owned(ctx context.Context, actor may.Actor, id org.ID) (Person, may.Permit, error) {
	person, permit, err := s.find(ctx, actor, may.StaffWrite, id)
	if err != nil {
		return Person{}, may.Permit{}, err
	}
	for _, grant := range person.Grants {
		if !may.Hands(actor, grant) {
			return Person{}, may.Permit{}, errs.E(errs.Denied, "staff.wider_than_you")
		}
	}
	return person, permit, nil
}

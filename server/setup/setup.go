// Package setup leads through the first set-up of an installation: addresses,
// both doors tried from outside, certificate, mail, backup, the first authority
// and school. It can be left and resumed; each step says what failed and how to
// mend it.
package setup

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Step is one step of the set-up.
type Step string

// The steps, in order.
const (
	StepAddress     Step = "address"
	StepListeners   Step = "listeners"
	StepCertificate Step = "certificate"
	StepMail        Step = "mail"
	StepBackup      Step = "backup"
	StepFirst       Step = "first"
	StepDone        Step = "done"
)

// Steps lists the steps in order.
var Steps = []Step{StepAddress, StepListeners, StepCertificate, StepMail, StepBackup, StepFirst, StepDone}

// State says how a step or a check stands.
type State string

// The states.
const (
	Open    State = "open"
	OK      State = "ok"
	Failed  State = "failed"
	Skipped State = "skipped"
)

// Check is one thing that was tried. Its words are check.<key>; when it failed,
// what to do about it is mend.<mend>. Detail is the technical answer.
type Check struct {
	State  State
	Key    string
	Args   map[string]any
	Mend   string
	Detail string
}

// Forms are the values of all steps.
type Forms struct {
	Address     Address     `json:"address"`
	Certificate Certificate `json:"certificate"`
	Mail        Mail        `json:"mail"`
	Backup      Backup      `json:"backup"`
	First       First       `json:"-"`
}

// Address says under which addresses the doors are reached.
type Address struct {
	PublicURL string `json:"public_url"`
	DeviceURL string `json:"device_url"`
}

// Way is how the console proves who it is.
type Way string

// The ways.
const (
	SelfSigned Way = "self"
	OwnFiles   Way = "files"
	ACME       Way = "acme"
	Proxy      Way = "proxy"
)

// Certificate says how the console proves who it is.
type Certificate struct {
	Way       Way    `json:"way"`
	CertFile  string `json:"cert_file,omitempty"`
	KeyFile   string `json:"key_file,omitempty"`
	ACMEEmail string `json:"acme_email,omitempty"`
	Proxy     string `json:"proxy,omitempty"` // address or network that is believed
}

// Mail says how mail is sent. Password and To are not kept here.
type Mail struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	User     string `json:"user,omitempty"`
	Sender   string `json:"sender"`
	Password string `json:"-"`
	To       string `json:"-"` // of the test message
	Subject  string `json:"-"`
	Text     string `json:"-"`
}

// Backup says where backups go, and to which key.
type Backup struct {
	Directory string `json:"directory"`
	Recipient string `json:"recipient"` // public age key
	Hour      int    `json:"hour"`      // of the school day
}

// First is the first authority with its first school and the first login, which
// is the operator's.
type First struct {
	Authority string
	Timezone  string
	School    string
	Name      string
	Login     string
	Password  string
}

// Store keeps what was set up.
type Store interface {
	Setting(ctx context.Context, name string) (string, error)
	PutSetting(ctx context.Context, name, value string) error
	// SaveSetting keeps a value with its audit row.
	SaveSetting(ctx context.Context, permit may.Permit, name, value string) error
}

// People makes the first places and the first login.
type People interface {
	// Any reports whether anybody has a login.
	Any(ctx context.Context) (bool, error)
	// Begin makes authority, school and login, all or nothing.
	Begin(ctx context.Context, permit may.Permit, first First) error
}

// Mailer sends mail.
type Mailer interface {
	Save(ctx context.Context, mail Mail) error
	Try(ctx context.Context, mail Mail) error
}

// Backups takes the key that backups are encrypted to, and where they go when.
type Backups interface {
	SetLock(ctx context.Context, actor may.Actor, lock string) error
	SetPlan(form Backup)
}

// Service is the room.
type Service struct {
	Store   Store
	People  People
	Mailer  Mailer
	Backups Backups
	// NewKey makes a key pair for backups.
	NewKey func() (public, private string, err error)
	// DeviceRoots is what devices trust; the device door is tried with it.
	DeviceRoots func() *x509.CertPool
	Now         func() time.Time
	// Instance is what this process answers under InstancePath.
	Instance string
	// Data is the folder of the database; backups beside it die with it.
	Data string
	// Defaults are the addresses and files of the configuration.
	Defaults Forms

	// AfterRestart lists the steps whose kept values come into force at the next
	// start only; nil for none.
	AfterRestart func(kept Forms) []Step

	// Roots are trusted for the console instead of the system's, for tests.
	Roots *x509.CertPool
	// Resolve finds the addresses of a name; nil for the system's resolver.
	Resolve func(ctx context.Context, host string) ([]string, error)
}

// InstancePath is where both doors answer with the instance.
const InstancePath = "/.well-known/schulwart-instance"

// NewInstance makes up what a process answers under InstancePath.
func NewInstance() string { return secret() }

func secret() string {
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic("setup: no randomness: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Names under which the room remembers.
const (
	progressName = "setup.progress"
	linkName     = "setup.link"
	keyName      = "setup.key"
)

// progress is what is kept between visits.
type progress struct {
	States map[Step]State `json:"states"`
	Forms  Forms          `json:"forms"`
}

func (s *Service) progress(ctx context.Context) (progress, error) {
	p := progress{Forms: s.Defaults}
	text, err := s.Store.Setting(ctx, progressName)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &p)
	}
	if err != nil {
		return p, fmt.Errorf("reading how far the set-up is: %w", err)
	}
	if p.States == nil {
		p.States = map[Step]State{}
	}
	for _, step := range Steps {
		if p.States[step] == "" {
			p.States[step] = Open
		}
	}
	return p, nil
}

func (s *Service) keep(ctx context.Context, permit may.Permit, p progress) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.Store.SaveSetting(ctx, permit, progressName, string(text))
}

// Link makes a one-time token while nobody has a login, to be printed at start.
// It is empty when the set-up is past that. An older token is void.
func (s *Service) Link(ctx context.Context) (string, error) {
	any, err := s.People.Any(ctx)
	if err != nil || any {
		return "", err
	}
	token := secret()
	return token, s.Store.PutSetting(ctx, linkName, hashOf(token))
}

// Enter changes the one-time token into a key for this browser. The token is
// void after that; a restart of the server prints another one.
func (s *Service) Enter(ctx context.Context, token string) (string, error) {
	known, err := s.Store.Setting(ctx, linkName)
	if err != nil {
		return "", err
	}
	if token == "" || known == "" || known != hashOf(token) {
		return "", errs.E(errs.Denied, "setup.bad_link")
	}
	key := secret()
	if err := s.Store.PutSetting(ctx, keyName, hashOf(key)); err != nil {
		return "", err
	}
	return key, s.Store.PutSetting(ctx, linkName, "")
}

// Actor returns who holds the key: the person at the first set-up, who may do
// everything until it is done.
func (s *Service) Actor(ctx context.Context, key, from string) (may.Actor, error) {
	known, err := s.Store.Setting(ctx, keyName)
	if err != nil {
		return may.Actor{}, err
	}
	if key == "" || known == "" || known != hashOf(key) {
		return may.Actor{}, errs.E(errs.Denied, "setup.bad_link")
	}
	return may.Actor{ID: "setup", Name: "setup", Grants: []may.Grant{{Role: may.Operator}}, From: from, Via: "console"}, nil
}

// Status is how far the set-up is.
type Status struct {
	States map[Step]State
	Forms  Forms // as they were saved; First is never kept
	Next   Step  // the first that is neither done nor skipped
	Done   bool
	// Restart lists the steps whose values come into force at the next start.
	Restart []Step
}

// Status says how far the set-up is.
func (s *Service) Status(ctx context.Context, actor may.Actor) (Status, error) {
	if _, err := may.Do(actor, may.OperationRead, org.Branch{}); err != nil {
		return Status{}, err
	}
	p, err := s.progress(ctx)
	if err != nil {
		return Status{}, err
	}
	status := Status{States: p.States, Forms: p.Forms, Next: StepDone, Done: p.States[StepDone] == OK}
	if s.AfterRestart != nil {
		status.Restart = s.AfterRestart(p.Forms)
	}
	for _, step := range slices.Backward(Steps) {
		if p.States[step] == Open || p.States[step] == Failed {
			status.Next = step
		}
	}
	return status, nil
}

// Check tries a step with the values of the form, and keeps nothing.
func (s *Service) Check(ctx context.Context, actor may.Actor, step Step, forms Forms) ([]Check, error) {
	if _, err := may.Do(actor, may.OperationRun, org.Branch{}); err != nil {
		return nil, err
	}
	return s.check(ctx, step, forms)
}

func (s *Service) check(ctx context.Context, step Step, forms Forms) ([]Check, error) {
	switch step {
	case StepAddress:
		return s.checkAddress(ctx, forms.Address), nil
	case StepListeners:
		p, err := s.progress(ctx)
		if err != nil {
			return nil, err
		}
		return s.checkListeners(ctx, p.Forms.Address, p.Forms.Certificate), nil
	case StepCertificate:
		p, err := s.progress(ctx)
		if err != nil {
			return nil, err
		}
		return s.checkCertificate(ctx, forms.Certificate, p.Forms.Address), nil
	case StepMail:
		return s.checkMail(ctx, forms.Mail), nil
	case StepBackup:
		return s.checkBackup(forms.Backup), nil
	}
	return nil, nil
}

// Save checks a step and keeps its values. A step whose checks failed is kept as
// failed, so that nobody is stuck: some things can be mended only later. Values
// that make no sense are an Invalid fault and not kept.
func (s *Service) Save(ctx context.Context, actor may.Actor, step Step, forms Forms) ([]Check, error) {
	permit, err := may.Do(actor, may.OperationRun, org.Branch{})
	if err != nil {
		return nil, err
	}
	p, err := s.progress(ctx)
	if err != nil {
		return nil, err
	}
	if p.Forms, err = s.take(ctx, actor, permit, step, p.Forms, forms); err != nil {
		return nil, err
	}
	checks, err := s.check(ctx, step, forms)
	if err != nil {
		return nil, err
	}
	p.States[step] = OK
	for _, check := range checks {
		if check.State == Failed {
			p.States[step] = Failed
		}
	}
	if err := s.keep(ctx, permit, p); err != nil {
		return nil, err
	}
	if step == StepBackup {
		s.Backups.SetPlan(p.Forms.Backup)
	}
	if step == StepDone {
		return nil, s.finish(ctx)
	}
	return checks, nil
}

// take puts the values of a step where they belong.
func (s *Service) take(ctx context.Context, actor may.Actor, permit may.Permit, step Step, kept, forms Forms) (Forms, error) {
	switch step {
	case StepAddress:
		address, err := forms.Address.tidy()
		kept.Address = address
		return kept, err
	case StepCertificate:
		kept.Certificate = forms.Certificate
		return kept, forms.Certificate.sane()
	case StepMail:
		kept.Mail = forms.Mail
		return kept, s.Mailer.Save(ctx, forms.Mail)
	case StepBackup:
		kept.Backup = forms.Backup
		if err := forms.Backup.sane(); err != nil {
			return kept, err
		}
		return kept, s.Backups.SetLock(ctx, actor, forms.Backup.Recipient)
	case StepFirst:
		return kept, s.People.Begin(ctx, permit, forms.First)
	case StepListeners:
		return kept, nil
	case StepDone:
		any, err := s.People.Any(ctx)
		if err == nil && !any {
			err = errs.E(errs.Conflict, "setup.nobody_yet")
		}
		return kept, err
	}
	return kept, errs.E(errs.NotFound, "not_found")
}

// finish voids the key: from now on people sign in.
func (s *Service) finish(ctx context.Context) error {
	if err := s.Store.PutSetting(ctx, linkName, ""); err != nil {
		return err
	}
	return s.Store.PutSetting(ctx, keyName, "")
}

// Skip leaves a step for later. The first login cannot wait.
func (s *Service) Skip(ctx context.Context, actor may.Actor, step Step) error {
	permit, err := may.Do(actor, may.OperationRun, org.Branch{})
	if err != nil {
		return err
	}
	if !slices.Contains(Steps, step) {
		return errs.E(errs.NotFound, "not_found")
	}
	if step == StepFirst || step == StepDone {
		return errs.E(errs.Conflict, "setup.cannot_skip")
	}
	p, err := s.progress(ctx)
	if err != nil {
		return err
	}
	if p.States[step] != OK {
		p.States[step] = Skipped
	}
	return s.keep(ctx, permit, p)
}

// Kept returns the values that were set up, for whoever starts the doors; empty
// ones were never chosen.
func (s *Service) Kept(ctx context.Context) (Forms, error) {
	p, err := s.progress(ctx)
	return p.Forms, err
}

// All repeats every check with the values that were kept, for the operations
// page. No mail is sent.
func (s *Service) All(ctx context.Context, actor may.Actor) ([]Check, error) {
	if _, err := may.Do(actor, may.OperationRead, org.Branch{}); err != nil {
		return nil, err
	}
	p, err := s.progress(ctx)
	if err != nil {
		return nil, err
	}
	var all []Check
	for _, step := range []Step{StepAddress, StepListeners, StepCertificate, StepBackup} {
		if p.States[step] == Open || p.States[step] == Skipped {
			continue
		}
		checks, err := s.check(ctx, step, p.Forms)
		if err != nil {
			return nil, err
		}
		all = append(all, checks...)
	}
	return all, nil
}

// MakeKey makes a key pair for backups, for who has none. The private half is
// shown once and not kept.
func (s *Service) MakeKey(actor may.Actor) (public, private string, err error) {
	if _, err := may.Do(actor, may.OperationRun, org.Branch{}); err != nil {
		return "", "", err
	}
	return s.NewKey()
}

func (s *Service) resolve(ctx context.Context, host string) ([]string, error) {
	if s.Resolve != nil {
		return s.Resolve(ctx, host)
	}
	return net.DefaultResolver.LookupHost(ctx, host)
}

// passed and failed make the two outcomes of a check.
func passed(key string, args ...any) Check {
	return Check{State: OK, Key: key, Args: pairs(args)}
}

func failed(key, mend string, cause error, args ...any) Check {
	check := Check{State: Failed, Key: key, Mend: mend, Args: pairs(args)}
	if cause != nil {
		check.Detail = cause.Error()
	}
	return check
}

func pairs(args []any) map[string]any {
	if len(args) == 0 {
		return nil
	}
	return errs.E(errs.Invalid, "", args...).Args
}

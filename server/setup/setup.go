// Package setup leads through the first set-up of an installation: addresses,
// both doors tried from outside, certificate, mail, backup, the first authority
// and school. It can be left and resumed; each step says what failed and how to
// mend it.
package setup

import (
	"context"
	"crypto/x509"
	"time"

	"schulwart.org/policies/org"
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

// Names under which the room remembers.
const (
	progressName = "setup.progress"
	linkName     = "setup.link"
	keyName      = "setup.key"
)

// Check tries a step with the values of the form, and keeps nothing.
func (s *Service) Check(ctx context.Context, actor may.Actor, step Step, forms Forms) ([]Check, error) {
	if _, err := may.Do(actor, may.OperationRun, org.Branch{}); err != nil {
		return nil, err
	}
	return s.check(ctx, step, forms)
}

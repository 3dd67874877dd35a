package web

import (
	"strings"
	"time"
)

// SetupStep names a step of the first set-up. Its words are setup.<step>.….
type SetupStep string

// Steps in order.
const (
	SetupAddress     SetupStep = "address"     // address and DNS
	SetupListeners   SetupStep = "listeners"   // both doors, tested from outside in
	SetupCertificate SetupStep = "certificate" // self-signed, own files, ACME, behind a proxy
	SetupMail        SetupStep = "mail"
	SetupBackup      SetupStep = "backup"
	SetupFirst       SetupStep = "first" // first authority, school and admin
	SetupDone        SetupStep = "done"
)

// SetupSteps lists the steps in order.
func SetupSteps() []SetupStep {
	return []SetupStep{SetupAddress, SetupListeners, SetupCertificate, SetupMail, SetupBackup, SetupFirst, SetupDone}
}

// StepState says how a step or a check stands.
type StepState string

// States of a step or check.
const (
	StepOpen    StepState = "open"
	StepOK      StepState = "ok"
	StepFailed  StepState = "failed"
	StepSkipped StepState = "skipped"
)

// SetupPage is one step of the first set-up. States tells of every step how it
// stands, so that the work can be resumed. Of the forms, the one of Step is
// used. Form fields are the names in the comments of the forms; the buttons send
// action=save, action=check or action=skip to PathSetup of the step.
type SetupPage struct {
	Frame
	Step        SetupStep
	States      map[SetupStep]StepState
	Checks      []SetupCheck // what was tried for this step, in order
	Problem     *Problem
	Restart     []SetupStep // saved, and in force after a restart only
	Address     SetupAddressForm
	Certificate SetupCertificateForm
	Mail        SetupMailForm
	Backup      SetupBackupForm
	First       SetupFirstForm
	Done        SetupDoneInfo
}

// SetupCheck is one thing that was tried. What is looked up as check.<key>;
// Mend, when the check failed, as mend.<key>: what to do about it.
type SetupCheck struct {
	State  StepState
	What   Sentence
	Mend   *Sentence
	Detail string // the technical answer, e.g. "dial tcp: connection refused"
}

// SetupAddressForm: public_url, device_url.
type SetupAddressForm struct{ PublicURL, DeviceURL string }

// SetupCertificateForm: way (self|files|acme|proxy), cert_file, key_file,
// acme_email, proxy (its address).
type SetupCertificateForm struct {
	Way, CertFile, KeyFile, ACMEEmail, Proxy string
	Fingerprint                              string // SHA-256 of the certificate in use; "" when none
	NotAfter                                 time.Time
}

// SetupMailForm: host, port, user, password, sender, to (for the test message).
type SetupMailForm struct{ Host, Port, User, Sender, To string }

// SetupBackupForm: directory, recipient (age public key), hour.
type SetupBackupForm struct {
	Directory, Recipient string
	Hour                 int    // of the day, school time
	NewKey               string // a private key made for the person, shown once; "" when none
}

// SetupFirstForm: authority, school, name, email, password, again.
type SetupFirstForm struct{ Authority, School, Name, Email string }

// SetupDoneInfo is told at the end.
type SetupDoneInfo struct {
	Skipped  []SetupStep // can be made up for under Betrieb
	LoginURL string
	TokenURL string // makes the first enrolment token
}

// restartNames names what waits for the next start.
func restartNames(f Frame, steps []SetupStep) string {
	names := make([]string, len(steps))
	for i, step := range steps {
		names[i] = f.T("setup." + string(step) + ".name")
	}
	return strings.Join(names, ", ")
}

// Package checkin is the room in which devices say who they are and how they
// are: the life of an enrolment from the first message to the last, what devices
// report, and who was seen when. It knows no HTTP and decides nothing about what
// a device should have.
package checkin

import (
	"time"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
)

// State is where an enrolment stands.
type State string

// The states. Only one enrolment of a device is Enrolled.
const (
	Pending  State = "pending"  // has a certificate, perhaps authenticated
	Enrolled State = "enrolled" // can be told what to do
	Left     State = "left"     // checked out, or replaced by a later enrolment
)

// Enrolment is one key of a device, as the server knows it.
type Enrolment struct {
	ID          org.ID
	Authority   org.ID
	School      org.ID
	Device      org.ID // empty until Authenticate
	UDID        string // empty until Authenticate, where the certificate named none
	Serial      string // of the hardware; empty if unknown
	Platform    org.Platform
	State       State
	Supervised  bool
	Token       org.ID // enrolment token that it came by
	Certificate string // the one that speaks: SHA-256, hexadecimal
	Expires     time.Time
	Revoked     bool
}

// Branch returns the school that the device belongs to.
func (e Enrolment) Branch() org.Branch { return org.Branch{Authority: e.Authority, School: e.School} }

// Certificate is what a certificate says of itself, read by the door. Whoever
// made one has proved that it holds the key.
type Certificate struct {
	Hash      string // SHA-256 of the whole certificate, hexadecimal
	Authority org.ID // as our authority wrote it into the certificate …
	Enrolment org.ID // … empty if it is not ours
	Serial    string // of the certificate
	Expires   time.Time
}

// Push is how an Apple device is woken.
type Push struct {
	Topic string
	Magic string
	Token []byte
}

// Hardware is what a device says of its make at Authenticate.
type Hardware struct {
	UDID      string
	Serial    string
	Name      string
	Model     string
	System    string // version of the operating system
	Platform  org.Platform
	Apple     bool
	Simulated bool
}

// Refusal returns the fault for a device that is not let in. Doors answer it with
// 400 and the reason, never with 401.
func Refusal(reason string) *errs.Error {
	return errs.E(errs.Denied, "device."+reason, "reason", reason)
}

// Reason returns why a device was refused, empty if the fault is another one.
func Reason(err error) string {
	fault := errs.Find(err)
	if fault == nil || fault.Kind != errs.Denied {
		return ""
	}
	reason, _ := fault.Args["reason"].(string)
	return reason
}

// Usable refuses certificates that no message may come with.
func (e Enrolment) Usable(at time.Time) error {
	switch {
	case e.Revoked:
		return Refusal(mdm.RefusedRevoked)
	case !e.Expires.IsZero() && at.After(e.Expires):
		return Refusal(mdm.RefusedExpired)
	}
	return nil
}

// Speaks refuses messages of another device than the one that the certificate
// was bound to.
func (e Enrolment) Speaks(from mdm.Enrollment) error {
	id, err := from.DeviceID()
	if err != nil {
		return Refusal(mdm.RefusedMessage).Because(err)
	}
	if e.UDID == "" {
		return Refusal(mdm.RefusedAnew)
	}
	if e.UDID != id {
		return Refusal(mdm.RefusedClone)
	}
	return nil
}

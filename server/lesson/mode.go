// Package lesson starts, extends and ends class modes, and says what each
// device of a mode does. A mode becomes one signed lease per device; the device
// keeps it by itself.
package lesson

import (
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

// Mode is what a teacher switched on for a group or for ticked devices.
type Mode struct {
	ID      org.ID
	Branch  org.Branch // authority, school, and the group if it targets one
	Kind    lease.Kind
	Rules   lease.Rules
	Starts  time.Time
	Ends    time.Time
	Ended   time.Time // when somebody ended it before its time; zero if nobody did
	Staff   org.ID    // who started it
	ByName  string    // as pupils and colleagues read it
	Reason  string
	Created time.Time
	Changed time.Time
}

// Running reports whether the mode holds at the instant.
func (m Mode) Running(at time.Time) bool {
	return m.Ended.IsZero() && !at.Before(m.Starts) && at.Before(m.Ends)
}

// Over reports whether the mode is past its end, or was ended.
func (m Mode) Over(at time.Time) bool { return !m.Ended.IsZero() || !at.Before(m.Ends) }

// State is what is known of a mode on one device.
type State string

// The states. Only what the device read back is active.
const (
	Planned     State = "planned"     // geplant: signed, not yet on the device
	Delivered   State = "delivered"   // zugestellt: fetched by the device, not yet read back
	Active      State = "active"      // aktiv: read back by the device
	Deviating   State = "deviating"   // abweichend: read back, and not as wanted
	Unreachable State = "unreachable" // nicht erreichbar
	Ended       State = "ended"       // beendet: read back, or never begun
)

// States lists the states in the order in which a board counts them.
var States = []State{Planned, Delivered, Active, Deviating, Unreachable, Ended}

// Reason explains a state: a key under "state." in web/locale, with arguments.
type Reason struct {
	Key  string            `json:"key"`
	Args map[string]string `json:"args,omitempty"`
}

// Lease is a mode on one device, as the server remembers it.
type Lease struct {
	ID        org.ID // the jti
	Branch    org.Branch
	Mode      org.ID
	Device    org.ID
	Enrolment org.ID
	Platform  org.Platform
	Rev       int
	Kind      lease.Kind
	Rules     lease.Rules
	Starts    time.Time
	Ends      time.Time
	KeepUntil time.Time // how long it stays in the manifest
	ByName    string
	Reason    string

	// Away says that it was let go because its device left the group or is
	// absent, and that it is meant again when it comes back.
	Away bool

	DeliveredRev int // highest revision that the device fetched
	// What the device last said of it.
	Phase       ddm.LeasePhase // empty if it never did
	PhaseReason *ddm.Reason
	ReportedRev int
	Since       time.Time // when what is known last changed (server time)
	Parts       []ddm.Part
}

// Signed returns the content that is signed for the device.
func (l Lease) Signed(issuer string) lease.Lease {
	return lease.Lease{
		Issuer: issuer, Subject: l.Enrolment, ID: l.ID.String(), Rev: l.Rev, NotBefore: l.Starts, Expires: l.Ends,
		Kind: l.Kind, Rules: l.Rules, By: l.ByName, Reason: l.Reason,
	}
}

// Member is a device that a mode may target.
type Member struct {
	Device    org.ID
	Enrolment org.ID // empty: not enrolled
	Name      string // inventory number
	Person    string // display name, if the school keeps names
	Platform  org.Platform
	Absent    bool
	Simulated bool
	Battery   *int
	Charging  bool
	Seen      time.Time // last contact as stored; presence knows better
}

// DeviceMode is one line of a mode: a device and what is known of it.
type DeviceMode struct {
	Member
	Lease  Lease
	State  State
	Reason Reason
	Since  time.Time // how long it has been so
}

// Package desired decides what a device should have now. It is pure: a snapshot,
// a device and an instant in; declarations, the next instant of change and the
// reasons out. It asks no clock and nobody else, and it does not fail.
package desired

import (
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

// Snapshot is everything that the answer depends on, for the devices of one
// school.
type Snapshot struct {
	Issuer string // of leases
	KeyID  string // key that signs leases now; part of a lease's content hash
	// Announced are the statements from which a device that knows an old lease
	// key learns the newer ones (lease.SigningKey.Announce), oldest first.
	Announced []string
	Branch    org.Branch
	Name      string    // the school's name, as pupils may read it
	Policies  []Policy  // of all levels above and in the school, in any order
	Leases    []Granted // of all devices of the school, in any order
}

// Policy is one family's value at one place.
type Policy struct {
	Level     org.Level
	Place     org.ID // authority, school, group or device; empty for the operator
	WebFilter catalog.WebFilter
}

// Granted is a lease with the device that it was granted to.
type Granted struct {
	Device org.ID
	Lease  lease.Lease
	// Until is how long the lease stays in the manifest, at least its original
	// end: absence never ends a lease, so an early end must stay readable.
	Until time.Time
}

// Device is what of a device the answer depends on.
type Device struct {
	ID        org.ID
	Enrolment org.ID
	Platform  org.Platform
	Groups    []org.ID
	Schema    int // highest declaration schema that the device understands
}

// State is what a device should have.
type State struct {
	Declarations []ddm.Declaration // ordered by identifier; leases carry claims, not yet signatures
	Token        string
	Next         time.Time // when the answer changes by the clock alone; zero if never
	Why          []Why
}

// Why names one thing that holds and where it comes from.
type Why struct {
	Key   string            `json:"key"` // "webfilter", "mode.offline"
	Args  map[string]string `json:"args,omitempty"`
	Level org.Level         `json:"level"`
	Place org.ID            `json:"place,omitempty"`
	Until time.Time         `json:"until,omitzero"`
}

// LeasePayload is the payload of a lease declaration. For computes it without
// JWS; the server signs when it serves the declaration.
type LeasePayload struct {
	KeyID string      `json:"kid"`
	Lease lease.Lease `json:"claims"`
	JWS   string      `json:"jws,omitempty"`
}

// Identifiers of declarations.
const (
	LeasePrefix      = "org.schulwart.lease."
	KeyPrefix        = "org.schulwart.lease-key."
	WebFilterID      = "org.schulwart.webfilter"
	SubscriptionsID  = "org.schulwart.subscriptions"
	OrganizationID   = "org.schulwart.organization"
	ActivationID     = "org.schulwart.activation"
	LeaseDeclaration = lease.DeclarationType
)

// StatusItems are what devices are asked to report.
var StatusItems = []string{
	"device.identifier.serial-number", "device.model.family", "device.model.identifier",
	"device.operating-system.version", "management.declarations",
}

// For returns what the device should have at the instant. Same input, same
// bytes, in whatever order the snapshot stores it.
func For(snapshot Snapshot, device Device, at time.Time) State {
	answer := &answer{at: at.UTC()}
	answer.add(organization(snapshot), subscriptions())
	if device.Platform.Agent() {
		answer.keys(snapshot)
		answer.webfilter(snapshot, device)
		answer.leases(snapshot, device)
	}
	return answer.state()
}

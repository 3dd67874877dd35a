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
	"schulwart.org/policies/rollout"
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
	Name      string // the school's name, as pupils may read it
	// Policies and Exceptions are those of all levels above and in the school, in
	// any order.
	Policies   []Policy
	Exceptions []Exception
	// Priorities orders groups: of two groups that say different things the one
	// with the higher priority is nearer, then the one with the smaller id.
	Priorities map[org.ID]int
	Leases     []Granted // of all devices of the school, in any order
	// Offers are the packages that are rolled out where the school is, in any order;
	// Calendar is the school's time, by which devices find their windows.
	Offers   []rollout.Offer
	Calendar rollout.Calendar
	// Wishes are what people picked for a device, by its id: offers to it alone.
	Wishes map[org.ID][]rollout.Offer
}

// Place is where something is said: a level and, below the operator, who there.
type Place struct {
	Level org.Level `json:"level"`
	ID    org.ID    `json:"id,omitempty"` // authority, school, group or device; empty for the operator
}

// Hold says how firmly a place means a field.
type Hold string

// The holds. The zero value is the standard: places below may add and be
// stricter, and anything else is an exception.
const (
	Standard Hold = ""
	Locked   Hold = "locked" // nothing below changes it; only who may write here grants an exception
	Free     Hold = "free"   // a suggestion: places below may say otherwise
)

// Policy is one family's settings at one place.
type Policy struct {
	Place
	Family   string // catalog.Family.Name
	Settings catalog.Settings
	Holds    map[string]Hold // by field; a missing field is Standard
	// Pilot, when it is set, is the only group whose devices it reaches. There it
	// stands in the place of what is said for all.
	Pilot org.ID
}

// Exception is a deviation of one place from what the levels above it say about
// one field. It ends by itself.
type Exception struct {
	ID org.ID
	Place
	Family string
	Field  string
	Value  any // canonical; of a list that adds up, the items that do not hold here
	Starts time.Time
	Until  time.Time
}

// live reports whether the exception holds at the instant.
func (e Exception) live(at time.Time) bool { return !at.Before(e.Starts) && at.Before(e.Until) }

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
	// Supervised matters on Apple's devices only.
	Supervised bool
	Groups     []org.ID
	Schema     int // highest declaration schema that the device understands
}

// State is what a device should have.
type State struct {
	Declarations []ddm.Declaration // ordered by identifier; leases carry claims, not yet signatures
	Token        string
	Next         time.Time // when the answer changes by the clock alone; zero if never
	Settings     []Effective
	Why          []Why // modes
}

// Effective is what holds for one field of one family, and how it came to it.
type Effective struct {
	Family string `json:"family"`
	Field  string `json:"field"`
	Value  any    `json:"value"` // nil where an exception took everything away
	Hold   Hold   `json:"hold,omitempty"`
	// From are all places that say something about the field, from the top to the
	// device, those that were not heard included.
	From []Source `json:"from"`
	// Until is when an exception that decides here ends; zero without one.
	Until time.Time `json:"until,omitzero"`
	// Ability is what the device does with it.
	Ability catalog.Ability `json:"ability"`
	// Missing names what the device lacks for it: "supervision". Empty for nothing.
	Missing string `json:"missing,omitempty"`
}

// Source is what one place says about a field.
type Source struct {
	Place
	Value     any    `json:"value"`
	Effect    Effect `json:"effect"`
	Exception org.ID `json:"exception,omitempty"`
}

// Effect is what became of what a place says.
type Effect string

// The effects.
const (
	Decides    Effect = "decides"    // the value is this place's
	Adds       Effect = "adds"       // to a list
	Tightens   Effect = "tightens"   // it is stricter than what is above
	Agrees     Effect = "agrees"     // it says what holds already
	Excepts    Effect = "excepts"    // an exception
	Overridden Effect = "overridden" // a nearer place decides
	Looser     Effect = "looser"     // not heard: a place above is stricter
	Deviating  Effect = "deviating"  // not heard: the place above means it as standard
	LockedOut  Effect = "locked-out" // not heard: a place above locked it
)

// Why names one thing that holds and where it comes from.
type Why struct {
	Key   string            `json:"key"` // "mode.offline"
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
	ProfilePrefix    = "org.schulwart.profile." // Apple's devices; the family's name follows
	NativePrefix     = "org.schulwart.native."  // Apple's devices; family and part follow
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
	settings := answer.settle(snapshot, device)
	if device.Platform.Agent() {
		answer.keys(snapshot)
		answer.families(settings)
		answer.packages(snapshot, device, settings)
		answer.leases(snapshot, device)
	} else {
		answer.apple(settings, device)
	}
	return answer.state()
}

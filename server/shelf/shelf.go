// Package shelf is self-service: what a school lets pupils and teachers pick, what
// they picked, and what teachers ask for. A pick reaches the device as an offer, by
// the way of every rollout.
package shelf

import (
	"context"
	"slices"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/may"
)

// Audience says who may pick.
type Audience string

// The audiences.
const (
	Pupils   Audience = "pupils" // whoever sits at a device
	Teachers Audience = "teachers"
	All      Audience = "all"
)

// Valid reports whether there is such an audience.
func (a Audience) Valid() bool { return a == Pupils || a == Teachers || a == All }

// Entry is an app that a school lets people pick.
type Entry struct {
	ID        org.ID
	Branch    org.Branch // the school
	Package   rollout.Package
	For       Audience
	Group     org.ID // only devices of the group, and who teaches it; empty for all
	GroupName string
	Staff     org.ID // only this teacher; empty for all
	StaffName string
	ByName    string
	At        time.Time
	Picked    int // devices that have picked it
}

// Device is what of a device decides what may be picked for it.
type Device struct {
	rollout.Member
	Name   string
	Person bool            // it is some pupil's
	Kinds  []org.GroupKind // of its groups
}

// Pupils reports whether pupils use the device. What is for teachers alone is never
// put there.
func (d Device) Pupils() bool {
	return d.Person || slices.ContainsFunc(d.Kinds, func(k org.GroupKind) bool { return k == org.Class || k == org.Course || k == org.Set })
}

// State is how far a pick is, as the device itself said it last.
type State string

// The states of a pick.
const (
	Ordered    State = "ordered"    // the device has not spoken of it yet
	Unlicensed State = "unlicensed" // no licence is free
	Waiting    State = "waiting"    // for its time: never in a lesson or an examination
	Loading    State = "loading"
	Installing State = "installing"
	There      State = "there" // the system itself says so
	Failed     State = "failed"
	Unable     State = "unable"
)

// Wish is an app that was picked for a device.
type Wish struct {
	ID         org.ID
	Entry      org.ID
	Branch     org.Branch // the school
	Device     org.ID
	DeviceName string
	Package    rollout.Package
	By         org.ID // staff; empty for whoever sat at the device
	ByName     string
	At         time.Time
	Said       *ddm.PackageStatus // the device's word, nil for none
	Lacks      bool               // it waits for a licence
}

// State says how far the wish is.
func (w Wish) State() State {
	if w.Lacks {
		return Unlicensed
	}
	if w.Said == nil {
		return Ordered
	}
	switch rollout.Wish(w.ID, w.Branch, w.Package, w.At).Judge(*w.Said) {
	case rollout.OutcomeVerified:
		return There
	case rollout.OutcomeFailed:
		return Failed
	case rollout.OutcomeUnable:
		return Unable
	case rollout.OutcomeNone:
		return Ordered
	}
	switch w.Said.State {
	case ddm.PackageLoading:
		return Loading
	case ddm.PackageInstalling:
		return Installing
	}
	return Waiting
}

// Answer is what a school said to a request.
type Answer string

// The answers.
const (
	Open    Answer = "open"
	Granted Answer = "granted"
	Refused Answer = "refused"
)

// Request is an app that a teacher asks for.
type Request struct {
	ID        org.ID
	Branch    org.Branch // the school
	Staff     org.ID
	StaffName string
	Package   org.ID // of the catalogue; empty where it is not there
	Title     string
	Why       string
	At        time.Time
	Answer    Answer
	Reason    string // of the school
	ByName    string // who answered
	Answered  time.Time
}

// Store keeps what the room needs. Each method that writes is one transaction with
// its audit row; picks give licences out anew and mark the devices.
type Store interface {
	ListEntries(ctx context.Context, school org.Branch) ([]Entry, error)
	FindEntry(ctx context.Context, id org.ID) (Entry, error)
	// AddEntry is the Conflict fault "shelf.exists" where the same is there already.
	AddEntry(ctx context.Context, permit may.Permit, e Entry) error
	// RemoveEntry takes the app away from those that picked it, too.
	RemoveEntry(ctx context.Context, permit may.Permit, e Entry) error

	FindPickDevice(ctx context.Context, id org.ID) (Device, error)
	WishesOf(ctx context.Context, device Device) ([]Wish, error)
	WishesIn(ctx context.Context, school org.Branch) ([]Wish, error)
	FindWish(ctx context.Context, id org.ID) (Wish, error)
	// MakeWish does nothing where the device has the wish already.
	MakeWish(ctx context.Context, permit may.Permit, w Wish) error
	DropWish(ctx context.Context, permit may.Permit, w Wish) error

	RequestsIn(ctx context.Context, school org.Branch) ([]Request, error)
	RequestsOf(ctx context.Context, staff org.ID) ([]Request, error)
	FindRequest(ctx context.Context, id org.ID) (Request, error)
	MakeRequest(ctx context.Context, permit may.Permit, r Request) error
	// AnswerRequest is the Conflict fault "request.answered" where somebody did before;
	// with an entry it puts that on the shelf, unless the same is there.
	AnswerRequest(ctx context.Context, permit may.Permit, r Request, entry *Entry) error

	// GroupsTaught lists the groups that somebody teaches.
	GroupsTaught(ctx context.Context, staff org.ID) ([]org.ID, error)
	FindTarget(ctx context.Context, level org.Level, id org.ID) (org.Branch, error)
	PersonBehind(ctx context.Context, actor org.ID) (org.ID, error)
}

// Catalogue finds packages that an actor sees; FindPackage those of an authority,
// without asking who.
type Catalogue interface {
	Package(ctx context.Context, actor may.Actor, id org.ID) (pack rollout.Package, authority org.ID, err error)
	OfAuthority(ctx context.Context, authority org.ID) ([]rollout.Package, error)
}

// Licences tells the conditions of an app in a school.
type Licences interface {
	Terms(ctx context.Context, school org.Branch, app rollout.App) (rollout.Terms, error)
}

// Service is the room.
type Service struct {
	Store     Store
	Catalogue Catalogue
	Licences  Licences
	Changes   interface{ Wake() }
	NewID     func() org.ID
	Now       func() time.Time
}

// Offer is an entry as somebody reads it who may pick it.
type Offer struct {
	Entry
	rollout.Terms
	Wish *Wish // of the device; nil where it was not picked, or no device is meant
}

// Package rollout brings packages to devices ring by ring: it keeps plans, counts
// what devices read back, and has the ground decide what follows. It makes no
// declarations; desired does, from what is kept here.
package rollout

import (
	"context"
	"strconv"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/may"
)

// Rollout is one package on its way.
type Rollout struct {
	ID      org.ID
	Branch  org.Branch // of the authority, or of the one school that is meant
	Title   string
	Package rollout.Package
	Former  *rollout.Package // nil: whoever goes back has it removed
	Plan    rollout.Plan
	Status  rollout.Status
	By      org.ID
	ByName  string
	Created time.Time
	Started time.Time
	Changed time.Time
}

// Offer is the rollout as the ground knows it.
func (r Rollout) Offer() rollout.Offer {
	return rollout.Offer{Plan: r.Plan, Status: r.Status, Started: r.Started, Package: r.Package, Former: r.Former}
}

// Member is a device that a rollout may reach.
type Member struct {
	rollout.Member
	Name string
	Seen time.Time
}

// Word is what a device last said of a rollout's package.
type Word struct {
	ddm.PackageStatus
	At    time.Time // when it came
	Tries int       // how often it came to an end, good or bad
}

// Filter narrows a list of rollouts.
type Filter struct {
	State rollout.State
	Limit int
	After string
}

// DeviceFilter narrows a list of a rollout's devices.
type DeviceFilter struct {
	Ring    int              // counted from 1; 0 for all
	Outcome *rollout.Outcome // nil for all
	Reason  string           // code; empty for all
	Ailing  bool             // only those that are worse off since
	Limit   int
	After   string
	Schools []org.ID // nil for all; Devices says it
}

// Step is one thing that happened to a rollout.
type Step struct {
	At     time.Time
	What   string         // see StepOf
	By     string         // name of the person; empty where it went on by itself
	Status rollout.Status // after it
}

// StepOf names what happened: "planned", "start", "ring" for the next one, "done",
// "halts" by itself, or what a person did. Empty for what needs no telling, as a
// window that opens.
func StepOf(before, after rollout.Status, what string) string {
	switch {
	case before.State == "" && after.State == rollout.Draft:
		return "planned"
	case before.State == "":
		return string(DoStart)
	case what != "goes_on":
		return what
	case after.State == rollout.Done && before.State != rollout.Done:
		return "done"
	case after.Ring != before.Ring:
		return "ring"
	}
	return ""
}

// Store keeps rollouts. Each writing method is one transaction with its audit row
// and the durable mark of the devices that may have another answer now.
type Store interface {
	ListRollouts(ctx context.Context, branches []org.Branch, filter Filter) (list []Rollout, next string, err error)
	FindRollout(ctx context.Context, id org.ID) (Rollout, error)
	CreateRollout(ctx context.Context, permit may.Permit, r Rollout) error
	// SaveStatus is the Conflict fault "rollout.changed" where the status is no longer
	// that of before.
	SaveStatus(ctx context.Context, permit may.Permit, before, after Rollout, what string) error
	// LiveRollouts lists those that are running or wait for a window.
	LiveRollouts(ctx context.Context) ([]Rollout, error)
	// FormerOf returns the package that the last good rollout of the same thing
	// brought to the authority, or is bringing; the id is empty if there was none.
	FormerOf(ctx context.Context, branch org.Branch, pack rollout.Package) (org.ID, error)

	// Reach counts the devices of each school that a rollout would reach, as one that
	// nobody heard of.
	Reach(ctx context.Context, r Rollout) (map[org.ID]rollout.Tally, error)
	// Tallies returns what is kept of a rollout by school. Recount brings it up to date
	// first in the schools where devices came, went, or changed their groups or
	// licences; elsewhere each word keeps it so.
	Tallies(ctx context.Context, r Rollout) (map[org.ID]rollout.Tally, error)
	Recount(ctx context.Context, r Rollout) error
	// ReasonDetails returns what one of the devices that failed for a reason adds to it.
	ReasonDetails(ctx context.Context, authority, rollout org.ID, code string) (map[string]string, error)
	// Steps returns what happened to a rollout, the last first.
	Steps(ctx context.Context, authority, rollout org.ID) ([]Step, error)
	// RolloutDevices lists a rollout's devices by name.
	RolloutDevices(ctx context.Context, r Rollout, filter DeviceFilter) (list []DeviceView, next string, err error)
	// SaveWords keeps what a device says, as far as it says something else. Troubles
	// are those of Troubles.
	SaveWords(ctx context.Context, authority, device org.ID, said []ddm.PackageStatus, troubles *int, at time.Time) error

	// FindTarget returns where a place is: an authority, a school or a group.
	FindTarget(ctx context.Context, level org.Level, id org.ID) (org.Branch, error)
	// Calendars returns the time of each school of a branch.
	Calendars(ctx context.Context, branch org.Branch) (map[org.ID]rollout.Calendar, error)
	PersonBehind(ctx context.Context, actor org.ID) (org.ID, error)
}

// Licences tells for which devices an offer would find no licence.
type Licences interface {
	Short(ctx context.Context, authority org.ID, offer rollout.Offer) (rollout.Shortage, error)
}

// Catalogue finds packages that an actor may roll out, with the authority whose
// they are; empty for the operator's.
type Catalogue interface {
	Package(ctx context.Context, actor may.Actor, id org.ID) (pack rollout.Package, authority org.ID, err error)
}

// Traffic knows from where the sites of a branch had a file.
type Traffic interface {
	Sites(ctx context.Context, branch org.Branch, sha256 string) ([]Site, error)
}

// Service is the room. Traffic may be missing.
type Service struct {
	Store     Store
	Catalogue Catalogue
	Licences  Licences
	Changes   interface{ Wake() }
	NewID     func() org.ID
	Now       func() time.Time
	Traffic   Traffic
}

// RingView is a ring with what became of its devices.
type RingView struct {
	rollout.Ring
	rollout.Figures
	State RingState
	Since time.Time // when it was offered; zero for not yet, or where that is not kept
}

// Name says which ring it is, for programs: "share 5", "group 0193…", "all".
func (r RingView) Name() string {
	switch r.Kind {
	case rollout.RingShare:
		return string(r.Kind) + " " + strconv.FormatFloat(r.Share, 'f', -1, 64)
	case rollout.RingAll:
		return string(r.Kind)
	}
	return string(r.Kind) + " " + r.Place.String()
}

// RingState is how far a ring is.
type RingState string

// The states of a ring.
const (
	RingAhead  RingState = "ahead"  // not offered yet
	RingOpen   RingState = "open"   // offered; the next one waits for it
	RingPassed RingState = "passed" // the next one is offered, too
	RingHalted RingState = "halted" // stopped the rollout
)

// Reason counts devices that failed, or cannot, for the same reason.
type Reason struct {
	Code    string
	Details map[string]string // of one of them
	Devices int
}

// Site is devices of a school behind one line, and from where they had the file, in
// this rollout or another one of the same file.
type Site struct {
	School     org.ID
	Name       string // of the school
	Devices    int
	FromServer int64 // bytes
	FromPeers  int64 // bytes from other devices
	Liars      int   // devices that gave others what the file does not hold
	Single     bool  // each behind a line of its own
}

// View is a rollout with its figures.
type View struct {
	Rollout
	Rings   []RingView
	Reasons []Reason // the most frequent first
	Opens   time.Time
	Closes  time.Time // of the opening that runs or comes next; zero for none
	Sites   []Site    // that had the file, those with most devices first; of Find only
	Steps   []Step    // the last first; of Find only
	MayRun  bool
	// Above says that the authority's rollout is seen by a school: figures, reasons
	// and devices are of the actor's schools alone.
	Above bool
	// Licences says for how many there are some; who stays without waits, and the
	// rollout goes on with the others.
	Licences rollout.Shortage
}

// DeviceView is what is known of one device of a rollout.
type DeviceView struct {
	Member
	Ring    int
	Outcome rollout.Outcome
	Reason  string // code, of those that failed or cannot
	Offered bool
	Ailing  bool  // has it, and is worse off than before
	Word    *Word // nil if it said nothing
}

package standard

import (
	"context"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Store is what the room needs to remember. Each writing method is one
// transaction with its audit row and, where devices may have to change, its
// durable mark.
type Store interface {
	// PolicyPlace returns a place with its names, NotFound if there is none.
	PolicyPlace(ctx context.Context, place desired.Place) (Place, error)
	// CountPlace counts the devices in use that a place reaches.
	CountPlace(ctx context.Context, place Place) (int, error)
	// SaidAt returns what a place itself says to all, by family.
	SaidAt(ctx context.Context, place Place) (map[string]Say, error)
	// PersonBehind returns who made the program that acts, or the person itself.
	PersonBehind(ctx context.Context, id org.ID) (org.ID, error)
	// StaffName returns the display name of somebody with a role that reaches the
	// branch; others are not found.
	StaffName(ctx context.Context, branch org.Branch, staff org.ID) (string, error)
	// FindEyes and SetEyes keep whether a second person is asked for; the empty id
	// is the operator. Eyes that somebody changed since they were read are the
	// Conflict fault "eyes.changed".
	FindEyes(ctx context.Context, authority org.ID) (Eyes, error)
	SetEyes(ctx context.Context, permit may.Permit, authority org.ID, before, after Eyes) error

	ReachStore
	DraftStore
	ExceptionStore
	SheetStore
	TemplateStore
}

// ReachStore reads what is said and whom it reaches.
type ReachStore interface {
	// GroundAt reads what is said in a branch, above it and below it.
	GroundAt(ctx context.Context, branch org.Branch) (Ground, error)
	// Grounds reads it for every school of a branch, as far as it concerns the
	// families; none are all.
	Grounds(ctx context.Context, branch org.Branch, families []string) ([]Ground, error)
	// Crowds counts devices that are alike, but for the groups and devices named;
	// those that understand less than the schema named are counted apart.
	Crowds(ctx context.Context, place Place, groups, devices []org.ID, schema int) ([]Crowd, error)
	// Machines lists the devices of a place one by one, by name.
	Machines(ctx context.Context, place Place, cursor string, limit int) (machines []Machine, next string, err error)
}

// DraftStore keeps drafts and what was published. A draft that somebody changed
// since it was read is the Conflict fault "policy.draft_changed".
type DraftStore interface {
	FindDraft(ctx context.Context, id org.ID) (Draft, error)
	ListDrafts(ctx context.Context, branches []org.Branch, filter DraftFilter) (drafts []Draft, next string, err error)
	CountDrafts(ctx context.Context, branch org.Branch, state State) (int, error)
	CreateDraft(ctx context.Context, permit may.Permit, draft Draft) error
	UpdateDraft(ctx context.Context, permit may.Permit, before, after Draft) error
	// PilotDraft makes a draft hold for its pilot group, EndPilot takes that back,
	// PublishDraft makes it hold for all. A family that is not as the draft's base
	// or the version says is the Conflict fault "policy.clash", one that a pilot
	// tries "policy.pilot_runs".
	PilotDraft(ctx context.Context, permit may.Permit, before, after Draft) error
	EndPilot(ctx context.Context, permit may.Permit, before, after Draft) error
	PublishDraft(ctx context.Context, permit may.Permit, before, after Draft, version Version) error
	FindVersion(ctx context.Context, id org.ID) (Version, error)
	ListVersions(ctx context.Context, branches []org.Branch, filter VersionFilter) (versions []Version, next string, err error)
	VersionsSince(ctx context.Context, place Place, since time.Time) ([]Version, error)
	// UndoVersion publishes a version that takes back the one that it names.
	UndoVersion(ctx context.Context, permit may.Permit, version Version) error
}

// ExceptionStore keeps exceptions.
type ExceptionStore interface {
	FindException(ctx context.Context, id org.ID) (Exception, error)
	ListExceptions(ctx context.Context, branches []org.Branch, filter ExceptionFilter, at time.Time) (list []Exception, next string, err error)
	// LiveExceptions lists those that hold in schools of an authority, or in one
	// school, by school.
	LiveExceptions(ctx context.Context, authority, school org.ID, at time.Time) (map[org.ID][]Exception, error)
	// CountEnding counts those of a branch that end between at and two instants.
	CountEnding(ctx context.Context, branch org.Branch, at, first, second time.Time) (before, until int, err error)
	// CountAsked counts those of a branch of which a second person has to decide
	// something.
	CountAsked(ctx context.Context, branch org.Branch, at time.Time) (int, error)
	CreateException(ctx context.Context, permit may.Permit, e Exception) error
	UpdateException(ctx context.Context, permit may.Permit, before, after Exception) error
	// ExpireExceptions ends those whose time has come.
	ExpireExceptions(ctx context.Context, at time.Time) (int, error)
	// EndingExceptions lists those that end within so many days and were not told
	// of yet for that; Reminded notes that they were.
	EndingExceptions(ctx context.Context, at time.Time, days int) ([]Exception, error)
	Reminded(ctx context.Context, e Exception, days int) error
}

// Service is the room.
type Service struct {
	Store Store
	NewID func() org.ID
	Now   func() time.Time
	// Changes is woken after a commit that devices may have to hear of; nil for
	// nobody.
	Changes interface{ Wake() }
	// Mail reminds owners of exceptions; nil for nobody.
	Mail Mail
	// Schema is that of the declarations that devices are sent; zero for this
	// build's.
	Schema int
	// Atomically makes the store calls inside of it one transaction. It may run
	// them twice.
	Atomically func(ctx context.Context, do func(ctx context.Context) error) error
}

// Mail writes to people in their language.
type Mail interface {
	// Remind tells the owner that the exception ends in so many days. Without
	// mail set up it does nothing.
	Remind(ctx context.Context, owner org.ID, e Exception, days int) error
}

func (s *Service) wake() {
	if s.Changes != nil {
		s.Changes.Wake()
	}
}

// schema is that of the declarations that devices are sent.
func (s *Service) schema() int {
	if s.Schema > 0 {
		return s.Schema
	}
	return ddm.Schema
}

// now is the instant to keep: what is stored has milliseconds.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

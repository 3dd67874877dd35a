package standard

import (
	"context"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Store is what the room needs to remember. Each writing method is one
// transaction with its audit row and, where devices may have to change, its
// durable mark.
type Store interface {
	// PolicyPlace returns a place with its names, NotFound if there is none.
	PolicyPlace(ctx context.Context, place desired.Place) (Place, error)
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
}

// Mail writes to people in their language.
type Mail interface {
	// Remind tells the owner that the exception ends in so many days. Without
	// mail set up it does nothing.
	Remind(ctx context.Context, owner org.ID, e Exception, days int) error
}

var errUnbuilt = errs.E(errs.Unavailable, "unavailable")

// At returns what an editor of a place shows.
func (s *Service) At(ctx context.Context, actor may.Actor, place desired.Place) (Sheet, error) {
	return Sheet{}, errUnbuilt
}

// Place returns a place that the actor may read policies of.
func (s *Service) Place(ctx context.Context, actor may.Actor, place desired.Place) (Place, error) {
	return Place{}, errUnbuilt
}

// Begin makes a draft for a place. Faults of values are an Invalid fault
// "policy.faults", see FaultsOf.
func (s *Service) Begin(ctx context.Context, actor may.Actor, place desired.Place, draft NewDraft) (Draft, error) {
	return Draft{}, errUnbuilt
}

// Draft returns a draft.
func (s *Service) Draft(ctx context.Context, actor may.Actor, id org.ID) (Draft, error) {
	return Draft{}, errUnbuilt
}

// Drafts lists drafts, the latest change first.
func (s *Service) Drafts(ctx context.Context, actor may.Actor, filter DraftFilter) (drafts []Draft, next string, err error) {
	return nil, "", errUnbuilt
}

// Change changes a draft of the actor's own. A proposed one becomes a draft
// again. Faults of values are an Invalid fault "policy.faults", see FaultsOf;
// then nothing was changed.
func (s *Service) Change(ctx context.Context, actor may.Actor, id org.ID, change DraftChange) (Draft, error) {
	return Draft{}, errUnbuilt
}

// Rebase brings a draft onto what is said now: what it changes stays changed,
// everything else is as others published it.
func (s *Service) Rebase(ctx context.Context, actor may.Actor, id org.ID) (Draft, error) {
	return Draft{}, errUnbuilt
}

// Review says what stands between a draft and its publication.
func (s *Service) Review(ctx context.Context, actor may.Actor, id org.ID) (Review, error) {
	return Review{}, errUnbuilt
}

// Propose asks a second person to approve the draft.
func (s *Service) Propose(ctx context.Context, actor may.Actor, id org.ID) (Draft, error) {
	return Draft{}, errUnbuilt
}

// Discard gives a draft up. One whose pilot runs is taken back first.
func (s *Service) Discard(ctx context.Context, actor may.Actor, id org.ID) (Draft, error) {
	return Draft{}, errUnbuilt
}

// Publish publishes a draft for a pilot group or for all. Faults: Conflict
// "policy.clash" if somebody published in between; Invalid "policy.faults" with
// FaultsOf for deviations from above, locked fields and what would strand
// devices; Denied "policy.needs_second" if a second person has to approve.
// The version is the zero value while a pilot runs.
func (s *Service) Publish(ctx context.Context, actor may.Actor, id org.ID, release Release) (Draft, Version, error) {
	return Draft{}, Version{}, errUnbuilt
}

// Approve publishes a proposed draft of somebody else, as its second person.
func (s *Service) Approve(ctx context.Context, actor may.Actor, id org.ID, release Release) (Draft, Version, error) {
	return Draft{}, Version{}, errUnbuilt
}

// TakeBack ends a pilot: its group is as before, the draft is a draft again.
func (s *Service) TakeBack(ctx context.Context, actor may.Actor, id org.ID) (Draft, error) {
	return Draft{}, errUnbuilt
}

// Pilot says how the pilot of a draft fares.
func (s *Service) Pilot(ctx context.Context, actor may.Actor, id org.ID) (PilotResult, error) {
	return PilotResult{}, errUnbuilt
}

// Impact computes what a draft would change, on the devices as they are now.
func (s *Service) Impact(ctx context.Context, actor may.Actor, id org.ID) (Impact, error) {
	return Impact{}, errUnbuilt
}

// ImpactOn is the same for one device.
func (s *Service) ImpactOn(ctx context.Context, actor may.Actor, id, device org.ID) (DeviceImpact, error) {
	return DeviceImpact{}, errUnbuilt
}

// ImpactDevices lists devices of a school with what changes on them, by name,
// changing ones only. The cursor goes on from there.
func (s *Service) ImpactDevices(ctx context.Context, actor may.Actor, id, school org.ID, cursor string, limit int) (devices []DeviceImpact, next string, err error) {
	return nil, "", errUnbuilt
}

// Versions lists what was published, the latest first.
func (s *Service) Versions(ctx context.Context, actor may.Actor, filter VersionFilter) (versions []Version, next string, err error) {
	return nil, "", errUnbuilt
}

// Version returns one.
func (s *Service) Version(ctx context.Context, actor may.Actor, id org.ID) (Version, error) {
	return Version{}, errUnbuilt
}

// Undo takes a version back: the fields that it changed are as before. It is a
// Conflict fault "policy.touched_later" with the later versions' titles, see
// TouchedLater, if one of the fields was changed again since.
func (s *Service) Undo(ctx context.Context, actor may.Actor, id org.ID) (Version, error) {
	return Version{}, errUnbuilt
}

// FourEyes reports whether an authority, or for the empty id the operator, asks
// for a second person. SetFourEyes changes it.
func (s *Service) FourEyes(ctx context.Context, actor may.Actor, authority org.ID) (bool, error) {
	return false, errUnbuilt
}

// SetFourEyes says whether changes need a second person.
func (s *Service) SetFourEyes(ctx context.Context, actor may.Actor, authority org.ID, on bool) error {
	return errUnbuilt
}

// Except files an exception.
func (s *Service) Except(ctx context.Context, actor may.Actor, wanted NewException) (Exception, error) {
	return Exception{}, errUnbuilt
}

// Exception returns one as the register shows it.
func (s *Service) Exception(ctx context.Context, actor may.Actor, id org.ID) (Entry, error) {
	return Entry{}, errUnbuilt
}

// Extend gives an exception a later end, with a new reason if one is given.
func (s *Service) Extend(ctx context.Context, actor may.Actor, id org.ID, until time.Time, reason string) (Exception, error) {
	return Exception{}, errUnbuilt
}

// End ends an exception before its time.
func (s *Service) End(ctx context.Context, actor may.Actor, id org.ID) (Exception, error) {
	return Exception{}, errUnbuilt
}

// Register lists exceptions, the next end first.
func (s *Service) Register(ctx context.Context, actor may.Actor, filter ExceptionFilter) (entries []Entry, next string, err error) {
	return nil, "", errUnbuilt
}

// Follows says how far a school follows the standard.
func (s *Service) Follows(ctx context.Context, actor may.Actor, school org.ID) (Follow, error) {
	return Follow{}, errUnbuilt
}

// FollowAll says it of every school of an authority, by school.
func (s *Service) FollowAll(ctx context.Context, actor may.Actor, authority org.ID) (map[org.ID]Follow, error) {
	return nil, errUnbuilt
}

// Today is what of the standard belongs on a start page: of a school, an
// authority or the installation.
func (s *Service) Today(ctx context.Context, actor may.Actor, branch org.Branch) (Today, error) {
	return Today{}, errUnbuilt
}

// Compare lists in what the own words of two places differ: Old is what to
// says, New what from says.
func (s *Service) Compare(ctx context.Context, actor may.Actor, from, to desired.Place) ([]Difference, error) {
	return nil, errUnbuilt
}

// TakeOver brings parts of what from says into a draft of to: into the given
// one, or with an empty id into a new one.
func (s *Service) TakeOver(ctx context.Context, actor may.Actor, from, to desired.Place, draft org.ID, parts []Part) (Draft, error) {
	return Draft{}, errUnbuilt
}

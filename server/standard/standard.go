// Package standard is where people change what devices should have: settings of
// a place, drafts with their impact, publishing, history, and exceptions with an
// end. What holds is decided by desired; this room asks it before and after.
package standard

import (
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
)

// Place is where something can be said: the installation, an authority, a
// school, a group or a device, with what people call it.
type Place struct {
	desired.Place
	Branch    org.Branch    // in the tree; of a device its school
	Name      string        // empty for the installation
	School    string        // name of the school of a group or device
	Kind      org.GroupKind // of a group
	Authority string        // name of the authority
}

// Say is what a place says about one family. Nothing said about a field leaves
// it to the places above.
type Say struct {
	Settings catalog.Settings        `json:"settings,omitempty"`
	Holds    map[string]desired.Hold `json:"holds,omitempty"` // by field; a missing field is Standard
}

// Empty reports whether nothing is said.
func (s Say) Empty() bool { return len(s.Settings) == 0 }

// Wish is what somebody wants a place to say about a family, as a form, JSON or
// YAML brings it. An empty wish takes the family away.
type Wish struct {
	Settings map[string]any          `json:"settings"`
	Holds    map[string]desired.Hold `json:"holds,omitempty"`
}

// Part names one field of a family, or all of the family if the field is empty.
type Part struct {
	Family string `json:"family"`
	Field  string `json:"field,omitempty"`
}

// Difference is one field that differs between two states.
type Difference struct {
	Family  string       `json:"family"`
	Field   string       `json:"field"`
	Old     any          `json:"old"` // nil: nothing said
	New     any          `json:"new"` // nil: nothing said
	OldHold desired.Hold `json:"old_hold,omitempty"`
	NewHold desired.Hold `json:"new_hold,omitempty"`
}

// Fault is what is wrong with a value or stands in the way of publishing it.
type Fault struct {
	Key    string            `json:"key"` // in web/locale under "error."
	Family string            `json:"family"`
	Field  string            `json:"field"` // path: "deny.3", or "networks.2.name"
	Args   map[string]string `json:"args,omitempty"`
	// Place is who decides there, for faults that come from above.
	Place *Place `json:"-"`
	// Exception reports that an exception is the way out; Grants, that this
	// actor could file it.
	Exception bool `json:"exception,omitempty"`
	Grants    bool `json:"grants,omitempty"`
}

// Faults are several; an Invalid fault "policy.faults" carries them as its
// cause, see FaultsOf.
type Faults []Fault

// Leeway is how far a place may go from what holds above it without an
// exception.
type Leeway string

// The leeways.
const (
	LeewayFree     Leeway = "free"     // nobody above says anything, or it is a suggestion: any value
	LeewayMore     Leeway = "more"     // a list adds up: entries may be added
	LeewayStricter Leeway = "stricter" // the same or a stricter value
	LeewayNone     Leeway = "none"     // any other value is an exception
	LeewayLocked   Leeway = "locked"   // locked above: any other value is an exception of the locking place
)

// Field is one field of the editor of a place.
type Field struct {
	Family string
	Field  string
	// Own is what the place itself says; nil if it does not. OwnHold is how
	// firmly. Effect is what becomes of it here, empty if it says nothing.
	Own     any
	OwnHold desired.Hold
	Effect  desired.Effect
	// Above is what holds without the place's own word and exceptions, with its
	// sources; nil if nobody above says anything. Upper is who decides there.
	Above *desired.Effective
	Upper *Place
	// Here is what holds in the place; nil if nothing does.
	Here *desired.Effective
	// Pilot is what a pilot tries here; nil if none does.
	Pilot      any
	Leeway     Leeway
	Exceptions []Exception // of this place, live or to come
	// Change reports whether the actor may say something about it here without
	// an exception; Grant, whether the actor may file an exception here.
	Change, Grant bool
}

// Sheet is everything that an editor of a place shows.
type Sheet struct {
	Place  Place
	Fields []Field // every field of every family, in the catalog's order
	// Names names the places that sources speak of.
	Names    map[desired.Place]Place
	Drafts   []Draft // open ones of this place, newest first
	Devices  int     // in reach
	FourEyes bool
	// What the actor may do here.
	MayPropose, MayPublish, MayApprove bool
}

// State is how far a draft is.
type State string

// The states of a draft.
const (
	Open      State = "draft"
	Proposed  State = "proposed"
	Pilot     State = "pilot"
	Published State = "published"
	Discarded State = "discarded"
)

// Draft is a change that somebody prepares.
type Draft struct {
	ID     org.ID
	Place  Place
	Title  string
	Reason string
	State  State
	// Changes are the families as they shall be, Base all families of the place
	// as they were when the draft began or was rebased last.
	Changes map[string]Say
	Base    map[string]Say
	// Pilot is the group that tries it first: as the author wants it, or as it
	// runs. Empty for none.
	Pilot      org.ID
	PilotName  string
	Source     Source
	Author     org.ID
	AuthorName string
	// Approver is the second person, empty where none was needed or came.
	Approver     org.ID
	ApproverName string
	Created      time.Time
	Changed      time.Time
	Published    time.Time // the pilot's beginning while it runs
	// Secrets are never in it: where one is set, the value is Kept.
}

// Kinds of a Source.
const (
	SourceSchool  = "school"  // taken over from another place
	SourceFile    = "file"    // a sheet
	SourcePreset  = "preset"  // comes with the product
	SourcePackage = "package" // a template of a publisher
	SourceUndo    = "undo"    // takes a version back
)

// Source says where a draft's content comes from.
type Source struct {
	Kind    string        `json:"kind,omitempty"` // empty: somebody typed it
	Place   desired.Place `json:"place,omitzero"`
	Name    string        `json:"name,omitempty"`
	Version org.ID        `json:"version,omitempty"` // that is taken back
	Package org.ID        `json:"package,omitempty"` // that is taken over
}

// Kept stands for a secret that is set and stays as it is.
const Kept = "••••••••"

// NewDraft is what a draft begins with.
type NewDraft struct {
	Title    string
	Reason   string
	Pilot    org.ID
	Families map[string]Wish
	Source   Source
}

// DraftChange is a change by hand; nil leaves a value as it is.
type DraftChange struct {
	Title  *string
	Reason *string
	Pilot  *org.ID
	// Families replace what the draft says about them.
	Families map[string]Wish
	// Leave takes families out of the draft, so that they stay as they are.
	Leave []string
	// Seen is when the draft had changed last as the person saw it; zero for
	// whatever is there now.
	Seen time.Time
}

// DraftFilter narrows a list of drafts.
type DraftFilter struct {
	Place     *desired.Place // of this place only
	Authority org.ID         // of an authority and everything below
	School    org.ID         // of a school and everything below
	States    []State        // none: those that are not finished
	Cursor    string
	Limit     int // 0 means 50
}

// Review is what stands between a draft and its publication, for one actor.
type Review struct {
	Faults []Fault
	// Clashes are families that somebody published in between.
	Clashes []Clash
	// NeedsSecond reports whether a second person has to approve.
	NeedsSecond bool
	// What the actor may do now.
	MayChange, MayPropose, MayPublish, MayApprove, MayDiscard, MayTakeBack bool
}

// Clash is a family that was published by somebody else since the draft began.
type Clash struct {
	Family  string
	Fields  []Difference // from the draft's base to what is said now
	Version org.ID       // the last one that touched it
	Title   string
	ByName  string
	At      time.Time
	// Both are fields that the draft changes, too, to something else.
	Both []string
}

// Release says how a draft is published.
type Release struct {
	// Pilot publishes for one group only; empty: for all.
	Pilot org.ID
	// Seen is when the draft had changed last as the person saw it; zero for
	// whatever is there now.
	Seen time.Time
}

// Version is something that was published.
type Version struct {
	ID           org.ID
	Place        Place
	Draft        org.ID
	Title        string
	Reason       string
	Before       map[string]Say // the families that it touched
	After        map[string]Say
	Undoes       org.ID // the version that this one took back
	Undone       org.ID // the version that took this one back
	By           org.ID
	ByName       string
	Approver     org.ID
	ApproverName string
	At           time.Time
}

// VersionFilter narrows the history.
type VersionFilter struct {
	Place     *desired.Place
	Authority org.ID
	School    org.ID
	Cursor    string
	Limit     int // 0 means 50
}

// PilotResult is how a pilot group fares.
type PilotResult struct {
	Group     org.ID
	Name      string
	Since     time.Time
	Devices   int
	Active    int // have read back what the pilot says
	Waiting   int // have not fetched it yet
	Deviating int // read back something else, or refuse it
	Absent    int // not enrolled
	Lines     []PilotLine
}

// PilotLine is one device of a pilot.
type PilotLine struct {
	Device   org.ID
	Name     string
	State    string // "active", "waiting", "deviating", "absent"
	Family   string // the one that deviates or waits
	Reasons  []Reason
	Reported time.Time
	Seen     time.Time
}

// Reason is a device's own word on why, by a key with arguments.
type Reason struct {
	Code string            `json:"code"`
	Args map[string]string `json:"args,omitempty"`
}

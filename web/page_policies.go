package web

import "time"

// PoliciesPage answers for one place: what holds here, from where, and does this
// place add to it? Filters are the query: q, nur=hier.
type PoliciesPage struct {
	Frame
	Place    PolicyPlace
	Above    []PolicyPlace // from the top down to the place above
	Below    []PolicyPlace // e.g. the schools of an authority; a few
	Query    string
	OnlyHere bool
	Any      bool // somebody says anything here or above
	Topics   []PolicyTopic
	Drafts   []DraftRef // open ones for this place
	Ending   int        // exceptions here that end within 30 days
	MayWrite bool
	MayTake  bool // take over from another school
	// Presets can be begun with here; words preset.<key>, preset.<key>.hint.
	Presets []string
	// FourEyes says that a second person approves what changes here; EyesURL is
	// where that is switched, "" for places that have no say in it.
	FourEyes bool
	EyesURL  string
	// Templates hold here, each in the version that was taken over last; Proposals
	// are newer ones. TemplatesURL leads to all.
	Templates    []TemplateRow
	Proposals    []TemplateProposal
	TemplatesURL string
}

// PolicyTopic gathers the families of a topic; word policy.topic.<topic>.
type PolicyTopic struct {
	Topic    string
	Families []PolicyCard
}

// PolicyCard is one family at a place.
type PolicyCard struct {
	Family string
	Lines  []PolicyLine // fields that hold; empty when nobody says anything
	// Here is what the place itself does: "", decides, adds, tightens, agrees,
	// excepts, unheard. Word policy.here.<here>.
	Here       string
	Exceptions int // that hold here
}

// PolicyLine is one field that holds at a place.
type PolicyLine struct {
	Field PolicyField
	Value PolicyValue
	From  []PolicySource
	Hold  string
	Until time.Time // of the exception that decides
}

// DraftRef leads to a draft.
type DraftRef struct {
	ID      string
	Title   string
	State   string // word draft.state.<state>
	By      string
	Changed time.Time
	Place   PolicyPlace
	Changes int // families that it changes
}

// DraftsPage lists drafts that are open, those that wait for this person first.
type DraftsPage struct {
	Frame
	Waiting []DraftRef // for this person's approval
	Open    []DraftRef
}

// PolicyEditPage is the editor of one family in a draft. Form fields: see
// EditField; add and remove are buttons that draw the form again.
type PolicyEditPage struct {
	Frame
	Draft     DraftRef
	Place     PolicyPlace
	Family    string
	Platforms []PolicyAbility // of the family as a whole
	Fields    []EditField
	Below     bool // something lies below the place, so holds make sense
	Others    []PolicyFamilyLink
	Action    string // address that the form is posted to
	DropURL   string // POST: takes the family out of the draft; "" when it is not in it
	Problems  []Problem
}

// PolicyFamilyLink leads to another family of the same draft.
type PolicyFamilyLink struct {
	Family  string
	URL     string
	Current bool
}

// EditField is one field of the form. Its inputs are named v.<field>; entries
// v.<field>.<n>.<field>, counted by v.<field>.n; its hold hold.<field>. A secret
// that stays as it is is left empty; v.<field>.forget=1 takes it away.
type EditField struct {
	Def       PolicyField
	Value     PolicyValue
	Raw       string // what was typed where it could not be read
	Hold      string
	Above     []PolicySource // what the levels above say
	Effective PolicyValue    // what holds from above
	AboveHold string
	Platforms []PolicyAbility
	// Deviate is the address at which an exception is asked for; "" where nothing
	// above stands in the way.
	Deviate string
	Heard   string // policy.effect.<effect> of what this place says now; "" when it says nothing
}

// States of a draft.
const (
	DraftOpen      = "draft"
	DraftProposed  = "proposed"
	DraftPilot     = "pilot"
	DraftPublished = "published"
	DraftDiscarded = "discarded"
)

// DraftPage is one draft: what changes, for whom, and how it goes on. Form
// fields: title, reason.
type DraftPage struct {
	Frame
	Draft       DraftRef
	Reason      string
	Changes     []PolicyChange
	Impact      *Impact // nil while nothing changes
	Conflicts   []DraftConflict
	Faults      []DraftFault // why it cannot be published
	NeedsTwo    bool         // a second person has to approve it
	ApprovedBy  string
	From        *DraftSource // nil for what somebody typed
	Seen        string       // form field of every action: the state that the person saw
	Pilot       *PilotState
	Groups      []Option // pilot groups to choose from
	GroupQuery  string   // query gruppe: what is looked for among them
	MoreGroups  bool     // there are more than those: they have to be looked for
	AddTo       []PolicyFamilyLink
	MayEdit     bool
	MayPublish  bool
	MayPropose  bool
	MayApprove  bool
	MayPilot    bool
	MayDiscard  bool
	MayEndPilot bool
	Problem     *Problem
}

// DraftSource says where a draft's content comes from: Kind is school, file,
// preset, package or undo; word draft.from.<kind>.
type DraftSource struct {
	Kind   string
	Name   string
	Preset string // key of the preset
	URL    string // to the package or the revision
}

// DraftFault stands in the way of publishing. Way is where it can be mended:
// an exception, or the editor; "" where this person cannot.
type DraftFault struct {
	Field   PolicyField
	Problem Problem
	Place   *PolicyPlace // who decides there, for faults that come from above
	Way     string
	Except  bool // Way leads to an exception
}

// PolicyChange is one field that a draft changes at one place.
type PolicyChange struct {
	Place      PolicyPlace
	Field      PolicyField
	Before     PolicyValue
	After      PolicyValue
	HoldBefore string
	HoldAfter  string
	Added      []string // of a list, what comes and what goes
	Removed    []string
	URL        string // editor; "" when it cannot be changed any more
}

// Impact says what publishing would do.
type Impact struct {
	Devices     int // that change
	Schools     int
	Unable      int // that are meant and cannot
	Looked      int // devices that were looked at
	Lines       []ImpactLine
	MoreLines   int
	Where       []ImpactSchool
	MoreSchools int
	Unables     []ImpactUnable
	Exceptions  []ImpactException // that the draft touches
	Lower       []ImpactWord      // words of places below that are heard no longer
	Heard       []ImpactWord      // and those that are heard again
	Strands     []ImpactStrand    // would cut devices off: nothing of it can be published
	At          time.Time
}

// ImpactException is what becomes of an exception. Needless says that what it
// allows would hold without it.
type ImpactException struct {
	Row      ExceptionRow
	Needless bool
}

// ImpactWord is what a place below says.
type ImpactWord struct {
	Place   PolicyPlace
	Field   PolicyField
	Value   PolicyValue
	Effect  string
	Devices int
}

// ImpactStrand is a combination that would strand devices.
type ImpactStrand struct {
	Problem Problem
	Field   PolicyField
	School  string
	Devices int
}

// ImpactLine is one difference that devices get, and how many.
type ImpactLine struct {
	Field   PolicyField
	Before  PolicyValue
	After   PolicyValue
	Added   []string
	Removed []string
	From    *PolicyPlace // who decides then
	Devices int
}

// ImpactSchool is how many devices of a school change.
type ImpactSchool struct {
	Name    string
	Devices int
	Unable  int
	URL     string // the devices
}

// ImpactUnable is a number of devices that cannot do it, and why. Why is looked up
// as policy.unable.<key>.
type ImpactUnable struct {
	Devices  int
	Platform string
	Field    PolicyField // zero for what concerns the whole device
	Why      string
}

// ImpactDevicesPage lists the devices that a draft changes.
type ImpactDevicesPage struct {
	Frame
	Draft   DraftRef
	School  string
	Devices int // of the school that change
	Rows    []ImpactDevice
	Pager   Pager
}

// ImpactDevice is what changes on one device.
type ImpactDevice struct {
	ID     string
	Name   string
	Lines  []ImpactLine
	Unable []ImpactUnable
}

// DraftConflict is a family that somebody else published since the draft began.
type DraftConflict struct {
	Family  string
	Changes []PolicyChange // from what held then to what holds now
	Both    []PolicyField  // that the draft changes, too, to something else
	Title   string
	By      string
	At      time.Time
	URL     string
}

// PilotState is how a pilot goes.
type PilotState struct {
	Group   string
	Since   time.Time
	Devices int
	Active  int
	Waiting int
	Failed  int
	Absent  int
	Lines   []PilotLine // devices that need a look
}

// PilotLine is a device of a pilot that is not as the pilot wants it.
type PilotLine struct {
	ID     string
	Name   string
	State  State
	Family string
	Reason *Sentence // reason.<key>
	Seen   time.Time
}

// PolicyHistoryPage lists what was published for a place.
type PolicyHistoryPage struct {
	Frame
	Place PolicyPlace
	Above []PolicyPlace
	Rows  []RevisionRow
	Pager Pager
}

// RevisionRow is one publication.
type RevisionRow struct {
	ID         string
	Title      string
	Reason     string
	By         string
	At         time.Time
	ApprovedBy string
	Place      PolicyPlace
	Undoes     bool // it takes another one back
	Undone     bool // it was taken back
	Changes    []PolicyChange
}

// RevisionPage shows one publication and what taking it back would do.
type RevisionPage struct {
	Frame
	Above     []PolicyPlace
	Row       RevisionRow
	Back      []PolicyChange // what taking it back changes
	Later     []RevisionRow  // that changed the same since: they have to go first
	MayRevert bool
	Asks      bool // taking it back waits for a second person
	Problem   *Problem
}

// TakeOverPage shows how another school differs and takes parts. Form fields:
// from, part (repeated: <family>).
type TakeOverPage struct {
	Frame
	Place   PolicyPlace
	Above   []PolicyPlace
	From    []Option // schools to choose from
	Name    string   // of the one chosen
	Parts   []TakePart
	Problem *Problem
}

// TakePart is one family that differs.
type TakePart struct {
	Value   string // of the form
	Family  string
	Changes []PolicyChange // Before is ours, After theirs
}

package web

import "time"

// ModeKind is what a teacher can switch on. Its words are mode.<kind>.….
type ModeKind string

// Kinds of modes, in order of precedence.
const (
	ModeScreen  ModeKind = "screen"
	ModeOffline ModeKind = "offline"
	ModeSites   ModeKind = "sites"
	ModeFocus   ModeKind = "focus"
)

// State of an intent on a device, as the device itself has read it back. Its
// word is state.<state>; shape and colour belong to it.
type State string

// States. Ready and Absent are said of devices without a mode: in touch and
// free, and ticked off by the teacher.
const (
	StatePlanned     State = "planned"
	StateDelivered   State = "delivered"
	StateActive      State = "active"
	StateDeviating   State = "deviating"
	StateUnreachable State = "unreachable"
	StateEnded       State = "ended"
	StateReady       State = "ready"
	StateAbsent      State = "absent"
)

// BoardPage is a teacher's class. The page listens to PathBoardLive: each event
// is named "board" and carries any of TileFragment, ModesFragment,
// SummaryFragment, AttentionFragment and TilesFragment one after the other, each
// with OOB set: they find their places by their ids (hx-swap-oob). A comment line every 15 s keeps proxies
// from closing the stream. After a gap the page fetches PathBoardPart.
type BoardPage struct {
	Frame
	Group      GroupRef
	Room       string  // "" when unknown
	Period     *Period // lesson that runs now
	Substitute *Substitution
	Borrowed   *time.Time // until when the person holds this set
	StandIns   []StandIn  // colleagues who stand in here now
	Live       BoardLive
	Print      string   // of what Live shows; the stream asks with it whether the page is behind already
	Problem    *Problem // of a mode that could not be started or ended
}

// BoardLive is what moves on the board. BoardLiveFragment draws all of it with
// OOB set, as PathBoardPart answers.
type BoardLive struct {
	Modes     ModesPart
	Summary   SummaryPart
	Attention AttentionPart
	Tiles     TilesPart
}

// TilesPart is all tiles of the board. It is drawn by TilesFragment, which is
// sent when a device joins or leaves the group.
type TilesPart struct {
	Frame Frame
	Group GroupRef
	Tiles []TilePart // by name, so that nothing jumps
	OOB   bool
}

// ModesPart is the row of modes and what runs. It is drawn by ModesFragment.
type ModesPart struct {
	Frame      Frame
	Group      GroupRef
	Devices    int       // in the group
	Last       *LastMode // "Wie letzte Stunde"; nil when there was none
	DefaultEnd time.Time // of a mode started now
	Running    []RunningMode
	Blocked    *Problem       // why no mode can be started here, e.g. a colleague holds the set; nil when one can
	Codes      []OfflineCodes // release codes of running leases, kept in the page for when the server is down
	OOB        bool
}

// LastMode is what the person had here the last time. Posting last=1 starts it
// again.
type LastMode struct {
	Kind  ModeKind
	What  string // the list or programs, e.g. "GeoGebra"
	Until time.Time
}

// RunningMode is one mode on (part of) the group.
type RunningMode struct {
	ID      string
	Kind    ModeKind
	What    string // names of lists, hosts or programs, joined; "" when the kind says all
	Message string // of screen
	By      string // who started it
	Mine    bool   // by this person
	Group   string // name of the group it was started for, when it is another one
	Starts  time.Time
	Ends    time.Time
	Devices int // how many it is for; 0 when all of the group
	MayEnd  bool
	MaxEnd  time.Time // +10 minutes is not offered beyond it
	Planned bool      // begins by itself at Starts
	Covered string    // by whom the same kind was started later and rules now; "" otherwise
}

// SummaryPart counts the devices. It is the only part that speaks up
// (aria-live). It is drawn by SummaryFragment.
type SummaryPart struct {
	Frame  Frame
	Group  GroupRef
	Total  int
	Counts map[State]int
	OOB    bool
}

// AttentionPart holds the tiles that need a look. It is drawn by
// AttentionFragment.
type AttentionPart struct {
	Frame Frame
	Group GroupRef
	Tiles []TilePart
	OOB   bool
}

// TilePart is one device of the board. It is drawn by TileFragment, which
// replaces the tile's inside and leaves its tick box alone, so that nobody's
// focus or choice is lost.
type TilePart struct {
	Frame     Frame
	Group     string // id
	Device    string // id
	Name      string // the pupil's, or else the inventory tag
	Tag       string // inventory tag; "" when it is the name
	Platform  string // PlatformLinux …
	Battery   int    // per cent; -1 when unknown
	State     State
	Since     time.Time // beginning of the state
	Seen      time.Time // last contact; zero when never
	Reason    *Sentence // why, looked up as reason.<key>
	Parts     []PartState
	Mode      string // id of the mode that rules here; "" when none
	Code      bool   // a release code can be had
	Absent    bool
	Simulated bool
	Opens     bool // the person may open the device's page
	OOB       bool
}

// PartState is what was read back of one part of a mode. Part is network,
// screen, browser or apps.
type PartState struct {
	Part   string
	Status PartStatus
	Why    *Sentence // looked up as reason.<key>
}

// PartStatus is the device's word on a part. Its word is part.<status>.
type PartStatus string

// What a part can report.
const (
	PartOK          PartStatus = "ok"
	PartRepaired    PartStatus = "repaired" // somebody changed it, it is as wanted again
	PartPending     PartStatus = "pending"  // takes effect soon, e.g. when the browser has restarted
	PartDeviating   PartStatus = "deviating"
	PartNotPossible PartStatus = "not-possible"
)

// OfflineCodes are the codes of one device while its lease runs.
type OfflineCodes struct {
	Device string    `json:"device"`
	Name   string    `json:"name"`
	Ends   time.Time `json:"ends"`
	From   int64     `json:"from"`  // unix seconds at which the first code begins
	Step   int64     `json:"step"`  // seconds that each code is valid
	Codes  []string  `json:"codes"` // eight digits each
}

// ReleasePage shows a release code, on the board's or the device's path. Form
// field of the challenge: challenge.
type ReleasePage struct {
	Frame
	Part ReleasePart
	Back string
}

// ReleasePart is the code itself. It is drawn by ReleaseFragment.
type ReleasePart struct {
	Frame      Frame
	URL        string // of this page, to which a challenge is posted
	Device     string // name
	Mode       ModeKind
	Ends       time.Time // of the mode, which ends by itself then
	Code       string    // eight digits; "" while a challenge is needed
	ValidUntil time.Time
	Challenge  string // as typed
	Problem    *Problem
}

// ModeFormPage asks what a mode needs to know. It is posted to PathModeStart
// with the fields kind, minutes or until (HH:MM), list (repeated), sites (one
// per line), app (repeated), message, device (repeated; none means all), last.
type ModeFormPage struct {
	Frame
	Group      GroupRef
	Devices    int // in the group
	Kind       ModeKind
	Selected   []DeviceRef // ticked; empty means all
	Minutes    int
	Until      string // HH:MM; wins over Minutes when not empty
	DefaultEnd time.Time
	MaxMinutes int
	Lists      []SiteListChoice
	Sites      string
	Programs   []Option
	Message    string
	Problem    *Problem
}

// DeviceRef names a device.
type DeviceRef struct{ ID, Name string }

// SiteListChoice is a list of allowed sites that can be chosen.
type SiteListChoice struct {
	ID     string
	Name   string
	Hosts  int
	Chosen bool
}

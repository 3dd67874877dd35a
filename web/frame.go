package web

import "time"

// Frame is what every page needs and no page decides: who is looking, in which
// language, where they can go. The console's middleware fills it once and the
// handler puts it into the page's struct.
type Frame struct {
	Lang     string         // "de" or "en"; anything else is read as "de"
	Theme    string         // "light", "dark", or "" for what the person's system prefers
	Location *time.Location // school time; nil means UTC
	Now      time.Time      // when the answer was made; every age on the page counts from it
	Person   Person         // zero when nobody is signed in
	Nav      []NavItem      // in order; empty for pages before sign-in
	Path     string         // path of this page with its query, so that a switch of language can come back here
	Flash    *Flash         // said once at the top, after a redirect
	Undo     *Undo          // what can be taken back for a few seconds more
	Pace     int            // how much faster than a wall clock time runs, in a demo; 0 is 1
	Demo     bool           // a demo installation: every page says that devices are simulated
	Version  string         // of the server, for the foot of the page
}

// Person is who is signed in.
type Person struct {
	ID    string
	Name  string // as it is shown at the top, e.g. "Frau Oert"
	Place string // the school or authority that the person acts in
}

// SignedIn says whether anybody is signed in.
func (p Person) SignedIn() bool { return p.ID != "" }

// NavItem is one place of the navigation. Key is one of the Nav… constants; its
// word is nav.<key> and its icon belongs to it.
type NavItem struct {
	Key     string
	URL     string
	Current bool
	Count   int // shown beside the word when above zero, e.g. open things to do
}

// Keys of the navigation.
const (
	NavDay        = "day"
	NavLessons    = "lessons"
	NavExams      = "exams"
	NavSites      = "sites"
	NavSchool     = "school"
	NavDevices    = "devices"
	NavEnrolment  = "enrolment"
	NavGroups     = "groups"
	NavPeople     = "people"
	NavImport     = "import"
	NavSettings   = "settings"
	NavPolicies   = "policies"
	NavExceptions = "exceptions"
	NavApps       = "apps"
	NavCalendar   = "calendar"
	NavHelpdesk   = "helpdesk"
	NavSchools    = "schools"
	NavOperations = "operations"
	NavAudit      = "audit"
	NavPrograms   = "programs"
	NavHelp       = "help"
)

// Flash is one sentence after a redirect. Key is looked up as flash.<key>.
type Flash struct {
	Kind FlashKind
	Key  string
	Args map[string]any
}

// FlashKind says how a Flash is meant.
type FlashKind string

// Kinds of Flash.
const (
	FlashDone    FlashKind = "done"
	FlashNotice  FlashKind = "notice"
	FlashTrouble FlashKind = "trouble"
)

// Undo offers to take back what the person just did. The page posts Token as
// form field "token" to URL; the offer disappears at Until. Key is looked up as
// undo.<key> and says what was done ("Internet aus beendet.").
type Undo struct {
	URL   string
	Token string
	Key   string
	Args  map[string]any
	Until time.Time
}

// Problem is a fault that a person can mend, as the errs package names it: Key
// without the prefix "error.", which the words add. Field is the form field
// that it belongs to, or "".
type Problem struct {
	Key   string
	Args  map[string]any
	Field string
}

// Sentence is a key with arguments from another room, such as a reason why a
// setting holds. Which prefix the words have is said where it is used. An
// instant among the arguments (time.Time) is told in school time.
type Sentence struct {
	Key  string
	Args map[string]any
}

// Pager leads through a list that is read by cursor. Empty addresses are not
// offered.
type Pager struct {
	First string // back to the beginning; "" on the first page
	Next  string
	Shown int // rows on this page
	Total int // rows that match, or -1 when nobody counted
}

// Option is one entry of a select element or a group of radio buttons. Label
// is a name from the database; where it is empty, the words know Value.
type Option struct {
	Value   string
	Label   string
	Chosen  bool
	Detail  string // a second line, e.g. "24 Geräte"; may be empty
	Blocked bool   // shown, but cannot be chosen
}

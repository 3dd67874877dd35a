package web

import (
	"slices"
	"strings"
	"time"
)

// ExamState is how far an examination is; its word is exam.state.<state>.
type ExamState string

// ExamStates in the order of an examination's life.
const (
	ExamDraft     ExamState = "draft"
	ExamPlanned   ExamState = "planned"
	ExamArmed     ExamState = "armed"
	ExamRunning   ExamState = "running"
	ExamEnded     ExamState = "ended"
	ExamCancelled ExamState = "cancelled"
)

// ExamsPage lists examinations.
type ExamsPage struct {
	Frame
	Next    []ExamRow // that run or come, the next first
	Past    []ExamRow // the latest first
	MayPlan bool
	Extra   bool // the person keeps extra times
	Keeping bool // the person sees how long evidence is kept
}

// ExamRow is one examination of a list.
type ExamRow struct {
	ID     string
	Name   string
	State  ExamState
	Group  string // "" for persons and devices
	Room   string
	Starts time.Time
	Ends   time.Time
	Lead   []string // invigilators
}

// ExamFormPage prepares or changes an examination. Form fields are named like
// the fields here, in lower case; do is save, draft or preview.
type ExamFormPage struct {
	Frame
	ID           string // "" for a new one
	Name         string
	Groups       []Option
	Alone        bool   // persons and devices can be chosen without a group
	Who          Picker // persons and devices beside the group, or without one
	Day          string // YYYY-MM-DD
	From, To     string // HH:MM
	Room         string
	Invigilators Picker
	Presets      []Option // links that fill in the rules
	Preset       string
	Rules        ExamRules
	Programs     []Option
	Draft        bool
	Preview      bool
	Problem      *Problem
}

// Picker chooses several by searching. Form fields: <name> for each that is chosen,
// find-<name> for what is looked for; do is find, add-<name>:<value> or
// drop-<name>:<value>.
type Picker struct {
	Name   string
	Query  string
	Chosen []Option
	Found  []Option
	Again  bool // something was chosen a moment ago: go on there
}

// ExamRules is what remains possible.
type ExamRules struct {
	Page  string
	Sites string   // one per line
	Apps  []string // names of programs
	// Versions are the least versions of programs, one per line: "GeoGebra 6.0".
	Versions string
	Message  string
	Open     []Option // usb, clipboard, printing, screens, spelling, assistants, capture, virtual
	Aids     []Option // reader, magnifier, contrast, keyboard
	// Calculators are the kinds of calculator, the chosen one among them.
	Calculators []Option // CalculatorUnsaid, none, basic, scientific, graphing, cas

	Resume  bool
	Collect bool // files are given out and handed in
	Every   int  // minutes between two states that are kept
	// TabletApp is the app on Apple tablets, by its bundle identifier; SelfLock
	// says that it locks them itself.
	TabletApp string
	SelfLock  bool
}

// CalculatorUnsaid is the option that says nothing of calculators.
const CalculatorUnsaid = "unsaid"

// versions are the least versions in one line.
func (r ExamRules) versions() string {
	return strings.ReplaceAll(strings.TrimSpace(r.Versions), "\n", ", ")
}

// calculator is the kind of calculator that is named; empty: none is.
func (r ExamRules) calculator() []Option {
	return slices.DeleteFunc(chosen(r.Calculators), func(o Option) bool { return o.Value == CalculatorUnsaid })
}

// ExamPage is an examination as who leads it sees it. It never says whose end is
// later: a projector may show it.
type ExamPage struct {
	Frame
	Row     ExamRow
	Of      string // id of the examination of which this is the resit
	Live    ExamLive
	Rules   ExamRules
	Leads   bool
	MayEnd  bool
	MayEdit bool
	Staff   []Option // to whom it can be handed over
	Print   string   // of what is shown, for the stream
	Problem *Problem
}

// ExamLive is what moves on the page, by the event stream.
type ExamLive struct {
	Frame     Frame
	ID        string
	State     ExamState
	Starts    time.Time
	Ends      time.Time // for everybody without extra time
	Paused    time.Time // zero: not
	Rehearsal time.Time // until when it is tried out; zero: it is not
	Leads     bool
	Asking    *ExamAsking // how far collecting at once has come; nil: nobody asked lately
	Waiting   int         // seats with somebody whose time goes on after the end; told without names
	Seats     []ExamSeat
}

// ExamAsking is how far collecting at once has come.
type ExamAsking struct {
	At            time.Time
	All, Received int
}

// ExamSeat is one seat. Standing is looked up as exam.standing.<standing>.
type ExamSeat struct {
	Device   string
	Name     string // pupil, or inventory number
	Tag      string // inventory number beside a name
	Standing string
	Reason   *Sentence // under exam.reason
	Since    time.Time
	Seen     time.Time
	Battery  int // percent, -1 when unknown
	Look     bool
	Hand     bool      // asks for somebody
	Asked    time.Time // since when
	Waits    bool      // for the resume code
	Lost     int       // minutes that may be given back
	Causes   []LostCause
}

// LostCause is one time that was lost; its word is exam.lost.cause.<cause>.
type LostCause struct {
	Cause   string
	Minutes int // begun ones
}

// ExamSeatPage is one seat: what can be done for it, and its own end.
type ExamSeatPage struct {
	Frame
	Exam     ExamRow
	Seat     ExamSeat
	Ends     time.Time
	Released bool
	Swapped  bool
	Over     bool
	Collects bool     // work is collected, and can be asked for now
	Others   []Option // devices to write on with
	Problem  *Problem
}

// ExamTimesPage lists the ends of all seats, for who leads only.
type ExamTimesPage struct {
	Frame
	Exam ExamRow
	Rows []ExamTime
}

// ExamTime is the end of one seat.
type ExamTime struct {
	Device string
	Name   string
	Ends   time.Time
	More   time.Duration // later than everybody's
}

// ExamReadyPage lists what keeps devices from an examination.
type ExamReadyPage struct {
	Frame
	Exam  ExamRow
	Armed int
	Free  int // devices that nothing keeps
	Rows  []ExamReady
	// Asked is when the devices were asked to say how they are, zero if nobody asked;
	// Answered have done so since. Again is where to look again meanwhile, "" when
	// that is over.
	Asked    time.Time
	Answered int
	Again    string
}

// ExamReady is a device with its blockers.
type ExamReady struct {
	Name     string
	Armed    bool
	Answered bool // since it was asked
	Blockers []ExamBlocker
}

// ExamBlocker is what is in the way and how to mend it: exam.blocker.<key> and
// exam.remedy.<key>.
type ExamBlocker struct {
	Key   string
	Args  map[string]any
	Stops bool
}

// ExamCodesPage shows prepared codes, on a phone or on paper.
type ExamCodesPage struct {
	Frame
	Exam  ExamRow
	Cards []ExamCodes
}

// ExamCodes are the codes of one seat.
type ExamCodes struct {
	Device  string
	Name    string
	Release []string
	Resume  []string
}

// ExamBrowserPage is an examination for Safe Exam Browser.
type ExamBrowserPage struct {
	Frame
	Exam ExamRow
	Link string // starts the program
	QR   QR     // of the link
	Open string // password that opens the file
	Quit string // password that ends the program
	Key  string // Config Key
}

// ExamEvidencePage is the record of an examination, for the file.
type ExamEvidencePage struct {
	Frame
	Exam     ExamRow
	Whole    bool
	Rules    ExamRules
	Doubtful []string // devices whose own log was not whole
	Parts    []ExamChain
	CSV      string
}

// ExamChain is what is recorded of one device, or of the examination itself.
type ExamChain struct {
	Name string // "" for the examination itself
	Rows []ExamRecord
	Head string // last hash
}

// ExamRecord is one line.
type ExamRecord struct {
	At   time.Time
	Said time.Time // device time; zero for what people did
	Text Sentence  // under exam.record
	By   string
}

// ExtraPage lists extra times. Form fields: target (a name or inventory number),
// minutes, percent.
type ExtraPage struct {
	Frame
	Rows    []ExtraRow
	Target  string
	Minutes string
	Percent string
	Problem *Problem
}

// ExtraRow is the extra time of one person or device.
type ExtraRow struct {
	Target  string // id, with "p:" or "d:" before it
	Name    string
	Minutes int
	Percent int
	By      string
	Changed time.Time
}

// ExamKeepingPage says how long evidence is kept, and what was deleted. Form
// fields: days.
type ExamKeepingPage struct {
	Frame
	Days      int
	MaySet    bool
	Least     int
	Most      int
	Deletions []ExamDeletion
	Problem   *Problem
}

// ExamDeletion is the line that remains of an examination.
type ExamDeletion struct {
	Starts  time.Time
	Records int
	Files   int // that had been handed in
	Days    int
	Deleted time.Time
}

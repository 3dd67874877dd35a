package web

import "time"

// Platforms of devices. Their words are platform.<platform>.
const (
	PlatformLinux   = "linux"
	PlatformWindows = "windows"
	PlatformMacOS   = "macos"
	PlatformIPadOS  = "ipados"
)

// DevicesPage lists devices. Filters are the query: q, state, platform, group,
// school, seen (today|14d|never); state may also be
// overdue: a mode that should have ended.
type DevicesPage struct {
	Frame
	Query    string
	States   []Option
	Platform []Option
	Groups   []Option
	Schools  []Option // empty for who has one school only
	Seen     []Option
	Rows     []DeviceRow
	Pager    Pager
	Any      bool // there are devices at all; false teaches how to enrol the first
	MayEnrol bool
}

// DeviceRow is one device of a list.
type DeviceRow struct {
	ID        string
	Name      string
	Person    string
	Serial    string
	Platform  string
	System    string // e.g. "Debian 12"
	Groups    []string
	School    string
	State     State
	Reason    *Sentence // reason.<key>
	Seen      time.Time
	Simulated bool
}

// DevicePage answers for one device: what holds here, and why? Form fields of
// PathDeviceEdit: name, person.
type DevicePage struct {
	Frame
	ID          string
	Name        string // inventory tag
	Holder      string // the pupil who has it; "" when none or unknown
	Serial      string
	Model       string
	Platform    string
	System      string
	Simulated   bool
	School      string
	Groups      []GroupRef
	Seen        time.Time
	State       State
	Since       time.Time
	Reason      *Sentence // reason.<key>
	Modes       []DeviceMode
	Rules       []Rule    // modes
	Settings    []Setting // base settings, by family
	Facts       []Fact
	History     []HistoryEntry
	MoreHistory string // address of the older entries; "" when these are all
	Commands    []Command
	PupilURL    string // public page "Was gilt hier?"
	MayEdit     bool
	MayRelease  bool
	MayPolicies bool
	MayRetire   bool
	Retired     time.Time // out of use since; zero: in use
	Leaving     time.Time // its last mode may hold until then; zero: nothing to wait for
	Problem     *Problem
}

// DeviceMode is a mode on this device with what the device read back.
type DeviceMode struct {
	Mode  RunningMode
	State State
	Since time.Time // on the device
	Seen  time.Time // of the confirmation
	Parts []PartState
}

// Rule is one setting that holds. Name is looked up as rule.<name>, Value as
// value.<key>, From as why.<key>.
type Rule struct {
	Name  string
	Value Sentence
	From  Sentence
	State State     // as the device reports it
	Note  *Sentence // reason.<key>
	Fixed bool      // cannot be changed further down
}

// Fact is something the device told about itself. Name is looked up as
// fact.<name>, Value as value.<key> or, when Text is not empty, shown as it is.
type Fact struct {
	Name    string
	Text    string
	Value   *Sentence
	Trouble bool // a look is needed, e.g. no disk encryption
}

// HistoryEntry is one event of a device's history. What is looked up as
// event.<key>.
type HistoryEntry struct {
	At   time.Time
	By   string
	What Sentence
}

// Command waits for a device or was answered by it. Name is the word of the
// protocol, looked up as command.<name>.
type Command struct {
	Name   string
	State  State
	At     time.Time
	Detail string // the device's error; "" when none
}

// DeviceRetirePage shows what leaving means before it is done.
type DeviceRetirePage struct {
	Frame
	ID      string
	Name    string
	Modes   int // that end for it
	Groups  int // that it leaves
	Problem *Problem
}

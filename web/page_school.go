package web

import "time"

// SchoolPage is a school's first page: is anything wrong today?
type SchoolPage struct {
	Frame
	MayEnrol  bool // the person may make enrolment links
	School    string
	Authority string
	Period    *Period
	Teaching  bool // some lesson or mode runs now
	Devices   int
	Seen      int       // today
	Overdue   int       // leases older than their end on reachable devices; must be 0
	CheckedAt time.Time // when Overdue was looked at
	Deviating int
	Missing   int // unreachable for more than 14 days
	Running   []SchoolMode
	Todo      []Todo
	Follow    *int // percent of the standard that holds unchanged; nil where nothing is set
	Curve     Curve
}

// SchoolMode is a mode that runs somewhere in the school: for a group, or for
// Mode.Devices devices without one, of which Names are the first.
type SchoolMode struct {
	Group GroupRef
	Names []string
	Mode  RunningMode
}

// Todo is one thing to do. Urgency is today, soon or open; What is looked up as
// todo.<key>, its second line as todo.<key>.detail, its button as
// todo.<key>.action.
type Todo struct {
	Urgency string
	What    Sentence
	URL     string
}

// Curve is contacts per interval since midnight of the school's day, up to now
// and no further.
type Curve struct {
	From   time.Time
	Step   time.Duration
	Values []int
	Bells  []time.Time // drawn as thin lines; may be empty
	Until  time.Time   // right edge of the day
}

// SettingsPage is a school's settings. Form fields: name, short, bells (one
// "08:00-08:45" per line), default_minutes.
type SettingsPage struct {
	Frame
	Name           string
	Short          string
	Bells          string
	FilterURL      string // the school's policies, where the web filter is
	DefaultMinutes int
	Problem        *Problem
}

package web

import "time"

// CalendarPage is a school year of an authority or a school as a picture, with
// what lies in it. Forms: do=land land; do=add name, first, last; do=remove first,
// last; do=take break ("first/last/name", repeated).
type CalendarPage struct {
	Frame
	Level    string
	ID       string
	Name     string
	School   bool // its own days are added to its authority's
	MayWrite bool
	Land     string
	Lands    []Option
	Places   []Option // where the person may write a calendar; empty for one alone
	First    time.Time
	Last     time.Time
	Before   string // address of the school year before
	After    string
	Months   []CalendarMonth
	Entries  []CalendarEntry
	Form     CalendarEntry // what was said and cannot be taken
	Preview  *CalendarPreview
	Problem  *Problem
}

// CalendarMonth is a row of the picture.
type CalendarMonth struct {
	At   time.Time // its first day
	Days []DayKind
}

// DayKind is what a day is: "school", "weekend", "holiday", "break" or "own".
type DayKind string

// CalendarEntry is days without lessons. Kind is holiday (by law), break (of the
// authority) or own (of the school).
type CalendarEntry struct {
	Kind  DayKind
	Name  string
	First time.Time
	Last  time.Time
	Mine  bool // can be removed here
	Value string
}

// CalendarPreview is what a file brings.
type CalendarPreview struct {
	File   string
	New    []CalendarEntry
	Known  int
	Faults []CalendarFault
}

// CalendarFault is an entry of a file that cannot be taken.
type CalendarFault struct {
	Line int
	Name string
	Key  string // calendar.fault.<key>
}

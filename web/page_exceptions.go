package web

import "time"

// ExceptionsPage is the register of exceptions. Filters are the query: endet
// (7|30|90), q, stand (ended).
type ExceptionsPage struct {
	Frame
	Any      bool // there are exceptions at all; false teaches what they are
	Query    string
	Within   []Option // word exceptions.within.<value>
	Show     []Option // word exceptions.show.<value>
	Rows     []ExceptionRow
	Pager    Pager
	Soon     int // end within 30 days
	MayGrant bool
}

// ExceptionRow is one exception.
type ExceptionRow struct {
	ID      string
	Place   PolicyPlace
	Field   PolicyField
	Value   PolicyValue // what holds there instead
	Above   PolicyValue // what holds when it ends
	Reason  string
	Owner   string
	Made    time.Time
	Starts  time.Time
	Until   time.Time
	Devices int
	Over    bool
	EndedBy string // who ended it before its time
	// TakesOut says that Value is taken out of a list.
	TakesOut bool
	// Needless says that ending it changes nothing.
	Needless bool
	// Asked is what a second person has to decide: begin, extend or end; "" for
	// nothing. Until says the end that was asked for, AskedReason its reason.
	Asked       string
	AskedBy     string
	AskedAt     time.Time
	AskedUntil  time.Time
	AskedReason string
	ApprovedBy  string
}

// ExceptionPage is one exception and what happens when it ends.
type ExceptionPage struct {
	Frame
	Row       ExceptionRow
	ThenFrom  *PolicyPlace // who decides when it ends; nil when nothing holds then
	Longest   string       // to which it may be extended, 2006-01-02
	Until     string       // form field
	Reason    string       // form field
	MayExtend bool
	MayEnd    bool
	MayGrant  bool // this person is the second one for what is asked
	MayRefuse bool
	Own       bool // this person asked
	Asks      bool // ending and extending wait for a second person
	Problem   *Problem
}

// ExceptionNewPage files an exception. Form fields: place (<level>/<id>), what
// (<family>.<field>), owner, reason, until (date), and the value as EditField
// says.
type ExceptionNewPage struct {
	Frame
	Places   []Option
	Whats    []Option
	Place    PolicyPlace
	Field    *EditField // nil until place and field are chosen
	TakesOut bool       // the field is a list that adds up: what is named does not hold here
	Owners   []Option   // empty: the person who files it
	Reason   string
	Until    string // 2006-01-02
	Longest  string
	Asks     bool // it waits for a second person
	Problems []Problem
}

// FollowingPage says how far a school follows the standard, and lists what
// deviates.
type FollowingPage struct {
	Frame
	School     string
	Percent    int
	Fields     int // that operator and authority set
	Unchanged  int
	Deviations []ExceptionRow
}

package standard

import (
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
)

// Exception is a deviation of one place from what the levels above say about
// one field. It has an owner, a reason and an end.
type Exception struct {
	ID        org.ID
	Place     Place
	Family    string
	Field     string
	Value     any // of a list that adds up: the items that do not hold here
	Owner     org.ID
	OwnerName string
	Reason    string
	Starts    time.Time
	Until     time.Time
	Ended     time.Time // before its time; zero otherwise
	EndedName string
	By        org.ID
	ByName    string
	Created   time.Time
	Reminded  int // days before the end of which was told last; 0 for none yet
	// Asked is what a second person has to decide; the zero value: nothing.
	Asked Asked
	// Approver is the second person, empty where none was needed or came.
	Approver     org.ID
	ApproverName string
}

// What can be asked about an exception.
const (
	AskBegin  = "begin"
	AskExtend = "extend"
	AskEnd    = "end"
)

// Asked is a wish about an exception that a second person decides. One that asks
// for its beginning does not hold yet.
type Asked struct {
	What string `json:"what"`
	Asker
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// Live reports whether the exception holds at the instant.
func (e Exception) Live(at time.Time) bool {
	return e.Asked.What != AskBegin && e.Ended.IsZero() && !at.Before(e.Starts) && at.Before(e.Until)
}

// Over reports whether the exception has ended, by time or by hand.
func (e Exception) Over(at time.Time) bool { return !e.Ended.IsZero() || !at.Before(e.Until) }

// LongestException is how long an exception lasts at most; it can be extended.
const LongestException = 366 * 24 * time.Hour

// NewException is what somebody asks for.
type NewException struct {
	Place  desired.Place
	Family string
	Field  string
	Value  any    // as a form, JSON or YAML brings it
	Owner  org.ID // empty: the actor
	Reason string
	Starts time.Time // zero: now
	Until  time.Time
}

// Entry is an exception in the register.
type Entry struct {
	Exception
	Age     time.Duration // since it began, up to now or its end
	Devices int           // in its place
	// Then is what holds in its place if it ends: nil value if nothing does.
	Then *desired.Effective
	// Needless: ending it changes nothing.
	Needless  bool
	MayEnd    bool // or ask for it
	MayExtend bool
	// MayGrant reports whether the actor is the second person for what is asked,
	// MayRefuse, whether the actor may refuse it or take it back. Asks says that
	// ending and extending wait for a second person.
	MayGrant, MayRefuse, Asks bool
}

// ExceptionFilter narrows the register.
type ExceptionFilter struct {
	Place     *desired.Place
	Authority org.ID
	School    org.ID
	Over      bool          // those that are over, instead of the others
	Asked     bool          // only those of which a second person has to decide something
	Within    time.Duration // only those that end within it; 0: all
	Cursor    string
	Limit     int // 0 means 50, at most 200
}

// Follow is how far a school follows the standard: of the fields that operator
// and authority mean as standard or locked, how many hold there unchanged.
// Suggestions do not count, nor do words below that are not heard, nor additions
// to lists, nor stricter values.
type Follow struct {
	Fields     int // that operator and authority set
	Unchanged  int
	Deviations []Exception // those that make the difference
}

// Percent returns the share that holds unchanged, rounded down, 100 where
// nothing is set.
func (f Follow) Percent() int {
	if f.Fields == 0 {
		return 100
	}
	return f.Unchanged * 100 / f.Fields
}

// Today is what of the standard belongs on the start page of a branch.
type Today struct {
	Follow   Follow // of a school
	Ending   int    // exceptions that end within 30 days
	Soon     int    // within 7 days
	Proposed int    // drafts that wait for a second person, where the actor may be one
	Asked    int    // exceptions of which a second person has to decide something, likewise
	Pilots   int    // that run
}

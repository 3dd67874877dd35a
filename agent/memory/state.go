// Package memory is what the device remembers: what is in force, what has ended,
// whom it believes, what time it is. It survives power cuts, full disks and torn
// files, and it is written before anything is acted upon.
package memory

import (
	"slices"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

// State is everything that is remembered but the time.
type State struct {
	Trust Trusted `json:"trust"`

	// Token, Manifest and Declarations are the last complete set.
	Token        string            `json:"token,omitempty"`
	Manifest     ddm.Manifest      `json:"manifest"`
	Declarations []ddm.Declaration `json:"declarations,omitempty"`

	Leases []Kept  `json:"leases,omitempty"`
	Ended  []Ended `json:"ended,omitempty"`
	// Applied are the parts in which something of a mode may still stand. It is
	// noted before a driver acts, and dropped after one read back that it is gone.
	Applied []catalog.Part `json:"applied,omitempty"`
	// Passed are leases that ended by a time which the server has not confirmed
	// since the system started. If it says that the clock was ahead, they hold
	// again.
	Passed  []Kept    `json:"passed,omitempty"`
	Refused []Refused `json:"refused,omitempty"`

	Release Release `json:"release"`

	// Exams is what is remembered of examinations beside their leases, Sealed the
	// lines of their logs that the server did not acknowledge yet.
	Exams  []Exam       `json:"exams,omitempty"`
	Sealed []ddm.Sealed `json:"sealed,omitempty"`

	// Works is what has to be handed in, or lies in a pupil's folder.
	Works []Work `json:"works,omitempty"`

	Events   []ddm.Event `json:"events,omitempty"`
	EventSeq uint64      `json:"event_seq,omitempty"`

	Contact  time.Time `json:"contact,omitzero"` // last word with the server, trusted time
	Counters Counters  `json:"counters"`
}

// Trusted is whom the device believes.
type Trusted struct {
	Issuer  string      `json:"issuer,omitempty"`
	Subject org.ID      `json:"subject,omitempty"` // the enrolment for which leases are made
	School  string      `json:"school,omitempty"`
	Zone    string      `json:"zone,omitempty"` // of the school; empty is Europe/Berlin
	Keys    []lease.Key `json:"keys,omitempty"`
}

// Kept is a lease as it was signed. Claims are never stored beside the
// signature: they are read from it each time.
type Kept struct {
	JWS      string    `json:"jws"`
	Received time.Time `json:"received"` // trusted time
}

// How a lease ended.
const (
	ByTime     = "time"
	ByRevision = "revision"
	ByCode     = "code"
)

// Ended is a lease that is over on this device. A revision up to Rev never holds
// again, whoever offers it.
type Ended struct {
	ID   string     `json:"id"`
	Rev  int        `json:"rev"`
	Kind lease.Kind `json:"kind,omitempty"`
	At   time.Time  `json:"at"`
	How  string     `json:"how"`
	// Told says that the server acknowledged a report that contained the end.
	Told bool `json:"told,omitempty"`
	// Left are the parts that the lease narrowed and that were not yet read back
	// as released.
	Left []catalog.Part `json:"left,omitempty"`
}

// Refused is a lease that is not believed.
type Refused struct {
	ID     string     `json:"id"` // of the declaration; nothing inside is believed
	Rev    int        `json:"rev,omitempty"`
	Token  string     `json:"token"`
	At     time.Time  `json:"at"`
	Reason ddm.Reason `json:"reason"`
}

// Release counts the tries at release codes.
type Release struct {
	Failed int       `json:"failed,omitempty"` // in a row
	Wait   time.Time `json:"wait,omitzero"`    // no try before this trusted time
	Used   []Used    `json:"used,omitempty"`
	// Challenge takes the place of the time where the time is not trusted.
	Challenge string `json:"challenge,omitempty"`
}

// Used is a code that has done its work and never does again.
type Used struct {
	ID   string    `json:"id"`
	Hash string    `json:"hash"`
	At   time.Time `json:"at"`
}

// Counters are numbers for the help desk.
type Counters struct {
	Starts  int `json:"starts,omitempty"`
	Repairs int `json:"repairs,omitempty"`
	Lost    int `json:"lost,omitempty"` // events dropped because too many waited
}

// Bounds of what is remembered.
const (
	mostEnded  = 200
	mostPassed = 50
	mostEvents = 100
	mostUsed   = 50
)

// EndOf returns the end that covers a revision of a lease, if there is one.
func (s *State) EndOf(id string, rev int) (Ended, bool) {
	for _, e := range s.Ended {
		if e.ID == id && rev <= e.Rev {
			return e, true
		}
	}
	return Ended{}, false
}

// End notes that a lease is over. A later revision replaces the note, an earlier
// one changes nothing; it reports whether anything changed.
func (s *State) End(end Ended) bool {
	for i, e := range s.Ended {
		if e.ID != end.ID {
			continue
		}
		if end.Rev <= e.Rev {
			return false
		}
		s.Ended[i] = end
		return true
	}
	s.Ended = append(s.Ended, end)
	if extra := len(s.Ended) - mostEnded; extra > 0 {
		s.Ended = append([]Ended(nil), s.Ended[extra:]...)
	}
	return true
}

// Pass keeps leases that ended by an unconfirmed time.
func (s *State) Pass(passed []Kept) {
	for _, kept := range passed {
		if !slices.Contains(s.Passed, kept) {
			s.Passed = append(s.Passed, kept)
		}
	}
	if extra := len(s.Passed) - mostPassed; extra > 0 {
		s.Passed = append([]Kept(nil), s.Passed[extra:]...)
	}
}

// Happened notes an event for the next report. Of too many the oldest go.
func (s *State) Happened(event ddm.Event) {
	s.Events = append(s.Events, event)
	if extra := len(s.Events) - mostEvents; extra > 0 {
		s.Events = append([]ddm.Event(nil), s.Events[extra:]...)
		s.Counters.Lost += extra
	}
}

// Spend notes a used code.
func (s *State) Spend(used Used) {
	s.Release.Used = append(s.Release.Used, used)
	if extra := len(s.Release.Used) - mostUsed; extra > 0 {
		s.Release.Used = append([]Used(nil), s.Release.Used[extra:]...)
	}
}

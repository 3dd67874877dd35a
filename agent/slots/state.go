// Package slots lets the agent be replaced by a newer one, and come back by itself
// where that does not work. Beside the program that a package or the installer laid
// down, the base, there are two places for others. The base starts whichever is to
// run and counts the starts before they happen; it also ends what runs and never
// finds the server. So nothing depends on the new program working.
package slots

import (
	"slices"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/version"
)

// Place is where a program lies.
type Place string

// The places.
const (
	Base Place = "" // what the package or the installer laid down
	A    Place = "a"
	B    Place = "b"
)

// Bounds of a trial.
const (
	// mostStarts is how often a program on trial is started that never lived for a
	// while.
	mostStarts = 4
	// mostMissed is how often the base reaches the server while the one on trial has
	// not: as it looks twice a minute, five minutes with a network.
	mostMissed = 10
)

// Program is what lies in a place.
type Program struct {
	Version string `json:"version"`
	SHA256  string `json:"sha256"` // hexadecimal
}

// Trial is a program that has not proved itself.
type Trial struct {
	Place  Place `json:"place"`
	Starts int   `json:"starts"` // since it last lived for a while
	Missed int   `json:"missed"`
	// Back says that it had proved itself before, and is gone back to.
	Back bool `json:"back,omitempty"`
	// Floor is that of its manifest; it holds once the program has proved itself.
	Floor string `json:"floor,omitempty"`
	Order
}

// Order is on whose word it was tried.
type Order struct {
	Rollout org.ID `json:"rollout"`
	Try     int    `json:"try"`
}

// Failure is an order that did not end well.
type Failure struct {
	Order
	Version string     `json:"version"`
	Reason  ddm.Reason `json:"reason"`
}

// State is all that is remembered. Its methods change it and nothing else.
type State struct {
	Runs     Place             `json:"runs"` // what proved itself
	Former   *Place            `json:"former,omitempty"`
	Programs map[Place]Program `json:"programs,omitempty"`
	Trial    *Trial            `json:"trial,omitempty"`
	// Floor is the highest of all floors that were stepped over: nothing older comes
	// back.
	Floor  string    `json:"floor,omitempty"`
	Failed []Failure `json:"failed,omitempty"` // the latest last
}

// mostFailed bounds what is remembered of failures.
const mostFailed = 5

// Settle lets the base win over what is not newer than it: somebody has installed a
// newer package. It reports whether something changed.
func (s *State) Settle(base string) bool {
	stale := func(p Place) bool { return p != Base && !version.Older(base, s.Programs[p].Version) }
	switch {
	case stale(s.Runs):
		s.Runs, s.Former, s.Trial = Base, nil, nil
	case s.Trial != nil && stale(s.Trial.Place):
		s.Trial = nil
	case s.Former != nil && stale(*s.Former):
		s.Former = nil
	default:
		return false
	}
	s.Settle(base)
	return true
}

// Next counts a start and returns what to start.
func (s *State) Next() Place {
	if s.Trial == nil {
		return s.Runs
	}
	if s.Trial.Starts >= mostStarts {
		s.fail(ddm.Reason{Code: "package.agent-crash"})
		return s.Runs
	}
	s.Trial.Starts++
	return s.Trial.Place
}

// Broken notes that a place could not be started at all, and why.
func (s *State) Broken(p Place, why string) {
	if s.Trial != nil && s.Trial.Place == p {
		s.fail(ddm.Reason{Code: "package.agent-start", Details: map[string]string{"error": why}})
		return
	}
	if s.Runs == p {
		s.Runs = Base
		if s.Former != nil && *s.Former != p {
			s.Runs = *s.Former
		}
		s.Former = nil
		if s.Trial != nil && s.Trial.Place == s.Runs {
			s.Trial = nil // nothing is left to come back to
		}
	}
}

// Stood notes that the program on trial lived for a while: what ended it before was
// not the program.
func (s *State) Stood() {
	if s.Trial != nil {
		s.Trial.Starts = 0
	}
}

// Stopped notes that the program on trial was asked to end, and did.
func (s *State) Stopped() {
	if s.Trial != nil && s.Trial.Starts > 0 {
		s.Trial.Starts--
	}
}

// Missed notes that the server can be reached and the program on trial has not
// done so. It reports whether that ends the trial.
func (s *State) Missed() bool {
	if s.Trial == nil {
		return false
	}
	if s.Trial.Missed++; s.Trial.Missed < mostMissed {
		return false
	}
	s.fail(ddm.Reason{Code: "package.agent-silent"})
	return true
}

// Proven notes that what runs in the place works and has reached the server.
func (s *State) Proven(p Place) {
	if s.Trial == nil || s.Trial.Place != p {
		return
	}
	former := s.Runs
	s.Runs, s.Former = p, &former
	if s.Trial.Back {
		s.Former = nil
	} else if s.Floor == "" || version.Older(s.Floor, s.Trial.Floor) {
		s.Floor = s.Trial.Floor
	}
	s.Trial = nil
}

// fail ends the trial; what ran before runs again.
func (s *State) fail(reason ddm.Reason) {
	s.Failed = append(s.Failed, Failure{s.Trial.Order, s.Programs[s.Trial.Place].Version, reason})
	s.Failed = s.Failed[max(0, len(s.Failed)-mostFailed):]
	s.Trial = nil
}

// Free returns a place for a new program, which nothing needs from then on. What
// runs is never it.
func (s *State) Free() Place {
	p := A
	if s.Runs == A || s.Runs != B && s.Former != nil && *s.Former == A {
		p = B
	}
	if s.Former != nil && *s.Former == p {
		s.Former = nil
	}
	delete(s.Programs, p)
	return p
}

// Try puts a program on trial that was laid in a free place. Floor is what its
// manifest says.
func (s *State) Try(p Place, program Program, floor string, order Order) {
	if s.Programs == nil {
		s.Programs = map[Place]Program{}
	}
	s.Programs[p] = program
	s.Trial = &Trial{Place: p, Floor: floor, Order: order}
	s.forgive(order)
}

// Back puts what ran before on trial again. It reports whether there is something,
// and whether its version, base for the base, is not too old.
func (s *State) Back(base string, order Order) bool {
	v, ok := s.Before(base)
	if !ok || s.Floor != "" && version.Older(v, s.Floor) {
		return false
	}
	s.Trial = &Trial{Place: *s.Former, Back: true, Order: order}
	s.forgive(order)
	return true
}

// Before returns the version that ran before this one.
func (s *State) Before(base string) (v string, ok bool) {
	switch {
	case s.Former == nil:
		return "", false
	case *s.Former == Base:
		return base, true
	}
	program, ok := s.Programs[*s.Former]
	return program.Version, ok
}

// forgive forgets failures of an order that a higher try replaces.
func (s *State) forgive(order Order) {
	s.Failed = slices.DeleteFunc(s.Failed, func(f Failure) bool { return f.Rollout == order.Rollout && f.Try < order.Try })
}

// Failure returns how an order ended, if it did not end well.
func (s *State) Failure(order Order) (Failure, bool) {
	at := slices.IndexFunc(s.Failed, func(f Failure) bool { return f.Rollout == order.Rollout && f.Try >= order.Try })
	if at < 0 {
		return Failure{}, false
	}
	return s.Failed[at], true
}

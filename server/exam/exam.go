// Package exam plans examinations and leads them through: who takes part on
// which device, until when each of them, who invigilates. What a device holds is
// a lease, made by a neighbour from the wishes that this room computes; the
// device's own clock starts and ends it.
package exam

import (
	"slices"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

// Bounds of an examination.
const (
	// ArmBefore is how long before its start an examination is put on the devices,
	// so that one that goes dark before the morning has it all the same.
	ArmBefore = 24 * time.Hour
	// Rehearsing is how long a rehearsal lasts.
	Rehearsing = 10 * time.Minute
	// LongestPause is when an interruption that nobody ended ends by itself.
	LongestPause = time.Hour
	// pauseStep is by how much the end moves ahead of a pause that goes on. A device
	// without contact keeps what it was told last: small steps are small errors.
	pauseStep = 5 * time.Minute
	// MostExtra bounds what the office may enter, in minutes and in percent.
	MostExtra = 180

	mostName, mostRoom, mostSeats, mostNames = 120, 200, 500, 200
	mostEvery                                = 60 // minutes between two collections
)

// Exam is an examination.
type Exam struct {
	ID     org.ID
	Branch org.Branch // authority, school, and the group if it is for one
	Name   string
	// Persons and Devices take part beside the group, or without one. Persons write on
	// the devices that are theirs.
	Persons []org.ID
	Devices []org.ID
	Room    string // rooms, as people write them: "Aula, R 204"

	Invigilators []Invigilator
	Starts, Ends time.Time // the window that was planned; starting early moves both
	Shifts       []Shift   // by which the end was moved for everybody
	Paused       time.Time // since when the writing is interrupted; zero: it is not

	// Asked is when somebody asked last for the work of a device at once; under the
	// empty id, for that of all.
	Asked map[org.ID]time.Time

	Rules  lease.Rules // with Exam
	Preset string      // that the rules began with
	Draft  bool        // prepared, not to be armed

	Ended     time.Time // when somebody ended it before its time
	Cancelled time.Time
	Mode      org.ID // under which its leases are known; empty until it is armed
	Last      time.Time
	Rehearsal *Rehearsal
	Of        org.ID // the examination of which this is the resit or copy

	Staff   org.ID // who prepared it
	ByName  string
	Created time.Time
	Changed time.Time
}

// Invigilator is somebody who leads the examination.
type Invigilator struct {
	Staff org.ID
	Name  string
}

// Shift moves an end, for whoever has not reached it at that instant.
type Shift struct {
	At time.Time     `json:"at"`
	By time.Duration `json:"by"`
	// Why is "extend", "pause" or "lost" (compensation of lost minutes).
	Why string `json:"why"`
}

// Rehearsal is a try-out that ends by itself, at the latest when the examination
// begins.
type Rehearsal struct {
	Mode    org.ID    `json:"mode"`
	Starts  time.Time `json:"starts"`
	Ends    time.Time `json:"ends"`
	Devices []org.ID  `json:"devices,omitempty"` // none: all
}

// State is how far an examination is.
type State string

// The states.
const (
	Draft     State = "draft"     // Entwurf
	Planned   State = "planned"   // geplant
	Armed     State = "armed"     // scharf: on its way to the devices, or there
	Running   State = "running"   // läuft
	Ended     State = "ended"     // beendet
	Cancelled State = "cancelled" // abgesagt
)

// States lists the states in the order of an examination's life.
var States = []State{Draft, Planned, Armed, Running, Ended, Cancelled}

// State returns how far the examination is at the instant.
func (e Exam) State(at time.Time) State {
	switch {
	case !e.Cancelled.IsZero():
		return Cancelled
	case !e.Ended.IsZero():
		return Ended
	case e.Draft:
		return Draft
	case !at.Before(later(e.Last, e.End(at))):
		return Ended
	case !at.Before(e.Starts):
		return Running
	case e.Mode != "":
		return Armed
	}
	return Planned
}

// Length is how long everybody writes, extra time and interruptions not counted.
func (e Exam) Length() time.Duration { return e.Ends.Sub(e.Starts) }

// Over reports whether nobody can write any more.
func (e Exam) Over(at time.Time) bool {
	state := e.State(at)
	return state == Ended || state == Cancelled
}

// End returns when the examination ends for everybody without extra time, as it
// stands at the instant. It says nothing of anybody's own end.
func (e Exam) End(at time.Time) time.Time {
	end := moved(e.Ends, e.shifts(at))
	if !e.Ended.IsZero() && e.Ended.Before(end) {
		return e.Ended
	}
	return end
}

// shifts are the movements of the end for everybody, an interruption that goes
// on included.
func (e Exam) shifts(at time.Time) []Shift {
	if e.Paused.IsZero() {
		return e.Shifts
	}
	return append(slices.Clone(e.Shifts), Shift{At: e.Paused, By: ahead(at.Sub(e.Paused)), Why: "pause"})
}

// ahead is how far the end moves for a pause that has lasted so long: a little
// further than it lasted, so that no end comes in the middle of it.
func ahead(lasted time.Duration) time.Duration {
	return min(lasted.Truncate(pauseStep)+2*pauseStep, LongestPause)
}

// moved applies shifts in the order of time. An end that had been reached is not
// moved: what has ended stays ended.
func moved(end time.Time, shifts []Shift) time.Time {
	ordered := slices.Clone(shifts)
	slices.SortStableFunc(ordered, func(a, b Shift) int { return a.At.Compare(b.At) })
	for _, shift := range ordered {
		if shift.At.Before(end) {
			end = end.Add(shift.By)
		}
	}
	return end
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Leads reports whether the person prepared the examination or invigilates it.
func (e Exam) Leads(staff org.ID) bool {
	return e.Staff == staff || slices.ContainsFunc(e.Invigilators, func(i Invigilator) bool { return i.Staff == staff })
}

// school is the branch without the group: leases and seats are the school's.
func (e Exam) school() org.Branch {
	return org.Branch{Authority: e.Branch.Authority, School: e.Branch.School}
}

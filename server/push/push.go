// Package push wakes devices. A nudge has no content: the device comes and
// fetches. Below it are the ways: stream for our own agents, apns for Apple's.
package push

import "schulwart.org/policies/org"

// Nudger wakes the devices that it can reach and leaves the others to their
// polling.
type Nudger interface {
	Nudge(enrolments ...org.ID)
}

// All nudges by several ways; each knows its own devices.
type All []Nudger

// Nudge wakes the devices by every way.
func (a All) Nudge(enrolments ...org.ID) {
	for _, way := range a {
		way.Nudge(enrolments...)
	}
}

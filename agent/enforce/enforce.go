// Package enforce says what must hold on a device now, in terms that no
// operating system owns, and how drivers make it so. It decides nothing: the
// loop in reconcile computes Rules from base policy and leases, anew each time.
package enforce

import (
	"context"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// Rules is everything that must hold now. The zero value takes back all that
// was ever done.
type Rules struct {
	// Base is the base policy: settings by family. It holds always, modes or not.
	Base    Base
	Network Network
	Screen  *Screen // nil: not covered
	Apps    *Apps   // nil: every program may start
	// Notice is what a notification tells the pupil; empty for none.
	Notice Notice
	// Exam is the examination that holds; nil for none. What it closes among the
	// families is in Base already.
	Exam *Exam
}

// Exam is an examination as far as it concerns the pupil's session and browsers.
type Exam struct {
	ID string // of the lease
	lease.Examination
	By      string
	Sites   []string // what stays reachable
	Until   time.Time
	Release time.Duration // how long, from now
	// Waits says that the screen is covered until the resume code was typed; the
	// browser is opened after that.
	Waits bool
}

// Base are the settings of every family that the base policy says something
// about, by the family's name. A missing family says nothing, and its driver
// takes back what it did.
type Base map[string]catalog.Settings

// WebFilter returns the base filter, which the network part enforces.
func (b Base) WebFilter() catalog.WebFilter {
	settings := b[catalog.WebFilterFamily.Name]
	return catalog.WebFilter{Deny: settings.List("deny"), Only: settings.List("only")}
}

// Reach is how far the network goes.
type Reach string

// The reaches. The zero value is Open.
const (
	Open  Reach = ""      // all but Deny
	Only  Reach = "only"  // nothing but Allow, and never Deny
	Never Reach = "never" // nothing
)

// Network is what may be reached. The management server, name service and time
// stay reachable, whatever it says; drivers learn those from their set-up.
type Network struct {
	Reach Reach
	Allow []string // host patterns (lease.MatchHost), with Only
	Deny  []string // host patterns of the base filter, with Open and Only
	// Base is the base filter's allow list: nothing else is reached, modes or not,
	// and without an end. Empty for no such limit. Allow lies within it already.
	Base []string
	// Release is how long Reach lasts, from now. Drivers put it into the system
	// where it can end rules without us (nftables timeouts). Zero with Open.
	// Until is the same end as an instant of the device's trusted time.
	Release time.Duration
	Until   time.Time
}

// Screen is what covers the screen.
type Screen struct {
	By string // who set it: "Frau Oert"
	// Code says that the screen waits for the resume code of an examination, which
	// can be typed on it.
	Code    bool
	Message string // the teacher's own words, may be empty
	Until   time.Time
	Release time.Duration // how long, from now
}

// Apps is which programs may start.
type Apps struct {
	Allow   []string // ids of desktop entries
	By      string
	Until   time.Time
	Release time.Duration
}

// Notice tells the pupil in plain words what holds.
type Notice struct {
	Lines []string // one sentence for each thing that holds
	Until time.Time
}

// Driver makes one part of the rules true on one operating system.
type Driver interface {
	// Part names the part that the driver stands for.
	Part() catalog.Part
	// Set makes the rules so. It is called again and again with the same value
	// and then does nothing; the zero value takes back everything that it ever
	// did, also what an earlier process did. It is atomic: after an error the
	// former rules hold. Drivers of base families that run commands of the system
	// keep what could be done, and go on from there.
	Set(ctx context.Context, rules Rules) error
	// Check reads back from the system whether the rules of the last Set hold,
	// without changing anything.
	Check(ctx context.Context) Reading
}

// Rehearser is a driver that can say beforehand what would keep rules from holding.
type Rehearser interface {
	// Rehearse changes nothing and takes little time. Nil is that nothing is known
	// to speak against it.
	Rehearse(rules Rules) *Reading
}

// Sighting is something that a driver saw during an examination. It is told once
// for each value.
type Sighting struct {
	What ddm.Deed
	Args map[string]string
}

// Watcher is a driver that sees more than whether its part is as wanted.
type Watcher interface {
	// Sightings returns what was seen in the examination that holds, at little cost.
	Sightings() []Sighting
}

// Reading is what a driver read back.
type Reading struct {
	State  ddm.PartState
	Reason *ddm.Reason // why, unless State is ok
}

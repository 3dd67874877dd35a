// Package org names the places of a school world: operator, authority, school,
// device, and the groups that cut across them. It knows no people and no rules.
package org

// ID names one thing for ever. It is made by the server and never reused.
type ID string

// String returns the id as text.
func (id ID) String() string { return string(id) }

// Level is a height in the tree from which a policy can come.
type Level string

// The levels, from the root to the leaf.
const (
	Operator  Level = "operator"
	Authority Level = "authority"
	School    Level = "school"
	Group     Level = "group"
	Device    Level = "device"
)

// GroupKind says what a group is for. Groups are many to many with devices.
type GroupKind string

// The kinds of groups that schools have.
const (
	Class  GroupKind = "class"  // Klasse
	Course GroupKind = "course" // Kurs, Lerngruppe
	Room   GroupKind = "room"   // Raum
	Set    GroupKind = "set"    // Koffer, Klassensatz
	Pilot  GroupKind = "pilot"  // Pilotgruppe
)

// GroupKinds lists the kinds in the order in which people read them.
var GroupKinds = []GroupKind{Class, Course, Room, Set, Pilot}

// Valid reports whether k is a kind that exists.
func (k GroupKind) Valid() bool {
	for _, known := range GroupKinds {
		if k == known {
			return true
		}
	}
	return false
}

// Branch is a part of the tree: the whole installation (zero value), one
// authority, one school, or one group of a school.
type Branch struct {
	Authority ID `json:"authority,omitempty"`
	School    ID `json:"school,omitempty"`
	Group     ID `json:"group,omitempty"`
}

// Holds reports whether other lies in b. A branch holds itself.
func (b Branch) Holds(other Branch) bool {
	if b.Authority != "" && b.Authority != other.Authority {
		return false
	}
	if b.School != "" && b.School != other.School {
		return false
	}
	return b.Group == "" || b.Group == other.Group
}

// Level returns the height of the branch's root.
func (b Branch) Level() Level {
	switch {
	case b.Group != "":
		return Group
	case b.School != "":
		return School
	case b.Authority != "":
		return Authority
	}
	return Operator
}

// Platform is the kind of system that a device runs.
type Platform string

// The platforms that can be enrolled.
const (
	Linux   Platform = "linux"
	Windows Platform = "windows"
	MacOS   Platform = "macos"
	IPadOS  Platform = "ipados"
)

// Agent reports whether the platform is managed by our own agent, and so can
// hold a signed lease.
func (p Platform) Agent() bool { return p == Linux || p == Windows }

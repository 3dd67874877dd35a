// Package roster is who and what belongs where: authorities, schools, groups,
// devices, and pupils where a school keeps their names. It also knows which
// teacher has which class now.
package roster

import (
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

// Authority is the root of a tree: a Schulträger.
type Authority struct {
	ID       org.ID
	Name     string
	Timezone string // IANA name
	Created  time.Time
	Schools  int
	Devices  int
}

// School is a device's home.
type School struct {
	Authority     org.ID
	AuthorityName string
	ID            org.ID
	Name          string
	Short         string // as devices' names begin, e.g. "GYM"; may be empty
	Number        string // official number; may be empty
	Timezone      string // of the authority
	Bells         []Bell
	Minutes       int // default length of a mode while no lesson is known; 0 means 45
	Created       time.Time
	Devices       int
}

// Branch returns the school's place in the tree.
func (s School) Branch() org.Branch { return org.Branch{Authority: s.Authority, School: s.ID} }

// Bell is one lesson of the bell plan, in minutes after midnight of school time.
type Bell struct {
	From  int `json:"from"`
	Until int `json:"until"`
}

// Period is a lesson that runs at an instant.
type Period struct {
	Number int // from 1, in the order of the bell plan
	Start  time.Time
	End    time.Time
}

// Group is a class, course, room, set or pilot group.
type Group struct {
	Authority  org.ID
	ID         org.ID
	School     org.ID
	SchoolName string
	Kind       org.GroupKind
	Name       string
	Room       string // where it usually is; may be empty
	Priority   int    // of two groups' values for the same thing the higher wins
	Starts     time.Time
	Ends       time.Time // zero: open
	Source     string    // "hand", or the import profile that made it
	Devices    int
	Teachers   []Teacher
}

// Branch returns the group's place in the tree.
func (g Group) Branch() org.Branch {
	return org.Branch{Authority: g.Authority, School: g.School, Group: g.ID}
}

// How says by what right somebody has a group.
type How string

// The rights.
const (
	Owner      How = "owner"      // teaches it
	Substitute How = "substitute" // Ich vertrete
	Borrower   How = "borrower"   // Ich habe Koffer B
)

// Teacher is somebody who has a group.
type Teacher struct {
	Staff org.ID
	Name  string // display form
	How   How
	Since time.Time
	Until time.Time // zero: open
}

// Teaching is a group as somebody has it.
type Teaching struct {
	Group Group
	How   How
	Until time.Time // zero: open
}

// GroupFilter narrows a list of groups.
type GroupFilter struct {
	Query     string // words that begin the name, room or a teacher's name
	Authority org.ID
	School    org.ID
	Kind      org.GroupKind
	Past      bool // also those whose end has passed
	Cursor    string
	Limit     int // 0 means 100
}

// Person is a pupil. It works without any.
type Person struct {
	Authority org.ID
	ID        org.ID
	School    org.ID
	Name      string
	External  string // id in the school's own system
	Source    string
	Created   time.Time
	Devices   []Named
	Groups    []Named
}

// Named is enough to name a thing and lead to it.
type Named struct {
	ID   org.ID
	Name string
}

// Device is a laptop or tablet as the roster knows it.
type Device struct {
	Authority  org.ID
	ID         org.ID
	School     org.ID
	SchoolName string
	Name       string // inventory number
	Serial     string
	Platform   org.Platform
	Model      string
	Person     org.ID // empty: nobody's
	PersonName string
	Groups     []Group // name, kind and id only
	Source     string
	Created    time.Time
	Retired    time.Time // zero: in use
	Simulated  bool

	Leased    bool      // a mode is on it, was until a moment ago, or is planned
	Enrolment org.ID    // the enrolment in force; empty: not enrolled
	LastSeen  time.Time // as stored; presence knows better
	Agent     string    // version of our agent
	System    string    // e.g. "Debian 12"
}

// Branch returns the school that the device is at home in.
func (d Device) Branch() org.Branch { return org.Branch{Authority: d.Authority, School: d.School} }

// ForTeaching leaves of a device what it takes to name it for a mode and to say
// its state.
func (d Device) ForTeaching() Device {
	return Device{
		Authority: d.Authority, ID: d.ID, School: d.School, SchoolName: d.SchoolName, Name: d.Name, Platform: d.Platform,
		Simulated: d.Simulated, Leased: d.Leased, Enrolment: d.Enrolment,
	}
}

// DeviceFilter narrows a list of devices.
type DeviceFilter struct {
	Query    string // words that begin the name, serial, person's, group's or room's name
	School   org.ID
	Group    org.ID
	Platform org.Platform
	// Devices, when not nil, are the only ones that count: who lists by state
	// computes the states first.
	Devices []org.ID
	Seen    Seen
	Leased  bool // only those with a mode on them
	Retired bool // only those out of use, instead of only those in use
	Cursor  string
	Limit   int // 0 means 50, at most 200
}

// Seen narrows by last contact.
type Seen string

// The values of Seen.
const (
	SeenToday  Seen = "today" // in the last 24 hours
	SeenLately Seen = "14d"   // not for 14 days
	SeenNever  Seen = "never"
)

// DeviceUpdate is a change by hand; nil leaves a value as it is.
type DeviceUpdate struct {
	Name   *string
	School *org.ID // of the same authority; the device leaves the old school's groups
	Person *org.ID
	Model  *string
}

// GroupUpdate is a change by hand; nil leaves a value as it is.
type GroupUpdate struct {
	Name     *string
	Kind     *org.GroupKind
	Room     *string
	Priority *int
	Starts   *time.Time
	Ends     *time.Time
}

// SchoolUpdate is a change of a school's settings; nil leaves a value as it is.
type SchoolUpdate struct {
	Name    *string
	Short   *string
	Number  *string
	Bells   *[]Bell
	Minutes *int
}

// Membership is a device in a group, with dates. What holds now and what is
// planned are both listed.
type Membership struct {
	Device   Named
	Person   string
	Platform org.Platform
	Starts   time.Time // zero: since ever
	Ends     time.Time // zero: open
	Source   string    // "hand", "person", or an import profile
	LastSeen time.Time
}

// SiteList is a list of allowed sites that somebody keeps.
type SiteList struct {
	Authority org.ID
	ID        org.ID
	School    org.ID
	Owner     org.ID
	OwnerName string
	Name      string
	Sites     []string
	Shared    bool // with the school
	Changed   time.Time
}

// DefaultLesson is how long a class is taken for while no bell plan is known,
// and LongestLesson how long at most.
const (
	DefaultLesson = lease.DefaultMode
	LongestLesson = lease.LongestMode
)

package rollout

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"schulwart.org/policies/org"
)

// RingKind says how a ring finds its devices.
type RingKind string

// The kinds of rings.
const (
	RingGroup  RingKind = "group"  // devices of one group: a room, a set, a pilot group
	RingShare  RingKind = "share"  // a share of all, drawn by lot once and for ever
	RingSchool RingKind = "school" // devices of one school
	RingAll    RingKind = "all"    // everybody
)

// Ring is one step of a rollout. A device belongs to the first ring that has it,
// so the devices reached up to a ring are always among those reached up to the
// next.
type Ring struct {
	Kind  RingKind `json:"kind"`
	Place org.ID   `json:"place,omitempty"` // group or school
	Share float64  `json:"share,omitempty"` // percent, in steps of a hundredth
}

// Target is whom a rollout is for: all devices in one of the branches on whose
// platform the package works.
type Target struct {
	Branches  []org.Branch   `json:"branches"`
	Platforms []org.Platform `json:"platforms"`
}

// Member is what of a device decides whether and when a rollout reaches it.
type Member struct {
	ID       org.ID
	Branch   org.Branch // authority and school
	Groups   []org.ID
	Platform org.Platform
}

// Has reports whether the device is meant.
func (t Target) Has(m Member) bool {
	return slices.Contains(t.Platforms, m.Platform) && slices.ContainsFunc(t.Branches, func(b org.Branch) bool {
		group := b.Group
		b.Group = ""
		return b.Holds(m.Branch) && (group == "" || slices.Contains(m.Groups, group))
	})
}

// Plan is what somebody decided about a rollout before it starts.
type Plan struct {
	ID org.ID `json:"id"`
	// Lot is the word from which shares are drawn. A rollout of the same package draws
	// the same devices, so that a preview is true.
	Lot    org.ID `json:"lot"`
	Target Target `json:"target"`
	Rings  []Ring `json:"rings"`
	Window Window `json:"window,omitzero"`
	Gates  Gates  `json:"gates,omitzero"`
	Line   Line   `json:"line,omitzero"`
}

// Groups lists the groups that the plan names: membership in others says nothing.
func (p Plan) Groups() []org.ID {
	var groups []org.ID
	for _, branch := range p.Target.Branches {
		if branch.Group != "" {
			groups = append(groups, branch.Group)
		}
	}
	for _, ring := range p.Rings {
		if ring.Kind == RingGroup {
			groups = append(groups, ring.Place)
		}
	}
	return groups
}

// Line is what a rollout may ask of the line of each site.
type Line struct {
	// Rate is how many kilobytes (1,000 bytes) a second all devices of a site together
	// take from the server; 0 for as many as come.
	Rate int `json:"rate,omitempty"`
	// Alone says that devices have the file from the server only, not from each other.
	Alone bool `json:"alone,omitempty"`
}

// FastestLine bounds the rate, in kilobytes a second: ten gigabits.
const FastestLine = 1250000

// Outside is the ring of a device that a rollout does not reach.
const Outside = -1

// RingOf returns the index of the device's ring, or Outside. It depends on
// nothing but the plan and the device, so it stays when other devices come or go.
func (p Plan) RingOf(m Member) int {
	if !p.Target.Has(m) {
		return Outside
	}
	return slices.IndexFunc(p.Rings, func(r Ring) bool {
		switch r.Kind {
		case RingGroup:
			return slices.Contains(m.Groups, r.Place)
		case RingShare:
			return lot(p.Lot, m.ID) < uint64(r.Share*100+0.5)
		case RingSchool:
			return m.Branch.School == r.Place
		}
		return r.Kind == RingAll
	})
}

// lot draws a device's number, from 0 to 9999. Another word draws another one:
// nobody is always the first.
func lot(word, device org.ID) uint64 { return draw(word, device, "ring") % 10000 }

func draw(word, device org.ID, what string) uint64 {
	sum := sha256.Sum256([]byte(what + "\x00" + word.String() + "\x00" + device.String()))
	return binary.BigEndian.Uint64(sum[:8])
}

// spread is the part of an opening, in percent, over which devices begin: the last
// one has time left to finish.
const spread = 80

// Begin returns when a device begins in an opening: always at the same instant of
// the same opening, and each device at another one, so that a school's line is not
// asked for everything at once.
func Begin(rollout, device org.ID, opening Opening) time.Time {
	room := opening.Closes.Sub(opening.Opens) * spread / 100
	if room < time.Millisecond {
		return opening.Opens
	}
	return opening.Opens.Add(time.Duration(draw(rollout, device, opening.Key) % uint64(room)).Truncate(time.Millisecond))
}

// Gates say when the next ring follows, and when everything stops.
type Gates struct {
	// Verified is how many devices of the ring must have it, or all of a smaller
	// ring; for Hours must it have been offered.
	Verified int `json:"verified,omitempty"`
	Hours    int `json:"hours,omitempty"`
	// Failed is the share of a ring's devices, in percent, above which the rollout
	// halts; Least failures never halt it, however small the ring.
	Failed float64 `json:"failed"`
	Least  int     `json:"least,omitempty"`
	// Ailing is the share of a ring's verified devices, in percent, above which it
	// halts because they are worse off than before. Zero for not looking.
	Ailing float64 `json:"ailing,omitempty"`
}

// Fault is what is wrong with a plan: a key of words, the field and values.
type Fault struct {
	Key   string
	Field string
	Args  map[string]any
}

// Check returns what of the plan cannot be meant.
func (p Plan) Check() []Fault {
	var faults []Fault
	add := func(field, key string, args ...any) {
		fault := Fault{Key: "rollout." + key, Field: field}
		for i := 0; i+1 < len(args); i += 2 {
			if fault.Args == nil {
				fault.Args = map[string]any{}
			}
			fault.Args[fmt.Sprint(args[i])] = args[i+1]
		}
		faults = append(faults, fault)
	}
	if len(p.Target.Branches) == 0 || len(p.Target.Platforms) == 0 {
		add("target", "no_target")
	}
	if len(p.Rings) == 0 || len(p.Rings) > mostRings {
		add("rings", "no_rings", "most", mostRings)
	}
	for i, ring := range p.Rings {
		if !ring.valid() {
			add("rings", "bad_ring", "ring", i+1)
		}
	}
	for _, hours := range p.Window.Open {
		if !hours.valid() {
			add("window", "bad_hours")
		}
	}
	if !p.Window.Free.Valid() || !p.Window.Quiet.inDay() {
		add("window", "bad_hours")
	}
	if g := p.Gates; g.Verified < 0 || g.Hours < 0 || g.Hours > 24*90 || g.Failed < 0 || g.Failed > 100 || g.Least < 0 || g.Ailing < 0 || g.Ailing > 100 {
		add("gates", "bad_gates")
	}
	if p.Line.Rate < 0 || p.Line.Rate > FastestLine {
		add("rate", "bad_rate", "most", FastestLine)
	}
	return faults
}

const mostRings = 10

// CheckFor returns what of the plan cannot be meant for a package of the kind: a new
// agent, which nobody can mend from afar if it breaks, begins in one room.
func (p Plan) CheckFor(kind Kind) []Fault {
	if kind == Agent && len(p.Rings) > 0 && p.Rings[0].Kind != RingGroup {
		return []Fault{{Key: "rollout.agent_first_room", Field: "rings"}}
	}
	return p.Check()
}

func (r Ring) valid() bool {
	switch r.Kind {
	case RingGroup, RingSchool:
		return r.Place != "" && r.Share == 0
	case RingShare:
		return r.Place == "" && r.Share >= 0.01 && r.Share <= 100
	}
	return r.Kind == RingAll && r.Place == "" && r.Share == 0
}

func (s Span) inDay() bool { return s.From >= 0 && s.From < endOfDay && s.To >= 0 && s.To <= endOfDay }

func (h Hours) valid() bool {
	return h.inDay() && h.set() && len(h.Days) > 0 && !slices.ContainsFunc(h.Days, func(d time.Weekday) bool { return d < time.Sunday || d > time.Saturday })
}

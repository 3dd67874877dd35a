package lease

import (
	"sort"
	"time"
)

// Holding is what the leases of one device amount to at one instant. A nil
// field means that the kind does not hold. Different kinds intersect: a device
// under Sites and Focus has only these sites and only these programs.
type Holding struct {
	Exam, Screen, Offline, Sites, Focus *Lease
	// Next is the instant at which the answer changes by the clock alone; zero
	// if it never does.
	Next time.Time
}

// Hold weighs the leases of one device. Of one id the highest revision counts;
// of one kind the lease with the latest start rules while it runs (ties: the
// greater id), and the earlier one resumes after it. During an exam a covered
// screen of a lesson does not hold: exam comes first.
func Hold(leases []Lease, at time.Time) Holding {
	var holding Holding
	for _, l := range Newest(leases) {
		holding.next(l, at)
		if !l.Holds(at) {
			continue
		}
		if place := holding.place(l.Kind); place != nil && outranks(l, *place) {
			*place = &l
		}
	}
	if holding.Exam != nil {
		holding.Screen = nil
	}
	return holding
}

// Any reports whether anything holds.
func (h Holding) Any() bool {
	return h.Exam != nil || h.Screen != nil || h.Offline != nil || h.Sites != nil || h.Focus != nil
}

// List returns what holds, in order of precedence.
func (h Holding) List() []Lease {
	var list []Lease
	for _, l := range []*Lease{h.Exam, h.Screen, h.Offline, h.Sites, h.Focus} {
		if l != nil {
			list = append(list, *l)
		}
	}
	return list
}

// Newest keeps the highest revision of each id, ordered by id.
func Newest(leases []Lease) []Lease {
	best := make(map[string]Lease, len(leases))
	for _, l := range leases {
		if known, ok := best[l.ID]; !ok || l.Rev > known.Rev {
			best[l.ID] = l
		}
	}
	newest := make([]Lease, 0, len(best))
	for _, l := range best {
		newest = append(newest, l)
	}
	sort.Slice(newest, func(i, j int) bool { return newest[i].ID < newest[j].ID })
	return newest
}

func (h *Holding) place(kind Kind) **Lease {
	switch kind {
	case Exam:
		return &h.Exam
	case Screen:
		return &h.Screen
	case Offline:
		return &h.Offline
	case Sites:
		return &h.Sites
	case Focus:
		return &h.Focus
	}
	return nil
}

func (h *Holding) next(l Lease, at time.Time) {
	if l.Ended(at) {
		return
	}
	change := l.Expires
	if at.Before(l.NotBefore) {
		change = l.NotBefore
	}
	if h.Next.IsZero() || change.Before(h.Next) {
		h.Next = change
	}
}

func outranks(l Lease, ruling *Lease) bool {
	if ruling == nil {
		return true
	}
	if !l.NotBefore.Equal(ruling.NotBefore) {
		return l.NotBefore.After(ruling.NotBefore)
	}
	return l.ID > ruling.ID
}

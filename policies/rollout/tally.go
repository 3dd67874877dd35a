package rollout

import (
	"maps"
	"slices"

	"schulwart.org/policies/ddm"
)

// Stand is what counts of one device in a rollout.
type Stand struct {
	Ring    int
	Outcome Outcome
	Reason  string // code, of those that failed or cannot
	Ailing  bool   // it has the version, and is worse off than before
}

// ReasonUnsaid is the reason of a device that failed and names none.
const ReasonUnsaid = "package.unsaid"

// Stand weighs what is known of a device: said is its last word, nil for none.
func (o Offer) Stand(m Member, said *ddm.PackageStatus, ailing bool) Stand {
	stand := Stand{Ring: o.Plan.RingOf(m)}
	switch {
	case stand.Ring == Outside:
		return stand
	case o.Status.Offered(stand.Ring) && !o.Reaches(m):
		stand.Outcome = OutcomeUnlicensed
		return stand
	case said == nil:
		return stand
	}
	stand.Outcome = o.Judge(*said)
	switch stand.Outcome {
	case OutcomeVerified:
		stand.Ailing = ailing
	case OutcomeFailed, OutcomeUnable:
		stand.Reason = ReasonUnsaid
		if said.Reason != nil && said.Reason.Code != "" {
			stand.Reason = said.Reason.Code
		}
	}
	return stand
}

// Tally is what became of the devices of one place in a rollout: the figures of
// its rings, and how many failed or cannot for which reason. It is kept, so that
// nobody has to count.
type Tally struct {
	Rings   []Figures      `json:"rings"`
	Reasons map[string]int `json:"reasons,omitempty"`
}

// NewTally is the tally of a place without devices.
func NewTally(plan Plan) Tally { return Tally{Rings: make([]Figures, len(plan.Rings))} }

// Join counts a device with how it stands.
func (t *Tally) Join(s Stand) {
	if s.Ring >= 0 && s.Ring < len(t.Rings) {
		t.Rings[s.Ring].Devices++
	}
	t.count(s, 1)
}

// Shift counts a device that is known already as it stands now.
func (t *Tally) Shift(before, after Stand) {
	t.count(before, -1)
	t.count(after, 1)
}

func (t *Tally) count(s Stand, n int) {
	if s.Ring < 0 || s.Ring >= len(t.Rings) {
		return
	}
	f := &t.Rings[s.Ring]
	switch s.Outcome {
	case OutcomePending:
		f.Begun += n
	case OutcomeVerified:
		f.Verified += n
		if s.Ailing {
			f.Ailing += n
		}
	case OutcomeFailed:
		f.Failed += n
	case OutcomeUnable:
		f.Unable += n
	case OutcomeUnlicensed:
		f.Unlicensed += n
	}
	if s.Reason == "" {
		return
	}
	if t.Reasons == nil {
		t.Reasons = map[string]int{}
	}
	if t.Reasons[s.Reason] += n; t.Reasons[s.Reason] == 0 {
		delete(t.Reasons, s.Reason)
	}
}

// Add adds the tally of another place.
func (t *Tally) Add(other Tally) {
	for i := range min(len(t.Rings), len(other.Rings)) {
		a, b := &t.Rings[i], other.Rings[i]
		a.Devices += b.Devices
		a.Begun += b.Begun
		a.Verified += b.Verified
		a.Failed += b.Failed
		a.Unable += b.Unable
		a.Ailing += b.Ailing
		a.Unlicensed += b.Unlicensed
	}
	for code, n := range other.Reasons {
		if t.Reasons == nil {
			t.Reasons = map[string]int{}
		}
		t.Reasons[code] += n
	}
}

// Devices is how many devices the tally is of.
func (t Tally) Devices() int {
	n := 0
	for _, f := range t.Rings {
		n += f.Devices
	}
	return n
}

// Equal reports whether two tallies say the same.
func (t Tally) Equal(other Tally) bool {
	return slices.Equal(t.Rings, other.Rings) && maps.Equal(t.Reasons, other.Reasons)
}

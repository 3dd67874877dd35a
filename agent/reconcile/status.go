package reconcile

import (
	"time"

	"schulwart.org/agent/memory"
	"schulwart.org/agent/words"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// Status is what `status` shows: what is in force, why, until when, by whom, and
// whether what was read back agrees.
type Status struct {
	Running   bool         `json:"running"` // the agent itself; false: read from disk
	Enrolled  bool         `json:"enrolled"`
	School    string       `json:"school,omitempty"`
	Device    string       `json:"device,omitempty"`
	Version   string       `json:"version"`
	Simulated bool         `json:"simulated,omitempty"`
	Time      time.Time    `json:"time"`
	Clock     memory.Trust `json:"clock"`
	WallAhead float64      `json:"wall_ahead_seconds"`
	Contact   time.Time    `json:"last_contact,omitzero"`
	Link      string       `json:"link,omitempty"` // stream, poll, none
	// Agrees says that every part was read back as wanted, for what holds now.
	Agrees bool          `json:"agrees"`
	Leases []StatusLease `json:"leases"`
	Parts  []ddm.Part    `json:"parts"`
	// Hand says that the pupil asks for the invigilator of the examination that holds.
	Hand bool `json:"hand,omitempty"`
	// Filter is how many names the base filter refuses.
	Filter    int               `json:"base_filter"`
	Refused   []ddm.LeaseStatus `json:"refused,omitempty"`
	Ended     []ddm.LeaseStatus `json:"ended,omitempty"`
	Challenge string            `json:"challenge,omitempty"`
	Faults    []ddm.Reason      `json:"faults,omitempty"`
	Counters  memory.Counters   `json:"counters"`
}

// StatusLease is one lease as people read it.
type StatusLease struct {
	ID      string         `json:"id"`
	Rev     int            `json:"rev"`
	Kind    lease.Kind     `json:"kind"`
	Phase   ddm.LeasePhase `json:"phase"`
	By      string         `json:"by,omitempty"`
	Reason  string         `json:"reason,omitempty"`
	From    time.Time      `json:"from"`
	Until   time.Time      `json:"until"`
	Sites   []string       `json:"sites,omitempty"`
	Apps    []string       `json:"apps,omitempty"`
	Message string         `json:"message,omitempty"`
	Words   string         `json:"words"` // the sentence for the pupil
	Parts   []ddm.Part     `json:"parts,omitempty"`
}

// Status returns what holds on the device now. It is for everybody at the
// device.
func (l *Loop) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	clock := l.readClock()
	challenge := l.challenge(clock)
	state := l.remembered()
	s := Status{
		Running: true, Enrolled: state.Trust.Subject != "", School: state.Trust.School, Device: string(state.Trust.Subject),
		Version: l.config.Version, Simulated: l.config.Simulated, Time: clock.Now, Clock: clock.Trust, WallAhead: clock.Ahead.Seconds(),
		Contact: l.contact, Filter: len(l.state.base.WebFilter().Deny), Challenge: challenge, Counters: state.Counters,
		Agrees: true, Leases: []StatusLease{}, Parts: []ddm.Part{},
	}
	if l.holding.Exam != nil {
		s.Hand = state.ExamOf(l.holding.Exam.ID).Hand
	}
	for _, p := range l.parts {
		part := l.partOf(p.name)
		s.Parts = append(s.Parts, part)
	}
	for _, known := range onOneClock(l.leases, clock) {
		shown := l.shown(known)
		for _, part := range shown.Parts {
			s.Agrees = s.Agrees && (part.State == ddm.PartOK || part.State == ddm.PartRepaired)
		}
		s.Leases = append(s.Leases, shown)
	}
	for _, status := range l.statuses(&state, clock) {
		switch status.Phase {
		case ddm.LeaseRefused:
			s.Refused = append(s.Refused, status)
		case ddm.LeaseEnding:
			s.Agrees = false
			s.Ended = append(s.Ended, status)
		case ddm.LeaseEnded:
			s.Ended = append(s.Ended, status)
		}
	}
	if len(s.Leases) == 0 {
		for _, part := range s.Parts {
			s.Agrees = s.Agrees && part.State != ddm.PartDeviating
		}
	}
	if l.fault != nil {
		s.Faults = append(s.Faults, *l.fault)
	}
	return s
}

func (l *Loop) shown(known lease.Lease) StatusLease {
	status := l.status(known)
	return StatusLease{
		ID: known.ID, Rev: known.Rev, Kind: known.Kind, Phase: status.Phase, By: known.By, Reason: known.Reason,
		From: known.NotBefore, Until: known.Expires, Sites: known.Rules.Sites, Apps: known.Rules.Apps, Message: known.Rules.Message,
		Words: words.Notice(l.config.Speech.Lang, known, l.config.Speech.Zone), Parts: status.Parts,
	}
}

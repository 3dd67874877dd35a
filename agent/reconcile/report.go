package reconcile

import (
	"crypto/rand"
	"encoding/hex"
	"sort"
	"strconv"
	"strings"
	"time"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// leasePrefix stands before a lease's id in the identifier of its declaration.
const leasePrefix = "org.schulwart.lease."

// endsTold is how long an end is repeated after the server acknowledged it, so
// that a restored backup hears of it too.
const endsTold = 48 * time.Hour

// Report is what there is to tell, and what a receipt for it covers.
type Report struct {
	Status   ddm.StatusReport
	revision uint64
	events   []string
	ends     []memory.Ended
	sealed   []ddm.Sealed
	programs *map[string]string
}

// Pending reports whether there is something to tell, and whether an end is
// among it: ends are told before anything is fetched.
func (l *Loop) Pending() (any, ends bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.config.Memory.Look(func(s *memory.State) {
		for _, e := range s.Ended {
			ends = ends || !e.Told
		}
	})
	for _, e := range l.unstored {
		ends = ends || !e.Told
	}
	return l.revision != l.told || ends, ends
}

// Report returns everything that the server should know now.
func (l *Loop) Report() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	clock := l.readClock()
	state := l.remembered()
	r := Report{revision: l.revision}
	items := &ddm.AgentItems{
		Schema: ddm.Schema, Version: l.config.Version, Sent: clock.Now, BootID: clock.Boot,
		Leases: l.statuses(&state, clock), Events: state.Events, Simulated: l.config.Simulated,
	}
	r.Status.StatusItems.Agent = items
	r.Status.StatusItems.Management = &ddm.ManagementItems{Declarations: l.declarations(state.Manifest)}
	if l.config.About != nil {
		device, facts := l.config.About()
		l.facts = keyOf(facts)
		facts.Capabilities = l.capabilities()
		offset := clock.Ahead.Seconds()
		if clock.Trust == memory.TrustServer {
			facts.ClockOffset = &offset
		}
		r.Status.StatusItems.Device, items.Facts = &device, &facts
	}
	if l.config.Packages != nil {
		items.Packages = l.config.Packages()
	}
	r.programs = l.programsNow()
	items.Programs = r.programs
	if l.fault != nil {
		r.Status.Errors = append(r.Status.Errors, ddm.StatusError{StatusItem: "management.declarations", Reasons: []ddm.Reason{*l.fault}})
	}
	r.sealed = state.Sealed[:min(len(state.Sealed), ddm.MostSealed)]
	items.Sealed = r.sealed
	for _, e := range state.Events {
		r.events = append(r.events, e.ID)
	}
	for _, e := range state.Ended {
		if !e.Told {
			r.ends = append(r.ends, e)
		}
	}
	return r
}

// remembered is what is stored, with the ends that no disk could take yet: what
// is over is told all the same.
func (l *Loop) remembered() memory.State {
	state := l.config.Memory.State()
	for _, end := range l.unstored {
		state.End(end)
	}
	return state
}

// Outbox returns everything that there is to tell, and what to call once the
// server has it.
func (l *Loop) Outbox() (ddm.StatusReport, func()) {
	r := l.Report()
	return r.Status, func() { l.Told(r) }
}

// Told notes that the server has a report: what was in it need not be told again.
func (l *Loop) Told(r Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.revision > l.told {
		l.told = r.revision
	}
	if r.programs != nil {
		l.programs = *r.programs
	}
	if len(r.events) == 0 && len(r.ends) == 0 && len(r.sealed) == 0 {
		return
	}
	told := map[string]bool{}
	for _, id := range r.events {
		told[id] = true
	}
	for i := range l.unstored {
		for _, e := range r.ends {
			if e.ID == l.unstored[i].ID && e.Rev == l.unstored[i].Rev {
				l.unstored[i].Told = true
			}
		}
	}
	more := false
	l.update(func(s *memory.State) {
		s.SealsTold(r.sealed)
		more = len(r.sealed) == ddm.MostSealed && len(s.Sealed) > 0
		var left []ddm.Event
		for _, e := range s.Events {
			if !told[e.ID] {
				left = append(left, e)
			}
		}
		s.Events = left
		for i := range s.Ended {
			for _, e := range r.ends {
				if e.ID == s.Ended[i].ID && e.Rev == s.Ended[i].Rev {
					s.Ended[i].Told = true
				}
			}
		}
	})
	if more {
		l.tell()
	}
}

// statuses is the device's word on every lease that it remembers.
func (l *Loop) statuses(state *memory.State, clock memory.Clock) []ddm.LeaseStatus {
	list := []ddm.LeaseStatus{}
	named := map[string]bool{}
	for _, known := range l.leases {
		named[known.ID] = true
		list = append(list, l.status(known))
	}
	for _, e := range state.Ended {
		old := e.Told && clock.Now.Sub(e.At) > endsTold && len(l.left[e.ID]) == 0
		if named[e.ID] || old && !listed(state.Manifest, e.ID) {
			continue
		}
		named[e.ID] = true
		list = append(list, l.over(e))
	}
	for _, refused := range state.Refused {
		id := strings.TrimPrefix(refused.ID, leasePrefix)
		if named[id] {
			continue
		}
		reason := refused.Reason
		list = append(list, ddm.LeaseStatus{ID: id, Rev: refused.Rev, Phase: ddm.LeaseRefused, Since: refused.At, Reason: &reason})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	return list
}

func (l *Loop) status(known lease.Lease) ddm.LeaseStatus {
	p := l.phases[known.ID]
	s := ddm.LeaseStatus{ID: known.ID, Rev: known.Rev, Phase: p.phase, Since: p.since}
	if p.phase == ddm.LeaseWaiting {
		s.Parts = l.rehearsed(known)
	}
	if p.phase == ddm.LeaseActive {
		for _, name := range catalog.PartsOf(known.Kind) {
			s.Parts = append(s.Parts, l.partOf(name))
		}
	}
	return s
}

// partOf is what was read back of one part, for the rules that hold now.
func (l *Loop) partOf(name catalog.Part) ddm.Part {
	for _, p := range l.parts {
		if p.name != name {
			continue
		}
		if !p.settled() && p.failed == 0 && !p.isLate() {
			return ddm.Part{Name: string(name), State: ddm.PartPending, Since: l.config.Memory.Clock().Now}
		}
		return ddm.Part{Name: string(name), State: p.reading.State, Since: p.since, Reason: p.reading.Reason}
	}
	return ddm.Part{Name: string(name), State: ddm.PartNotPossible, Reason: &ddm.Reason{Code: "part.no-driver"}}
}

// phasing notes since when each lease is in its phase.
func (l *Loop) phasing(now time.Time) {
	ruling := map[string]bool{}
	for _, held := range l.holding.List() {
		ruling[held.ID] = true
	}
	phases := make(map[string]phase, len(l.leases))
	for _, known := range l.leases {
		p := phase{phase: ddm.LeaseWaiting, since: now}
		switch {
		case ruling[known.ID]:
			p.phase = ddm.LeaseActive
		case !now.Before(known.NotBefore):
			p.phase = ddm.LeaseCovered
		}
		if former, ok := l.phases[known.ID]; ok && former.phase == p.phase {
			p.since = former.since
		} else {
			l.tell()
		}
		phases[known.ID] = p
	}
	l.phases = phases
}

func (l *Loop) declarations(manifest ddm.Manifest) *ddm.DeclarationStates {
	all := func(items []ddm.Item) []ddm.DeclarationState {
		states := make([]ddm.DeclarationState, 0, len(items))
		for _, item := range items {
			if state, ok := l.state.states[item.Identifier]; ok {
				states = append(states, l.familyState(state))
			}
		}
		return states
	}
	d := manifest.Declarations
	return &ddm.DeclarationStates{Activations: all(d.Activations), Assets: all(d.Assets), Configurations: all(d.Configurations), Management: all(d.Management)}
}

// familyState is the device's word on a declaration of the base policy: active is
// what its part read back, and nothing else.
func (l *Loop) familyState(state ddm.DeclarationState) ddm.DeclarationState {
	name, ok := strings.CutPrefix(state.Identifier, catalog.IdentifierPrefix)
	family, known := catalog.Find(name)
	if !ok || !known || state.Valid != ddm.Valid || !state.Active {
		return state
	}
	for _, name := range append([]catalog.Part{family.DoneBy()}, family.Also...) {
		part := l.partOf(name)
		good := part.State == ddm.PartOK || part.State == ddm.PartRepaired
		reason := part.Reason
		if reason == nil && !good {
			reason = &ddm.Reason{Code: "part." + string(part.State)}
		}
		if lacks := l.lacks(name, family.Name); lacks != nil && good {
			good, reason = false, lacks
		}
		state.Active = state.Active && good
		if reason != nil {
			state.Reasons = append(state.Reasons, *reason)
		}
	}
	return state
}

// lacks asks a part that has several families to do with what it cannot do of one
// of them, though all that it can do is done.
func (l *Loop) lacks(name catalog.Part, family string) *ddm.Reason {
	for _, p := range l.parts {
		if short, ok := p.driver.(interface {
			Lacks(family string) *ddm.Reason
		}); ok && p.name == name {
			return short.Lacks(family)
		}
	}
	return nil
}

// capabilities lists the parts that this device can enforce, as far as was read
// back.
func (l *Loop) capabilities() []string {
	var names []string
	for _, p := range l.parts {
		if p.reading.State != ddm.PartNotPossible {
			names = append(names, string(p.name))
		}
	}
	return names
}

func listed(manifest ddm.Manifest, leaseID string) bool {
	for _, item := range manifest.Declarations.Configurations {
		if item.Identifier == leasePrefix+leaseID {
			return true
		}
	}
	return false
}

// factsKey is what of the facts is worth a report of its own.
type factsKey struct {
	os, session             string
	battery                 int
	charging, root, crypted bool
	diskFree                int64
}

func keyOf(f ddm.Facts) factsKey {
	k := factsKey{os: f.OSVersion, session: f.Session, diskFree: f.DiskFree >> 31, battery: -1}
	if f.Battery != nil {
		k.battery = *f.Battery / 20
	}
	yes := func(b *bool) bool { return b != nil && *b }
	k.charging, k.root, k.crypted = yes(f.Charging), yes(f.PupilIsRoot), yes(f.Encrypted)
	return k
}

// newSalt makes the ids of events unique, also after a memory was lost and
// counts from one again.
func newSalt() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func eventID(salt string, seq uint64) string { return salt + "-" + strconv.FormatUint(seq, 10) }

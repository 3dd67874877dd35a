package reconcile

import (
	"slices"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// Examinations returns those that are on the device and not over, and the id of the
// one that holds; empty while none does.
func (l *Loop) Examinations() (all []lease.Lease, holds string, clock memory.Clock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all = slices.DeleteFunc(slices.Clone(l.leases), func(one lease.Lease) bool { return one.Kind != lease.Exam })
	if l.holding.Exam != nil {
		holds = l.holding.Exam.ID
	}
	return all, holds, l.config.Memory.Clock()
}

// Noted adds a line to the log of an examination, together with a change to what is
// remembered; nothing of both, and false, if that cannot be stored.
func (l *Loop) Noted(id string, what ddm.Deed, args map[string]string, change func(*memory.State)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sealWith(id, what, args, nil, change)
}

// Happened notes an event for the next report.
func (l *Loop) Happened(key string, args map[string]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.happened(key, args)
}

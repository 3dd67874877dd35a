package reconcile

import (
	"slices"
	"time"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/lease"
)

// Confirm takes the server's time, which it told over an authenticated
// connection, and notes the contact.
func (l *Loop) Confirm(server time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.readClock()
	clock, by := before.Confirmed(server)
	l.config.Memory.SetClock(clock)
	l.contact = clock.Now
	revived := l.revive(clock)
	if clock == before && !revived {
		return
	}
	l.checkpoint()
	if by.Abs() >= time.Minute {
		l.happened("clock.corrected", map[string]string{"by": by.Round(time.Second).String()})
	}
	l.settle(clock, true)
	l.poke()
}

// revive lets leases hold again that ended by a clock which was ahead, as the
// server says. A lease that was ended by a revision or by a code stays ended. It
// reports whether there was one.
func (l *Loop) revive(clock memory.Clock) bool {
	var passed []memory.Kept
	l.config.Memory.Look(func(s *memory.State) { passed = slices.Clone(s.Passed) })
	if len(passed) == 0 {
		return false
	}
	var again []lease.Lease
	var kept []memory.Kept
	for _, p := range passed {
		if found, ok := l.holdsStill(p, clock); ok {
			again, kept = append(again, found), append(kept, p)
		}
	}
	over := func(end memory.Ended) bool {
		return slices.ContainsFunc(again, func(a lease.Lease) bool { return a.ID == end.ID && a.Rev == end.Rev })
	}
	l.unstored = slices.DeleteFunc(l.unstored, over)
	for _, a := range again {
		delete(l.left, a.ID)
	}
	l.leases = append(l.leases, again...)
	l.update(func(s *memory.State) {
		s.Passed = nil
		s.Ended = slices.DeleteFunc(s.Ended, over)
		s.Leases = append(s.Leases, kept...)
	})
	if len(again) > 0 {
		l.tell()
	}
	return len(again) > 0
}

// holdsStill reads a passed lease and reports whether it may hold at the time
// that is right: nothing but the wrong time ended it, and no later revision came.
func (l *Loop) holdsStill(passed memory.Kept, clock memory.Clock) (lease.Lease, bool) {
	var trust memory.Trusted
	var end memory.Ended
	l.config.Memory.Look(func(s *memory.State) { trust = s.Trust })
	found, reason := believe(passed.JWS, trust.Keys, trust, passed.Received)
	if reason != nil || found.Ended(clock.Now) || slices.ContainsFunc(l.leases, func(k lease.Lease) bool { return k.ID == found.ID }) {
		return lease.Lease{}, false
	}
	l.config.Memory.Look(func(s *memory.State) { end, _ = s.EndOf(found.ID, found.Rev) })
	for _, unstored := range l.unstored {
		if unstored.ID == found.ID && unstored.Rev >= end.Rev {
			end = unstored
		}
	}
	return found, end.How == memory.ByTime && end.Rev == found.Rev
}

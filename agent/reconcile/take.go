package reconcile

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

// Known returns the token of the set in force and its declarations by
// identifier, so that only what changed is fetched.
func (l *Loop) Known() (token string, set map[string]ddm.Declaration) {
	set = map[string]ddm.Declaration{}
	l.config.Memory.Look(func(s *memory.State) {
		token = s.Token
		for _, d := range s.Declarations {
			set[d.Identifier] = d
		}
	})
	return token, set
}

// Subject returns for whom leases are made, and whether anybody is trusted yet.
func (l *Loop) Subject() (org.ID, bool) {
	var trust memory.Trusted
	l.config.Memory.Look(func(s *memory.State) { trust = s.Trust })
	return trust.Subject, len(trust.Keys) > 0
}

// Take puts a set in force: complete or not at all, and durable before anything
// is acted upon. It returns ErrIncomplete if the set does not match its
// manifest, and the disk's error if it could not be stored; then the former set
// stays in force.
func (l *Loop) Take(manifest ddm.Manifest, set []ddm.Declaration) error {
	if err := Complete(manifest, set); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	clock := l.readClock()
	var trust memory.Trusted
	l.config.Memory.Look(func(s *memory.State) { trust = s.Trust })
	next := read(set, trust, clock.Now)
	leases, fresh := l.merge(&next, clock)
	former := maps.Clone(l.left)
	for _, a := range fresh {
		delete(l.left, a.lease.ID) // it holds again, or ends again
	}
	stored := l.update(func(s *memory.State) {
		s.Token, s.Manifest, s.Declarations = manifest.DeclarationsToken, manifest, set
		s.Trust.Keys = next.keys
		s.Refused = refusals(s.Refused, next.refused)
		for _, a := range fresh {
			s.Leases = append(s.Leases, memory.Kept{JWS: a.jws, Received: clock.Now})
		}
		s.Leases = keptOf(s.Leases, leases)
	})
	if !stored {
		l.left = former
		return fmt.Errorf("storing declarations: %s", l.fault.Code)
	}
	l.state, l.leases, l.early = next, leases, map[string]int{}
	for _, a := range fresh {
		if a.lease.Ended(clock.Now) {
			l.early[a.lease.ID] = a.lease.Rev
		}
	}
	l.armed(fresh, clock.Now)
	// The end must be counted from a time that is on disk.
	if len(fresh) > 0 {
		l.checkpoint()
	}
	l.settle(clock, false)
	l.tell()
	l.poke()
	return nil
}

// LetGo drops everything that the school wants of the device, because the school
// let go of it. What holds by a lease holds to its end.
func (l *Loop) LetGo() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clock := l.readClock()
	if !l.update(func(s *memory.State) { s.Token, s.Manifest, s.Declarations = "", ddm.Manifest{}, nil }) {
		return
	}
	l.state = reading{keys: l.state.keys}
	l.settle(clock, false)
	l.poke()
}

// merge weighs arriving leases against those that run. A lease that is absent
// from the set runs on: absence never ends one.
func (l *Loop) merge(next *reading, clock memory.Clock) (leases []lease.Lease, fresh []arrived) {
	byID := map[string]lease.Lease{}
	for _, known := range l.leases {
		byID[known.ID] = known
	}
	for _, a := range next.leases {
		known, runs := byID[a.lease.ID]
		if runs && a.lease.Rev < known.Rev {
			next.replayed(a.lease)
			continue
		}
		if runs && a.lease.Rev == known.Rev || l.isOver(a.lease) {
			continue
		}
		byID[a.lease.ID] = a.lease
		fresh = append(fresh, a)
	}
	for _, l := range byID {
		leases = append(leases, l)
	}
	return lease.Newest(leases), fresh
}

// replayed notes that a revision was not followed because a later one is known.
func (r *reading) replayed(old lease.Lease) {
	id := leasePrefix + old.ID
	if state, ok := r.states[id]; ok {
		state.Reasons = append(state.Reasons, ddm.Reason{Code: "lease.replayed"})
		r.states[id] = state
	}
}

// isOver reports whether the device remembers the end of this revision.
func (l *Loop) isOver(candidate lease.Lease) (over bool) {
	l.config.Memory.Look(func(s *memory.State) { _, over = s.EndOf(candidate.ID, candidate.Rev) })
	for _, end := range l.unstored {
		over = over || end.ID == candidate.ID && candidate.Rev <= end.Rev
	}
	return over
}

// refusals keeps when each refusal was first seen.
func refusals(former, now []memory.Refused) []memory.Refused {
	for i := range now {
		for _, f := range former {
			if f.ID == now[i].ID && f.Token == now[i].Token && f.Reason.Code == now[i].Reason.Code {
				now[i].At = f.At
			}
		}
	}
	return now
}

// peek reads which lease a signed token is about, without believing it.
func peek(jws string) (id string, rev int, ok bool) {
	parts := strings.Split(jws, ".")
	if len(parts) != 3 {
		return "", 0, false
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", 0, false
	}
	var claims struct {
		ID  string `json:"jti"`
		Rev int    `json:"rev"`
	}
	if json.Unmarshal(data, &claims) != nil {
		return "", 0, false
	}
	return claims.ID, claims.Rev, claims.ID != ""
}

package reconcile

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/rollout"
)

// ErrIncomplete says that a set does not match its manifest: the server moved on
// while it was fetched.
var ErrIncomplete = errors.New("reconcile: set does not match its manifest")

// Complete reports whether the set is exactly what the manifest lists, version
// by version; the error is ErrIncomplete.
func Complete(manifest ddm.Manifest, set []ddm.Declaration) error {
	have := make(map[string]ddm.Declaration, len(set))
	for _, d := range set {
		have[d.Identifier] = d
	}
	listed := 0
	for class, items := range manifest.Items() {
		for _, item := range items {
			listed++
			d, ok := have[item.Identifier]
			if !ok || d.ServerToken != item.ServerToken || ddm.ClassOf(d.Type) != class {
				return fmt.Errorf("%w: %s", ErrIncomplete, item.Identifier)
			}
		}
	}
	if listed != len(have) || listed != len(set) {
		return fmt.Errorf("%w: %d declarations for %d items", ErrIncomplete, len(set), listed)
	}
	return nil
}

// reading is what a set of declarations says, declaration by declaration.
type reading struct {
	states   map[string]ddm.DeclarationState
	base     enforce.Base
	leases   []arrived
	refused  []memory.Refused
	keys     []lease.Key
	packages []Package
}

// arrived is a lease that is believed.
type arrived struct {
	lease lease.Lease
	jws   string
}

// leasePayload is what of a lease declaration counts; the claims beside the
// signature are for people who look at the wire.
type leasePayload struct {
	JWS string `json:"jws"`
}

// longest is more than any lease that a server of ours grants, extra time in
// exams included. A longer one is a mistake, and is not obeyed.
const longest = 24 * time.Hour

// read judges a set. Nothing in it is fatal: what cannot be applied becomes a
// reason, and the rest holds.
func read(set []ddm.Declaration, trust memory.Trusted, at time.Time) reading {
	r := reading{states: make(map[string]ddm.DeclarationState, len(set)), base: enforce.Base{}}
	r.learn(set, trust, at)
	active, reasons := activated(set)
	for _, d := range set {
		state := ddm.DeclarationState{Identifier: d.Identifier, ServerToken: d.ServerToken, Valid: ddm.Valid, Active: active[d.Identifier]}
		if reason, ok := reasons[d.Identifier]; ok {
			state.Valid, state.Active, state.Reasons = ddm.Invalid, false, []ddm.Reason{reason}
		} else if reason := r.apply(d, state.Active, trust, at); reason != nil {
			state.Valid, state.Active, state.Reasons = ddm.Invalid, false, []ddm.Reason{*reason}
			if reason.Code == "declaration.unsupported" {
				state.Valid = ddm.Unknown
			}
		}
		r.states[d.Identifier] = state
	}
	return r
}

// learn looks for announcements first: a lease of the same set may be signed
// with the key that they announce. Each key vouches for the next, so it goes on
// until a round teaches nothing.
func (r *reading) learn(set []ddm.Declaration, trust memory.Trusted, at time.Time) {
	r.keys = trust.Keys
	for learned := true; learned; {
		learned = false
		for _, d := range set {
			var said lease.Announced
			if d.Type != lease.KeyDeclarationType || json.Unmarshal(d.Payload, &said) != nil {
				continue
			}
			if key, err := lease.Learn(said.JWS, r.keys, at); err == nil && !knows(r.keys, key.ID) {
				r.keys = succeed(r.keys, key, at)
				learned = true
			}
		}
	}
}

// succeed adds a key. The old ones stay for as long as leases signed with them
// may be about.
func succeed(keys []lease.Key, next lease.Key, at time.Time) []lease.Key {
	kept := make([]lease.Key, 0, len(keys)+1)
	for _, old := range keys {
		if old.Until.IsZero() {
			old.Until = at.Add(lease.KeyOverlap)
		}
		if at.Before(old.Until) {
			kept = append(kept, old)
		}
	}
	return append(kept, next)
}

func knows(keys []lease.Key, id string) bool {
	for _, key := range keys {
		if key.ID == id {
			return true
		}
	}
	return false
}

// activated returns which declarations take effect: activations themselves, what
// is about management, and configurations that an activation names.
func activated(set []ddm.Declaration) (map[string]bool, map[string]ddm.Reason) {
	active, reasons := map[string]bool{}, map[string]ddm.Reason{}
	for _, d := range set {
		switch ddm.ClassOf(d.Type) {
		case ddm.Management:
			active[d.Identifier] = true
		case ddm.Activation:
			var payload struct {
				StandardConfigurations []string
				Predicate              string
			}
			if err := json.Unmarshal(d.Payload, &payload); err != nil {
				reasons[d.Identifier] = ddm.Reason{Code: "declaration.unreadable"}
				continue
			}
			if payload.Predicate != "" {
				reasons[d.Identifier] = ddm.Reason{Code: "declaration.predicate"}
				continue
			}
			active[d.Identifier] = true
			for _, id := range payload.StandardConfigurations {
				active[id] = true
			}
		}
	}
	return active, reasons
}

// apply takes in one declaration, or returns why it cannot.
func (r *reading) apply(d ddm.Declaration, active bool, trust memory.Trusted, at time.Time) *ddm.Reason {
	switch d.Type {
	case ddm.TypeActivation, ddm.TypeOrganization, ddm.TypeSubscriptions, lease.KeyDeclarationType:
		return nil
	case lease.DeclarationType:
		return r.lease(d, active, trust, at)
	case rollout.Type:
		var said rollout.Declared
		if json.Unmarshal(d.Payload, &said) != nil || said.Name == "" || said.Kind == "" {
			return &ddm.Reason{Code: "declaration.unreadable"}
		}
		if active {
			r.packages = append(r.packages, Package{d.Identifier, said})
		}
		return nil
	}
	if family, ok := catalog.FamilyOfType(d.Type); ok {
		settings, err := family.Decode(d.Payload)
		if err != nil {
			return &ddm.Reason{Code: "declaration.unreadable"}
		}
		if active && len(settings) > 0 {
			r.base[family.Name] = settings
		}
		return nil
	}
	return &ddm.Reason{Code: "declaration.unsupported", Details: map[string]string{"type": d.Type}}
}

func (r *reading) lease(d ddm.Declaration, active bool, trust memory.Trusted, at time.Time) *ddm.Reason {
	var payload leasePayload
	if err := json.Unmarshal(d.Payload, &payload); err != nil {
		return &ddm.Reason{Code: "declaration.unreadable"}
	}
	l, reason := believe(payload.JWS, r.keys, trust, at)
	if reason != nil {
		r.refused = append(r.refused, memory.Refused{ID: d.Identifier, Token: d.ServerToken, At: at, Reason: *reason})
		return reason
	}
	if active {
		r.leases = append(r.leases, arrived{l, payload.JWS})
	}
	return nil
}

// believe opens a lease, or says why it is not obeyed.
func believe(jws string, keys []lease.Key, trust memory.Trusted, at time.Time) (lease.Lease, *ddm.Reason) {
	l, err := lease.Open(jws, keys, trust.Subject, at)
	switch {
	case errors.Is(err, lease.ErrSubject):
		return lease.Lease{}, &ddm.Reason{Code: "lease.subject"}
	case errors.Is(err, lease.ErrContent):
		return lease.Lease{}, &ddm.Reason{Code: "lease.content"}
	case err != nil:
		return lease.Lease{}, &ddm.Reason{Code: "lease.signature"}
	case trust.Issuer != "" && l.Issuer != trust.Issuer:
		return lease.Lease{}, &ddm.Reason{Code: "lease.issuer"}
	case l.Expires.Sub(l.NotBefore) > longest:
		return lease.Lease{}, &ddm.Reason{Code: "lease.too-long"}
	}
	return l, nil
}

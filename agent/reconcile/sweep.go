package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// Sweep releases what has ended, with nothing but memory, for when the agent is
// dead. It never lifts anything early, and it does nothing while nothing that
// the agent left behind has ended. It returns the ids whose end it stored.
//
// The base filter needs the agent to answer name requests and is not set here:
// without the agent, a filter would be no network at all.
func Sweep(ctx context.Context, m *memory.Memory, clock host.Clock, drivers []enforce.Driver, speech Speech) ([]string, error) {
	now := m.Clock().At(clock.Read())
	m.SetClock(now)
	state := m.State()
	var over []memory.Ended
	var running, passed []lease.Lease
	for _, kept := range state.Leases {
		known, reason := believe(kept.JWS, state.Trust.Keys, state.Trust, kept.Received)
		if reason != nil {
			continue
		}
		if moved := onOneClock([]lease.Lease{known}, now)[0]; moved.Ended(now.Now) {
			over = append(over, memory.Ended{ID: known.ID, Rev: known.Rev, Kind: known.Kind, At: moved.Expires, How: memory.ByTime})
			if now.Trust != memory.TrustServer {
				passed = append(passed, known)
			}
		} else {
			running = append(running, known)
		}
	}
	if err := m.Checkpoint(); err != nil {
		return nil, fmt.Errorf("sweeping: %w", err)
	}
	rules, holding := Decide(read(state.Declarations, state.Trust, now.Now).base, running, now, speech)
	// What ended may be stored as ended although nobody took it back.
	unclaimed := !holding.Any() && len(state.Applied) > 0
	if len(over) == 0 && !unclaimed && !slices.ContainsFunc(state.Ended, func(e memory.Ended) bool { return len(e.Left) > 0 }) {
		return nil, nil
	}
	rules = waiting(rules, rememberedExam(m), now)
	drivers = slices.DeleteFunc(slices.Clone(drivers), func(d enforce.Driver) bool { return isFamily(d) && !mayStand(state, d.Part()) })
	if !holding.Any() {
		rules = enforce.Rules{Base: rules.Base}
	}
	if err := setAll(ctx, drivers, rules); err != nil {
		return nil, fmt.Errorf("sweeping: %w", err)
	}
	gone := releasedParts(ctx, drivers, rules)
	var ids []string
	err := m.Update(func(s *memory.State) {
		if !holding.Any() {
			s.Applied = without(s.Applied, gone)
		}
		for _, end := range over {
			end.Left = narrowedBy(end.Kind, drivers)
			s.End(end)
			ids = append(ids, end.ID)
		}
		for i := range s.Ended {
			s.Ended[i].Left = without(s.Ended[i].Left, gone)
		}
		s.Pass(keptOf(s.Leases, passed))
		s.Leases = keptOf(s.Leases, running)
	})
	if err != nil {
		// Released it is; the next sweep releases it again, which is harmless.
		return ids, fmt.Errorf("sweeping: %w", err)
	}
	return ids, nil
}

// mayStand reports whether something of an examination may stand in a family. In
// all others no mode has a hand.
func mayStand(state memory.State, name catalog.Part) bool {
	return slices.Contains(state.Applied, name) || slices.ContainsFunc(state.Ended, func(e memory.Ended) bool { return slices.Contains(e.Left, name) })
}

// releasedParts are those whose drivers all read back what was just set.
func releasedParts(ctx context.Context, drivers []enforce.Driver, rules enforce.Rules) []catalog.Part {
	var gone, stands []catalog.Part
	for _, driver := range drivers {
		name, reading := driver.Part(), driver.Check(ctx)
		if clean(reading) || isFamily(driver) || reading.State == ddm.PartPending && narrows(rules, name) {
			gone = append(gone, name)
		} else {
			stands = append(stands, name) // two drivers may stand for one part
		}
	}
	return without(gone, stands)
}

// setAll asks every driver, also after one failed.
func setAll(ctx context.Context, drivers []enforce.Driver, rules enforce.Rules) error {
	var faults []error
	for _, driver := range drivers {
		if err := driver.Set(ctx, rules); err != nil {
			faults = append(faults, fmt.Errorf("setting %s: %w", driver.Part(), err))
		}
	}
	return errors.Join(faults...)
}

// TakeBack takes back everything that the drivers ever did, for when the device
// leaves.
func TakeBack(ctx context.Context, drivers []enforce.Driver) error {
	return setAll(ctx, drivers, enforce.Rules{})
}

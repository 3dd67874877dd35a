package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"schulwart.org/agent/device"
	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/memory"
	"schulwart.org/agent/reconcile"
)

// hung is how old the last checkpoint of a living agent may be. One that is
// older comes from an agent that hangs.
const hung = 2 * time.Minute

// sweep releases what has ended if the agent does not.
func sweep(at *place, _ []string) error {
	own := ownSlots(at.state)
	watchTrial(at, own)
	own.Proved(host.Become)
	files := host.LookDir(at.state)
	clock := host.NewClock(at.state)
	id, err := identity.Peek(files)
	if errors.Is(err, identity.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	release, ok, err := host.Lock(filepath.Join(at.state, lockFile))
	if err != nil {
		return err
	}
	m, err := memory.Open(files)
	if err != nil {
		return err
	}
	if !ok && lives(m, clock) {
		return nil
	}
	if ok {
		defer release()
	}
	parts, err := drivers(optionsFor(at.state, files, clock, id, at.log))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(at.ctx, 50*time.Second)
	defer cancel()
	ids, err := reconcile.Sweep(ctx, m, clock, parts, reconcile.Speech{Lang: deviceLang})
	if len(ids) > 0 {
		at.log.Warn("released without the agent", "leases", ids)
		host.NewMachine(at.state).Note("released without the agent what had ended")
	}
	return errors.Join(err, device.Close(parts))
}

// lives reports whether the agent that holds the lock also turns.
func lives(m *memory.Memory, clock host.Clock) bool {
	last, now := m.Clock(), clock.Read()
	return last.Boot == now.Boot && now.Elapsed-last.Elapsed < hung || now.Elapsed < hung
}

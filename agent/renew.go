package main

import (
	"context"
	"os"
	"time"

	"schulwart.org/agent/device"
	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/service"
	"schulwart.org/agent/slots"
	"schulwart.org/policies/version"
)

// ownSlots returns the places of agents as this process sees them.
func ownSlots(state string) *slots.Slots {
	exe, err := os.Executable()
	if err != nil {
		exe = "" // then it passes for the base, which starts nobody twice
	}
	return slots.At(state, exe, version.Version)
}

// renewal is how other versions of the agent are brought.
func (a *agent) renewal(now func() time.Time) slots.System {
	return slots.System{
		Slots: a.slots, Own: version.Version, Keys: slots.Keys(), Restart: a.restart, Log: a.log,
		Now: func() time.Time { return slots.Latest(now(), time.Now(), identity.Built) },
	}
}

// aWhile is how long a program lives that does not crash at once.
const aWhile = time.Minute

// prove looks whether this program works, while it is on trial: it has read back
// what holds and then heard from the server. Without a network it may take days,
// and nobody counts them.
func (a *agent) prove(ctx context.Context, d *device.Device) {
	if _, own := a.slots.OnTrial(); !own {
		return
	}
	began, before, stood := time.Now(), d.Status().Contact, false
	ticker := time.NewTicker(2 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if !d.Settled() {
			continue
		}
		if !stood && time.Since(began) > aWhile {
			stood = a.slots.Stood() == nil
		}
		if d.Status().Contact.Equal(before) {
			continue
		}
		if err := a.slots.Proven(); err != nil {
			a.log.Warn("it cannot be noted that this version works", "error", err)
			continue
		}
		a.log.Info("this version has proved itself", "version", version.Version)
		d.Renewed()
		return
	}
}

// watchTrial ends a program on trial that does not find the server although the
// base, which is what runs here, reaches it.
func watchTrial(at *place, own *slots.Slots) {
	if any, _ := own.OnTrial(); !any || own.Place() != slots.Base {
		return
	}
	id, err := identity.Peek(host.LookDir(at.state))
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(at.ctx, 8*time.Second)
	defer cancel()
	if _, err := id.ServerTime(ctx); err != nil {
		return // no network, or no server: that says nothing about the program
	}
	over, err := own.Missed()
	if err != nil {
		at.log.Warn("the trial of another version cannot be watched", "error", err)
		return
	}
	if over {
		at.log.Warn("the version on trial does not find the server; the former one comes back")
		if err := service.Again(at.ctx); err != nil {
			at.log.Error("the agent cannot be started anew", "error", err)
		}
	}
}

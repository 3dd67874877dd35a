package reconcile_test

import (
	"context"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/memory"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// watched is a driver that looks at the disk before it acts.
type watched struct {
	driver
	look func(enforce.Rules)
}

func (w watched) Set(ctx context.Context, rules enforce.Rules) error {
	w.look(rules)
	return w.driver.Set(ctx, rules)
}

func TestALeaseIsOnDiskBeforeAnythingActsOnIt(t *testing.T) {
	d := newDevice(t)
	acted := 0
	look := func(rules enforce.Rules) {
		if rules.Network.Reach != enforce.Never {
			return
		}
		acted++
		onDisk, err := memory.Open(d.host.Files)
		if err != nil {
			t.Fatal(err)
		}
		if state := onDisk.State(); len(state.Leases) != 1 || len(state.Applied) == 0 {
			t.Errorf("acted with %d leases and %v on disk", len(state.Leases), state.Applied)
		}
		if onDisk.Clock().Elapsed == 0 {
			t.Error("acted without a time on disk from which the end counts")
		}
	}
	d.loop = reconcile.New(reconcile.Config{Memory: d.memory, Clock: d.host, Drivers: []enforce.Driver{watched{driver{catalog.Network, &desk{}}, look}}, Inline: true})
	d.host.Advance(time.Minute)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, time.Hour)))
	if acted != 1 {
		t.Errorf("acted %d times", acted)
	}
}

func TestAModeNeverReplacesTheBaseFilter(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Sites, 0, 10*time.Minute)))
	d.wantReach(enforce.Only)
	if deny := d.network().Deny; len(deny) != 1 || deny[0] != "bad.example" {
		t.Errorf("in a mode the base filter refuses %v", deny)
	}
	d.pass(10 * time.Minute)
	d.wantReach(enforce.Open)
	if deny := d.network().Deny; len(deny) != 1 {
		t.Errorf("after it the base filter refuses %v", deny)
	}
}

func TestAnOldKeySignsForThirtyDaysMoreAndNoLonger(t *testing.T) {
	d := newDevice(t)
	old := d.key
	next := lease.SigningKey{ID: "k2", Private: newKey(9)}
	said, err := old.Announce(issuer, next.Public())
	if err != nil {
		t.Fatal(err)
	}
	take(t, d.give(ddm.New(lease.KeyDeclarationType, "org.schulwart.lease-key", lease.Announced{JWS: said})))
	at := func(days time.Duration, id string) {
		d.host.Advance(days * 24 * time.Hour)
		d.loop.Confirm(d.host.Read().Wall)
		from := d.loop.Now().Sub(monday)
		take(t, d.give(d.declare(d.lease(id, 1, lease.Offline, from, from+time.Hour))))
	}
	at(29, "a")
	d.wantPhase("a", ddm.LeaseActive)
	at(2, "b")
	d.wantPhase("b", ddm.LeaseRefused)
	d.key = next
	at(0, "c")
	d.wantPhase("c", ddm.LeaseActive)
}

package reconcile_test

import (
	"context"
	"crypto/ed25519"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

func newKey(first byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = first
	return ed25519.NewKeyFromSeed(seed)
}

func (d *device) part(lease string, name catalog.Part) ddm.Part {
	d.t.Helper()
	s, _ := d.phase(lease)
	for _, p := range s.Parts {
		if p.Name == string(name) {
			return p
		}
	}
	d.t.Errorf("lease %s has no part %s: %+v", lease, name, s)
	return ddm.Part{}
}

func TestSetIsCalledOnceForTheSameRules(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, time.Hour)))
	before := d.desks[catalog.Network].sets
	d.pass(10 * time.Minute)
	if after := d.desks[catalog.Network].sets; after != before {
		t.Errorf("set %d times more for nothing", after-before)
	}
}

func TestAChangeFromOutsideIsRepairedAndTold(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, time.Hour)))
	if got := d.part("a", catalog.Network).State; got != ddm.PartOK {
		t.Fatalf("network is %s", got)
	}
	d.desks[catalog.Network].changed = true
	d.desks[catalog.Network].rules = enforce.Rules{}
	d.pass(2 * time.Second)
	d.wantReach(enforce.Never)
	if got := d.part("a", catalog.Network).State; got != ddm.PartRepaired {
		t.Errorf("network is %s, want repaired", got)
	}
	if n := d.events("tamper.repaired"); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	for range 10 {
		d.desks[catalog.Network].changed = true
		d.pass(2 * time.Second)
	}
	if n := d.events("tamper.repaired"); n != 1 {
		t.Errorf("%d events in half a minute, want 1", n)
	}
	d.pass(time.Hour)
	d.desks[catalog.Network].changed = true
	d.pass(10 * time.Second)
	if n := d.events("tamper.repaired"); n != 2 {
		t.Errorf("the base filter was changed and nobody heard: %d events", n)
	}
}

func TestAPartThatCannotBeHeldIsDeviatingAndNotTriedWithoutRest(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, time.Hour)))
	d.desks[catalog.Network].stuck = true
	before := d.desks[catalog.Network].sets
	d.pass(time.Minute)
	if got := d.part("a", catalog.Network); got.State != ddm.PartDeviating || got.Reason == nil {
		t.Errorf("network is %+v", got)
	}
	if tries := d.desks[catalog.Network].sets - before; tries < 2 || tries > 10 {
		t.Errorf("tried %d times in a minute", tries)
	}
	d.desks[catalog.Network].stuck = false
	d.pass(2 * time.Minute)
	if got := d.part("a", catalog.Network).State; got != ddm.PartOK && got != ddm.PartRepaired {
		t.Errorf("network is %s after it could be held again", got)
	}
}

func TestADriverThatFailsIsTriedAgainAndHoldsUpNobody(t *testing.T) {
	d := newDevice(t)
	d.desks[catalog.Browser].broken = errBroken
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, time.Hour)))
	d.wantReach(enforce.Never)
	if got := d.part("a", catalog.Browser); got.State != ddm.PartDeviating || got.Reason.Code != "part.driver-error" {
		t.Errorf("browser is %+v", got)
	}
	if got := d.part("a", catalog.Network).State; got != ddm.PartOK {
		t.Errorf("network is %s", got)
	}
	d.desks[catalog.Browser].broken = nil
	d.pass(time.Minute)
	if got := d.part("a", catalog.Browser).State; got != ddm.PartOK {
		t.Errorf("browser is %s after it worked again", got)
	}
}

func TestAfterASleepTheRemainingTimeIsSetAnew(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, time.Hour)))
	d.host.Advance(20 * time.Minute)
	d.loop.Tick()
	if left := d.network().Release; left != 40*time.Minute {
		t.Errorf("the rules in the system last %v, want 40m", left)
	}
}

func TestMovingTheWallClockMovesNothingAndIsTold(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 45*time.Minute)))
	for _, by := range []time.Duration{24 * time.Hour, -48 * time.Hour} {
		d.host.MoveWall(by)
		d.pass(10 * time.Minute)
		d.wantReach(enforce.Never)
	}
	if n := d.events("clock.moved"); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
	d.pass(25 * time.Minute)
	d.wantReach(enforce.Open)
}

func TestTheServersTimeCorrectsAndSaysSo(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 45*time.Minute)))
	d.loop.Confirm(monday.Add(30 * time.Minute))
	if left := d.network().Release; left != 15*time.Minute {
		t.Errorf("%v left, want 15m", left)
	}
	if n := d.events("clock.corrected"); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

// slow is a driver that installs things.
type slow struct {
	driver
	given chan time.Duration
}

func (slow) Takes() time.Duration { return 10 * time.Minute }

func (s slow) Set(ctx context.Context, _ enforce.Rules) error {
	end, _ := ctx.Deadline()
	s.given <- time.Until(end)
	return nil
}

func TestADriverThatInstallsThingsIsGivenItsTime(t *testing.T) {
	d := newDevice(t)
	patient := slow{driver{"usb-storage", &desk{}}, make(chan time.Duration, 1)}
	loop := reconcile.New(reconcile.Config{Memory: d.memory, Clock: d.host, Drivers: []enforce.Driver{patient}, Version: "test"})
	loop.Tick()
	if given := <-patient.given; given < 9*time.Minute {
		t.Errorf("it was given %s", given)
	}
}

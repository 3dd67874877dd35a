package reconcile_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

func (d *device) wantLeft(id string, names ...string) {
	d.t.Helper()
	status, _ := d.phase(id)
	var got []string
	for _, p := range status.Parts {
		got = append(got, p.Name)
	}
	if !slices.Equal(got, names) {
		d.t.Errorf("lease %s waits for %v, want %v", id, got, names)
	}
}

// Programs were refused for a moment after the teacher had read that the mode
// was over: the end was told when it was decided.
func TestAnEndIsToldWhenItWasReadBackAndNotWhenItWasDecided(t *testing.T) {
	for name, end := range map[string]func(*device, lease.Lease){
		"by time":     func(d *device, _ lease.Lease) { d.pass(45 * time.Minute) },
		"by revision": func(d *device, l lease.Lease) { take(d.t, d.offer(l.End(monday))) },
		"by code":     func(d *device, _ lease.Lease) { d.loop.Release(lease.ReleaseCode(secret, "a", monday), "") },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDevice(t)
			mode := d.lease("a", 1, lease.Focus, 0, 45*time.Minute)
			take(t, d.offer(mode))
			d.wantPhase("a", ddm.LeaseActive)
			d.desks[catalog.Apps].broken = errBroken
			end(d, mode)
			d.wantPhase("a", ddm.LeaseEnding)
			status, _ := d.phase("a")
			if len(status.Parts) != 1 || status.Parts[0].State != ddm.PartDeviating || code(status.Parts[0].Reason) != "part.driver-error" {
				t.Errorf("what stands in the way of the end is told as %+v", status.Parts)
			}
			if d.loop.Status().Agrees {
				t.Error("the device says that all is as it should be")
			}
			d.loop.Told(d.loop.Report())
			d.desks[catalog.Apps].broken = nil
			d.pass(2 * time.Minute)
			d.wantPhase("a", ddm.LeaseEnded)
			d.wantLeft("a")
			if pending, _ := d.loop.Pending(); !pending {
				t.Error("the server does not hear that it is released")
			}
		})
	}
}

func TestAnEndThatWasNotReadBackIsRememberedOverARestart(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Focus, 0, 10*time.Minute)))
	d.desks[catalog.Apps].broken = errBroken
	d.pass(10 * time.Minute)
	d.loop.Told(d.loop.Report())
	d.start()
	d.wantPhase("a", ddm.LeaseEnding)
	d.desks[catalog.Apps].broken = nil
	d.start()
	d.wantPhase("a", ddm.LeaseEnded)
	d.start()
	d.wantPhase("a", ddm.LeaseEnded)
	d.wantLeft("a")
}

// The other mode keeps the part busy; nothing of the first is in it any more.
func TestALeaseThatEndsBesideAnotherOfItsPartsEndsAlone(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 10*time.Minute), d.lease("b", 1, lease.Sites, 0, time.Hour)))
	d.wantReach(enforce.Never)
	d.desks[catalog.Browser].pending = true
	d.pass(10 * time.Minute)
	d.wantReach(enforce.Only)
	d.wantPhase("a", ddm.LeaseEnded)
	d.wantLeft("a")
	d.wantPhase("b", ddm.LeaseActive)
}

func TestALeaseWhoseRulesStayInThePartOfAnotherIsNotYetEnded(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 10*time.Minute), d.lease("b", 1, lease.Sites, 0, time.Hour)))
	d.desks[catalog.Network].broken = errBroken
	d.pass(10 * time.Minute)
	d.wantReach(enforce.Never)
	d.wantPhase("a", ddm.LeaseEnding)
	d.desks[catalog.Network].broken = nil
	d.pass(time.Minute)
	d.wantReach(enforce.Only)
	d.wantPhase("a", ddm.LeaseEnded)
}

// As when a mode begins: a browser that restarts in a minute is a detail, and
// told.
func TestAnEndDoesNotWaitForABrowserThatRestarts(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 10*time.Minute)))
	d.desks[catalog.Browser].pending = true
	d.pass(10 * time.Minute)
	d.wantPhase("a", ddm.LeaseEnded)
	d.wantLeft("a", "browser")
	d.desks[catalog.Browser].pending = false
	d.pass(time.Minute)
	d.wantLeft("a")
}

func TestALeaseThatNeverBeganLeavesNothingToRelease(t *testing.T) {
	d := newDevice(t)
	later := d.lease("a", 1, lease.Focus, time.Hour, 2*time.Hour)
	take(t, d.offer(later))
	d.desks[catalog.Apps].stuck = true
	take(t, d.offer(later.End(monday)))
	d.wantPhase("a", ddm.LeaseEnded)
	d.wantLeft("a")
}

func TestALeaseThatIsGivenAgainIsNotEndingAnyMore(t *testing.T) {
	d := newDevice(t)
	mode := d.lease("a", 1, lease.Focus, 0, 45*time.Minute)
	take(t, d.offer(mode))
	d.desks[catalog.Apps].broken = errBroken
	take(t, d.offer(mode.End(monday)))
	d.wantPhase("a", ddm.LeaseEnding)
	d.desks[catalog.Apps].broken = nil
	again := mode
	again.Rev = 3
	take(t, d.offer(again))
	d.pass(time.Minute)
	d.wantPhase("a", ddm.LeaseActive)
	d.pass(45 * time.Minute)
	d.wantPhase("a", ddm.LeaseEnded)
}

// The agent died between noting an end and taking back; meanwhile another mode
// runs, whose rules are to stand alone.
func TestTheSweepReleasesWhatEndedBesideARunningMode(t *testing.T) {
	d := newDevice(t)
	first := d.lease("a", 1, lease.Offline, 0, time.Hour)
	second := d.lease("b", 1, lease.Sites, 0, 2*time.Hour)
	take(t, d.offer(first, second))
	for _, desk := range d.desks {
		desk.broken = errBroken
	}
	take(t, d.offer(first.End(monday), second))
	d.wantReach(enforce.Never)
	var drivers []enforce.Driver
	for name, desk := range d.desks {
		desk.broken = nil
		drivers = append(drivers, driver{name, desk})
	}
	if _, err := reconcile.Sweep(t.Context(), d.memory, d.host, drivers, reconcile.Speech{}); err != nil {
		t.Fatal(err)
	}
	d.wantReach(enforce.Only)
	for _, end := range d.memory.State().Ended {
		if len(end.Left) > 0 {
			t.Errorf("after the sweep %s still waits for %v", end.ID, end.Left)
		}
	}
	sets := d.desks[catalog.Network].sets
	if _, err := reconcile.Sweep(t.Context(), d.memory, d.host, drivers, reconcile.Speech{}); err != nil {
		t.Fatal(err)
	}
	if d.desks[catalog.Network].sets != sets {
		t.Error("a sweep with nothing to do touches the drivers")
	}
}

func code(reason *ddm.Reason) string {
	if reason == nil {
		return ""
	}
	return reason.Code
}

// hanging is a driver that does not come back until it is let go.
type hanging struct {
	driver
	free chan struct{}
}

func (h hanging) Set(ctx context.Context, rules enforce.Rules) error {
	<-h.free
	return h.driver.Set(ctx, rules)
}

// A driver that hung kept every report back, the word on itself too.
func TestADriverThatHangsIsToldAllTheSame(t *testing.T) {
	d := newDevice(t)
	h := hanging{driver{catalog.Network, &desk{}}, make(chan struct{})}
	d.loop = reconcile.New(reconcile.Config{Memory: d.memory, Clock: d.host, Drivers: []enforce.Driver{h}, Speech: reconcile.Speech{}})
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, time.Hour)))
	select {
	case <-d.loop.Changed():
		t.Error("the server is disturbed although a reading is about to come")
	default:
	}
	d.host.Advance(time.Minute)
	d.loop.Tick()
	select {
	case <-d.loop.Changed():
	default:
		t.Error("nothing is told of a driver that hangs")
	}
	if got := d.part("a", catalog.Network); got.State != ddm.PartDeviating || code(got.Reason) != "part.timeout" {
		t.Errorf("network is %+v", got)
	}
	close(h.free)
	<-d.loop.Changed()
	if got := d.part("a", catalog.Network); got.State != ddm.PartOK {
		t.Errorf("network is %+v after it came back", got)
	}
}

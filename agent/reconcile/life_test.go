package reconcile_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/lease"
)

// life is what a device goes through, beside what should be true of it.
type life struct {
	*device
	t    *rapid.T
	want map[string]lease.Lease // what the server last got stored, by id
	over map[string]int         // revision up to which a lease has ended
	next int
}

func (w *life) now() time.Time { return w.host.Read().Wall }

// holds reports whether the device must be locked, from the server's view.
func (w *life) holds() bool {
	for id, l := range w.want {
		if l.Rev > w.over[id] && l.Holds(w.now()) {
			return true
		}
	}
	return false
}

func (w *life) note() {
	for id, l := range w.want {
		if l.Ended(w.now()) && l.Rev > w.over[id] {
			w.over[id] = l.Rev
		}
	}
}

func (w *life) offerAll(absent string) {
	var set []lease.Lease
	for id, l := range w.want {
		if id != absent {
			set = append(set, l)
		}
	}
	if err := w.offer(set...); err != nil {
		w.t.Fatalf("offer: %v", err)
	}
}

func (w *life) step() {
	ids := make([]string, 0, len(w.want))
	for i := range w.next {
		if _, ok := w.want["l"+number(i)]; ok {
			ids = append(ids, "l"+number(i))
		}
	}
	one := func() string { return rapid.SampledFrom(ids).Draw(w.t, "which") }
	action := rapid.SampledFrom([]string{"pass", "pass", "start", "extend", "end", "absent", "reboot", "kill", "tamper", "wall", "code", "replay", "full"}).Draw(w.t, "action")
	if len(ids) == 0 && action != "pass" && action != "reboot" && action != "kill" {
		action = "start"
	}
	from := w.now().Truncate(time.Second)
	switch action {
	case "pass":
		w.pass(time.Duration(rapid.IntRange(1, 1800).Draw(w.t, "seconds")) * time.Second)
	case "start":
		id := "l" + number(w.next)
		w.next++
		l := w.lease(id, 1, lease.Offline, 0, 0)
		l.NotBefore = from.Add(time.Duration(rapid.IntRange(0, 600).Draw(w.t, "in")) * time.Second)
		l.Expires = l.NotBefore.Add(time.Duration(rapid.IntRange(1, 5400).Draw(w.t, "for")) * time.Second)
		w.want[id] = l
		w.offerAll("")
	case "extend":
		id := one()
		l := w.want[id]
		l.Rev = max(l.Rev, w.over[id]) + 1
		l.Expires = from.Add(10 * time.Minute)
		w.want[id] = l
		w.offerAll("")
	case "end":
		id := one()
		w.want[id] = w.want[id].End(from)
		w.offerAll("")
	case "absent":
		w.offerAll(one())
	case "replay":
		id := one()
		old := w.want[id]
		newest := w.want[id]
		old.Rev, old.Expires = old.Rev-1, from.Add(time.Hour)
		if old.Rev < 1 {
			return
		}
		w.want[id] = old
		w.offerAll("")
		w.want[id] = newest
	case "reboot":
		w.reboot(time.Duration(rapid.IntRange(1, 1200).Draw(w.t, "off")) * time.Second)
	case "kill":
		w.start()
	case "tamper":
		desk := w.desks[catalog.Network]
		desk.changed, desk.rules = true, enforce.Rules{}
		w.pass(10 * time.Second)
	case "wall":
		by := time.Duration(rapid.Int64Range(-int64(100*time.Hour), int64(100*time.Hour)).Draw(w.t, "by"))
		w.host.MoveWall(by)
		w.loop.Tick()
		w.host.MoveWall(-by)
		w.loop.Tick()
	case "code":
		id := one()
		if w.loop.Release(lease.ReleaseCode(secret, id, w.now()), id).Key == "release.done" {
			w.over[id] = w.want[id].Rev + 100 // and what was given meanwhile; the server goes on above it
		}
	case "full":
		w.host.Files.SetFull(true)
		w.pass(time.Duration(rapid.IntRange(1, 600).Draw(w.t, "seconds")) * time.Second)
		w.host.Files.SetFull(false)
	}
}

// No sequence of events leaves a device locked after its end or open during its
// window.
func TestNoLifeLeavesADeviceLockedOrOpen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &life{device: newDevice(t), t: rt, want: map[string]lease.Lease{}, over: map[string]int{}}
		for range rapid.IntRange(5, 50).Draw(rt, "steps") {
			w.step()
			w.loop.Tick()
			w.note()
			want := enforce.Open
			if w.holds() {
				want = enforce.Never
			}
			if got := w.network().Reach; got != want {
				rt.Fatalf("at %v the network is %q, want %q; leases %+v, over %v", w.now().Sub(monday), got, want, w.want, w.over)
			}
		}
	})
}

var _ host.Clock = (*host.Fake)(nil)

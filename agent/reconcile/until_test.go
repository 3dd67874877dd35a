package reconcile_test

import (
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/memory"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/lease"
)

// A part stays narrowed without a gap until the last of its leases ends, however
// they lie over each other; the next look is due at the first change.
func TestThePartLastsUntilTheLastEndWithoutAGap(t *testing.T) {
	type run struct {
		id        string
		kind      lease.Kind
		from, end int // minutes after now
	}
	cases := []struct {
		name                        string
		runs                        []run
		next, network, screen, apps int // minutes; -1: does not hold
	}{
		{"two kinds overlap", []run{{"o", lease.Offline, -10, 60}, {"s", lease.Sites, -10, 30}}, 30, 60, -1, -1},
		{"one follows on another", []run{{"o", lease.Offline, -10, 30}, {"s", lease.Sites, 30, 60}}, 30, 60, -1, -1},
		{"one begins before the other ends", []run{{"o", lease.Offline, -10, 30}, {"s", lease.Sites, 20, 60}}, 20, 60, -1, -1},
		{"a gap is a gap", []run{{"o", lease.Offline, -10, 30}, {"s", lease.Sites, 31, 60}}, 30, 30, -1, -1},
		{"a chain of three", []run{{"o", lease.Offline, -10, 30}, {"s", lease.Sites, 25, 50}, {"x", lease.Exam, 45, 90}}, 25, 90, -1, -1},
		{"a later, shorter one of the same kind masks a longer one", []run{{"a", lease.Offline, -10, 60}, {"b", lease.Offline, -5, 30}}, 30, 60, -1, -1},
		{"the same of programs", []run{{"a", lease.Focus, -10, 60}, {"b", lease.Focus, -5, 30}}, 30, -1, -1, 60},
		{"programs in an exam and after it", []run{{"a", lease.Exam, -10, 30}, {"b", lease.Focus, -5, 60}}, 30, 30, -1, 60},
		{"the same of screens", []run{{"a", lease.Screen, -3, 12}, {"b", lease.Screen, -1, 4}}, 4, -1, 12, -1},
		{"a screen gives way to an exam that begins", []run{{"a", lease.Screen, -3, 12}, {"x", lease.Exam, 5, 90}}, 5, -1, 5, -1},
		{"other parts do not count", []run{{"o", lease.Offline, -10, 30}, {"f", lease.Focus, -10, 60}}, 30, 30, -1, 60},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var leases []lease.Lease
			for _, r := range c.runs {
				leases = append(leases, lease.Lease{
					ID: r.id, Rev: 1, Kind: r.kind, NotBefore: monday.Add(time.Duration(r.from) * time.Minute), Expires: monday.Add(time.Duration(r.end) * time.Minute),
				})
			}
			rules, holding := reconcile.Decide(nil, leases, memory.Clock{Now: monday, Exam: monday}, reconcile.Speech{})
			check := func(what string, until time.Time, left time.Duration, want int) {
				t.Helper()
				end := time.Duration(want) * time.Minute
				if want >= 0 && (!until.Equal(monday.Add(end)) || left != end) {
					t.Errorf("%s lasts until %s, for %s, want %s", what, until, left, end)
				}
				if want < 0 && !until.IsZero() {
					t.Errorf("%s holds until %s", what, until)
				}
			}
			check("the next change", holding.Next, holding.Next.Sub(monday), c.next)
			check("the network", rules.Network.Until, rules.Network.Release, c.network)
			var screen enforce.Screen
			if rules.Screen != nil {
				screen = *rules.Screen
			}
			check("the screen", screen.Until, screen.Release, c.screen)
			var apps enforce.Apps
			if rules.Apps != nil {
				apps = *rules.Apps
			}
			check("programs", apps.Until, apps.Release, c.apps)
		})
	}
}

// Seen: offline to 10:00 and sites to 09:30, the agent killed at 09:20: the
// kernel opened everything at 09:30.
func TestTheShorterOfTwoModesDoesNotOpenTheNetworkOfADeadAgent(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("o", 1, lease.Offline, 0, time.Hour), d.lease("s", 1, lease.Sites, 0, 30*time.Minute)))
	if got := d.network(); got.Reach != enforce.Never || !got.Until.Equal(monday.Add(time.Hour)) || got.Release != time.Hour {
		t.Errorf("network %q until %s, for %s", got.Reach, got.Until, got.Release)
	}
	d.pass(30 * time.Minute)
	if got := d.network(); got.Reach != enforce.Never || !got.Until.Equal(monday.Add(time.Hour)) {
		t.Errorf("after the shorter one: %q until %s", got.Reach, got.Until)
	}
	d.pass(30 * time.Minute)
	d.wantReach(enforce.Open)
}

// Seen: a second teacher's five minutes over the first one's hour.
func TestAShorterModeOfTheSameKindDoesNotShortenTheLongerOne(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, time.Hour), d.lease("b", 1, lease.Offline, time.Minute, 6*time.Minute)))
	d.pass(2 * time.Minute)
	if got := d.network(); !got.Until.Equal(monday.Add(time.Hour)) {
		t.Errorf("the system opens at %s", got.Until)
	}
	d.pass(5 * time.Minute)
	d.wantReach(enforce.Never)
}

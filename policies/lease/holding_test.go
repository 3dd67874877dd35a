package lease_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/lease"
)

// run is one lease of a table: minutes after the bell.
type run struct {
	id        string
	kind      lease.Kind
	rev       int
	from, end int
}

func (r run) lease() lease.Lease {
	return lease.Lease{ID: r.id, Rev: max(r.rev, 1), Kind: r.kind, NotBefore: after(r.from), Expires: after(r.end), Subject: "e"}
}

func after(minutes int) time.Time { return bell.Add(time.Duration(minutes) * time.Minute) }

func leases(runs []run) []lease.Lease {
	list := make([]lease.Lease, len(runs))
	for i, r := range runs {
		list[i] = r.lease()
	}
	return list
}

func ruling(h lease.Holding) []string {
	var ids []string
	for _, l := range h.List() {
		ids = append(ids, l.ID)
	}
	return ids
}

func TestHold(t *testing.T) {
	cases := []struct {
		name string
		runs []run
		at   int
		want []string // ids, in order of precedence
		next int      // minutes; -1 for never
	}{
		{"nothing was ever granted", nil, 0, nil, -1},
		{"before its start", []run{{"a", lease.Offline, 1, 10, 55}}, 0, nil, 10},
		{"begins to hold at the very instant", []run{{"a", lease.Offline, 1, 10, 55}}, 10, []string{"a"}, 55},
		{"is over at the very instant", []run{{"a", lease.Offline, 1, 10, 55}}, 55, nil, -1},
		{"different kinds hold together", []run{{"f", lease.Focus, 1, 0, 45}, {"s", lease.Sites, 1, 0, 30}, {"o", lease.Offline, 1, 0, 20}, {"x", lease.Screen, 1, 0, 5}}, 1, []string{"x", "o", "s", "f"}, 5},
		{"the same kind twice: the later start rules", []run{{"early", lease.Sites, 1, 0, 45}, {"late", lease.Sites, 1, 10, 20}}, 15, []string{"late"}, 20},
		{"the earlier one resumes after it", []run{{"early", lease.Sites, 1, 0, 45}, {"late", lease.Sites, 1, 10, 20}}, 20, []string{"early"}, 45},
		{"the same kind at the same start: one of them, always the same", []run{{"a", lease.Sites, 1, 0, 45}, {"b", lease.Sites, 1, 0, 45}}, 1, []string{"b"}, 45},
		{"a covered screen yields to an exam", []run{{"x", lease.Screen, 1, 0, 10}, {"e", lease.Exam, 1, 0, 60}}, 1, []string{"e"}, 10},
		{"a covered screen holds again after the exam", []run{{"x", lease.Screen, 1, 0, 70}, {"e", lease.Exam, 1, 0, 60}}, 60, []string{"x"}, 70},
		{"a lesson's other kinds hold beside an exam", []run{{"o", lease.Offline, 1, 0, 30}, {"e", lease.Exam, 1, 0, 60}}, 1, []string{"e", "o"}, 30},
		{"the highest revision counts", []run{{"a", lease.Offline, 1, 0, 45}, {"a", lease.Offline, 3, 0, 90}, {"a", lease.Offline, 2, 0, 10}}, 60, []string{"a"}, 90},
		{"an early end is a higher revision", []run{{"a", lease.Offline, 1, 0, 45}, {"a", lease.Offline, 2, 0, 5}}, 6, nil, -1},
		{"an end before the start never holds", []run{{"a", lease.Offline, 1, 10, 45}, {"a", lease.Offline, 2, 10, 5}}, 20, nil, -1},
		{"a lower revision revives nothing", []run{{"a", lease.Offline, 2, 0, 5}, {"a", lease.Offline, 1, 0, 45}}, 20, nil, -1},
		{"next is the earliest change of all", []run{{"a", lease.Offline, 1, 0, 45}, {"b", lease.Focus, 1, 12, 40}}, 1, []string{"a"}, 12},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := lease.Hold(leases(c.runs), after(c.at))
			if got := ruling(h); !slices.Equal(got, c.want) {
				t.Errorf("holds %v, want %v", got, c.want)
			}
			if h.Any() != (len(c.want) > 0) {
				t.Errorf("Any says %v", h.Any())
			}
			want := time.Time{}
			if c.next >= 0 {
				want = after(c.next)
			}
			if !h.Next.Equal(want) {
				t.Errorf("next change at %s, want %s", h.Next, want)
			}
		})
	}
}

func TestHoldingIsTheSameInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Two contents under one id and revision: the server never signs that.
		signed := rapid.SliceOfN(anyLease(), 0, 8).Filter(func(set []lease.Lease) bool { return !sameRevTwice(set) })
		set := signed.Draw(t, "leases")
		at := bell.Add(time.Duration(rapid.IntRange(-4000, 9000).Draw(t, "at")) * time.Second)
		mixed := rapid.Permutation(set).Draw(t, "mixed")
		if a, b := mustJSON(lease.Hold(set, at).List()), mustJSON(lease.Hold(mixed, at).List()); a != b {
			t.Fatalf("%s\n%s", a, b)
		}
	})
}

func sameRevTwice(set []lease.Lease) bool {
	seen := map[string]string{}
	for _, l := range set {
		name := l.ID + "#" + string(rune('0'+l.Rev))
		if known, ok := seen[name]; ok && known != mustJSON(l) {
			return true
		}
		seen[name] = mustJSON(l)
	}
	return false
}

// Until Next, the clock alone changes nothing; whatever holds has an end; and
// once the last end has passed, nothing holds.
func TestHoldingAlwaysEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SliceOfN(anyLease(), 0, 6).Draw(t, "leases")
		at := bell.Add(time.Duration(rapid.IntRange(-4000, 4000).Draw(t, "at")) * time.Second)
		for steps := 0; ; steps++ {
			now := lease.Hold(set, at)
			if now.Next.IsZero() {
				if now.Any() {
					t.Fatalf("holds for ever: %v", ruling(now))
				}
				return
			}
			if !now.Next.After(at) {
				t.Fatalf("the next change, %s, is not after %s", now.Next, at)
			}
			within := at.Add(now.Next.Sub(at) / 2)
			if a, b := mustJSON(now.List()), mustJSON(lease.Hold(set, within).List()); a != b {
				t.Fatalf("changed between %s and %s without saying so:\n%s\n%s", at, now.Next, a, b)
			}
			if at = now.Next; steps > 2*len(set) {
				t.Fatal("more changes than beginnings and ends")
			}
		}
	})
}

func TestEndingIsHarmlessTwice(t *testing.T) {
	l := offline()
	once := l.End(after(10))
	twice := once.End(after(20))
	for _, ended := range []lease.Lease{once, twice} {
		if ended.Holds(after(10)) || ended.Holds(after(25)) || !ended.Ended(after(25)) {
			t.Errorf("rev %d still holds", ended.Rev)
		}
	}
	if early := l.End(after(-10)); !early.Ended(after(-10)) || early.Holds(after(5)) {
		t.Error("ended before it began, and it holds all the same")
	}
}

func TestEveryKindHasALengthAndAnEnd(t *testing.T) {
	for _, kind := range lease.Kinds {
		if !kind.Valid() || kind.Default() <= 0 || kind.Default() > kind.Longest() {
			t.Errorf("%s: default %s, longest %s", kind, kind.Default(), kind.Longest())
		}
	}
	if lease.Kind("sleep").Valid() {
		t.Error("a kind that does not exist is valid")
	}
	if lease.Screen.Longest() != 15*time.Minute || lease.Exam.Longest() != 6*time.Hour || lease.Sites.Longest() != 90*time.Minute {
		t.Error("the longest lengths are not those of the design")
	}
}

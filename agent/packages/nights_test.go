package packages_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

// nights are evenings before clocks change, in both directions, and one before a
// night in which they do not.
var nights = []time.Time{
	time.Date(2026, 10, 24, 16, 0, 0, 0, time.UTC), time.Date(2027, 3, 27, 16, 0, 0, 0, time.UTC), time.Date(2027, 10, 30, 16, 0, 0, 0, time.UTC), time.Date(2026, 11, 28, 16, 0, 0, 0, time.UTC),
}

// In the night in which an hour is left out, and in the one in which it comes
// twice, a window around or inside that hour opens once: the package is installed in
// it, whatever ends the agent meanwhile, and never again.
func TestInNightsInWhichClocksChangeAWindowOpensOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.now = rapid.SampledFrom(nights).Draw(t, "night")
		from := rollout.Clock(rapid.IntRange(4, 13).Draw(t, "from") * 15)
		to := from + rollout.Clock(rapid.IntRange(2, 8).Draw(t, "quarters")*15)
		window := rollout.Window{Open: []rollout.Hours{{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, Span: rollout.Span{From: from, To: to}}}}
		d := w.declare("geogebra", "1.0", 1)
		d.Window = window
		w.want(d)
		w.killAt = rapid.IntRange(-1, 6).Draw(t, "kill")
		killed := w.killAt >= 0

		day := rollout.DateOf(w.now.In(berlin)).Add(1)
		openings := window.Day(d.Calendar, day)
		if len(openings) != 1 {
			t.Fatalf("%d openings on %s from %s to %s", len(openings), day, from, to)
		}
		opening := openings[0]
		for morning := w.now.Add(16 * time.Hour); w.now.Before(morning); {
			// A start of the agent, or of the machine, opens nothing.
			w.start()
			w.live(time.Duration(rapid.IntRange(20, 200).Draw(t, "minutes")) * time.Minute)
		}
		if s := w.state(); s.State != ddm.PackageVerified || s.Present != "1.0" {
			t.Fatalf("in the morning: %+v", s)
		}
		if most := 1 + map[bool]int{true: 1}[killed]; len(w.begun) > most {
			t.Errorf("begun %d times: %v", len(w.begun), w.begun)
		}
		if i := slices.IndexFunc(w.begun, func(at time.Time) bool { return !opening.Has(at) }); i >= 0 {
			t.Errorf("begun at %s, the window is open from %s to %s", w.begun[i], opening.Opens, opening.Closes)
		}
		begun := len(w.begun)
		w.live(36 * time.Hour) // over the next night
		if len(w.begun) != begun {
			t.Errorf("begun again at %s", w.begun[begun])
		}
	})
}

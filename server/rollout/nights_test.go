package rollout_test

import (
	"testing"
	"time"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/rollout"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// Over the nights in which clocks change the server sees a window open once and
// close once, whatever minute it is started anew in.
func TestOverANightInWhichClocksChangeAWindowOpensOnce(t *testing.T) {
	for name, evening := range map[string]time.Time{
		"an hour twice":  time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC),
		"an hour less":   time.Date(2027, 3, 27, 20, 0, 0, 0, time.UTC),
		"a usual night":  time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC),
		"the year after": time.Date(2027, 10, 30, 20, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T, s *store.Store) {
				c := found(t, s, 3)
				c.at = evening
				every := []time.Weekday{0, 1, 2, 3, 4, 5, 6}
				view, err := c.Create(t.Context(), c.keller, rollout.New{Package: c.webApp("1").ID, Level: org.Authority, Place: c.school.Authority, Rings: []ground.Ring{{Kind: ground.RingAll}},
					Window: ground.Window{Open: []ground.Hours{{Days: every, Span: ground.Span{From: 2 * 60, To: 3 * 60}}}}})
				if err != nil {
					t.Fatal(err)
				}
				state, opened, closed := ground.State(""), 0, 0
				for range 14 * 60 {
					again := *c.Service // a start of the server: nothing is remembered
					if err := again.Tick(t.Context()); err != nil {
						t.Fatal(err)
					}
					r, err := s.FindRollout(t.Context(), view.ID)
					if err != nil {
						t.Fatal(err)
					}
					if now := r.Status.State; now != state && state != "" {
						if now == ground.Running {
							opened++
						} else {
							closed++
						}
					}
					state = r.Status.State
					c.at = c.at.Add(time.Minute)
				}
				if opened != 1 || closed != 1 {
					t.Errorf("opened %d times, closed %d times", opened, closed)
				}
			})
		})
	}
}

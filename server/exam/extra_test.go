package exam_test

import (
	"slices"
	"testing"
	"time"

	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func TestEverySeatHasItsOwnEnd(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 3)
		slow := h.laptops[1]
		h.must(h.SetExtra(t.Context(), h.office, exam.ExtraTime{Branch: h.school.Branch(), Person: slow.pupil, Extra: exam.Extra{Percent: 25}}))
		e := h.planned()
		h.to(bell.Add(time.Minute))
		if got, want := slow.held().Expires, bell.Add(113*time.Minute); !got.Equal(want) {
			t.Errorf("with a quarter more of 90 minutes: %s, not %s", got, want)
		}
		if got := h.laptops[0].held().Expires; !got.Equal(bell.Add(90 * time.Minute)) {
			t.Errorf("without: %s", got)
		}
		// In force on what is on the devices already, too.
		h.must(h.SetExtra(t.Context(), h.office, exam.ExtraTime{Branch: h.school.Branch(), Device: h.laptops[2].id, Extra: exam.Extra{Minutes: 10}}))
		h.sync()
		if got := h.laptops[2].held().Expires; !got.Equal(bell.Add(100 * time.Minute)) {
			t.Errorf("entered while it runs: %s", got)
		}
		// The office and who leads it see whose end is later; who only reads does not.
		for _, reader := range []struct {
			who  may.Actor
			sees bool
		}{{h.oert, true}, {h.office, true}, {h.adler, false}, {h.desk, false}} {
			board, err := h.Board(t.Context(), reader.who, e.ID)
			h.must(err)
			for _, place := range board.Places {
				if place.Ends.IsZero() == reader.sees {
					t.Errorf("%s sees %v", reader.who.Name, place.Ends)
				}
			}
		}
		h.to(bell.Add(101 * time.Minute))
		if h.laptops[0].locked() || h.laptops[2].locked() || !slow.locked() {
			t.Error("after a hundred minutes only the slow one writes")
		}
		e, err := h.Find(t.Context(), h.oert, e.ID)
		h.must(err)
		if e.State(h.at) != exam.Running {
			t.Errorf("somebody still writes, and it is %s", e.State(h.at))
		}
		h.to(bell.Add(113 * time.Minute))
		if e.State(h.at) != exam.Ended || slow.locked() {
			t.Error("not over")
		}
	})
}

// What the office enters along with an examination is kept with it, or not at all.
func TestExtraTimeComesWithItsExaminationOrNot(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 2)
		ctx := t.Context()
		kept := func(exams, extras int) {
			t.Helper()
			all, _, err := h.List(ctx, h.office, exam.Filter{})
			h.must(err)
			times, err := h.Extras(ctx, h.office, h.school.Branch())
			h.must(err)
			if len(all) != exams || len(times) != extras {
				t.Errorf("%d examinations and %d extra times, want %d and %d", len(all), len(times), exams, extras)
			}
		}
		good := h.plan()
		good.Extra = []exam.ExtraTime{{Person: h.laptops[0].pupil, Extra: exam.Extra{Minutes: 10}}}
		bad := good
		bad.Ends = bad.Starts
		_, err := h.Create(ctx, h.office, bad)
		h.refused(err, "mode.ends_before_start")
		bad = good
		bad.Extra = append(slices.Clone(good.Extra), exam.ExtraTime{Device: "nowhere", Extra: exam.Extra{Minutes: 5}})
		_, err = h.Create(ctx, h.office, bad)
		h.refused(err, "device.not_found")
		_, err = h.Create(ctx, h.oert, good)
		h.refused(err, "denied")
		kept(0, 0)
		_, err = h.Create(ctx, h.office, good)
		h.must(err)
		kept(1, 1)
		h.to(bell)
		if got := h.laptops[0].held().Expires; !got.Equal(bell.Add(100 * time.Minute)) {
			t.Errorf("with ten minutes more: %s", got)
		}
	})
}

package exam_test

import (
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/server/exam"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func TestLetOutAndInAgain(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 2)
		e := h.planned()
		one, two := h.laptops[0], h.laptops[1]
		h.to(bell.Add(10 * time.Minute))
		h.must(h.Release(t.Context(), h.desk, e.ID, one.id))
		h.must(h.Release(t.Context(), h.oert, e.ID, one.id))
		h.sync()
		if one.locked() || !two.locked() {
			t.Fatal("exactly one should be out")
		}
		two.code()
		h.to(bell.Add(11 * time.Minute))
		if standing := h.standing(e.ID, two); two.locked() || standing != exam.SeatLeft {
			t.Errorf("out by code: locked %v, %s", two.locked(), standing)
		}
		// More time for everybody calls nobody back.
		_, err := h.Extend(t.Context(), h.oert, e.ID, 10)
		h.must(err)
		h.to(bell.Add(12 * time.Minute))
		if one.locked() || two.locked() {
			t.Error("called back by an extension")
		}
		for _, l := range h.laptops {
			h.must(h.Readmit(t.Context(), h.oert, e.ID, l.id))
		}
		h.to(bell.Add(13 * time.Minute))
		for _, l := range h.laptops {
			if held := l.held(); held == nil || !held.Expires.Equal(bell.Add(100*time.Minute)) {
				t.Errorf("in again: %+v", held)
			}
		}
		// The job does not undo it, and the same again changes nothing.
		rev := one.held().Rev
		h.to(bell.Add(14 * time.Minute))
		if one.held().Rev != rev {
			t.Error("written again without need")
		}
	})
}

func TestAnotherDeviceUntilTheSameEnd(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		old, spare := h.laptops[0], h.laptop()
		h.laptops = append(h.laptops, spare)
		h.must(h.SetExtra(t.Context(), h.office, exam.ExtraTime{Branch: h.school.Branch(), Person: old.pupil, Extra: exam.Extra{Minutes: 20}}))
		e := h.planned()
		h.to(bell.Add(15 * time.Minute))
		old.offline(true) // it is broken
		h.must(h.Swap(t.Context(), h.oert, e.ID, old.id, spare.id))
		h.to(bell.Add(16 * time.Minute))
		if held := spare.held(); held == nil || !held.Expires.Equal(bell.Add(110*time.Minute)) {
			t.Fatalf("the spare one: %+v", held)
		}
		board, err := h.Board(t.Context(), h.oert, e.ID)
		h.must(err)
		for _, place := range board.Places {
			if place.Device == spare.id && place.Writer.Person != old.pupil {
				t.Errorf("who writes there: %+v", place.Writer)
			}
		}
		h.refused(h.Readmit(t.Context(), h.oert, e.ID, old.id), "exam.swapped")
		// The broken one is back, and out.
		old.offline(false)
		h.to(bell.Add(17 * time.Minute))
		if old.locked() {
			t.Error("the former device is still in it")
		}
		// Out of use altogether: the other one keeps its end.
		_, err = h.roster.RetireDevice(t.Context(), h.office, old.id)
		h.must(err)
		h.to(bell.Add(18 * time.Minute))
		if held := spare.held(); held == nil || !held.Expires.Equal(bell.Add(110*time.Minute)) {
			t.Errorf("after the former was retired: %+v", held)
		}
	})
}

func TestLetOutFromTheDevicesPage(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 2)
		e := h.planned()
		h.to(bell.Add(-time.Hour))
		e, err := h.Rehearse(t.Context(), h.oert, e.ID)
		h.must(err)
		h.sync()
		h.must(h.LetOut(t.Context(), h.desk, e.Rehearsal.Mode, h.laptops[0].id))
		h.sync()
		if h.laptops[0].locked() || h.laptops[1].locked() {
			t.Error("the rehearsal goes on")
		}
		h.to(bell.Add(time.Minute))
		h.must(h.LetOut(t.Context(), h.desk, e.Mode, h.laptops[0].id))
		h.sync()
		if h.laptops[0].locked() || !h.laptops[1].locked() {
			t.Error("exactly one should be out")
		}
		h.refused(h.LetOut(t.Context(), h.stranger, e.Mode, h.laptops[1].id), "not_found")
	})
}

// A hand stays up until somebody has been there, however often it is raised.
func TestAHandIsSeenUntilSomebodyWasThere(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 2)
		e := h.planned()
		one := h.laptops[0]
		h.to(bell.Add(5 * time.Minute))
		says := func(id, key string) {
			h.at = h.at.Add(time.Minute)
			one.events = []ddm.Event{{ID: id, At: h.at, Key: key}}
			h.sync()
		}
		hand := func() time.Time {
			board, err := h.Board(t.Context(), h.oert, e.ID)
			h.must(err)
			var up time.Time
			for _, place := range board.Places {
				if place.Device == one.id {
					up = place.Hand
				} else if !place.Hand.IsZero() {
					t.Error("another one's hand is up")
				}
				if place.Troubled() == place.Hand.IsZero() {
					t.Error("a hand needs a look, and nothing else here does")
				}
			}
			return up
		}
		says("e1", ddm.EventExamHand)
		first := hand()
		says("e2", ddm.EventExamHand)
		if !first.Equal(bell.Add(6*time.Minute)) || !hand().Equal(first) {
			t.Errorf("up since %s, then %s", first, hand())
		}
		h.refused(h.SeenTo(t.Context(), h.adler, e.ID, one.id), "exam.not_yours")
		h.must(h.SeenTo(t.Context(), h.brandt, e.ID, one.id))
		if up := hand(); !up.IsZero() {
			t.Errorf("somebody was there, and it is up since %s", up)
		}
		says("e3", ddm.EventExamHand)
		if hand().IsZero() {
			t.Error("asked again, and nobody sees it")
		}
		says("e4", ddm.EventExamHandDown)
		if !hand().IsZero() {
			t.Error("taken back, and still up")
		}
	})
}

package exam_test

import (
	"slices"
	"testing"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func TestAnExaminationIsArmedADayBeforeAndRunsByTheClock(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 3)
		e := h.planned()
		h.sync()
		if len(h.laptops[0].kept) > 0 || e.State(h.at) != exam.Planned {
			t.Fatalf("%d leases more than a day before, %s", len(h.laptops[0].kept), e.State(h.at))
		}
		h.to(bell.Add(-20 * time.Hour))
		e, err := h.Find(t.Context(), h.oert, e.ID)
		h.must(err)
		board, err := h.Board(t.Context(), h.oert, e.ID)
		h.must(err)
		if e.State(h.at) != exam.Armed || board.Count()[exam.SeatArmed] != 3 {
			t.Fatalf("%s, %v", e.State(h.at), board.Count())
		}
		// From here on nobody hears of the server any more.
		for _, l := range h.laptops {
			l.offline(true)
		}
		for _, step := range []struct {
			at     time.Time
			locked bool
		}{{bell.Add(-time.Second), false}, {bell, true}, {bell.Add(90*time.Minute - time.Second), true}, {bell.Add(90 * time.Minute), false}} {
			h.at = step.at
			for _, l := range h.laptops {
				if l.locked() != step.locked {
					t.Errorf("%s: locked %v", step.at, l.locked())
				}
			}
		}
		held := h.laptops[0].kept
		for _, l := range held {
			if l.Kind != lease.Exam || l.Rules.Exam.Title != "Mathematik" || !slices.Equal(l.Rules.Sites, []string{"moodle.example"}) || l.By != "Frau Oert" {
				t.Errorf("what is signed: %+v %+v", l, l.Rules.Exam)
			}
		}
	})
}

func TestStartEarlyKeepsTheLength(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		e := h.planned()
		h.to(bell.Add(-17 * time.Minute))
		e, err := h.Start(t.Context(), h.oert, e.ID)
		h.must(err)
		h.sync()
		if got := h.laptops[0].held(); got == nil || !got.Expires.Equal(h.at.Add(90*time.Minute)) || e.State(h.at) != exam.Running {
			t.Errorf("%+v, %s", got, e.State(h.at))
		}
		_, err = h.Update(t.Context(), h.oert, e.ID, h.plan())
		h.refused(err, "exam.begun")
		h.refused(h.Delete(t.Context(), h.oert, e.ID), "exam.begun")
	})
}

func TestAnInterruptionMovesTheEnd(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		e := h.planned()
		one := h.laptops[0]
		h.to(bell.Add(80 * time.Minute))
		_, err := h.Pause(t.Context(), h.oert, e.ID)
		h.must(err)
		for _, minute := range []int{81, 85, 90, 94, 99} {
			h.to(bell.Add(time.Duration(minute) * time.Minute))
			if !one.locked() {
				t.Fatalf("the end came in the middle of an interruption, at minute %d", minute)
			}
		}
		h.at = bell.Add(100 * time.Minute)
		_, err = h.GoOn(t.Context(), h.brandt, e.ID)
		h.must(err)
		h.sync()
		if got := one.held().Expires; !got.Equal(bell.Add(110 * time.Minute)) {
			t.Errorf("twenty minutes outside, and it ends at %s", got)
		}
		// One that nobody ends, ends by itself.
		_, err = h.Pause(t.Context(), h.oert, e.ID)
		h.must(err)
		for minute := 100; minute <= 175; minute += 5 {
			h.to(bell.Add(time.Duration(minute) * time.Minute))
		}
		if one.locked() {
			t.Error("an examination that everybody forgot goes on")
		}
	})
}

func TestRehearsalEndsByItselfAndGivesWay(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 2)
		e := h.planned()
		h.to(bell.Add(-7 * time.Minute))
		_, err := h.Rehearse(t.Context(), h.oert, e.ID, h.laptops[0].id)
		h.must(err)
		h.sync()
		if held := h.laptops[0].held(); held == nil || !held.Rules.Exam.Rehearsal || h.laptops[1].locked() {
			t.Fatalf("%+v", held)
		}
		_, err = h.Rehearse(t.Context(), h.oert, e.ID)
		h.refused(err, "exam.rehearsing")
		for _, l := range h.laptops {
			l.offline(true)
		}
		h.at = bell
		for _, l := range h.laptops {
			if held := l.held(); held == nil || held.Rules.Exam.Rehearsal {
				t.Errorf("at the time itself: %+v", held)
			}
		}
	})
}

func TestLateJoinersAndLeavers(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		h.planned()
		h.to(bell.Add(8 * time.Minute))
		late := h.laptop(h.class)
		h.laptops = append(h.laptops, late)
		h.must(h.Settle(t.Context(), h.school.Branch()))
		h.sync()
		if held := late.held(); held == nil || !held.Expires.Equal(bell.Add(90*time.Minute)) {
			t.Errorf("who came late: %+v", held)
		}
		h.must(h.roster.RemoveDevices(t.Context(), h.office, h.class.ID, []org.ID{late.id}))
		h.must(h.Settle(t.Context(), h.school.Branch()))
		h.sync()
		if late.locked() {
			t.Error("who left the class is still in it")
		}
	})
}

func TestLessonsLeaveExaminationsAlone(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		e := h.planned()
		h.to(bell.Add(time.Minute))
		e, err := h.Find(t.Context(), h.oert, e.ID)
		h.must(err)
		_, err = h.lessons.End(t.Context(), h.office, e.Mode)
		h.refused(err, "mode.is_exam")
		_, err = h.lessons.Extend(t.Context(), h.office, e.Mode, 5)
		h.refused(err, "mode.is_exam")
		h.must(h.lessons.Settle(t.Context(), h.school.Branch()))
		h.sync()
		if !h.laptops[0].locked() {
			t.Error("let go by a lesson")
		}
	})
}

// Seen in a fire drill with the server switched off, too: whoever came back after
// more than ten minutes was out of the examination, and had to be let in one by one.
func TestAnInterruptionThatTheServerSleptThroughGoesOn(t *testing.T) {
	for _, laptopsFirst := range []bool{true, false} {
		h := build(t, storetest.Open(t), 4)
		e := h.planned()
		writes, released, coded, off := h.laptops[0], h.laptops[1], h.laptops[2], h.laptops[3]
		h.to(bell.Add(80 * time.Minute))
		h.must(h.Release(t.Context(), h.oert, e.ID, released.id))
		coded.code()
		off.offline(true)
		h.sync()
		_, err := h.Pause(t.Context(), h.oert, e.ID)
		h.must(err)
		h.sync()
		h.outage(29*time.Minute, laptopsFirst) // they were told: until minute 100
		if laptopsFirst && writes.locked() {
			t.Fatal("locked after the end that it knew")
		}
		h.to(h.at)
		h.to(h.at.Add(time.Second))
		if !writes.locked() || released.locked() || coded.locked() || off.locked() {
			t.Errorf("laptops first %v: writes %v, released %v, left by code %v, offline %v", laptopsFirst, writes.locked(), released.locked(), coded.locked(), off.locked())
		}
		if got := h.standing(e.ID, writes); got != exam.SeatInExam {
			t.Errorf("the board says %s", got)
		}
		h.at = bell.Add(110 * time.Minute)
		_, err = h.GoOn(t.Context(), h.oert, e.ID)
		h.must(err)
		h.sync()
		off.offline(false)
		h.to(h.at.Add(time.Second))
		for _, l := range []*laptop{writes, off} {
			if held := l.held(); held == nil || !held.Expires.Equal(bell.Add(120*time.Minute)) {
				t.Errorf("thirty minutes outside: %+v", held)
			}
		}
		h.to(bell.Add(121 * time.Minute))
		for i, l := range h.laptops {
			if l.locked() {
				t.Errorf("laptop %d is locked after the end", i)
			}
		}
	}
}

package exam_test

import (
	"slices"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
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

func TestWhoMay(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 2)
		ctx := t.Context()
		_, err := h.Create(ctx, h.adler, h.plan())
		h.refused(err, "exam.not_yours")
		_, err = h.Create(ctx, h.desk, h.plan())
		h.refused(err, "denied")
		e := h.planned()
		_, err = h.Find(ctx, h.stranger, e.ID)
		h.refused(err, "not_found")
		_, err = h.Start(ctx, h.adler, e.ID)
		h.refused(err, "exam.not_yours")
		_, err = h.HandOver(ctx, h.adler, e.ID, h.adler.ID)
		h.refused(err, "exam.not_yours")
		// An invigilator, a substitute and the office may.
		_, err = h.Start(ctx, h.brandt, e.ID)
		h.must(err)
		_, err = h.roster.TakeClass(ctx, h.adler, h.class.ID, time.Time{})
		h.must(err)
		_, err = h.Extend(ctx, h.adler, e.ID, 5)
		h.must(err)
		_, err = h.Extend(ctx, h.office, e.ID, 5)
		h.must(err)
		_, err = h.Extend(ctx, h.desk, e.ID, 5)
		h.refused(err, "denied")
		// Everybody who may end a mode can end it, twice, and nothing hangs.
		for range 2 {
			_, err = h.End(ctx, h.desk, e.ID)
			h.must(err)
		}
		h.sync()
		if h.laptops[0].locked() {
			t.Error("still locked")
		}
		_, err = h.Extras(ctx, h.oert, h.school.Branch())
		h.refused(err, "denied")
		h.refused(h.SetExtra(ctx, h.oert, exam.ExtraTime{Branch: h.school.Branch(), Person: h.laptops[0].pupil, Extra: exam.Extra{Minutes: 10}}), "denied")
	})
}

// A teacher prepares for devices of the own classes only: not for a pupil who has
// none yet and may be given anybody's.
func TestATeacherNamesThoseOfTheOwnClasses(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 2)
		ctx := t.Context()
		without, err := h.roster.CreatePerson(ctx, h.office, h.school.ID, "Kind ohne Gerät", "")
		h.must(err)
		plan := h.plan()
		plan.Group, plan.School, plan.Authority = "", h.school.ID, h.school.Authority
		plan.Persons, plan.Devices = []org.ID{h.laptops[0].pupil}, []org.ID{h.laptops[0].id, h.laptops[1].id}
		_, err = h.Create(ctx, h.oert, plan)
		h.must(err)
		plan.Persons = append(plan.Persons, without.ID)
		_, err = h.Create(ctx, h.oert, plan)
		h.refused(err, "exam.not_yours")
		plan.Persons, plan.Devices = []org.ID{without.ID}, nil
		_, err = h.Create(ctx, h.oert, plan)
		h.refused(err, "exam.not_yours")
		_, err = h.Create(ctx, h.office, plan)
		h.must(err)
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

func TestChangedAfterArming(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		e := h.planned()
		h.to(bell.Add(-time.Hour))
		plan := h.plan()
		plan.Starts, plan.Ends, plan.Rules.Apps = bell.Add(time.Hour), bell.Add(2*time.Hour), []string{"org.geogebra.GeoGebra"}
		_, err := h.Update(t.Context(), h.brandt, e.ID, plan)
		h.must(err)
		h.to(bell.Add(time.Minute))
		if h.laptops[0].locked() {
			t.Error("locked at the old time")
		}
		h.to(bell.Add(61 * time.Minute))
		held := h.laptops[0].held()
		if held == nil || !held.Expires.Equal(plan.Ends) || len(held.Rules.Apps) != 1 || len(h.laptops[0].kept) != 1 {
			t.Errorf("%+v of %d", held, len(h.laptops[0].kept))
		}
	})
}

func TestCalledOff(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		e := h.planned()
		h.to(bell.Add(-time.Hour))
		h.must(h.Delete(t.Context(), h.oert, e.ID))
		h.must(h.Delete(t.Context(), h.oert, e.ID))
		h.to(bell.Add(time.Minute))
		if h.laptops[0].locked() {
			t.Error("locked although it was called off")
		}
		// One that never was on a device leaves nothing.
		later := h.plan()
		later.Starts, later.Ends = bell.Add(100*time.Hour), bell.Add(101*time.Hour)
		draft, err := h.Create(t.Context(), h.oert, later)
		h.must(err)
		h.must(h.Delete(t.Context(), h.oert, draft.ID))
		_, err = h.Find(t.Context(), h.oert, draft.ID)
		h.refused(err, "exam.not_found")
	})
}

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

func TestEvidence(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 2)
		e := h.planned()
		one := h.laptops[0]
		h.to(bell.Add(20 * time.Minute))
		h.refused(h.Compensate(t.Context(), h.oert, e.ID, one.id), "exam.nothing_lost")
		lease := ""
		for id := range one.kept {
			lease = id
		}
		first := ddm.Sealed{Lease: lease, At: bell, What: ddm.DeedStarted}.After(ddm.Sealed{})
		second := ddm.Sealed{Lease: lease, At: h.at, Boot: "b", What: ddm.DeedRestarted, Args: map[string]string{"cause": "system", "seconds": "125"}}.After(first)
		one.sealed = []ddm.Sealed{first, second}
		one.events = []ddm.Event{{ID: "e1", At: h.at, Key: ddm.EventExamLost, Args: map[string]string{"seconds": "125", "cause": "restart"}}}
		h.sync()
		h.sync() // said twice, kept once
		h.must(h.Compensate(t.Context(), h.oert, e.ID, one.id))
		h.refused(h.Compensate(t.Context(), h.oert, e.ID, one.id), "exam.nothing_lost")
		h.sync()
		if got := one.held().Expires; !got.Equal(bell.Add(93 * time.Minute)) {
			t.Errorf("three minutes back: %s", got)
		}
		evidence, err := h.Evidence(t.Context(), h.oert, e.ID)
		h.must(err)
		lost := 0
		for _, r := range evidence.Records {
			if r.Args["event"] == ddm.EventExamLost {
				lost++
			}
		}
		if !evidence.Whole || len(evidence.Doubtful) > 0 || lost != 1 {
			t.Errorf("whole %v, doubtful %v, %d lines of lost time", evidence.Whole, evidence.Doubtful, lost)
		}
		gap := ddm.Sealed{Lease: lease, Seq: 4, At: h.at, What: ddm.DeedEnded, Former: second.Seal}
		gap.Seal = gap.Link()
		one.sealed = []ddm.Sealed{gap}
		h.sync()
		evidence, err = h.Evidence(t.Context(), h.oert, e.ID)
		h.must(err)
		if !evidence.Whole || !slices.Equal(evidence.Doubtful, []org.ID{one.id}) {
			t.Errorf("a gap in the device's own log: whole %v, doubtful %v", evidence.Whole, evidence.Doubtful)
		}
		_, err = h.Evidence(t.Context(), h.adler, e.ID)
		h.refused(err, "exam.not_yours")
		storetest.Exec(t, s, `UPDATE exam_records SET args = '{"event":"exam.lost","seconds":"9"}' WHERE about = 'event/e1'`)
		evidence, err = h.Evidence(t.Context(), h.office, e.ID)
		h.must(err)
		if evidence.Whole {
			t.Error("a changed line went unnoticed")
		}
		// Kept for four hundred days, then gone, with a line that says so.
		h.at = bell.Add(399 * 24 * time.Hour)
		h.must(h.Forget(t.Context()))
		_, err = h.Find(t.Context(), h.office, e.ID)
		h.must(err)
		h.at = bell.Add(402 * 24 * time.Hour)
		h.must(h.Forget(t.Context()))
		_, err = h.Find(t.Context(), h.office, e.ID)
		h.refused(err, "exam.not_found")
		keeping, err := h.Keeping(t.Context(), h.office, h.school.Branch())
		h.must(err)
		gone := keeping.Deletions
		if keeping.Days != 400 || keeping.MaySet || len(gone) != 1 || gone[0].Records != len(evidence.Records) || storetest.Ask(t, s, `SELECT COUNT(*) FROM exam_records`) != "0" {
			t.Errorf("deleted: %+v", gone)
		}
	})
}

func TestHowLongEvidenceIsKept(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		e := h.planned()
		h.to(bell.Add(-time.Hour))
		h.refused(h.SetKeeping(t.Context(), h.office, h.school.Authority, 60), "not_found")
		h.refused(h.SetKeeping(t.Context(), h.operator, h.school.Authority, 7), "exam.kept")
		h.must(h.SetKeeping(t.Context(), h.operator, h.school.Authority, 60))
		h.at = bell.Add(59 * 24 * time.Hour)
		h.must(h.Forget(t.Context()))
		_, err := h.Find(t.Context(), h.office, e.ID)
		h.must(err)
		h.at = bell.Add(62 * 24 * time.Hour)
		h.must(h.Forget(t.Context()))
		_, err = h.Find(t.Context(), h.office, e.ID)
		h.refused(err, "exam.not_found")
	})
}

// standing is how a laptop stands on the board.
func (h *house) standing(id org.ID, l *laptop) exam.Standing {
	h.t.Helper()
	board, err := h.Board(h.t.Context(), h.oert, id)
	h.must(err)
	for _, place := range board.Places {
		if place.Device == l.id {
			return place.Standing
		}
	}
	return ""
}

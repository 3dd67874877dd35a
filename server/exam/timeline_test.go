package exam_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/store/storetest"
)

// Whatever happens, in whatever order: a laptop in contact is in the examination
// exactly while it should be, and none is locked after the latest end that was
// ever true for it.
func TestNoSequenceOfEventsLocksTooLongOrOpensTooEarly(t *testing.T) {
	timeLines(t, -time.Hour, "wait", "wait", "wait", "start", "extend", "extend one", "release", "readmit", "code", "swap", "pause", "go on", "extra", "offline", "online", "outage", "rehearse", "end", "edit")
}

// The same near the end of an examination that is interrupted, where the server goes
// away for long: whoever ended by the own clock is in it again while it goes on, and
// whom somebody let out is not.
func TestNoOutageInAnInterruptionLocksTooLongOrOpensTooEarly(t *testing.T) {
	timeLines(t, 75*time.Minute, "wait", "wait", "outage", "outage", "outage", "pause", "pause", "go on", "release", "readmit", "code", "extend", "extend one", "extra", "swap", "offline", "online", "end")
}

// timeLines draws time lines of an examination from an instant on, by the bell.
func timeLines(t *testing.T, from time.Duration, events ...string) {
	s := storetest.Open(t)
	rapid.Check(t, func(rt *rapid.T) {
		h := build(drawn{t, rt}, s, 3)
		spare := h.laptop()
		h.laptops = append(h.laptops, spare)
		h.to(bell.Add(-time.Hour))
		e := h.planned()
		h.sync()
		if from > 0 {
			h.to(bell)
		}
		h.to(bell.Add(from))
		latest := map[org.ID]time.Time{}
		out := map[org.ID]bool{} // by code, and not let in again
		steps := rapid.IntRange(4, 16).Draw(rt, "steps")
		for range steps {
			l := rapid.SampledFrom(h.laptops).Draw(rt, "laptop")
			minutes := rapid.IntRange(1, 40).Draw(rt, "minutes")
			h.at = h.at.Add(time.Second) // nothing happens in the same instant
			var err error
			switch what := rapid.SampledFrom(events).Draw(rt, "what"); what {
			case "wait":
				h.wait(e.ID, time.Duration(minutes)*time.Minute)
			case "start":
				_, err = h.Start(h.t.Context(), h.oert, e.ID)
			case "extend":
				_, err = h.Extend(h.t.Context(), h.oert, e.ID, minutes)
			case "extend one":
				err = h.ExtendSeat(h.t.Context(), h.oert, e.ID, l.id, minutes)
			case "release":
				err = h.Release(h.t.Context(), h.oert, e.ID, l.id)
			case "readmit":
				if err = h.Readmit(h.t.Context(), h.oert, e.ID, l.id); err == nil {
					delete(out, l.id)
				}
			case "code":
				if l.locked() && !l.held().Rules.Exam.Rehearsal {
					l.code()
					out[l.id] = true
				}
			case "swap":
				err = h.Swap(h.t.Context(), h.oert, e.ID, l.id, spare.id)
			case "pause":
				_, err = h.Pause(h.t.Context(), h.oert, e.ID)
			case "go on":
				_, err = h.GoOn(h.t.Context(), h.oert, e.ID)
			case "extra":
				err = h.SetExtra(h.t.Context(), h.office, exam.ExtraTime{Branch: h.school.Branch(), Device: l.id, Extra: exam.Extra{Minutes: minutes}})
			case "offline", "online":
				l.offline(what == "offline")
			case "outage":
				h.outage(time.Duration(minutes)*time.Minute, rapid.Bool().Draw(rt, "laptops are first"))
			case "rehearse":
				_, err = h.Rehearse(h.t.Context(), h.oert, e.ID)
			case "end":
				_, err = h.End(h.t.Context(), h.oert, e.ID)
			case "edit":
				plan := h.plan()
				plan.Starts, plan.Ends = plan.Starts.Add(time.Duration(minutes)*time.Minute), plan.Ends.Add(time.Duration(minutes)*time.Minute)
				_, err = h.Update(h.t.Context(), h.oert, e.ID, plan)
			}
			if err != nil && errs.Find(err) == nil {
				rt.Fatalf("no fault that a person can read: %v", err)
			}
			h.to(h.at)
			h.judge(rt, e.ID, latest, out)
		}
		// A day later nothing is locked, whether or not anybody ever came back.
		h.at = h.at.Add(24 * time.Hour)
		for _, l := range h.laptops {
			if l.locked() {
				rt.Fatalf("locked a day later: %+v", l.held())
			}
		}
		h.to(h.at)
		if found, err := h.Find(h.t.Context(), h.oert, e.ID); err != nil || !found.Over(h.at) {
			rt.Fatalf("an abandoned examination: %v", err)
		}
	})
}

// wait lets time pass. While an examination is interrupted its end moves with every
// round of the server's job, a few minutes ahead; so the rounds must be there.
func (h *house) wait(id org.ID, long time.Duration) {
	until := h.at.Add(long)
	for h.at.Before(until) {
		round := until
		if e, err := h.Find(h.t.Context(), h.oert, id); err == nil && !e.Paused.IsZero() {
			if next := h.at.Add(5 * time.Minute); next.Before(until) {
				round = next
			}
		}
		h.to(round)
	}
}

// outage lets time pass without the server: no round of its job, no word from it.
// Laptops end by their own clocks. When it is back either they speak first, or its job
// does.
func (h *house) outage(long time.Duration, laptopsFirst bool) {
	h.at = h.at.Add(long)
	if laptopsFirst {
		h.sync()
	}
}

// judge compares what laptops do with what the room says that they should.
func (h *house) judge(rt *rapid.T, id org.ID, latest map[org.ID]time.Time, out map[org.ID]bool) {
	e, err := h.Find(h.t.Context(), h.oert, id)
	h.must(err)
	seats, err := h.store.ExamSeats(h.t.Context(), e)
	h.must(err)
	for _, wish := range e.Wishes(seats, h.at) {
		if wish.Ends.After(latest[wish.Device]) {
			latest[wish.Device] = wish.Ends
		}
		for _, l := range h.laptops {
			if l.id != wish.Device {
				continue
			}
			held := l.held()
			if held != nil && held.Rules.Exam.Rehearsal {
				if !h.away[l.enrolment] && !h.at.Before(e.Starts) && e.Ended.IsZero() {
					rt.Fatalf("a rehearsal holds at %s in an examination from %s", h.at, e.Starts)
				}
				continue
			}
			should := !h.at.Before(wish.Starts) && h.at.Before(wish.Ends) && !out[l.id]
			if !h.away[l.enrolment] && (held != nil) != should {
				rt.Fatalf("at %s: held %+v, should %v (from %s to %s)", h.at, held, should, wish.Starts, wish.Ends)
			}
			if held != nil && held.Expires.After(latest[l.id]) {
				rt.Fatalf("locked until %s, and no end was ever later than %s", held.Expires, latest[l.id])
			}
		}
	}
	for _, l := range h.laptops {
		if _, seated := latest[l.id]; !seated && l.locked() {
			rt.Fatalf("in it without a seat: %+v", l.held())
		}
	}
}

// drawn lets the house fail the drawn case, and live in the test's folder.
type drawn struct {
	testing.TB
	rt *rapid.T
}

func (t drawn) Fatal(args ...any)            { t.rt.Fatal(args...) }
func (t drawn) Errorf(f string, args ...any) { t.rt.Errorf(f, args...) }
func (t drawn) Helper()                      {}

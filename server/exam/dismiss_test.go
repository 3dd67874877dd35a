package exam_test

import (
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/store/storetest"
)

// What somebody dismissed is proposed no more and stands in the evidence; what is lost
// after it is proposed by itself.
func TestAProposalIsDismissed(t *testing.T) {
	h := build(t, storetest.Open(t), 1)
	e := h.planned()
	one := h.laptops[0]
	h.to(bell.Add(20 * time.Minute))
	h.refused(h.Dismiss(t.Context(), h.oert, e.ID, one.id), "exam.nothing_lost")
	loses := func(id, seconds string, want int) {
		t.Helper()
		one.events = append(one.events, ddm.Event{ID: id, At: h.at, Key: ddm.EventExamLost, Args: map[string]string{"lease": one.held().ID, "seconds": seconds, "cause": "restart"}})
		h.sync()
		h.owes(e.ID, one, want)
	}
	loses("e1", "125", 3)
	h.refused(h.Dismiss(t.Context(), h.adler, e.ID, one.id), "exam.not_yours")
	h.must(h.Dismiss(t.Context(), h.brandt, e.ID, one.id))
	h.owes(e.ID, one, 0)
	h.refused(h.Dismiss(t.Context(), h.oert, e.ID, one.id), "exam.nothing_lost")
	if end := one.held().Expires; !end.Equal(bell.Add(90 * time.Minute)) {
		t.Errorf("it ends at %s", end)
	}
	evidence, err := h.Evidence(t.Context(), h.oert, e.ID)
	h.must(err)
	said := 0
	for _, r := range evidence.Records {
		if r.Key == "lost_dismissed" && r.Args["minutes"] == "3" && r.By == "Herr Brandt" && r.Device == one.id {
			said++
		}
	}
	if said != 1 || !evidence.Whole {
		t.Errorf("%d lines, whole %v", said, evidence.Whole)
	}
	h.to(h.at.Add(20 * time.Minute))
	loses("e2", "300", 5)
}

// owes fails unless so many minutes are proposed for a laptop.
func (h *house) owes(exam org.ID, l *laptop, want int) {
	h.t.Helper()
	board, err := h.Board(h.t.Context(), h.oert, exam)
	h.must(err)
	for _, place := range board.Places {
		if place.Device == l.id && place.Lost.Owed() != want {
			h.t.Errorf("%d minutes are proposed, want %d: %+v", place.Lost.Owed(), want, place.Lost)
		}
	}
}

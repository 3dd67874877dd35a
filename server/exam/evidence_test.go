package exam_test

import (
	"slices"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

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

package exam_test

import (
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func TestWorkIsCollectedAtOnceAndCountedWhenItIsThere(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := collecting(t, s, 4)
		e := h.collected()
		collect := func(l *laptop) error {
			t.Helper()
			h.at = h.at.Add(time.Second)
			device := org.ID("")
			if l != nil {
				device = l.id
			}
			_, err := h.CollectNow(t.Context(), h.brandt, e.ID, device)
			h.sync()
			return err
		}
		want := func(received, all int) {
			t.Helper()
			board, err := h.Board(t.Context(), h.oert, e.ID)
			h.must(err)
			c, err := h.Collected(t.Context(), h.oert, e.ID)
			h.must(err)
			if board.Asking != c.Asking || board.Asking.Received != received || board.Asking.All != all {
				t.Errorf("board %+v, list %+v, want %d of %d", board.Asking, c.Asking, received, all)
			}
		}
		h.refused(collect(nil), "exam.not_running")
		h.to(bell.Add(time.Minute))
		want(0, 0)
		_, err := h.CollectNow(t.Context(), h.adler, e.ID, "")
		h.refused(err, "exam.not_yours")
		h.refused(collect(h.laptop()), "exam.not_a_seat")

		// A state that was on its way when somebody asked is no answer.
		before := taken(h.laptops[1])
		h.must(collect(nil))
		want(0, 4)
		before()
		want(0, 4)
		taken(h.laptops[1])()
		want(1, 4)
		rev := h.laptops[0].held().Rev
		h.must(collect(nil)) // pressed twice
		if got := h.laptops[0].held().Rev; got != rev {
			t.Errorf("asked twice within a minute: revision %d after %d", got, rev)
		}
		h.must(h.Release(t.Context(), h.oert, e.ID, h.laptops[3].id))
		h.sync()
		want(1, 4) // it was let out after it was asked

		// One alone, who has no contact, and is back.
		h.to(h.at.Add(5 * time.Minute))
		h.laptops[2].offline(true)
		h.must(collect(h.laptops[2]))
		want(1, 4)
		taken(h.laptops[0])()
		want(2, 4)
		h.laptops[2].offline(false)
		h.sync()
		if now, asked := h.laptops[2].handing().Now, h.laptops[0].handing().Now; now <= asked {
			t.Errorf("asked alone at %d, all at %d", now, asked)
		}
		taken(h.laptops[2])()
		want(3, 4)

		// Who was let out hands in at the end of the own time, and is asked no more.
		h.to(h.at.Add(2 * time.Minute))
		h.must(collect(nil))
		want(0, 3)
		h.to(h.at.Add(31 * time.Minute))
		board, err := h.Board(t.Context(), h.oert, e.ID)
		if err != nil || board.Asking != (exam.Asking{}) {
			t.Errorf("half an hour later the board says %+v, %v", board.Asking, err)
		}
		again, err := h.Copy(t.Context(), h.oert, e.ID)
		if err != nil || len(again.Asked) != 0 {
			t.Errorf("a copy was asked for work: %v, %v", again.Asked, err)
		}
	})
}

// taken takes a state of a laptop's folder now, and hands it in when it is called.
func taken(l *laptop) func() {
	asked, at := l.handing().Now, l.h.at
	return func() {
		was := l.handing().Now
		l.handing().Now = asked
		if _, receipt := l.handIn(at, false, map[string][]byte{"Aufsatz.txt": []byte("Es war " + at.String())}); !receipt.Received {
			l.h.t.Errorf("not received: %+v", receipt)
		}
		l.handing().Now = was
	}
}

func TestWhereNothingIsCollectedNobodyIsAsked(t *testing.T) {
	h := collecting(t, storetest.Open(t), 1)
	e := h.planned()
	h.to(bell.Add(time.Minute))
	_, err := h.CollectNow(t.Context(), h.oert, e.ID, "")
	h.refused(err, "exam.collects_not")
}

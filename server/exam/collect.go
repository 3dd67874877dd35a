package exam

import (
	"context"
	"maps"
	"slices"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

const (
	// askAgain is how long an ask for the work counts as the one before: of each
	// device only so many states are kept.
	askAgain = time.Minute
	// askShown is for how long boards show how far an ask has come.
	askShown = 30 * time.Minute
)

// Asking is how far collecting at once has come. The zero value says that nobody
// asked.
type Asking struct {
	At       time.Time // of the latest ask
	All      int       // devices that were asked
	Received int       // of those, what they wrote since is here, durably
}

// CollectNow makes every laptop of the examination, or one of them, hand in at once
// what lies in its folder, besides what it does by the clock. One without contact does
// so when it is back. Asking again within a minute is the same ask. It is a Conflict
// fault "exam.not_running", or "exam.collects_not" where nothing is collected.
func (s *Service) CollectNow(ctx context.Context, actor may.Actor, id, device org.ID) (Exam, error) {
	if device != "" {
		if _, _, _, _, err := s.seat(ctx, actor, id, device, may.ExamRun); err != nil {
			return Exam{}, err
		}
	}
	return s.change(ctx, actor, id, may.ExamRun, "collect", func(exam *Exam) (*Record, error) {
		now := s.now()
		switch {
		case exam.State(now) != Running:
			return nil, errs.E(errs.Conflict, "exam.not_running")
		case exam.Rules.Exam == nil || exam.Rules.Exam.Work == nil || s.WorkKey == nil:
			return nil, errs.E(errs.Conflict, "exam.collects_not")
		case now.Sub(exam.asked(device)) < askAgain:
			return nil, nil
		}
		exam.Asked = maps.Clone(exam.Asked)
		if exam.Asked == nil || device == "" {
			exam.Asked = map[org.ID]time.Time{}
		}
		exam.Asked[device] = now
		return &Record{Device: device, Key: "work_asked"}, nil
	})
}

// asked is when somebody asked last for the work of a device.
func (e Exam) asked(device org.ID) time.Time { return later(e.Asked[""], e.Asked[device]) }

// answers reports whether one of the states was taken since somebody asked last.
func (e Exam) answers(device org.ID, works []Work) bool {
	asked := e.asked(device).UnixMilli()
	return slices.ContainsFunc(works, func(w Work) bool { return w.Device == device && (w.Asked >= asked || w.Final) })
}

// asking counts what came of the latest ask. Who was let out, or has no laptop with
// our agent, hands nothing in.
func (e Exam) asking(seats []Seat, works []Work) Asking {
	var a Asking
	for _, at := range e.Asked {
		a.At = later(a.At, at)
	}
	if a.At.IsZero() {
		return a
	}
	for _, seat := range seats {
		asked := e.asked(seat.Device)
		if asked.IsZero() || seat.Enrolment == "" || !seat.Platform.Agent() || !seat.Note.Released.IsZero() && seat.Note.Released.Before(asked) {
			continue
		}
		a.All++
		if e.answers(seat.Device, works) {
			a.Received++
		}
	}
	return a
}

// boardAsking is asking for a board, where it is worth looking.
func (s *Service) boardAsking(ctx context.Context, exam Exam, seats []Seat, at time.Time) (Asking, error) {
	if a := exam.asking(nil, nil); a.At.IsZero() || at.Sub(a.At) > askShown {
		return Asking{}, nil
	}
	works, err := s.Store.ListWork(ctx, exam)
	return exam.asking(seats, works), err
}

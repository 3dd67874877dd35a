package exam

import (
	"context"
	"errors"
	"slices"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// change finds an examination, lets do change it and keeps it. What lost against
// another change is done again on what is true now.
func (s *Service) change(ctx context.Context, actor may.Actor, id org.ID, action may.Action, what string, do func(*Exam) (*Record, error)) (Exam, error) {
	for range 5 {
		exam, permit, err := s.open(ctx, actor, id, action)
		if err != nil {
			return Exam{}, err
		}
		since := exam.Changed
		record, err := do(&exam)
		if err != nil || record == nil {
			return exam, err
		}
		exam, err = s.save(ctx, permit, exam, since, what, *record)
		if !errors.Is(err, ErrChanged) {
			return exam, err
		}
	}
	return Exam{}, ErrChanged
}

// Start begins an examination before its time: the whole window moves, so that
// everybody has as long as was planned. Starting what runs is harmless.
func (s *Service) Start(ctx context.Context, actor may.Actor, id org.ID) (Exam, error) {
	return s.change(ctx, actor, id, may.ExamRun, "start", func(exam *Exam) (*Record, error) {
		now := s.now()
		switch exam.State(now) {
		case Running:
			return nil, nil
		case Ended, Cancelled:
			return nil, errs.E(errs.Conflict, "exam.over")
		}
		if nothingToWrite(exam.Rules) {
			return nil, errs.E(errs.Conflict, "exam.draft_empty")
		}
		exam.Starts, exam.Ends = now, now.Add(exam.Length())
		exam.Draft, exam.Rehearsal = false, stopped(exam.Rehearsal, now)
		return &Record{Key: "started"}, nil
	})
}

// End ends the examination for everybody. Doing it twice is harmless, and so is
// ending what nobody takes part in.
func (s *Service) End(ctx context.Context, actor may.Actor, id org.ID) (Exam, error) {
	return s.change(ctx, actor, id, may.ModeEnd, "end", func(exam *Exam) (*Record, error) {
		now := s.now()
		switch exam.State(now) {
		case Ended, Cancelled:
			return nil, nil
		case Running:
		default:
			return nil, errs.E(errs.Conflict, "exam.not_running")
		}
		exam.goOn(now)
		exam.Ended = now
		return &Record{Key: "ended"}, nil
	})
}

// Extend gives everybody who still writes more time. Nobody is called back whose
// time was over.
func (s *Service) Extend(ctx context.Context, actor may.Actor, id org.ID, minutes int) (Exam, error) {
	return s.change(ctx, actor, id, may.ExamRun, "extend", func(exam *Exam) (*Record, error) {
		now := s.now()
		if err := exam.extends(now, minutes); err != nil {
			return nil, err
		}
		if !now.Before(exam.End(now)) {
			return nil, errs.E(errs.Conflict, "exam.end_passed")
		}
		shift := Shift{At: now, By: time.Duration(minutes) * time.Minute, Why: "extend"}
		exam.Shifts = append(exam.Shifts, shift)
		return &Record{Key: "extended", Args: minutesOf(minutes)}, nil
	})
}

// extends checks whether the end may move by the minutes.
func (e Exam) extends(now time.Time, minutes int) error {
	if minutes <= 0 {
		return errs.E(errs.Invalid, "mode.extend_nothing").In("minutes")
	}
	if e.Over(now) {
		return errs.E(errs.Conflict, "exam.over")
	}
	longest := lease.LongestExam
	for _, shift := range e.shifts(now) {
		if shift.Why != "extend" {
			longest += shift.By // interruptions do not shorten what was planned
		}
	}
	if minutes > int(lease.LongestExam/time.Minute) || e.End(now).Add(time.Duration(minutes)*time.Minute).Sub(e.Starts) > longest {
		return errs.E(errs.Invalid, "exam.too_long", "hours", int(lease.LongestExam/time.Hour)).In("minutes")
	}
	return nil
}

// Pause interrupts the writing for everybody, as when the building is left: the
// end moves for as long as it lasts. Devices stay in the examination. One without
// contact learns of it when it is back, at the latest at its own end.
func (s *Service) Pause(ctx context.Context, actor may.Actor, id org.ID) (Exam, error) {
	return s.change(ctx, actor, id, may.ExamRun, "pause", func(exam *Exam) (*Record, error) {
		now := s.now()
		if exam.State(now) != Running {
			return nil, errs.E(errs.Conflict, "exam.not_running")
		}
		if !exam.Paused.IsZero() {
			return nil, nil
		}
		exam.Paused = now
		return &Record{Key: "paused"}, nil
	})
}

// GoOn ends an interruption.
func (s *Service) GoOn(ctx context.Context, actor may.Actor, id org.ID) (Exam, error) {
	return s.change(ctx, actor, id, may.ExamRun, "go on", func(exam *Exam) (*Record, error) {
		now := s.now()
		if exam.Paused.IsZero() {
			return nil, nil
		}
		if exam.Over(now) {
			return nil, errs.E(errs.Conflict, "exam.over")
		}
		lasted := exam.goOn(now)
		return &Record{Key: "went_on", Args: minutesOf(int(lasted / time.Minute))}, nil
	})
}

// goOn turns an interruption into a shift of as long as it lasted.
func (e *Exam) goOn(now time.Time) time.Duration {
	if e.Paused.IsZero() {
		return 0
	}
	lasted := min(now.Sub(e.Paused), LongestPause)
	e.Shifts = append(slices.Clone(e.Shifts), Shift{At: e.Paused, By: lasted, Why: "pause"})
	e.Paused = time.Time{}
	return lasted
}

// goOn of the room ends an interruption that nobody ended.
func (s *Service) goOn(ctx context.Context, permit may.Permit, exam Exam) error {
	since := exam.Changed
	lasted := exam.goOn(s.now())
	_, err := s.save(ctx, permit, exam, since, "go on", Record{Key: "went_on", Args: minutesOf(int(lasted / time.Minute))})
	if errors.Is(err, ErrChanged) {
		return nil // somebody was faster
	}
	return err
}

// HandOver adds an invigilator, who then may do all that the others may.
func (s *Service) HandOver(ctx context.Context, actor may.Actor, id org.ID, to org.ID) (Exam, error) {
	return s.change(ctx, actor, id, may.ExamRun, "hand over", func(exam *Exam) (*Record, error) {
		if exam.Over(s.now()) {
			return nil, errs.E(errs.Conflict, "exam.over")
		}
		chosen, err := s.invigilators(ctx, exam.school(), []org.ID{to})
		if err != nil {
			return nil, err
		}
		if exam.Leads(to) && exam.Staff != to {
			return nil, nil
		}
		exam.Invigilators = append(slices.Clone(exam.Invigilators), chosen[0])
		return &Record{Key: "handed_over", Args: map[string]string{"name": chosen[0].Name}}, nil
	})
}

// Rehearse tries the examination out on its devices, or on those named, for ten
// minutes at most. It ends by itself and gives way to the examination.
func (s *Service) Rehearse(ctx context.Context, actor may.Actor, id org.ID, devices ...org.ID) (Exam, error) {
	return s.change(ctx, actor, id, may.ExamRun, "rehearse", func(exam *Exam) (*Record, error) {
		now := s.now()
		if state := exam.State(now); state == Running || exam.Over(now) {
			return nil, errs.E(errs.Conflict, "exam.begun")
		}
		if nothingToWrite(exam.Rules) {
			return nil, errs.E(errs.Conflict, "exam.draft_empty")
		}
		ends := now.Add(Rehearsing)
		if exam.Starts.Before(ends) {
			ends = exam.Starts
		}
		if ends.Sub(now) < time.Minute {
			return nil, errs.E(errs.Conflict, "exam.begins_now")
		}
		if exam.Rehearsal.running(now) {
			return nil, errs.E(errs.Conflict, "exam.rehearsing")
		}
		exam.Rehearsal = &Rehearsal{Mode: s.NewID(), Starts: now, Ends: ends, Devices: once(devices)}
		return &Record{Key: "rehearsed"}, nil
	})
}

// EndRehearsal ends the try-out before its time.
func (s *Service) EndRehearsal(ctx context.Context, actor may.Actor, id org.ID) (Exam, error) {
	return s.change(ctx, actor, id, may.ModeEnd, "end rehearsal", func(exam *Exam) (*Record, error) {
		now := s.now()
		if !exam.Rehearsal.running(now) {
			return nil, nil
		}
		exam.Rehearsal = stopped(exam.Rehearsal, now)
		return &Record{Key: "rehearsal_ended"}, nil
	})
}

func (r *Rehearsal) running(at time.Time) bool { return r != nil && at.Before(r.Ends) }

// Rehearsing reports whether the examination is tried out at the instant.
func (e Exam) Rehearsing(at time.Time) bool { return e.Rehearsal.running(at) }

func stopped(r *Rehearsal, now time.Time) *Rehearsal {
	if !r.running(now) {
		return r
	}
	other := *r
	other.Ends = now
	return &other
}

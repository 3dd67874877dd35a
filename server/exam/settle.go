package exam

import (
	"context"
	"errors"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// save keeps a changed examination and brings it to the devices.
func (s *Service) save(ctx context.Context, permit may.Permit, exam Exam, since time.Time, what string, records ...Record) (Exam, error) {
	exam.Changed = later(s.Now(), since.Add(tick))
	stamp(records, permit, s.Now())
	if err := s.Store.UpdateExam(ctx, permit, exam, since, what, records); err != nil {
		return Exam{}, err
	}
	if err := s.settle(ctx, permit, exam, what); err != nil {
		return Exam{}, err
	}
	return s.Store.FindExam(ctx, exam.ID)
}

// settle makes what devices hold what the examination says. What it cannot do
// now the job does: the examination is the truth, leases follow.
func (s *Service) settle(ctx context.Context, permit may.Permit, exam Exam, what string) error {
	now := s.now()
	seats, err := s.Store.ExamSeats(ctx, exam)
	if err != nil {
		return err
	}
	if err := s.settleRehearsal(ctx, permit, exam, seats, what); err != nil {
		return err
	}
	if exam.Mode == "" && (exam.Draft || exam.Over(now) || exam.Starts.Sub(now) > ArmBefore) {
		return nil
	}
	if exam, err = s.leased(ctx, exam); err != nil {
		return err
	}
	last := exam.LastEnd(seats, now)
	if first := exam.Mode == ""; first || !last.Equal(exam.Last) {
		// Kept before the first lease: a mode whose examination knows nothing of it
		// would be nobody's.
		if first {
			exam.Mode = s.NewID()
		}
		exam.Last = last
		if exam.Mode, err = s.Store.NoteArmed(ctx, exam); err != nil {
			return err
		}
	}
	ended := exam.Ended
	if ended.IsZero() {
		ended = exam.Cancelled
	}
	return s.Leases.Hold(ctx, permit, Hold{
		Mode: exam.Mode, Branch: exam.school(), Rules: exam.Rules, Starts: exam.Starts, Ends: exam.End(now), Ended: ended,
		Staff: exam.Staff, ByName: exam.ByName, Wishes: s.ticketed(exam, exam.Wishes(seats, now)), What: what,
	})
}

func (s *Service) settleRehearsal(ctx context.Context, permit may.Permit, exam Exam, seats []Seat, what string) error {
	r := exam.Rehearsal
	if r == nil || !s.Now().Before(r.Ends.Add(tick)) && what == "settle" {
		return nil // it ended by itself
	}
	wishes := exam.rehearsals(seats)
	if len(wishes) == 0 {
		return nil
	}
	order := Hold{
		Mode: r.Mode, Branch: exam.school(), Rules: wishes[0].Rules, Starts: r.Starts, Ends: wishes[0].Ends, Staff: exam.Staff, ByName: exam.ByName,
		Wishes: wishes, What: what,
	}
	if now := s.now(); !now.Before(order.Ends) {
		order.Ended = order.Ends
	}
	return s.Leases.Hold(ctx, permit, order)
}

// Tick does what is due by the clock, in the whole installation: it arms what
// begins within a day, finds who joined late or was enrolled anew, and ends
// interruptions that nobody ended.
func (s *Service) Tick(ctx context.Context) error { return s.Settle(ctx, org.Branch{}) }

// Settle is Tick for a school whose devices or groups may have changed. One
// examination that fails keeps no other from being armed.
func (s *Service) Settle(ctx context.Context, branch org.Branch) error {
	now := s.Now()
	exams, err := s.Store.PendingExams(ctx, branch, now, now.Add(ArmBefore))
	if err != nil {
		return err
	}
	var faults []error
	for _, exam := range exams {
		permit := may.System("exams", exam.Branch)
		if !exam.Paused.IsZero() && now.Sub(exam.Paused) >= LongestPause {
			faults = append(faults, s.goOn(ctx, permit, exam))
			continue
		}
		faults = append(faults, s.settle(ctx, permit, exam, "settle"))
	}
	return errors.Join(faults...)
}

// tick is the smallest step by which one change is later than another.
const tick = time.Millisecond

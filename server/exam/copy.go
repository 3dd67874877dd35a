package exam

import (
	"context"
	"slices"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Copy prepares another examination like this one, as a draft, for the same
// people. The window moves by a week until somebody says better.
func (s *Service) Copy(ctx context.Context, actor may.Actor, id org.ID) (Exam, error) {
	exam, err := s.Find(ctx, actor, id)
	if err != nil {
		return Exam{}, err
	}
	return s.again(ctx, actor, exam, exam.Plan())
}

// Resit is Copy for those who were missing: whose device, or what took its place,
// never was in the examination. It is a Conflict fault, "exam.not_over" while they
// may still come and "exam.nobody_missing" if all were there.
func (s *Service) Resit(ctx context.Context, actor may.Actor, id org.ID) (Exam, error) {
	exam, _, err := s.open(ctx, actor, id, may.ExamRun)
	if err != nil {
		return Exam{}, err
	}
	if exam.State(s.Now()) != Ended {
		return Exam{}, errs.E(errs.Conflict, "exam.not_over")
	}
	missing, err := s.missing(ctx, exam)
	if err != nil {
		return Exam{}, err
	}
	if len(missing) == 0 {
		return Exam{}, errs.E(errs.Conflict, "exam.nobody_missing")
	}
	plan := exam.Plan()
	plan.Group, plan.Persons, plan.Devices = "", nil, nil
	for _, seat := range missing {
		if seat.Person != "" {
			plan.Persons = append(plan.Persons, seat.Person)
		} else {
			plan.Devices = append(plan.Devices, seat.Device)
		}
	}
	return s.again(ctx, actor, exam, plan)
}

func (s *Service) again(ctx context.Context, actor may.Actor, exam Exam, plan Plan) (Exam, error) {
	plan.Draft = true
	for !plan.Starts.After(s.Now()) || plan.Starts.Equal(exam.Starts) {
		plan.Starts, plan.Ends = plan.Starts.AddDate(0, 0, 7), plan.Ends.AddDate(0, 0, 7)
	}
	return s.create(ctx, actor, plan, exam.ID)
}

// missing lists the seats whose people did not take part.
func (s *Service) missing(ctx context.Context, exam Exam) ([]Seat, error) {
	seats, lines, err := s.seatLines(ctx, exam)
	if err != nil {
		return nil, err
	}
	records, err := s.Store.ExamRecords(ctx, exam)
	if err != nil {
		return nil, err
	}
	present := map[org.ID]bool{}
	for _, r := range records {
		if slices.Contains([]string{"deed_started", "deed_active", "phase_active", "phase_covered"}, r.Key) {
			present[Writer(seats, r.Device).Device] = true
		}
	}
	for _, seat := range seats {
		// A tablet keeps no log: what it was given it has shown.
		if line := lines[seat.Enrolment]; !seat.Platform.Agent() && line != nil && line.Delivered {
			present[Writer(seats, seat.Device).Device] = true
		}
	}
	return slices.DeleteFunc(seats, func(seat Seat) bool { return seat.Note.Instead != "" || present[seat.Device] }), nil
}

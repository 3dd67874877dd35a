package exam

import (
	"context"
	"slices"
	"strconv"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// seat finds an examination and one of its seats.
func (s *Service) seat(ctx context.Context, actor may.Actor, id, device org.ID, action may.Action) (Exam, []Seat, Seat, may.Permit, error) {
	exam, permit, err := s.open(ctx, actor, id, action)
	if err != nil {
		return exam, nil, Seat{}, permit, err
	}
	seats, err := s.Store.ExamSeats(ctx, exam)
	if err != nil {
		return exam, nil, Seat{}, permit, err
	}
	seat, is := find(seats, device)
	if !is {
		return exam, nil, Seat{}, permit, errs.E(errs.NotFound, "exam.not_a_seat").In("device")
	}
	return exam, seats, seat, permit, nil
}

// put keeps what happened to seats and brings it to the devices.
func (s *Service) put(ctx context.Context, permit may.Permit, exam Exam, seats []Seat, what string, records ...Record) error {
	stamp(records, permit, s.Now())
	if err := s.Store.PutSeats(ctx, permit, exam, seats, what, records); err != nil {
		return err
	}
	return s.settle(ctx, permit, exam, what)
}

// Release lets one device out before its end. Twice is harmless.
func (s *Service) Release(ctx context.Context, actor may.Actor, id, device org.ID) error {
	exam, _, seat, permit, err := s.seat(ctx, actor, id, device, may.ModeEnd)
	if err != nil {
		return err
	}
	now := s.now()
	if exam.Over(now) || !seat.Note.Released.IsZero() {
		return nil
	}
	seat.Note.Released, seat.Note.Again = now, time.Time{}
	return s.put(ctx, permit, exam, []Seat{seat}, "release", Record{Device: device, Key: "released"})
}

// LetOut is Release for who looks at the device and not at the examination: the
// office, the help desk. A rehearsal ends for everybody.
func (s *Service) LetOut(ctx context.Context, actor may.Actor, mode, device org.ID) error {
	exam, err := s.Store.ExamOfMode(ctx, mode)
	if err != nil {
		return err
	}
	if exam.Rehearsal != nil && exam.Rehearsal.Mode == mode {
		_, err := s.EndRehearsal(ctx, actor, exam.ID)
		return err
	}
	return s.Release(ctx, actor, exam.ID, device)
}

// Readmit lets a device in again that was let out, or left by a code. It ends
// when it would have ended.
func (s *Service) Readmit(ctx context.Context, actor may.Actor, id, device org.ID) error {
	exam, seats, seat, permit, err := s.seat(ctx, actor, id, device, may.ExamRun)
	if err != nil {
		return err
	}
	now := s.now()
	if exam.Over(now) || !now.Before(exam.EndOf(seats, device, now)) {
		return errs.E(errs.Conflict, "exam.over")
	}
	if slices.ContainsFunc(seats, func(other Seat) bool { return other.Note.Instead == device }) {
		return errs.E(errs.Conflict, "exam.swapped")
	}
	seat.Note.Released, seat.Note.Again = time.Time{}, s.Now()
	return s.put(ctx, permit, exam, []Seat{seat}, "readmit", Record{Device: device, Key: "readmitted"})
}

// ExtendSeat gives one seat more time.
func (s *Service) ExtendSeat(ctx context.Context, actor may.Actor, id, device org.ID, minutes int) error {
	return s.give(ctx, actor, id, device, minutes, "extend")
}

func (s *Service) give(ctx context.Context, actor may.Actor, id, device org.ID, minutes int, why string) error {
	exam, seats, seat, permit, err := s.seat(ctx, actor, id, device, may.ExamRun)
	if err != nil {
		return err
	}
	now := s.now()
	switch end := exam.EndOf(seats, device, now); {
	case minutes <= 0:
		return errs.E(errs.Invalid, "mode.extend_nothing").In("minutes")
	case exam.Over(now), !now.Before(end):
		return errs.E(errs.Conflict, "exam.over")
	case minutes > MostExtra || end.Add(time.Duration(minutes)*time.Minute).Sub(exam.EndOf(nil, "", now)) > 2*MostExtra*time.Minute:
		return errs.E(errs.Invalid, "exam.too_much_extra", "most", MostExtra).In("minutes")
	}
	seat.Note.Shifts = append(slices.Clone(seat.Note.Shifts), Shift{At: now, By: time.Duration(minutes) * time.Minute, Why: why})
	key := "given"
	if why == "lost" {
		key = "compensated"
	}
	return s.put(ctx, permit, exam, []Seat{seat}, why, Record{Device: device, Key: key, Args: minutesOf(minutes)})
}

// Swap lets somebody write on with another device of the school, until the same
// end. The former one is let out.
func (s *Service) Swap(ctx context.Context, actor may.Actor, id, former, other org.ID) error {
	exam, seats, seat, permit, err := s.seat(ctx, actor, id, former, may.ExamRun)
	if err != nil {
		return err
	}
	now := s.now()
	if exam.Over(now) || !now.Before(exam.EndOf(seats, former, now)) {
		return errs.E(errs.Conflict, "exam.over")
	}
	if other == former {
		return errs.E(errs.Invalid, "exam.swap_itself").In("other")
	}
	if known, is := find(seats, other); is && (known.Note.Instead != "" || known.Person != "" && known.Note.Released.IsZero()) {
		return errs.E(errs.Conflict, "exam.swap_taken", "name", known.Name).In("other")
	}
	for _, known := range seats {
		if known.Note.Instead == former {
			return errs.E(errs.Conflict, "exam.swapped")
		}
	}
	if _, err := s.Store.ExamDevices(ctx, exam.school(), nil, []org.ID{other}); err != nil {
		return err
	}
	if seat.Note.Released.IsZero() {
		seat.Note.Released = now
	}
	seat.Note.Person = seat.Person
	next := Seat{Device: other, Note: SeatNote{Instead: former, Again: s.Now()}}
	return s.put(ctx, permit, exam, []Seat{seat, next}, "swap",
		Record{Device: former, Key: "swapped_from", Args: map[string]string{"to": other.String()}},
		Record{Device: other, Key: "swapped_to", Args: map[string]string{"from": former.String()}})
}

func minutesOf(n int) map[string]string { return map[string]string{"minutes": strconv.Itoa(n)} }

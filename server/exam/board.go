package exam

import (
	"context"
	"strings"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Standing is how one device stands in an examination, for programs and boards.
type Standing string

// The standings.
const (
	SeatPlanned  Standing = "planned"   // nothing on the device yet
	SeatArmed    Standing = "armed"     // kept by the device, which starts it by itself
	SeatInExam   Standing = "in_exam"   // read back by the device
	SeatLeft     Standing = "left"      // out before its end
	SeatEnded    Standing = "ended"     // its end was reached
	SeatNotReady Standing = "not_ready" // should be in it and is not, as far as we know
)

// Place is one seat as an invigilator sees it.
type Place struct {
	Seat
	Writer   Seat // who writes here; of a replacement the person of the first device
	Line     *Line
	Standing Standing
	Reason   string // under "exam.reason", or "reason" for what the device said
	Args     map[string]string
	Since    time.Time
	Hand     time.Time // since when the pupil asks for somebody; zero: not
	Waits    bool      // for the resume code
	Lost     Lost
	// Ends is only filled for who leads the examination.
	Ends time.Time
}

// Board is what an invigilator looks at.
type Board struct {
	Exam   Exam
	Places []Place
	Asking Asking
	Leads  bool // the actor may lead it, and sees whose end is later
	At     time.Time
}

// Count counts places by standing.
func (b Board) Count() map[Standing]int {
	counts := map[Standing]int{}
	for _, place := range b.Places {
		counts[place.Standing]++
	}
	return counts
}

// Board returns the invigilator's board. Who may only read sees no ends.
func (s *Service) Board(ctx context.Context, actor may.Actor, id org.ID) (Board, error) {
	exam, err := s.Find(ctx, actor, id)
	if err != nil {
		return Board{}, err
	}
	board := Board{Exam: exam, At: s.Now()}
	if board.Leads, err = s.MayRun(ctx, actor, exam); err != nil {
		return board, err
	}
	seats, lines, err := s.seatLines(ctx, exam)
	if err != nil {
		return board, err
	}
	records, err := s.Store.ExamRecords(ctx, exam)
	if err != nil {
		return board, err
	}
	if board.Asking, err = s.boardAsking(ctx, exam, seats, board.At); err != nil {
		return board, err
	}
	losses := LostTime(exam, seats, records)
	for _, seat := range seats {
		place := Place{Seat: seat, Writer: Writer(seats, seat.Device), Line: lines[seat.Enrolment]}
		if seat.Enrolment == "" {
			place.Line = nil
		}
		place.stand(exam, seats, board.At)
		place.heard(records)
		for _, lost := range losses {
			if lost.Device == seat.Device {
				place.Lost = lost
			}
		}
		if board.Leads {
			place.Ends = exam.EndOf(seats, seat.Device, board.At)
		}
		board.Places = append(board.Places, place)
	}
	return board, nil
}

// stand says how a device stands. It claims nothing that was not read back.
func (p *Place) stand(exam Exam, seats []Seat, at time.Time) {
	end := exam.EndOf(seats, p.Device, at)
	if p.Line != nil {
		p.Since = p.Line.Since
	}
	switch line := p.Line; {
	case !p.Note.Released.IsZero():
		p.left("released", p.Note.Released)
		for _, other := range seats {
			if other.Note.Instead == p.Device {
				p.Reason, p.Args = "swapped", map[string]string{"device": other.Name}
			}
		}
	case exam.Over(at) || !at.Before(end):
		p.over()
	case p.Enrolment == "":
		p.Standing, p.Reason = SeatNotReady, "not_enrolled"
	case line == nil:
		p.Standing = SeatPlanned
	case line.Left:
		p.left("code", line.Since)
	case line.Active:
		p.Standing, p.Reason, p.Args = SeatInExam, line.Reason, line.ReasonArgs
	case line.Refused:
		p.Standing, p.Reason = SeatNotReady, "refused"
		if tablet(line.Reason) {
			p.Reason, p.Args = line.Reason, line.ReasonArgs
		}
	case line.Armed && at.Before(exam.Starts):
		p.Standing = SeatArmed
	case line.Armed && !p.Platform.Agent():
		p.Standing, p.Reason = SeatNotReady, "push_waits"
	case line.Armed:
		// It begins by its own clock; we did not hear of it yet.
		p.Standing, p.Reason = SeatArmed, "not_heard"
	case at.Before(exam.Starts):
		p.Standing, p.Reason = SeatPlanned, "on_its_way"
	default:
		p.Standing, p.Reason = SeatNotReady, "not_there"
	}
}

// tablet reports whether a reason is one that only Apple's tablets give: what
// they lack is mended otherwise than on a laptop.
func tablet(reason string) bool { return strings.HasPrefix(reason, "not_possible.") }

func (p *Place) left(why string, since time.Time) {
	p.Standing, p.Reason, p.Since = SeatLeft, why, since
}

func (p *Place) over() {
	p.Standing = SeatEnded
	switch {
	case p.Line == nil:
		p.Reason = "never_there"
	case p.Line.Over:
	case p.Line.Delivered:
		p.Reason = "end_not_heard"
	default:
		p.Reason = "never_there"
	}
}

// Troubled reports whether the place needs a look.
func (p Place) Troubled() bool {
	return p.Standing == SeatNotReady || p.Waits || !p.Hand.IsZero() || p.Lost.Owed() > 0 || p.Standing == SeatInExam && p.Line != nil && p.Line.State != "active" ||
		p.Reason == "code" || p.Reason == "not_heard" || p.Reason == "end_not_heard"
}

// heard reads from the evidence what the device asks for.
func (p *Place) heard(records []Record) {
	for _, r := range records {
		if r.Device != p.Device {
			continue
		}
		switch {
		case r.Key == "event" && r.Args["event"] == ddm.EventExamHand:
			if p.Hand.IsZero() { // asking again is not asking later
				p.Hand = r.At
			}
		case r.Key == "seen_to", r.Key == "event" && r.Args["event"] == ddm.EventExamHandDown:
			p.Hand = time.Time{}
		case r.Key == "event" && r.Args["event"] == ddm.EventExamWaits:
			p.Waits = true
		case r.Key == "event" && r.Args["event"] == ddm.EventExamResumed:
			p.Waits = false
		}
	}
	if p.Standing == SeatEnded || p.Standing == SeatLeft {
		p.Hand, p.Waits = time.Time{}, false
	}
}

// SeenTo notes that the invigilator went to a pupil who had asked.
func (s *Service) SeenTo(ctx context.Context, actor may.Actor, id, device org.ID) error {
	exam, _, _, permit, err := s.seat(ctx, actor, id, device, may.ExamRun)
	if err != nil {
		return err
	}
	records := []Record{{Device: device, Key: "seen_to"}}
	stamp(records, permit, s.Now())
	if err := s.Store.RecordExam(ctx, permit, exam, "seen to", records); err != nil {
		return err
	}
	s.Boards.Publish(exam.Branch, device)
	return nil
}

// Colleagues lists who may invigilate in a school.
func (s *Service) Colleagues(ctx context.Context, actor may.Actor, school org.Branch) ([]Invigilator, error) {
	if _, err := may.Do(actor, may.ExamRead, school); err != nil {
		return nil, err
	}
	return s.Store.ExamStaff(ctx, school)
}

// mostSpares bounds a list to choose another device from.
const mostSpares = 100

// Spares lists devices on which somebody could write on.
func (s *Service) Spares(ctx context.Context, actor may.Actor, id org.ID) ([]Seat, error) {
	exam, _, err := s.open(ctx, actor, id, may.ExamRun)
	if err != nil {
		return nil, err
	}
	seats, err := s.Store.ExamSeats(ctx, exam)
	if err != nil {
		return nil, err
	}
	devices := make([]org.ID, len(seats))
	for i, seat := range seats {
		devices[i] = seat.Device
	}
	return s.Store.ExamSpares(ctx, exam, devices, mostSpares)
}

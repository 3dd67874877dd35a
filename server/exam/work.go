package exam

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/work"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Bounds of what is kept of one device in one examination.
const (
	mostVersions = 20
	mostHeld     = 400 << 20 // bytes, before nothing more is taken in
	// LateAfter is how long after its own end a device's work counts as late.
	LateAfter = 15 * time.Minute
	// unclaimed is how long pieces wait for the list that names them.
	unclaimed = 24 * time.Hour
)

// Work is one state of a pupil's folder, as it was received.
type Work struct {
	Device   org.ID
	ID       string // hash of the list
	Received time.Time
	work.List
}

// WorkStore keeps what devices handed in.
type WorkStore interface {
	// MissingPieces returns those that the device has not sent.
	MissingPieces(ctx context.Context, exam Exam, device org.ID, hashes []string) ([]string, error)
	// PutPiece keeps a sealed piece; once more is the same. It is false if the
	// device has sent so many bytes already.
	PutPiece(ctx context.Context, exam Exam, device org.ID, hash string, sealed []byte, at time.Time, most int64) (bool, error)
	// Piece returns a sealed piece; it is a NotFound fault where there is none.
	Piece(ctx context.Context, exam Exam, device org.ID, hash string) ([]byte, error)
	// PutWork keeps a list with the line of the evidence that says so, durably, if
	// every piece is there: otherwise it returns those that are not and keeps
	// nothing. Of more than n lists of a device the earliest go. A list that is there
	// already is kept once.
	PutWork(ctx context.Context, exam Exam, one Work, n int, record Record) (missing []string, err error)
	// ListWork lists what was handed in, by device, the latest state first.
	ListWork(ctx context.Context, exam Exam) ([]Work, error)
	// DropUnclaimed deletes pieces that came before the instant and that nothing names.
	DropUnclaimed(ctx context.Context, before time.Time) error
}

// Sender is a device that speaks of an examination, as the door knows it.
type Sender struct {
	Authority, Device org.ID
	Exam              org.ID
	Ticket            string
}

func (s *Service) ticket(exam, device org.ID) string {
	mac := hmac.New(sha256.New, s.WorkKey.Bytes())
	mac.Write([]byte("ticket " + exam.String() + " " + device.String()))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// sender finds the examination of which a device speaks. Whether it still takes
// part does not matter: work that comes late is taken. It is a NotFound fault for
// another's ticket, and where the examination is gone with its evidence.
func (s *Service) sender(ctx context.Context, from Sender) (Exam, error) {
	if s.WorkKey == nil || !hmac.Equal([]byte(from.Ticket), []byte(s.ticket(from.Exam, from.Device))) {
		return Exam{}, errs.E(errs.NotFound, "exam.not_found")
	}
	exam, err := s.Store.FindExam(ctx, from.Exam)
	if err == nil && exam.Branch.Authority != from.Authority {
		err = errs.E(errs.NotFound, "exam.not_found")
	}
	return exam, err
}

// HandOut returns a piece of a file for a device that has the examination.
func (s *Service) HandOut(ctx context.Context, from Sender, hash string, n int) ([]byte, error) {
	exam, err := s.sender(ctx, from)
	if err != nil {
		return nil, err
	}
	files, err := s.Store.GivenFiles(ctx, exam)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(files, func(one GivenFile) bool { return one.Hash == hash })
	if at < 0 {
		return nil, errs.E(errs.NotFound, "exam.no_such_file")
	}
	return s.Store.GivenPiece(ctx, exam, files[at].ID, n)
}

// TakePiece keeps a sealed piece of a file. It returns after it is durable. What
// does not open, or is not what its name says, is an Invalid fault.
func (s *Service) TakePiece(ctx context.Context, from Sender, hash string, sealed []byte) error {
	exam, err := s.sender(ctx, from)
	if err != nil {
		return err
	}
	content, err := work.Open(s.WorkKey, sealed, work.AboutPiece(exam.ID.String(), hash))
	if err != nil || len(content) > work.Piece || len(content) == 0 || work.Hash(content) != hash {
		return errs.E(errs.Invalid, "exam.work_unreadable").Because(err)
	}
	kept, err := s.Store.PutPiece(ctx, exam, from.Device, hash, sealed, s.Now(), mostHeld)
	if err == nil && !kept {
		err = errs.E(errs.Unavailable, "exam.work_too_much")
	}
	return err
}

// TakeList receives a state of a folder, or names the pieces that are missing. It
// says received after all is durable, and says it again to who asks twice.
func (s *Service) TakeList(ctx context.Context, from Sender, sealed []byte) (work.Receipt, error) {
	exam, err := s.sender(ctx, from)
	if err != nil {
		return work.Receipt{}, err
	}
	content, err := work.Open(s.WorkKey, sealed, work.AboutList(exam.ID.String()))
	if err != nil {
		return work.Receipt{}, errs.E(errs.Invalid, "exam.work_unreadable").Because(err)
	}
	list, err := work.Read(content)
	if err != nil {
		return work.Receipt{}, errs.E(errs.Invalid, "exam.work_unreadable").Because(err)
	}
	list.At = whole(list.At)
	one := Work{Device: from.Device, ID: work.Hash(content), Received: whole(s.Now()), List: list}
	key := "work_kept"
	if list.Final {
		key = "work_received"
	}
	missing, err := s.Store.PutWork(ctx, exam, one, mostVersions, Record{
		Device: from.Device, At: one.Received, Said: list.At, Key: key, About: "work/" + one.ID,
		Args: map[string]string{"files": strconv.Itoa(len(list.Files)), "bytes": strconv.FormatInt(list.Size(), 10), "left": strconv.Itoa(len(list.Left)), "list": one.ID},
	})
	if err != nil {
		return work.Receipt{}, err
	}
	if len(missing) == 0 {
		s.Boards.Publish(exam.Branch, from.Device)
	}
	return work.Receipt{Received: len(missing) == 0, Missing: missing}, nil
}

// Handed is what there is of one seat.
type Handed struct {
	Seat
	Writer Seat
	// Works are the states that were received, the latest first; none: nothing came.
	Works []Work
	// Over says that the seat's time is over: a final state is due.
	Over bool
	Late bool // the latest came long after the seat's end
}

// Latest is the state that counts, and whether there is one: the latest that holds
// a file. Who empties the folder at the end has written something all the same.
func (h Handed) Latest() (Work, bool) {
	for _, one := range h.Works {
		if len(one.Files) > 0 {
			return one, true
		}
	}
	if len(h.Works) > 0 {
		return h.Works[0], true
	}
	return Work{}, false
}

// Final reports whether the state after the end is there.
func (h Handed) Final() bool {
	return slices.ContainsFunc(h.Works, func(w Work) bool { return w.Final })
}

// Missing reports whether something is still to come.
func (h Handed) Missing() bool { return h.Over && !h.Final() }

// Collected is what was handed in of an examination.
type Collected struct {
	Exam    Exam
	Given   []GivenFile
	Seats   []Handed
	Asking  Asking
	At      time.Time
	MayGive bool
}

// Collected lists what was handed in, for who may lead the examination.
func (s *Service) Collected(ctx context.Context, actor may.Actor, id org.ID) (Collected, error) {
	exam, permit, err := s.open(ctx, actor, id, may.ExamRun)
	if err != nil {
		return Collected{}, err
	}
	c, err := s.collected(ctx, exam)
	if err != nil {
		return c, err
	}
	_, _, err = s.givable(ctx, permit.Actor(), id)
	c.MayGive = err == nil
	c.Given, err = s.Store.GivenFiles(ctx, exam)
	return c, err
}

func (s *Service) collected(ctx context.Context, exam Exam) (Collected, error) {
	seats, err := s.Store.ExamSeats(ctx, exam)
	if err != nil {
		return Collected{}, err
	}
	works, err := s.Store.ListWork(ctx, exam)
	if err != nil {
		return Collected{}, err
	}
	c := Collected{Exam: exam, At: s.Now(), Asking: exam.asking(seats, works)}
	for _, one := range works {
		// A device that takes part no more has handed in all the same.
		if _, is := find(seats, one.Device); !is {
			seats = append(seats, Seat{Device: one.Device, Name: one.Device.String()})
		}
	}
	for _, seat := range seats {
		h := Handed{Seat: seat, Writer: Writer(seats, seat.Device), Over: exam.seatOver(seats, seat, c.At)}
		for _, one := range works {
			if one.Device == seat.Device {
				h.Works = append(h.Works, one)
			}
		}
		if len(h.Works) > 0 {
			came := h.Works[0].Received
			h.Late = came.Sub(exam.stopOf(seats, seat, came)) > LateAfter
		}
		c.Seats = append(c.Seats, h)
	}
	return c, nil
}

// stopOf is when a seat's writing ends, or ended.
func (e Exam) stopOf(seats []Seat, seat Seat, at time.Time) time.Time {
	stop := e.EndOf(seats, seat.Device, at)
	for _, other := range []time.Time{e.Ended, e.Cancelled, seat.Note.Released} {
		if !other.IsZero() && other.Before(stop) {
			stop = other
		}
	}
	return stop
}

func (e Exam) seatOver(seats []Seat, seat Seat, at time.Time) bool {
	return !at.Before(e.Starts) && !at.Before(e.stopOf(seats, seat, at))
}

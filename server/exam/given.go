package exam

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/policies/work"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Bounds of files that are given out with one examination.
const (
	MostGiven      = 20
	MostGivenFile  = 25 << 20 // bytes
	MostGivenBytes = 50 << 20 // of all files together
)

// CollectEvery is after how many minutes work is collected where nobody says
// otherwise.
const CollectEvery = 5

// GivenFile is a file that is given out.
type GivenFile struct {
	ID   org.ID
	Name string
	Size int64  // bytes
	Hash string // SHA-256, hexadecimal
	At   time.Time
	By   string
}

// GivenStore keeps files that are given out, in pieces of work.Piece bytes.
type GivenStore interface {
	GivenFiles(ctx context.Context, exam Exam) ([]GivenFile, error)
	// PutGivenPiece keeps a piece of a file that is on its way here. Without
	// KeepGiven it is gone after a day.
	PutGivenPiece(ctx context.Context, exam Exam, file org.ID, n int, content []byte, at time.Time) error
	// GivenPiece returns a piece; it is a NotFound fault where there is none.
	GivenPiece(ctx context.Context, exam Exam, file org.ID, n int) ([]byte, error)
	// KeepGiven makes the pieces a file.
	KeepGiven(ctx context.Context, permit may.Permit, exam Exam, file GivenFile, records []Record) error
	DropGiven(ctx context.Context, permit may.Permit, exam Exam, file GivenFile, records []Record) error
	// CopyGiven gives the same files out with another examination of the authority.
	CopyGiven(ctx context.Context, permit may.Permit, from, to Exam) error
}

// Given lists the files that are given out, for who may lead the examination:
// they are its questions.
func (s *Service) Given(ctx context.Context, actor may.Actor, id org.ID) ([]GivenFile, error) {
	exam, _, err := s.open(ctx, actor, id, may.ExamRun)
	if err != nil {
		return nil, err
	}
	return s.Store.GivenFiles(ctx, exam)
}

// Give gives a file out with an examination that has not begun. It is read to its
// end; no more than a piece of it is in memory. Faults: Invalid
// "exam.given_too_large", "exam.given_too_many", "exam.given_empty" and
// "exam.given_twice" in the field "file", Conflict "exam.begun".
func (s *Service) Give(ctx context.Context, actor may.Actor, id org.ID, name string, content io.Reader) (GivenFile, error) {
	exam, permit, err := s.givable(ctx, actor, id)
	if err != nil {
		return GivenFile{}, err
	}
	file := GivenFile{ID: s.NewID(), Name: work.Name(name, "Datei"), By: permit.Actor().Name}
	known, err := s.room(ctx, exam, file)
	if err != nil {
		return GivenFile{}, err
	}
	var total int64
	for _, one := range known {
		total += one.Size
	}
	if err := s.takeIn(ctx, exam, &file, min(MostGivenFile, MostGivenBytes-total), content); err != nil {
		return GivenFile{}, err
	}
	file.At = s.now()
	if exam.Rules.Exam.Work == nil {
		if exam, err = s.collect(ctx, permit, exam); err != nil {
			return GivenFile{}, err
		}
	}
	records := []Record{{Key: "file_given", Args: map[string]string{"file": file.Name, "hash": file.Hash}}}
	stamp(records, permit, s.Now())
	err = s.Store.Atomically(ctx, func(ctx context.Context) error {
		// Asked again: somebody else may have given one out meanwhile.
		if _, err := s.room(ctx, exam, file); err != nil {
			return err
		}
		return s.Store.KeepGiven(ctx, permit, exam, file, records)
	})
	if err != nil {
		return GivenFile{}, err
	}
	return file, s.settle(ctx, permit, exam, "give")
}

// givable finds an examination whose files can still be changed.
func (s *Service) givable(ctx context.Context, actor may.Actor, id org.ID) (Exam, may.Permit, error) {
	exam, permit, err := s.open(ctx, actor, id, may.ExamWrite)
	if err != nil {
		return exam, permit, err
	}
	if state := exam.State(s.now()); state != Draft && state != Planned && state != Armed || exam.Rules.Exam == nil {
		return exam, permit, errs.E(errs.Conflict, "exam.begun")
	}
	return exam, permit, nil
}

// room reports whether there is room for one more file, and lists the others.
func (s *Service) room(ctx context.Context, exam Exam, file GivenFile) ([]GivenFile, error) {
	known, err := s.Store.GivenFiles(ctx, exam)
	if err != nil {
		return nil, err
	}
	var total int64
	for _, one := range known {
		total += one.Size
	}
	switch {
	case len(known) >= MostGiven:
		return nil, errs.E(errs.Invalid, "exam.given_too_many", "most", MostGiven).In("file")
	case slices.ContainsFunc(known, func(one GivenFile) bool { return strings.EqualFold(one.Name, file.Name) }):
		return nil, errs.E(errs.Invalid, "exam.given_twice", "name", file.Name).In("file")
	case total+file.Size > MostGivenBytes:
		return nil, tooLarge()
	}
	return known, nil
}

func tooLarge() error {
	return errs.E(errs.Invalid, "exam.given_too_large", "most", MostGivenFile>>20, "all", MostGivenBytes>>20).In("file")
}

// takeIn keeps the content piece by piece, and says how large it is.
func (s *Service) takeIn(ctx context.Context, exam Exam, file *GivenFile, most int64, content io.Reader) error {
	sum := sha256.New()
	piece := make([]byte, work.Piece)
	for n := 0; ; n++ {
		length, err := io.ReadFull(content, piece)
		if length > 0 {
			file.Size += int64(length)
			if file.Size > most {
				return tooLarge()
			}
			sum.Write(piece[:length])
			if err := s.Store.PutGivenPiece(ctx, exam, file.ID, n, piece[:length], s.Now()); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
			continue
		case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return errs.E(errs.Invalid, "exam.given_broken").In("file").Because(err)
		case file.Size == 0:
			return errs.E(errs.Invalid, "exam.given_empty").In("file")
		}
		file.Hash = hex.EncodeToString(sum.Sum(nil))
		return nil
	}
}

// collect makes work be collected: whoever gives files out wants them back.
func (s *Service) collect(ctx context.Context, permit may.Permit, exam Exam) (Exam, error) {
	since := exam.Changed
	rules := *exam.Rules.Exam
	rules.Work = &lease.Work{Folder: folder(exam.Name), Every: CollectEvery}
	exam.Rules.Exam = &rules
	return s.save(ctx, permit, exam, since, "edit", Record{Key: "edited"})
}

// folder names the folder of an examination.
func folder(name string) string { return work.Name(name, "Prüfung") }

// TakeBack gives a file out no more. It is gone from the devices that have it
// already; nobody has seen it there.
func (s *Service) TakeBack(ctx context.Context, actor may.Actor, id, file org.ID) error {
	exam, permit, err := s.givable(ctx, actor, id)
	if err != nil {
		return err
	}
	found, err := s.given(ctx, exam, file)
	if err != nil {
		return err
	}
	records := []Record{{Key: "file_removed", Args: map[string]string{"file": found.Name, "hash": found.Hash}}}
	stamp(records, permit, s.Now())
	if err := s.Store.DropGiven(ctx, permit, exam, found, records); err != nil {
		return err
	}
	return s.settle(ctx, permit, exam, "give")
}

func (s *Service) given(ctx context.Context, exam Exam, file org.ID) (GivenFile, error) {
	known, err := s.Store.GivenFiles(ctx, exam)
	if err != nil {
		return GivenFile{}, err
	}
	if at := slices.IndexFunc(known, func(one GivenFile) bool { return one.ID == file }); at >= 0 {
		return known[at], nil
	}
	return GivenFile{}, errs.E(errs.NotFound, "exam.no_such_file")
}

// Content is a file that somebody reads.
type Content struct {
	Name string
	Size int64
	// Write writes it, piece by piece.
	Write func(w io.Writer) error
}

// ReadGiven returns a file that is given out, for who may lead the examination.
func (s *Service) ReadGiven(ctx context.Context, actor may.Actor, id, file org.ID) (Content, error) {
	exam, _, err := s.open(ctx, actor, id, may.ExamRun)
	if err != nil {
		return Content{}, err
	}
	found, err := s.given(ctx, exam, file)
	if err != nil {
		return Content{}, err
	}
	return Content{Name: found.Name, Size: found.Size, Write: func(w io.Writer) error {
		for n := range int((found.Size + work.Piece - 1) / work.Piece) {
			piece, err := s.Store.GivenPiece(ctx, exam, file, n)
			if err != nil {
				return fmt.Errorf("reading a file that was given out: %w", err)
			}
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// leased puts into the rules of an examination what devices must know to hand in:
// the files that were given out, and the key for which work is sealed.
func (s *Service) leased(ctx context.Context, exam Exam) (Exam, error) {
	if exam.Rules.Exam == nil || exam.Rules.Exam.Work == nil || s.WorkKey == nil {
		return exam, nil
	}
	files, err := s.Store.GivenFiles(ctx, exam)
	if err != nil {
		return exam, err
	}
	rules, handed := *exam.Rules.Exam, *exam.Rules.Exam.Work
	handed.Exam, handed.Key, handed.Given = exam.ID.String(), s.WorkKey.PublicKey().Bytes(), nil
	for _, file := range files {
		handed.Given = append(handed.Given, lease.Given{Name: file.Name, Size: file.Size, Hash: file.Hash})
	}
	rules.Work = &handed
	exam.Rules.Exam = &rules
	return exam, nil
}

// ticketed gives each wish its device's ticket.
func (s *Service) ticketed(exam Exam, wishes []Wish) []Wish {
	if exam.Rules.Exam == nil || exam.Rules.Exam.Work == nil || s.WorkKey == nil {
		return wishes
	}
	for i, wish := range wishes {
		rules, handed := *wish.Rules.Exam, *wish.Rules.Exam.Work
		handed.Ticket = s.ticket(exam.ID, wish.Device)
		if asked := exam.asked(wish.Device); !asked.IsZero() {
			handed.Now = asked.UnixMilli()
		}
		rules.Work = &handed
		wishes[i].Rules.Exam = &rules
	}
	return wishes
}

package exam

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"schulwart.org/policies/org"
	"schulwart.org/policies/work"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Bundle returns the latest work of every seat, or of one device, as a ZIP file
// with a folder for each seat. Who takes it leaves a line in the evidence. It is a
// NotFound fault "exam.no_work_yet" where nothing was received.
func (s *Service) Bundle(ctx context.Context, actor may.Actor, id, device org.ID) (Content, error) {
	exam, permit, err := s.open(ctx, actor, id, may.ExamRun)
	if err != nil {
		return Content{}, err
	}
	c, err := s.collected(ctx, exam)
	if err != nil {
		return Content{}, err
	}
	var chosen []Handed
	for _, seat := range c.Seats {
		if _, is := seat.Latest(); is && (device == "" || seat.Device == device) {
			chosen = append(chosen, seat)
		}
	}
	if len(chosen) == 0 {
		return Content{}, errs.E(errs.NotFound, "exam.no_work_yet")
	}
	if err := s.fetched(ctx, permit, exam, device); err != nil {
		return Content{}, err
	}
	folders := foldersOf(chosen, may.SeesNames(actor, exam.Branch))
	name := folder(exam.Name)
	if device != "" {
		name += " " + folders[0]
	}
	return Content{Name: work.Name(name+".zip", "Arbeiten.zip"), Size: -1, Write: func(w io.Writer) error {
		archive := zip.NewWriter(w)
		for i, seat := range chosen {
			latest, _ := seat.Latest()
			if err := s.pack(ctx, archive, exam, folders[i], latest); err != nil {
				return err
			}
		}
		return archive.Close()
	}}, nil
}

// fetched leaves the lines that say that somebody took work.
func (s *Service) fetched(ctx context.Context, permit may.Permit, exam Exam, device org.ID) error {
	records := []Record{{Device: device, Key: "work_fetched"}}
	stamp(records, permit, s.Now())
	return s.Store.RecordExam(ctx, permit, exam, "work", records)
}

// foldersOf names a folder for each seat, no two alike.
func foldersOf(seats []Handed, names bool) []string {
	var all []string
	for _, seat := range seats {
		text := seat.Name
		if names && seat.Writer.PersonNow != "" {
			text = seat.Writer.PersonNow + " (" + seat.Name + ")"
		}
		plain := work.Name(strings.NewReplacer("/", "-", `\`, "-").Replace(text), "Platz")
		name := plain
		for n := 2; slices.ContainsFunc(all, func(other string) bool { return strings.EqualFold(other, name) }); n++ {
			name = plain + " " + strconv.Itoa(n)
		}
		all = append(all, name)
	}
	return all
}

func (s *Service) pack(ctx context.Context, archive *zip.Writer, exam Exam, folder string, one Work) error {
	for _, file := range one.Files {
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: folder + "/" + file.Path, Method: zip.Deflate, Modified: file.Modified})
		if err != nil {
			return err
		}
		if err := s.unseal(ctx, entry, exam, one, file); err != nil {
			return err
		}
	}
	return nil
}

// ReadWork returns one file of a state, for who may lead the examination. It
// leaves a line in the evidence.
func (s *Service) ReadWork(ctx context.Context, actor may.Actor, id, device org.ID, list, path string) (Content, error) {
	exam, permit, err := s.open(ctx, actor, id, may.ExamRun)
	if err != nil {
		return Content{}, err
	}
	works, err := s.Store.ListWork(ctx, exam)
	if err != nil {
		return Content{}, err
	}
	for _, one := range works {
		if one.Device != device || one.ID != list {
			continue
		}
		for _, file := range one.Files {
			if file.Path == path {
				return Content{Name: work.Name(path, "Datei"), Size: file.Size, Write: func(w io.Writer) error {
					return s.unseal(ctx, w, exam, one, file)
				}}, s.fetched(ctx, permit, exam, device)
			}
		}
	}
	return Content{}, errs.E(errs.NotFound, "exam.no_such_file")
}

// unseal writes what a file holds, byte for byte.
func (s *Service) unseal(ctx context.Context, w io.Writer, exam Exam, one Work, file work.File) error {
	for _, hash := range file.Pieces {
		sealed, err := s.Store.Piece(ctx, exam, one.Device, hash)
		if err != nil {
			return fmt.Errorf("reading work: %w", err)
		}
		content, err := work.Open(s.WorkKey, sealed, work.AboutPiece(exam.ID.String(), hash))
		if err != nil {
			return fmt.Errorf("opening work: %w", err)
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	return nil
}

package exam

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"schulwart.org/policies/org"
	"schulwart.org/policies/seb"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// SafeBrowser is an examination as settings of Safe Exam Browser, for devices
// that are not ours to lock.
type SafeBrowser struct {
	Exam Exam
	// Plain is the file that everybody can read; Sealed opens with the password
	// Open. Both end with the password Quit, and have the same Config Key.
	Plain, Sealed []byte
	Open, Quit    string
	ConfigKey     string
	// Link starts the program with the sealed file; it stays the same.
	Link string
}

// SafeBrowser writes the files and says what an invigilator must know of them. It
// is the Invalid fault "exam.seb_no_page" where the examination opens no page.
// Each call leaves its audit row: who has the passwords can end it.
func (s *Service) SafeBrowser(ctx context.Context, actor may.Actor, id org.ID) (SafeBrowser, error) {
	exam, permit, err := s.open(ctx, actor, id, may.ExamRun)
	if err != nil {
		return SafeBrowser{}, err
	}
	b, err := s.safeBrowser(exam)
	if err != nil {
		return SafeBrowser{}, err
	}
	return b, s.Store.RecordExam(ctx, permit, exam, "seb", nil)
}

// SealedFile returns the sealed file of a public address. Whoever has it still
// needs the password; it says nothing of who writes. After the examination, and
// for a mark that is not ours, there is none.
func (s *Service) SealedFile(ctx context.Context, id org.ID, mark string) ([]byte, error) {
	if len(s.BrowserKey) == 0 || !hmac.Equal([]byte(mark), []byte(s.sebMark(id))) {
		return nil, errs.E(errs.NotFound, "not_found")
	}
	exam, err := s.Store.FindExam(ctx, id)
	if err != nil {
		return nil, err
	}
	if exam.Over(s.Now()) || exam.Draft {
		return nil, errs.E(errs.NotFound, "not_found")
	}
	b, err := s.safeBrowser(exam)
	return b.Sealed, err
}

func (s *Service) safeBrowser(exam Exam) (SafeBrowser, error) {
	if len(s.BrowserKey) == 0 {
		return SafeBrowser{}, errors.New("no key for files of Safe Exam Browser") // anybody could work its passwords out
	}
	b := SafeBrowser{Exam: exam, Open: s.sebPassword("open", exam.ID), Quit: s.sebPassword("quit", exam.ID), Link: seb.Link(s.BrowserURL(exam.ID, s.sebMark(exam.ID)))}
	settings, err := seb.From(exam.Rules, b.Quit, s.derive("salt", exam.ID))
	if errors.Is(err, seb.ErrNoPage) {
		return SafeBrowser{}, errs.E(errs.Invalid, "exam.seb_no_page").In("page")
	}
	if err == nil {
		b.Plain, err = seb.Plain(settings)
	}
	if err == nil {
		b.Sealed, err = seb.Sealed(settings, b.Open, rand.Reader)
	}
	if err != nil {
		return SafeBrowser{}, fmt.Errorf("writing settings of Safe Exam Browser: %w", err)
	}
	b.ConfigKey = seb.ConfigKey(settings)
	return b, nil
}

// derive makes what belongs to one examination alone and stays the same, so that
// a file that was handed out keeps its passwords and its key.
func (s *Service) derive(purpose string, id org.ID) []byte {
	mac := hmac.New(sha256.New, s.BrowserKey)
	mac.Write([]byte(purpose + ":" + id.String()))
	return mac.Sum(nil)
}

// letters are those that nobody mistakes for another one, in print or aloud; 32
// of them.
const letters = "abcdefghijkmnpqrstuvwxyz23456789"

// sebPassword is twelve letters, "k7dm-4x9p-qw2h". The program keeps passwords as
// plain hashes, so that a short one would be found.
func (s *Service) sebPassword(purpose string, id org.ID) string {
	var out strings.Builder
	for i, b := range s.derive(purpose, id)[:12] {
		if i > 0 && i%4 == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(letters[b%32])
	}
	return out.String()
}

func (s *Service) sebMark(id org.ID) string {
	return fmt.Sprintf("%x", s.derive("mark", id)[:16])
}

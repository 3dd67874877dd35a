package exam

import (
	"context"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Candidate is somebody, or a device, who can take part in an examination.
type Candidate struct {
	Person org.ID // either …
	Device org.ID // … or
	Name   string // of the person, or inventory number
	Beside string // inventory numbers of a person's devices, or whose device it is
}

// ChoiceStore finds who can take part.
type ChoiceStore interface {
	// ExamCandidates lists persons and devices of the school that are found under the
	// words, at most n; only those in a group that the person has at the instant, if
	// staff is not empty.
	ExamCandidates(ctx context.Context, school org.Branch, text string, staff org.ID, at time.Time, n int) ([]Candidate, error)
	// ExamNamed names persons and devices of the school.
	ExamNamed(ctx context.Context, school org.Branch, persons, devices []org.ID) ([]Candidate, error)
}

// mostCandidates bounds what a search shows.
const mostCandidates = 20

// Candidates finds persons and devices for which the actor may prepare an
// examination. Who reads no names there finds devices only.
func (s *Service) Candidates(ctx context.Context, actor may.Actor, school org.Branch, text string) ([]Candidate, error) {
	if _, err := may.Do(actor, may.ExamWrite, school); err != nil {
		return nil, err
	}
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var staff org.ID
	if onlyTeacher(actor, may.ExamWrite, school) {
		staff = actor.ID
	}
	found, err := s.Store.ExamCandidates(ctx, school, text, staff, s.Now(), mostCandidates)
	return named(actor, school, found), err
}

// Named names those who were chosen.
func (s *Service) Named(ctx context.Context, actor may.Actor, school org.Branch, persons, devices []org.ID) ([]Candidate, error) {
	if _, err := may.Do(actor, may.ExamWrite, school); err != nil {
		return nil, err
	}
	found, err := s.Store.ExamNamed(ctx, school, persons, devices)
	return named(actor, school, found), err
}

// named leaves out what the actor does not read there.
func named(actor may.Actor, school org.Branch, found []Candidate) []Candidate {
	if may.SeesNames(actor, school) {
		return found
	}
	for i, c := range found {
		if c.Person != "" {
			found[i].Name = c.Beside
		}
		found[i].Beside = ""
	}
	return found
}

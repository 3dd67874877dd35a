package memory

import (
	"time"

	"schulwart.org/policies/ddm"
)

// Exam is what is remembered of one examination beside its lease: it must not be
// asked twice, and what was told of it must not be told anew after a restart.
type Exam struct {
	ID   string     `json:"id"`
	Last ddm.Sealed `json:"last,omitzero"` // last line of its log, told or not
	// Boot is the run of the system in which the examination may go on. Another one
	// waits for the resume code, if the examination wants that.
	Boot string `json:"boot,omitempty"`
	// Process names the run of the agent that saw it last.
	Process string `json:"process,omitempty"`
	Active  bool   `json:"active,omitempty"` // every part was read back once
	Waits   bool   `json:"waits,omitempty"`  // that it waits for the resume code was told
	// Since is exam time: when the present wait for the code began, or what kept
	// the pupil from writing.
	Since time.Time `json:"since,omitzero"`
	// Hand says that the pupil asks for the invigilator, Raised is exam time when
	// that began last.
	Hand   bool      `json:"hand,omitempty"`
	Raised time.Time `json:"raised,omitzero"`
	// Lost is exam time since when there is no contact with the server; zero while
	// there is.
	Lost time.Time `json:"lost,omitzero"`
}

const (
	mostExams  = 20
	mostSealed = 500
)

// ExamOf returns what is remembered of an examination; nothing is the zero value.
func (s *State) ExamOf(id string) Exam {
	for _, e := range s.Exams {
		if e.ID == id {
			return e
		}
	}
	return Exam{ID: id}
}

// SetExam remembers it. Of too many, those go that nobody spoke of for longest.
func (s *State) SetExam(exam Exam) {
	for i, e := range s.Exams {
		if e.ID == exam.ID {
			s.Exams[i] = exam
			return
		}
	}
	s.Exams = append(s.Exams, exam)
	if extra := len(s.Exams) - mostExams; extra > 0 {
		s.Exams = append([]Exam(nil), s.Exams[extra:]...)
	}
}

// Seal adds a line to the log of its lease. Of too many lines that nobody
// acknowledged the oldest go, and the gap is seen by their numbers.
func (s *State) Seal(line ddm.Sealed) {
	exam := s.ExamOf(line.Lease)
	exam.Last = line.After(exam.Last)
	s.SetExam(exam)
	s.Sealed = append(s.Sealed, exam.Last)
	if extra := len(s.Sealed) - mostSealed; extra > 0 {
		s.Sealed = append([]ddm.Sealed(nil), s.Sealed[extra:]...)
	}
}

// SealsTold drops lines that the server has.
func (s *State) SealsTold(told []ddm.Sealed) {
	seals := make(map[string]bool, len(told))
	for _, line := range told {
		seals[line.Seal] = true
	}
	var left []ddm.Sealed
	for _, line := range s.Sealed {
		if !seals[line.Seal] {
			left = append(left, line)
		}
	}
	s.Sealed = left
}

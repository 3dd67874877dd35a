package web

import "time"

// ExamWorkPage is what is given out with an examination, and what was handed in.
// Form fields: file (several), do=remove with given.
type ExamWorkPage struct {
	Frame
	Exam      ExamRow
	Collects  bool // work is collected
	Every     int  // minutes between two states that are kept; 0: only the end is
	Given     []ExamGiven
	MayGive   bool
	Most, All int // MB of one file, and of all together
	Count     int // files at the most
	Began     bool
	Seats     []ExamHanded
	MayAsk    bool // work can be asked for at once
	Asking    *ExamAsking
	CSV       string
	Problem   *Problem
}

// ExamGiven is a file that is given out.
type ExamGiven struct {
	ID   string
	Name string
	Size int64
	By   string
	At   time.Time
}

// ExamHanded is what came from one seat. Standing is looked up as
// exam.work.<standing>: waiting, kept, received, late, missing, nothing.
type ExamHanded struct {
	Device   string
	Name     string // pupil, or inventory number
	Tag      string // inventory number beside a name
	Standing string
	Received time.Time // of the latest state; zero: nothing came
	Made     time.Time // device time of it
	Files    int
	Size     int64
	Nobody   bool
	Left     []ExamLeft
	States   []ExamKept
}

// ExamKept is one state of a folder.
type ExamKept struct {
	ID       string
	Made     time.Time
	Received time.Time
	Final    bool
	Files    []ExamHandedFile
}

// ExamHandedFile is one file of it.
type ExamHandedFile struct {
	Path  string
	Size  int64
	Given bool // as it was given out
}

// ExamLeft is a file that was left out; exam.left.<why>.
type ExamLeft struct {
	Path string
	Why  string
}

func (p ExamWorkPage) received() int {
	n := 0
	for _, seat := range p.Seats {
		if !seat.Received.IsZero() {
			n++
		}
	}
	return n
}

// mark is the shape that a seat's work shares with states of modes.
func (h ExamHanded) mark() State {
	switch h.Standing {
	case "kept":
		return StateActive
	case "received", "late":
		return StateEnded
	case "missing":
		return StateUnreachable
	}
	return StatePlanned
}

package exam

import (
	"context"
	"crypto/ecdh"
	"slices"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Store is what the room needs to remember. Each method that takes a permit is
// one transaction with its audit row; records belong to the same transaction.
type Store interface {
	// Atomically makes the calls inside of it one transaction. It may run do twice.
	Atomically(ctx context.Context, do func(ctx context.Context) error) error

	ListExams(ctx context.Context, branches []org.Branch, filter Filter) (exams []Exam, next string, err error)
	FindExam(ctx context.Context, id org.ID) (Exam, error)
	// ExamOfMode returns the examination, or rehearsal, that a mode belongs to.
	ExamOfMode(ctx context.Context, mode org.ID) (Exam, error)
	CreateExam(ctx context.Context, permit may.Permit, exam Exam) error
	// UpdateExam keeps what changed. It is the Conflict fault ErrChanged if
	// somebody changed the examination since the instant at which it was read to
	// have changed last.
	UpdateExam(ctx context.Context, permit may.Permit, exam Exam, since time.Time, what string, records []Record) error
	DeleteExam(ctx context.Context, permit may.Permit, exam Exam) error
	// NoteArmed keeps under which mode an examination is on the devices and when
	// its last seat ends: what the server found out by itself. The first mode that
	// is told counts, and is returned.
	NoteArmed(ctx context.Context, exam Exam) (org.ID, error)
	// PendingExams lists what is neither a draft nor over and begins before the
	// instant, in the branch; an empty branch is everywhere.
	PendingExams(ctx context.Context, branch org.Branch, at, before time.Time) ([]Exam, error)

	// ExamSeats lists the devices that take part, those in use only, by name.
	ExamSeats(ctx context.Context, exam Exam) ([]Seat, error)
	// PutSeats keeps what happened to seats.
	PutSeats(ctx context.Context, permit may.Permit, exam Exam, seats []Seat, what string, records []Record) error
	// ExamDevices resolves named persons and devices of a school: it is a NotFound
	// fault if one is unknown there.
	ExamDevices(ctx context.Context, school org.Branch, persons, devices []org.ID) ([]org.ID, error)

	ListExtra(ctx context.Context, school org.Branch) ([]ExtraTime, error)
	PutExtra(ctx context.Context, permit may.Permit, extra ExtraTime) error

	// ReleaseSecret returns the secret that the device made for codes.
	ReleaseSecret(ctx context.Context, authority, enrolment org.ID) ([]byte, error)
	RecordExam(ctx context.Context, permit may.Permit, exam Exam, what string, records []Record) error

	RecordStore
	GivenStore
	WorkStore
	ReadinessStore
	StaffNames
	ImportStore
	ChoiceStore
}

// StaffNames knows colleagues.
type StaffNames interface {
	// ExamStaff lists who may invigilate in the school, by name.
	ExamStaff(ctx context.Context, school org.Branch) ([]Invigilator, error)
	// ExamGroup returns the branch and name of a group.
	ExamGroup(ctx context.Context, group org.ID) (org.Branch, string, error)
	// ExamSpares lists devices of the school that could take a seat's place, the
	// latest seen first: enrolled ones that are no seats.
	ExamSpares(ctx context.Context, exam Exam, seats []org.ID, n int) ([]Seat, error)
	// TeachesAll reports whether each of the devices is in some group that the
	// person has at the instant.
	TeachesAll(ctx context.Context, staff org.ID, devices []org.ID, at time.Time) (bool, error)
}

// Roster answers whether a person teaches a group at an instant.
type Roster interface {
	TeachesNow(ctx context.Context, staff, group org.ID, at time.Time) (bool, error)
}

// Hold is an order to make the leases of a mode what the wishes say.
type Hold struct {
	Mode         org.ID
	Branch       org.Branch
	Rules        lease.Rules
	Starts, Ends time.Time // as everybody may read them
	Ended        time.Time
	Staff        org.ID
	ByName       string
	Wishes       []Wish
	What         string
}

// Leases makes leases of wishes, and knows what devices said of them.
type Leases interface {
	Hold(ctx context.Context, permit may.Permit, order Hold) error
	Lines(ctx context.Context, mode org.ID) ([]Line, error)
}

// Line is what is known of an examination on one device.
type Line struct {
	Device, Enrolment, Lease org.ID
	Starts, Ends             time.Time
	State                    string // as boards name it: planned, delivered, active, deviating, unreachable, ended
	Reason                   string
	ReasonArgs               map[string]string
	Since                    time.Time
	Armed                    bool // kept by the device, waiting for its beginning
	Active                   bool // in force when the device said so last
	Left                     bool // over on the device before its end, by a code
	Over                     bool // the device said that it is over
	Delivered                bool // fetched
	Refused                  bool // the device does not believe it
	Troubles                 []Trouble
	Connected                bool
	Seen                     time.Time
	Battery                  *int
}

// Boards shows changes on open pages.
type Boards interface {
	Publish(branch org.Branch, devices ...org.ID)
}

// Service is the room.
type Service struct {
	Store  Store
	Roster Roster
	Leases Leases
	Boards Boards
	// Schools reads files of planned examinations for their school.
	Schools Schools
	NewID   func() org.ID
	Now     func() time.Time
	// Asks wakes devices that shall say how they are; nil: nobody is woken.
	Asks Asker
	// Agent is the version of the agent that belongs to this server; devices with
	// another are named in the readiness list. Empty: none is.
	Agent string
	// BrowserKey is the secret from which passwords and addresses of files for Safe
	// Exam Browser are made. It stays the same for the life of the installation:
	// files that were handed out keep their passwords.
	BrowserKey []byte
	// WorkKey opens what devices hand in; nil: nothing is handed in. It stays the same
	// for the life of the installation.
	WorkKey *ecdh.PrivateKey
	// BrowserURL is the public address of such a file, as the door answers there.
	BrowserURL func(exam org.ID, mark string) string
}

// Filter narrows a list of examinations.
type Filter struct {
	School org.ID
	Staff  org.ID    // only those that the person prepared or invigilates
	From   time.Time // that end after the instant
	Until  time.Time // that begin before the instant
	Past   bool      // the latest first
	Cursor string
	Limit  int
}

// ErrChanged says that somebody else changed the examination in the same moment.
var ErrChanged = errs.E(errs.Conflict, "exam.changed")

// List lists examinations that the actor may see.
func (s *Service) List(ctx context.Context, actor may.Actor, filter Filter) ([]Exam, string, error) {
	branches := may.Branches(actor, may.ExamRead)
	if len(branches) == 0 {
		return nil, "", errs.E(errs.Denied, "denied", "action", string(may.ExamRead))
	}
	return s.Store.ListExams(ctx, branches, filter)
}

// Find returns an examination that the actor may see.
func (s *Service) Find(ctx context.Context, actor may.Actor, id org.ID) (Exam, error) {
	exam, err := s.Store.FindExam(ctx, id)
	if err != nil {
		return Exam{}, err
	}
	if _, err := may.Do(actor, may.ExamRead, exam.Branch); err != nil {
		return Exam{}, err
	}
	return exam, nil
}

// MayRun reports whether the actor may lead the examination, and so sees whose
// end is later: the office, who prepared it, its invigilators, and who has the
// class now.
func (s *Service) MayRun(ctx context.Context, actor may.Actor, exam Exam) (bool, error) {
	_, err := s.permit(ctx, actor, may.ExamRun, exam)
	if errs.Is(err, errs.Denied) || errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// permit asks may, and for teachers whether the examination is theirs.
func (s *Service) permit(ctx context.Context, actor may.Actor, action may.Action, exam Exam) (may.Permit, error) {
	permit, err := may.Do(actor, action, exam.Branch)
	if err != nil || !onlyTeacher(actor, action, exam.Branch) || exam.Leads(actor.ID) {
		return permit, err
	}
	if exam.Branch.Group != "" {
		teaches, err := s.Roster.TeachesNow(ctx, actor.ID, exam.Branch.Group, s.Now())
		if err != nil || teaches {
			return permit, err
		}
	}
	return may.Permit{}, errs.E(errs.Denied, "exam.not_yours")
}

// onlyTeacher reports whether the actor may do the action as a teacher only.
func onlyTeacher(actor may.Actor, action may.Action, branch org.Branch) bool {
	other := actor
	other.Grants = slices.DeleteFunc(slices.Clone(actor.Grants), func(g may.Grant) bool { return g.Role == may.Teacher })
	return !may.Can(other, action, branch)
}

// open finds an examination and asks whether the actor may do the action.
func (s *Service) open(ctx context.Context, actor may.Actor, id org.ID, action may.Action) (Exam, may.Permit, error) {
	exam, err := s.Store.FindExam(ctx, id)
	if err != nil {
		return Exam{}, may.Permit{}, err
	}
	permit, err := s.permit(ctx, actor, action, exam)
	return exam, permit, err
}

// now is the instant in whole seconds, as leases have them.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Second) }

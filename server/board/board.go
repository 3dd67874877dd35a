// Package board answers the questions of pages that look across rooms: is
// anything wrong in this school today, what holds on this device and why, what
// do I say to the person on the phone? It only reads.
package board

import (
	"context"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/declare"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
)

// Store is what the room reads.
type Store interface {
	Today(ctx context.Context, school org.Branch, midnight, now time.Time) (Today, error)
	Glance(ctx context.Context, school org.Branch, midnight, now time.Time) (Glance, error)
	Sheet(ctx context.Context, device org.ID) (Sheet, error)
	History(ctx context.Context, sheet Sheet, before time.Time, n int) ([]Entry, error)
	// Seek finds devices by the beginning of their name, serial, person, group
	// or room, within the branches.
	Seek(ctx context.Context, branches []org.Branch, text string, n int) ([]Sheet, error)
	RunningModes(ctx context.Context, school org.Branch, at time.Time) ([]Running, error)
	Overdue(ctx context.Context, school org.Branch, at time.Time) ([]Overdue, error)
	Counts(ctx context.Context) (Counts, error)
}

// Today is what a school's start page counts.
type Today struct {
	School    string
	Authority string
	Devices   int
	Enrolled  int
	Seen      int // since midnight
	Missing   int // enrolled, not seen for 14 days
	Deviating int // devices with a running lease that reads back otherwise
	Tokens    int // enrolment tokens that can still be used
	Contacts  []Contacts
}

// Glance is what a list of schools shows of each. Its numbers are those of Today.
type Glance struct {
	Seen      int // since midnight
	Deviating int
	Modes     int // that run now
}

// Contacts is how many times devices were in contact in one minute.
type Contacts struct {
	Minute time.Time
	N      int
}

// Running is a mode with the name of its group.
type Running struct {
	Mode    lesson.Mode
	Group   string
	Kind    org.GroupKind
	Devices int
	Names   []string // of its first devices, at most three, where it has no group
}

// Overdue is a lease past its end whose end was not read back.
type Overdue struct {
	Device    org.ID
	Enrolment org.ID
	Name      string
	Ends      time.Time
}

// Sheet is what is remembered of a device.
type Sheet struct {
	Branch     org.Branch
	Device     org.ID
	Enrolment  org.ID // empty: not enrolled
	School     string
	Name       string
	Person     string
	Serial     string
	Model      string
	Platform   org.Platform
	Simulated  bool
	Supervised bool
	Groups     []GroupName
	Seen       time.Time
	Reported   time.Time
	Agent      string // version
	Facts      ddm.Facts
	// Said are its configurations as it last reported them, SaidSince, by
	// identifier, the reports since which it says the same of each.
	Said      []ddm.DeclarationState
	SaidSince map[string]time.Time
	Enrolled  time.Time
	Until     time.Time // end of its certificate
	Left      bool      // was enrolled and checked out
	Retired   time.Time // out of use since; zero: in use
	Leaving   time.Time // out of use, and heard until then for the end of a mode
}

// GroupName names a group of a device.
type GroupName struct {
	ID   org.ID
	Name string
	Kind org.GroupKind
}

// Entry is one line of a device's history.
type Entry struct {
	At   time.Time
	By   string // empty: the device itself
	Key  string // under "event." in web/locale
	Args map[string]string
}

// Counts is what the operations page shows of the whole installation.
type Counts struct {
	Authorities, Schools, Devices, Enrolled, Staff int
	Modes, Leases, Marks                           int
	AuditRows                                      int
	OldestMark                                     time.Time
}

// Lessons is the part of the lesson room that pages need.
type Lessons interface {
	Leases(ctx context.Context, branch org.Branch, device org.ID) ([]lesson.DeviceMode, error)
}

// Desired answers why something holds.
type Desired interface {
	Why(ctx context.Context, at declare.Place) (desired.State, error)
}

// Service is the room.
type Service struct {
	Store    Store
	Lessons  Lessons
	Desired  Desired
	Presence lesson.Presence
	Now      func() time.Time
}

// School is a school's first page.
type School struct {
	Today
	Running []Running
	// Overdue are leases past their end on devices that are in contact: there
	// must be none.
	Overdue   []Overdue
	CheckedAt time.Time
}

// Glance returns what a list of schools shows of one.
func (s *Service) Glance(ctx context.Context, actor may.Actor, branch org.Branch, midnight time.Time) (Glance, error) {
	if _, err := may.Do(actor, may.SchoolRead, branch); err != nil {
		return Glance{}, err
	}
	return s.Store.Glance(ctx, branch, midnight, s.Now())
}

// School answers: is anything wrong today? midnight is the beginning of the
// school's day.
func (s *Service) School(ctx context.Context, actor may.Actor, branch org.Branch, midnight time.Time) (School, error) {
	if _, err := may.Do(actor, may.SchoolRead, branch); err != nil {
		return School{}, err
	}
	now := s.Now()
	page := School{CheckedAt: now}
	var err error
	if page.Today, err = s.Store.Today(ctx, branch, midnight, now); err != nil {
		return page, err
	}
	if page.Running, err = s.Store.RunningModes(ctx, branch, now); err != nil {
		return page, err
	}
	page.Overdue, err = s.overdue(ctx, branch)
	return page, err
}

// grace is how long an end may take to be read back before it counts.
const grace = 30 * time.Second

// OverdueAnywhere lists leases past their end on devices that are in contact, in
// the whole installation. There must be none; a job looks every minute.
func (s *Service) OverdueAnywhere(ctx context.Context) ([]Overdue, error) {
	return s.overdue(ctx, org.Branch{})
}

func (s *Service) overdue(ctx context.Context, branch org.Branch) ([]Overdue, error) {
	late, err := s.Store.Overdue(ctx, branch, s.Now().Add(-grace))
	if err != nil {
		return nil, err
	}
	reachable := late[:0]
	for _, one := range late {
		if s.Presence.Contact(one.Enrolment).Connected {
			reachable = append(reachable, one)
		}
	}
	return reachable, nil
}

// Device is everything that a device's page and the call page show.
type Device struct {
	Sheet
	Contact lesson.Contact
	Modes   []lesson.DeviceMode
	// Settings are the base policy's fields that hold, Why the modes.
	Settings []desired.Effective
	Why      []desired.Why
	// Kept says of each family that holds what the device reports of it.
	Kept    map[string]Keeping
	History []Entry
	Advice  Advice
}

// Device answers: what holds here, and why?
func (s *Service) Device(ctx context.Context, actor may.Actor, id org.ID) (Device, error) {
	sheet, err := s.Store.Sheet(ctx, id)
	if err != nil {
		return Device{}, err
	}
	if _, err := may.Do(actor, may.DeviceRead, sheet.Branch); err != nil {
		return Device{}, err
	}
	return s.device(ctx, forActor(actor, sheet))
}

// forActor leaves the pupil's name out for who has no use for it.
func forActor(actor may.Actor, sheet Sheet) Sheet {
	if !may.SeesNames(actor, sheet.Branch) {
		sheet.Person = ""
	}
	return sheet
}

// ForPupil answers the same for the person in front of the device, who holds
// its link. Nothing about other people is in it.
func (s *Service) ForPupil(ctx context.Context, id org.ID) (Device, error) {
	sheet, err := s.Store.Sheet(ctx, id)
	if err != nil {
		return Device{}, err
	}
	device, err := s.device(ctx, sheet)
	device.History = nil
	return device, err
}

const historyLines = 30

func (s *Service) device(ctx context.Context, sheet Sheet) (Device, error) {
	page := Device{Sheet: sheet, Contact: s.Presence.Contact(sheet.Enrolment)}
	if page.Contact.Seen.IsZero() {
		page.Contact.Seen = sheet.Seen
	}
	var err error
	if page.Modes, err = s.Lessons.Leases(ctx, sheet.Branch, sheet.Device); err != nil {
		return page, err
	}
	if sheet.Enrolment != "" {
		state, err := s.Desired.Why(ctx, declare.Place{School: sheet.Branch, Device: sheet.Device})
		if err != nil {
			return page, err
		}
		page.Settings, page.Why, page.Kept = state.Settings, state.Why, kept(sheet, state)
	}
	if page.History, err = s.Store.History(ctx, sheet, s.Now().Add(time.Minute), historyLines); err != nil {
		return page, err
	}
	page.Advice = Advise(page, s.Now())
	return page, nil
}

// Older returns the history before an instant.
func (s *Service) Older(ctx context.Context, actor may.Actor, id org.ID, before time.Time) ([]Entry, error) {
	sheet, err := s.Store.Sheet(ctx, id)
	if err != nil {
		return nil, err
	}
	if _, err := may.Do(actor, may.DeviceRead, sheet.Branch); err != nil {
		return nil, err
	}
	return s.Store.History(ctx, sheet, before, historyLines)
}

// Seek is the help desk's one field.
func (s *Service) Seek(ctx context.Context, actor may.Actor, text string, n int) ([]Sheet, error) {
	sheets, err := s.Store.Seek(ctx, may.Branches(actor, may.DeviceRead), text, n)
	for i := range sheets {
		sheets[i] = forActor(actor, sheets[i])
	}
	return sheets, err
}

// Counts is for the operations page.
func (s *Service) Counts(ctx context.Context, actor may.Actor) (Counts, error) {
	if _, err := may.Do(actor, may.OperationRead, org.Branch{}); err != nil {
		return Counts{}, err
	}
	return s.Store.Counts(ctx)
}

package lesson

import (
	"context"
	"slices"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Store is what the room needs to remember. Each writing method is one
// transaction with its audit row and its durable mark.
type Store interface {
	// LessonGroup returns the branch and the name of a group.
	LessonGroup(ctx context.Context, group org.ID) (Group, error)
	// LessonMembers lists the devices of a group, absent ones marked.
	LessonMembers(ctx context.Context, group Group, at time.Time) ([]Member, error)
	// LessonDevices lists named devices with their common branch. Devices of
	// several schools are an Invalid fault, unknown ones NotFound.
	LessonDevices(ctx context.Context, devices []org.ID) (org.Branch, []Member, error)
	CreateMode(ctx context.Context, permit may.Permit, mode Mode, leases []Lease) error
	FindMode(ctx context.Context, id org.ID) (Mode, error)
	// ModeLines returns the mode's leases, each with its device.
	ModeLines(ctx context.Context, mode Mode) ([]DeviceMode, error)
	// GroupModes lists modes that target the group, or touch its devices, and
	// end after the instant.
	GroupModes(ctx context.Context, group Group, after time.Time) ([]Mode, error)
	// TeachesAll reports whether each of the devices is in some group that the
	// person has at the instant.
	TeachesAll(ctx context.Context, staff org.ID, devices []org.ID, at time.Time) (bool, error)
	// LastMode returns the latest mode that the person gave the group.
	LastMode(ctx context.Context, group Group, staff org.ID) (Mode, error)
	// ReviseMode changes a mode's window and rules and the leases given, in one
	// transaction.
	// It is the Conflict fault ErrRevised if somebody changed the mode since the
	// instant at which it was read to have changed last.
	ReviseMode(ctx context.Context, permit may.Permit, mode Mode, since time.Time, leases []Lease, what string) error
	// DeviceLeases lists the leases that a device still has in its manifest.
	DeviceLeases(ctx context.Context, authority, device org.ID, at time.Time) ([]Lease, error)
	// LateJoiners lists devices that belong to a running group mode of the
	// school and have no lease of it yet; Leavers the leases of devices that
	// no longer belong; Returners those of devices that had left or were absent,
	// and belong again.
	LateJoiners(ctx context.Context, branch org.Branch, at time.Time) ([]Joiner, error)
	Leavers(ctx context.Context, branch org.Branch, at time.Time) ([]Lease, error)
	Returners(ctx context.Context, branch org.Branch, at time.Time) ([]Lease, error)
	AddLeases(ctx context.Context, permit may.Permit, mode Mode, leases []Lease) error
	// LeaseDelivered notes that the device fetched a revision.
	LeaseDelivered(ctx context.Context, authority, id org.ID, rev int, at time.Time) error
	// LeasesReported notes what a device said of its leases; a release code that
	// was used on it leaves an audit row.
	LeasesReported(ctx context.Context, permit may.Permit, device org.ID, said []ddm.LeaseStatus, at time.Time) error
	// ReleaseSecret returns the secret that the device made for release codes.
	ReleaseSecret(ctx context.Context, authority, enrolment org.ID) ([]byte, error)
	// RecordRelease leaves the audit row of a code that was shown.
	RecordRelease(ctx context.Context, permit may.Permit, mode Mode, device org.ID) error
	// RecordEnds leaves an audit row, once each, of modes that came to their end
	// by themselves within the day before the instant.
	RecordEnds(ctx context.Context, at time.Time) error
}

// Group is what lessons need to know of a group.
type Group struct {
	Branch org.Branch
	Kind   org.GroupKind
	Name   string
}

// Joiner is a device that a running mode does not cover yet.
type Joiner struct {
	Mode   Mode
	Member Member
}

// Roster answers whether a person teaches a group at an instant: as its owner,
// as a substitute or as the borrower of a set.
type Roster interface {
	TeachesNow(ctx context.Context, staff org.ID, group org.ID, at time.Time) (bool, error)
}

// Timetable knows when the lesson that runs in a school ends; zero if none does.
type Timetable interface {
	LessonEnd(ctx context.Context, school org.ID) (time.Time, error)
}

// Presence knows which devices are in contact.
type Presence interface {
	Contact(enrolment org.ID) Contact
}

// Changes wakes whoever brings changes to devices.
type Changes interface{ Wake() }

// Board is told which devices show something new.
type Board interface {
	Publish(branch org.Branch, devices ...org.ID)
}

// Tablets brings leases to Apple devices, which hold no lease of their own.
type Tablets interface {
	// Prepare asks ahead of the beginning what must be known by then.
	Prepare(ctx context.Context, l Lease) error
	Install(ctx context.Context, l Lease) error
	Remove(ctx context.Context, l Lease) error
}

// Service is the room.
type Service struct {
	Store     Store
	Roster    Roster
	Timetable Timetable
	Presence  Presence
	Changes   Changes
	Board     Board
	Tablets   Tablets
	NewID     func() org.ID
	Now       func() time.Time
}

// Request is what a teacher asks for.
type Request struct {
	Group   org.ID   // either a group …
	Devices []org.ID // … or devices of one school; with both, these devices of the group
	Kind    lease.Kind
	Minutes int       // length; 0 for the kind's default
	Until   time.Time // end instead of a length
	Starts  time.Time // zero: now
	Sites   []string
	Apps    []string
	Message string
	Reason  string
}

// Start switches a group or devices into a mode. Faults: Invalid with the
// longest length for a mode that is too long, for an end before the start, for
// sites without names; Denied "lesson.not_yours" for a group of a colleague.
func (s *Service) Start(ctx context.Context, actor may.Actor, request Request) (Mode, error) {
	branch, members, err := s.target(ctx, request)
	if err != nil {
		return Mode{}, err
	}
	permit, err := s.permit(ctx, actor, may.ModeStart, branch, members)
	if err != nil {
		return Mode{}, err
	}
	if request.Until, err = s.lessonEnd(ctx, branch, request); err != nil {
		return Mode{}, err
	}
	mode, err := s.mode(permit, branch, request)
	if err != nil {
		return Mode{}, err
	}
	leases := s.leases(mode, members)
	if err := s.Store.CreateMode(ctx, permit, mode, leases); err != nil {
		return Mode{}, err
	}
	s.spread(ctx, mode, leases)
	return mode, nil
}

// permit asks may, and for teachers the roster too: they act for their own
// groups, for one taken over, and for ticked devices of those.
func (s *Service) permit(ctx context.Context, actor may.Actor, action may.Action, branch org.Branch, members []Member) (may.Permit, error) {
	permit, err := may.Do(actor, action, branch)
	if err != nil || !onlyTeacher(actor, action, branch) {
		return permit, err
	}
	var teaches bool
	if branch.Group != "" {
		teaches, err = s.Roster.TeachesNow(ctx, actor.ID, branch.Group, s.Now())
	} else {
		devices := make([]org.ID, len(members))
		for i, m := range members {
			devices[i] = m.Device
		}
		teaches, err = s.Store.TeachesAll(ctx, actor.ID, devices, s.Now())
	}
	if err != nil {
		return may.Permit{}, err
	}
	if !teaches {
		return may.Permit{}, errs.E(errs.Denied, "lesson.not_yours")
	}
	return permit, nil
}

// onlyTeacher reports whether the actor may do the action as a teacher only: what
// else somebody is counts when it allows the very same.
func onlyTeacher(actor may.Actor, action may.Action, branch org.Branch) bool {
	other := actor
	other.Grants = slices.DeleteFunc(slices.Clone(actor.Grants), func(g may.Grant) bool { return g.Role == may.Teacher })
	return !may.Can(other, action, branch)
}

// spread brings leases on their way after the commit.
func (s *Service) spread(ctx context.Context, mode Mode, leases []Lease) {
	s.Changes.Wake()
	devices := make([]org.ID, len(leases))
	for i, l := range leases {
		devices[i] = l.Device
		if !l.Platform.Agent() {
			s.toTablet(ctx, l)
		}
	}
	s.Board.Publish(mode.Branch, devices...)
}

// toTablet queues what an Apple device needs. The queue's own faults (a device
// that left) show on the board as not reached; the mode stands all the same.
func (s *Service) toTablet(ctx context.Context, l Lease) {
	switch now := s.Now(); {
	case !now.Before(l.Ends):
		_ = s.Tablets.Remove(ctx, l)
	case now.Before(l.Starts):
		// A tablet knows no beginning: the job sends the profile when it comes.
		_ = s.Tablets.Prepare(ctx, l)
	default:
		_ = s.Tablets.Install(ctx, l)
	}
}

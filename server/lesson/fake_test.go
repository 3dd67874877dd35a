package lesson_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
)

var (
	bell  = time.Date(2026, 11, 23, 8, 50, 0, 0, time.UTC)
	north = org.Branch{Authority: "city", School: "north"}
	class = org.Branch{Authority: "city", School: "north", Group: "7b"}
	ctx   = context.Background()

	oert  = may.Actor{ID: "oert", Name: "Frau Oert", Grants: []may.Grant{{Role: may.Teacher, Branch: north}}}
	adler = may.Actor{ID: "adler", Name: "Herr Adler", Grants: []may.Grant{{Role: may.Teacher, Branch: north}}}
	admin = may.Actor{ID: "admin", Name: "Frau Beck", Grants: []may.Grant{{Role: may.SchoolAdmin, Branch: north}}}
	desk  = may.Actor{ID: "desk", Name: "Hotline", Grants: []may.Grant{{Role: may.HelpDesk}}}
	far   = may.Actor{ID: "far", Name: "Frau Fern", Grants: []may.Grant{{Role: may.Teacher, Branch: org.Branch{Authority: "county", School: "far"}}}}
)

// school is a class with its room: a clock that the test moves, and everything
// that the room asks, remembered in memory.
type school struct {
	*lesson.Service
	now     time.Time
	members []lesson.Member
	modes   map[org.ID]lesson.Mode
	leases  map[org.ID]lesson.Lease
	audit   []string
	teaches map[org.ID]bool
	bellEnd time.Time
	contact map[org.ID]lesson.Contact
	woken   int
	told    []org.ID
	tablets []string
	left    []org.ID // devices that left the class
	joined  []lesson.Member
	secrets map[org.ID][]byte
	broken  error
	// meanwhile happens once, between reading a mode and writing it.
	meanwhile func()
}

func lessons(t *testing.T) *school {
	t.Helper()
	s := &school{
		now: bell, modes: map[org.ID]lesson.Mode{}, leases: map[org.ID]lesson.Lease{}, contact: map[org.ID]lesson.Contact{},
		teaches: map[org.ID]bool{"oert": true}, secrets: map[org.ID][]byte{"e-laptop-1": []byte("one"), "e-laptop-2": []byte("two")},
		members: []lesson.Member{member("laptop-1"), member("laptop-2"), member("laptop-3")},
	}
	for _, m := range s.members {
		s.contact[m.Enrolment] = lesson.Contact{Connected: true, Seen: bell}
	}
	ids := 0
	s.Service = &lesson.Service{
		Store: s, Roster: s, Timetable: s, Presence: s, Changes: s, Board: s, Tablets: s,
		NewID: func() org.ID { ids++; return org.ID(fmt.Sprint("id-", ids)) }, Now: func() time.Time { return s.now },
	}
	return s
}

func member(device string) lesson.Member {
	return lesson.Member{Device: org.ID(device), Enrolment: org.ID("e-" + device), Name: device, Platform: org.Linux}
}

func (s *school) after(d time.Duration) { s.now = s.now.Add(d) }

// of returns the lease of a device in the latest mode that has one.
func (s *school) of(t *testing.T, device string) lesson.Lease {
	t.Helper()
	var found lesson.Lease
	for _, l := range s.leases {
		if l.Device == org.ID(device) && (found.ID == "" || !l.Starts.Before(found.Starts)) {
			found = l
		}
	}
	if found.ID == "" {
		t.Fatalf("%s has no lease", device)
	}
	return found
}

// readBack lets a device say that it fetched and keeps its lease.
func (s *school) readBack(t *testing.T, device string, phase ddm.LeasePhase, parts ...ddm.Part) {
	t.Helper()
	l := s.of(t, device)
	l.DeliveredRev, l.ReportedRev, l.Phase, l.Parts, l.Since = l.Rev, l.Rev, phase, parts, s.now
	s.leases[l.ID] = l
}

func (s *school) LessonGroup(_ context.Context, group org.ID) (lesson.Group, error) {
	if group != class.Group {
		return lesson.Group{}, errs.E(errs.NotFound, "group.not_found")
	}
	return lesson.Group{Branch: class, Kind: org.Class, Name: "7b"}, s.broken
}

func (s *school) LessonMembers(context.Context, lesson.Group, time.Time) ([]lesson.Member, error) {
	return slices.Clone(s.members), nil
}

func (s *school) LessonDevices(_ context.Context, devices []org.ID) (org.Branch, []lesson.Member, error) {
	var found []lesson.Member
	for _, m := range s.members {
		if slices.Contains(devices, m.Device) {
			found = append(found, m)
		}
	}
	if len(found) != len(devices) {
		return org.Branch{}, nil, errs.E(errs.NotFound, "device.not_found")
	}
	return north, found, nil
}

func (s *school) CreateMode(_ context.Context, permit may.Permit, mode lesson.Mode, leases []lesson.Lease) error {
	if s.broken != nil {
		return s.broken
	}
	s.modes[mode.ID] = mode
	return s.keep(permit, leases, "start")
}

func (s *school) keep(permit may.Permit, leases []lesson.Lease, what string) error {
	if !permit.Valid() {
		return fmt.Errorf("a write without a permit")
	}
	for _, l := range leases {
		s.leases[l.ID] = l
	}
	s.audit = append(s.audit, fmt.Sprint(permit.Actor().ID, " ", what, " ", len(leases)))
	return nil
}

func (s *school) FindMode(_ context.Context, id org.ID) (lesson.Mode, error) {
	mode, ok := s.modes[id]
	if !ok {
		return mode, errs.E(errs.NotFound, "mode.not_found")
	}
	return mode, nil
}

func (s *school) ModeLines(_ context.Context, mode lesson.Mode) ([]lesson.DeviceMode, error) {
	var lines []lesson.DeviceMode
	for _, l := range s.leases {
		if l.Mode != mode.ID {
			continue
		}
		line := lesson.DeviceMode{Lease: l, Member: lesson.Member{Device: l.Device, Enrolment: l.Enrolment, Platform: l.Platform, Name: l.Device.String()}}
		for _, m := range s.members {
			if m.Device == l.Device {
				line.Member = m
			}
		}
		lines = append(lines, line)
	}
	slices.SortFunc(lines, func(a, b lesson.DeviceMode) int { return len(a.Lease.ID) - len(b.Lease.ID) })
	return lines, nil
}

func (s *school) TeachesAll(_ context.Context, staff org.ID, devices []org.ID, _ time.Time) (bool, error) {
	return len(devices) == 0 || s.teaches[staff], nil
}

func (s *school) GroupModes(_ context.Context, _ lesson.Group, after time.Time) ([]lesson.Mode, error) {
	var found []lesson.Mode
	for _, mode := range s.modes {
		if mode.Ends.After(after) {
			found = append(found, mode)
		}
	}
	return found, nil
}

func (s *school) LastMode(_ context.Context, _ lesson.Group, staff org.ID) (lesson.Mode, error) {
	var last lesson.Mode
	for _, mode := range s.modes {
		if mode.Staff == staff && (last.ID == "" || mode.Starts.After(last.Starts)) {
			last = mode
		}
	}
	if last.ID == "" {
		return last, errs.E(errs.NotFound, "mode.not_found")
	}
	return last, nil
}

func (s *school) ReviseMode(_ context.Context, permit may.Permit, mode lesson.Mode, since time.Time, leases []lesson.Lease, what string) error {
	if s.broken != nil {
		return s.broken
	}
	if happen := s.meanwhile; happen != nil {
		s.meanwhile = nil
		happen()
	}
	if !s.modes[mode.ID].Changed.Equal(since) {
		return lesson.ErrRevised
	}
	s.modes[mode.ID] = mode
	return s.keep(permit, leases, what)
}

func (s *school) DeviceLeases(_ context.Context, _, device org.ID, at time.Time) ([]lesson.Lease, error) {
	var found []lesson.Lease
	for _, l := range s.leases {
		if l.Device == device && l.KeepUntil.After(at) {
			found = append(found, l)
		}
	}
	return found, nil
}

func (s *school) LateJoiners(context.Context, org.Branch, time.Time) ([]lesson.Joiner, error) {
	var joiners []lesson.Joiner
	for _, mode := range s.modes {
		for _, m := range s.joined {
			if !mode.Over(s.now) && mode.Branch.Group != "" {
				joiners = append(joiners, lesson.Joiner{Mode: mode, Member: m})
			}
		}
	}
	s.members, s.joined = append(s.members, s.joined...), nil
	return joiners, nil
}

func (s *school) Leavers(context.Context, org.Branch, time.Time) ([]lesson.Lease, error) {
	var leavers []lesson.Lease
	for _, l := range s.leases {
		if slices.Contains(s.left, l.Device) && l.Ends.After(s.now) {
			leavers = append(leavers, l)
		}
	}
	return leavers, nil
}

func (s *school) Returners(context.Context, org.Branch, time.Time) ([]lesson.Lease, error) {
	var returners []lesson.Lease
	for _, l := range s.leases {
		if l.Away && !slices.Contains(s.left, l.Device) && !s.modes[l.Mode].Over(s.now) {
			returners = append(returners, l)
		}
	}
	return returners, nil
}

func (s *school) AddLeases(_ context.Context, permit may.Permit, _ lesson.Mode, leases []lesson.Lease) error {
	return s.keep(permit, leases, "join")
}

func (s *school) LeaseDelivered(_ context.Context, _, id org.ID, rev int, at time.Time) error {
	l := s.leases[id]
	l.DeliveredRev, l.Since = rev, at
	s.leases[id] = l
	return nil
}

func (s *school) LeasesReported(_ context.Context, _ may.Permit, _ org.ID, said []ddm.LeaseStatus, at time.Time) error {
	for _, status := range said {
		l := s.leases[org.ID(status.ID)]
		l.ReportedRev, l.DeliveredRev, l.Phase, l.Parts, l.Since = status.Rev, max(l.DeliveredRev, status.Rev), status.Phase, status.Parts, at
		s.leases[l.ID] = l
	}
	return nil
}

func (s *school) ReleaseSecret(_ context.Context, _, enrolment org.ID) ([]byte, error) {
	return s.secrets[enrolment], nil
}

func (s *school) RecordRelease(_ context.Context, permit may.Permit, _ lesson.Mode, device org.ID) error {
	return s.keep(permit, nil, "code "+device.String())
}

func (s *school) TeachesNow(_ context.Context, staff, _ org.ID, _ time.Time) (bool, error) {
	return s.teaches[staff], nil
}

func (s *school) LessonEnd(context.Context, org.ID) (time.Time, error) { return s.bellEnd, nil }

func (s *school) Contact(enrolment org.ID) lesson.Contact { return s.contact[enrolment] }

func (s *school) Wake() { s.woken++ }

func (s *school) Publish(_ org.Branch, devices ...org.ID) { s.told = append(s.told, devices...) }

func (s *school) Prepare(context.Context, lesson.Lease) error { return nil }

func (s *school) Install(_ context.Context, l lesson.Lease) error {
	s.tablets = append(s.tablets, "install "+l.Device.String())
	return nil
}

func (s *school) Remove(_ context.Context, l lesson.Lease) error {
	s.tablets = append(s.tablets, "remove "+l.Device.String())
	return nil
}

func (s *school) RecordEnds(context.Context, time.Time) error { return nil }

package roster

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Store is what the room needs to remember. Each writing method is one
// transaction with its audit row and, where devices may have to change, its
// durable mark.
type Store interface {
	ListAuthorities(ctx context.Context, branches []org.Branch) ([]Authority, error)
	FindAuthority(ctx context.Context, id org.ID) (Authority, error)
	CreateAuthority(ctx context.Context, permit may.Permit, authority Authority) error

	ListSchools(ctx context.Context, branches []org.Branch, query, cursor string, limit int) (schools []School, next string, err error)
	FindSchool(ctx context.Context, id org.ID) (School, error)
	CreateSchool(ctx context.Context, permit may.Permit, school School) error
	UpdateSchool(ctx context.Context, permit may.Permit, before, after School) error

	GroupStore
	DeviceStore
	PersonStore
	TeachingStore
	SiteStore
	ImportStore
}

// GroupStore keeps groups and what is in them.
type GroupStore interface {
	ListGroups(ctx context.Context, branches []org.Branch, filter GroupFilter, at time.Time) (groups []Group, next string, err error)
	FindGroup(ctx context.Context, id org.ID, at time.Time) (Group, error)
	CreateGroup(ctx context.Context, permit may.Permit, group Group) error
	UpdateGroup(ctx context.Context, permit may.Permit, before, after Group) error
	// DeleteGroup removes the group with its members and teachers.
	DeleteGroup(ctx context.Context, permit may.Permit, group Group) error
	ListMembers(ctx context.Context, group Group, cursor string, limit int) (members []Membership, next string, err error)
	// PutMembers adds devices of the group's school from an instant to come (zero:
	// now) to another (zero: open); RemoveMembers takes them out.
	PutMembers(ctx context.Context, permit may.Permit, group Group, devices []org.ID, starts, ends time.Time) error
	RemoveMembers(ctx context.Context, permit may.Permit, group Group, devices []org.ID) error
	// SweepMembers lets memberships begin and end whose time has come, and ends
	// what is over: substitutions, borrowings, absences. It returns how many.
	SweepMembers(ctx context.Context, at time.Time) (int, error)
}

// DeviceStore keeps devices.
type DeviceStore interface {
	ListDevices(ctx context.Context, branches []org.Branch, filter DeviceFilter, at time.Time) (devices []Device, next string, err error)
	FindDevice(ctx context.Context, id org.ID) (Device, error)
	CreateDevice(ctx context.Context, permit may.Permit, device Device) error
	UpdateDevice(ctx context.Context, permit may.Permit, before, after Device) error
	// RetireDevice takes the device out of use and out of all groups.
	RetireDevice(ctx context.Context, permit may.Permit, device Device, at time.Time) error
	CountDevices(ctx context.Context, branches []org.Branch) (int, error)
}

// PersonStore keeps pupils.
type PersonStore interface {
	ListPersons(ctx context.Context, branches []org.Branch, query string, school org.ID, cursor string, limit int) (persons []Person, next string, err error)
	FindPerson(ctx context.Context, id org.ID) (Person, error)
	CreatePerson(ctx context.Context, permit may.Permit, person Person) error
	// DeletePerson removes the name and leaves the devices.
	DeletePerson(ctx context.Context, permit may.Permit, person Person) error
	// RecordLook leaves the audit row of somebody who read a person's data.
	RecordLook(ctx context.Context, permit may.Permit, person Person) error
}

// TeachingStore keeps who has which group.
type TeachingStore interface {
	Teaches(ctx context.Context, staff, group org.ID, at time.Time) (bool, error)
	// StaffName returns the display name of somebody who may have the group:
	// who has no role that reaches it is not found.
	StaffName(ctx context.Context, branch org.Branch, staff org.ID) (string, error)
	ListTeaching(ctx context.Context, staff org.ID, at time.Time) ([]Teaching, error)
	// PutTeacher gives somebody the group; of the same person and right the new
	// end replaces the old. With a former holder, that holder's right ends.
	PutTeacher(ctx context.Context, permit may.Permit, group Group, teacher Teacher, former *Teacher) error
	RemoveTeacher(ctx context.Context, permit may.Permit, group Group, staff org.ID, how How) error
	// ChooseGroups makes exactly these groups of the schools the person's own,
	// as far as the person chose them; what others gave stays.
	ChooseGroups(ctx context.Context, permit may.Permit, staff org.ID, schools []org.ID, groups []Group) error
	// PutAbsence marks a device absent until an instant, zero ends the absence.
	PutAbsence(ctx context.Context, permit may.Permit, group Group, device org.ID, until time.Time) error
	ListAbsences(ctx context.Context, group Group, at time.Time) (map[org.ID]time.Time, error)
}

// SiteStore keeps lists of allowed sites.
type SiteStore interface {
	ListSites(ctx context.Context, branches []org.Branch, staff org.ID) ([]SiteList, error)
	FindSites(ctx context.Context, id org.ID) (SiteList, error)
	PutSites(ctx context.Context, permit may.Permit, list SiteList) error
	DeleteSites(ctx context.Context, permit may.Permit, list SiteList) error
}

// Service is the room.
type Service struct {
	Store Store
	NewID func() org.ID
	Now   func() time.Time
	// Changes is woken after a commit that devices may have to hear of; nil for
	// nobody.
	Changes interface{ Wake() }
	// Doors forget what they remember of a device that moved; nil for nobody.
	Doors interface {
		Forget(authority, device org.ID)
	}
}

func (s *Service) wake(err error) error {
	if err == nil && s.Changes != nil {
		s.Changes.Wake()
	}
	return err
}

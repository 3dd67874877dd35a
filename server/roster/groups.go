package roster

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Groups lists the groups that the actor may see, by school, kind and name.
func (s *Service) Groups(ctx context.Context, actor may.Actor, filter GroupFilter) ([]Group, string, error) {
	branches := may.Branches(actor, may.GroupRead)
	if len(branches) == 0 {
		return nil, "", errs.E(errs.Denied, "denied", "action", string(may.GroupRead))
	}
	return s.Store.ListGroups(ctx, branches, filter, s.Now())
}

// Group returns one group with its teachers.
func (s *Service) Group(ctx context.Context, actor may.Actor, id org.ID) (Group, error) {
	group, _, err := s.group(ctx, actor, may.GroupRead, id)
	return group, err
}

func (s *Service) group(ctx context.Context, actor may.Actor, action may.Action, id org.ID) (Group, may.Permit, error) {
	group, err := s.Store.FindGroup(ctx, id, s.Now())
	if err != nil {
		return Group{}, may.Permit{}, err
	}
	permit, err := may.Do(actor, action, group.Branch())
	if err != nil {
		return Group{}, may.Permit{}, err
	}
	return group, permit, nil
}

// CreateGroup makes a group in a school.
func (s *Service) CreateGroup(ctx context.Context, actor may.Actor, school org.ID, change GroupUpdate) (Group, error) {
	home, err := s.Store.FindSchool(ctx, school)
	if err != nil {
		return Group{}, err
	}
	permit, err := may.Do(actor, may.GroupWrite, home.Branch())
	if err != nil {
		return Group{}, err
	}
	group := Group{Authority: home.Authority, ID: s.NewID(), School: home.ID, SchoolName: home.Name, Kind: org.Class, Source: "hand"}
	if group, err = change.apply(group); err != nil {
		return Group{}, err
	}
	return group, s.Store.CreateGroup(ctx, permit, group)
}

// UpdateGroup changes a group.
func (s *Service) UpdateGroup(ctx context.Context, actor may.Actor, id org.ID, change GroupUpdate) (Group, error) {
	before, permit, err := s.group(ctx, actor, may.GroupWrite, id)
	if err != nil {
		return Group{}, err
	}
	after, err := change.apply(before)
	if err != nil {
		return Group{}, err
	}
	return after, s.wake(s.Store.UpdateGroup(ctx, permit, before, after))
}

func (change GroupUpdate) apply(group Group) (Group, error) {
	name, err := group.Name, error(nil)
	if change.Name != nil {
		name = *change.Name
	}
	if group.Name, err = readName(name, "name"); err != nil {
		return Group{}, err
	}
	if change.Kind != nil {
		group.Kind = *change.Kind
	}
	if !group.Kind.Valid() {
		return Group{}, errs.E(errs.Invalid, "group.unknown_kind").In("kind")
	}
	if change.Room != nil {
		group.Room = clip(*change.Room, longestName)
	}
	if change.Priority != nil {
		group.Priority = *change.Priority
	}
	if change.Starts != nil {
		group.Starts = *change.Starts
	}
	if change.Ends != nil {
		group.Ends = *change.Ends
	}
	if !group.Ends.IsZero() && !group.Ends.After(group.Starts) {
		return Group{}, errs.E(errs.Invalid, "group.ends_before_start").In("until")
	}
	return group, nil
}

// DeleteGroup removes a group. Its devices stay; modes of it end for them.
func (s *Service) DeleteGroup(ctx context.Context, actor may.Actor, id org.ID) error {
	group, permit, err := s.group(ctx, actor, may.GroupWrite, id)
	if err != nil {
		return err
	}
	return s.wake(s.Store.DeleteGroup(ctx, permit, group))
}

// Members lists the devices of a group, by name.
func (s *Service) Members(ctx context.Context, actor may.Actor, id org.ID, cursor string, limit int) ([]Membership, string, error) {
	group, _, err := s.group(ctx, actor, may.GroupRead, id)
	if err != nil {
		return nil, "", err
	}
	members, next, err := s.Store.ListMembers(ctx, group, cursor, limit)
	if !may.SeesNames(actor, group.Branch()) {
		for i := range members {
			members[i].Person = ""
		}
	}
	return members, next, err
}

// AddDevices puts devices of the school into a group, from one instant (zero:
// now) to another (zero: open).
func (s *Service) AddDevices(ctx context.Context, actor may.Actor, id org.ID, devices []org.ID, starts, ends time.Time) error {
	group, permit, err := s.group(ctx, actor, may.GroupWrite, id)
	if err != nil {
		return err
	}
	if !ends.IsZero() && (!ends.After(starts) || !ends.After(s.Now())) {
		return errs.E(errs.Invalid, "group.ends_before_start").In("until")
	}
	if !starts.After(s.Now()) {
		starts = time.Time{}
	}
	for _, device := range devices {
		found, err := s.Store.FindDevice(ctx, device)
		if err != nil {
			return err
		}
		if found.Branch() != (org.Branch{Authority: group.Authority, School: group.School}) || !found.Retired.IsZero() {
			return errs.E(errs.NotFound, "not_found").In("device")
		}
	}
	return s.wake(s.Store.PutMembers(ctx, permit, group, devices, starts, ends))
}

// RemoveDevices takes devices out of a group.
func (s *Service) RemoveDevices(ctx context.Context, actor may.Actor, id org.ID, devices []org.ID) error {
	group, permit, err := s.group(ctx, actor, may.GroupWrite, id)
	if err != nil {
		return err
	}
	return s.wake(s.Store.RemoveMembers(ctx, permit, group, devices))
}

// AddTeacher makes somebody of the school an owner of the group; RemoveTeacher
// ends that.
func (s *Service) AddTeacher(ctx context.Context, actor may.Actor, id org.ID, staff org.ID) error {
	group, permit, err := s.group(ctx, actor, may.GroupWrite, id)
	if err != nil {
		return err
	}
	name, err := s.Store.StaffName(ctx, group.Branch(), staff)
	if err != nil {
		return err
	}
	return s.Store.PutTeacher(ctx, permit, group, Teacher{Staff: staff, Name: name, How: Owner, Since: s.Now()}, nil)
}

// RemoveTeacher takes a group from somebody, by whatever right.
func (s *Service) RemoveTeacher(ctx context.Context, actor may.Actor, id org.ID, staff org.ID) error {
	group, permit, err := s.group(ctx, actor, may.GroupWrite, id)
	if err != nil {
		return err
	}
	for _, teacher := range group.Teachers {
		if teacher.Staff != staff {
			continue
		}
		if err := s.Store.RemoveTeacher(ctx, permit, group, staff, teacher.How); err != nil {
			return err
		}
	}
	return nil
}

// Sweep lets memberships, substitutions, borrowings and absences begin and end
// whose time has come. A job calls it each minute.
func (s *Service) Sweep(ctx context.Context) error {
	n, err := s.Store.SweepMembers(ctx, s.Now())
	if n > 0 {
		return s.wake(err)
	}
	return err
}

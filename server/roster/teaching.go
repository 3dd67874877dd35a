package roster

import (
	"context"
	"slices"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// TeachesNow reports whether somebody has the group at the instant: as its
// owner, as a substitute or as the borrower of a set.
func (s *Service) TeachesNow(ctx context.Context, staff, group org.ID, at time.Time) (bool, error) {
	return s.Store.Teaches(ctx, staff, group, at)
}

// MyGroups lists the groups that the actor has now, own ones first.
func (s *Service) MyGroups(ctx context.Context, actor may.Actor) ([]Teaching, error) {
	all, err := s.Store.ListTeaching(ctx, actor.ID, s.Now())
	if err != nil {
		return nil, err
	}
	// Who left the school keeps no window into it.
	return slices.DeleteFunc(all, func(t Teaching) bool { return !may.Can(actor, may.GroupRead, t.Group.Branch()) }), nil
}

// ChooseGroups makes exactly these groups the actor's own, as far as the actor
// chose them; groups that an import or the administration gave stay.
func (s *Service) ChooseGroups(ctx context.Context, actor may.Actor, ids []org.ID) error {
	var groups []Group
	var schools []org.ID
	for _, branch := range may.Branches(actor, may.Substitute) {
		if branch.School != "" {
			schools = append(schools, branch.School)
		}
	}
	var permit may.Permit
	for _, id := range ids {
		group, allowed, err := s.group(ctx, actor, may.Substitute, id)
		if err != nil {
			return err
		}
		groups, permit = append(groups, group), allowed
		if !slices.Contains(schools, group.School) {
			schools = append(schools, group.School)
		}
	}
	if len(schools) == 0 {
		return errs.E(errs.Denied, "denied", "action", string(may.Substitute))
	}
	if !permit.Valid() {
		school, err := s.Store.FindSchool(ctx, schools[0])
		if err != nil {
			return err
		}
		if permit, err = may.Do(actor, may.Substitute, school.Branch()); err != nil {
			return err
		}
	}
	return s.Store.ChooseGroups(ctx, permit, actor.ID, schools, groups)
}

// TakeClass is "Ich vertrete": the actor has a class of a colleague until the
// instant, by default until the lesson ends. It is logged, and the class's
// teachers see it. Sets and rooms are borrowed, so that their holder is asked.
func (s *Service) TakeClass(ctx context.Context, actor may.Actor, id org.ID, until time.Time) (Teaching, error) {
	group, _, err := s.group(ctx, actor, may.Substitute, id)
	if err != nil {
		return Teaching{}, err
	}
	if group.Kind == org.Set || group.Kind == org.Room {
		return Teaching{}, errs.E(errs.Invalid, "roster.borrow_instead").In("group")
	}
	return s.take(ctx, actor, id, until, Substitute, nil)
}

// BorrowSet is "Ich habe Koffer B": the actor has a set until the instant, by
// default until the lesson ends. If a colleague holds it, that is a Conflict
// fault "roster.set_held" with name and until, unless takeover says that the
// two have spoken.
func (s *Service) BorrowSet(ctx context.Context, actor may.Actor, id org.ID, until time.Time, takeover bool) (Teaching, error) {
	group, _, err := s.group(ctx, actor, may.Substitute, id)
	if err != nil {
		return Teaching{}, err
	}
	if group.Kind != org.Set && group.Kind != org.Room {
		return Teaching{}, errs.E(errs.Invalid, "roster.not_a_set").In("group")
	}
	holder := group.Holder(s.Now())
	if holder == nil || holder.Staff == actor.ID {
		return s.take(ctx, actor, id, until, Borrower, nil)
	}
	if !takeover {
		return Teaching{}, errs.E(errs.Conflict, "roster.set_held", "name", holder.Name, "until", holder.Until).In("group")
	}
	return s.take(ctx, actor, id, until, Borrower, holder)
}

func (s *Service) take(ctx context.Context, actor may.Actor, id org.ID, until time.Time, how How, former *Teacher) (Teaching, error) {
	group, permit, err := s.group(ctx, actor, may.Substitute, id)
	if err != nil {
		return Teaching{}, err
	}
	now := s.Now().UTC().Truncate(time.Second)
	if until.IsZero() {
		school, err := s.Store.FindSchool(ctx, group.School)
		if err != nil {
			return Teaching{}, err
		}
		until = school.LessonEnd(now)
	}
	if !until.After(now) || until.Sub(now) > LongestLesson {
		return Teaching{}, errs.E(errs.Invalid, "mode.too_long", "minutes", int(LongestLesson/time.Minute)).In("until")
	}
	teacher := Teacher{Staff: actor.ID, Name: actor.Name, How: how, Since: now, Until: until.UTC().Truncate(time.Second)}
	if err := s.Store.PutTeacher(ctx, permit, group, teacher, former); err != nil {
		return Teaching{}, err
	}
	return Teaching{Group: group, How: how, Until: teacher.Until}, nil
}

// Holder returns who has borrowed the set at the instant, nil if nobody.
func (g Group) Holder(at time.Time) *Teacher {
	for i, teacher := range g.Teachers {
		if teacher.How == Borrower && teacher.Until.After(at) {
			return &g.Teachers[i]
		}
	}
	return nil
}

// GiveBack ends the actor's substitution or borrowing. Doing it twice is
// harmless.
func (s *Service) GiveBack(ctx context.Context, actor may.Actor, id org.ID) error {
	group, permit, err := s.group(ctx, actor, may.Substitute, id)
	if err != nil {
		return err
	}
	for _, teacher := range group.Teachers {
		if teacher.Staff != actor.ID || teacher.How == Owner {
			continue
		}
		if err := s.Store.RemoveTeacher(ctx, permit, group, actor.ID, teacher.How); err != nil {
			return err
		}
	}
	return nil
}

// SetAbsent ticks a device of the group off: modes of the group do not reach it
// until the instant (by default the lesson's end). SetPresent takes it back.
func (s *Service) SetAbsent(ctx context.Context, actor may.Actor, id, device org.ID, until time.Time) error {
	group, permit, err := s.taught(ctx, actor, id)
	if err != nil {
		return err
	}
	if err := s.inGroup(ctx, group, device); err != nil {
		return err
	}
	if until.IsZero() {
		if until, err = s.LessonEnd(ctx, group.School); err != nil {
			return err
		}
	}
	if !until.After(s.Now()) || until.Sub(s.Now()) > 24*time.Hour {
		return errs.E(errs.Invalid, "mode.ends_before_start").In("until")
	}
	return s.wake(s.Store.PutAbsence(ctx, permit, group, device, until))
}

// SetPresent ends an absence.
func (s *Service) SetPresent(ctx context.Context, actor may.Actor, id, device org.ID) error {
	group, permit, err := s.taught(ctx, actor, id)
	if err != nil {
		return err
	}
	if err := s.inGroup(ctx, group, device); err != nil {
		return err
	}
	return s.wake(s.Store.PutAbsence(ctx, permit, group, device, time.Time{}))
}

// taught is group for acts on a running lesson. Who may start modes only as a
// teacher has to have the group now: being absent takes a device out of a
// colleague's mode.
func (s *Service) taught(ctx context.Context, actor may.Actor, id org.ID) (Group, may.Permit, error) {
	group, permit, err := s.group(ctx, actor, may.ModeStart, id)
	if err != nil || !onlyTeacher(actor, group.Branch()) {
		return group, permit, err
	}
	teaches, err := s.TeachesNow(ctx, actor.ID, id, s.Now())
	if err != nil {
		return Group{}, may.Permit{}, err
	}
	if !teaches {
		return Group{}, may.Permit{}, errs.E(errs.Denied, "lesson.not_yours")
	}
	return group, permit, nil
}

// onlyTeacher reports whether the actor may start modes in the branch as a
// teacher and not as anything else.
func onlyTeacher(actor may.Actor, branch org.Branch) bool {
	wider := actor
	wider.Grants = slices.DeleteFunc(slices.Clone(actor.Grants), func(g may.Grant) bool { return g.Role == may.Teacher })
	return !may.Can(wider, may.ModeStart, branch)
}

// Absences returns until when devices of a group are absent.
func (s *Service) Absences(ctx context.Context, actor may.Actor, id org.ID) (map[org.ID]time.Time, error) {
	group, _, err := s.group(ctx, actor, may.GroupRead, id)
	if err != nil {
		return nil, err
	}
	return s.Store.ListAbsences(ctx, group, s.Now())
}

func (s *Service) inGroup(ctx context.Context, group Group, device org.ID) error {
	found, err := s.Store.FindDevice(ctx, device)
	if err != nil {
		return err
	}
	for _, of := range found.Groups {
		if of.ID == group.ID {
			return nil
		}
	}
	return errs.E(errs.NotFound, "not_found").In("device")
}

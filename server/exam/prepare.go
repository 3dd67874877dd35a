package exam

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Plan is what somebody prepares.
type Plan struct {
	Name         string
	Group        org.ID   // a group …
	Persons      []org.ID // … and persons and devices of one school beside it, or alone
	Devices      []org.ID
	School       org.ID // where persons and devices are at home; not needed with a group
	Authority    org.ID
	Room         string
	Invigilators []org.ID
	Starts, Ends time.Time
	Rules        lease.Rules
	Preset       string
	Draft        bool
	// Extra is what the office enters along with a new examination, of this school:
	// both are kept, or neither. It holds in every examination from then on.
	Extra []ExtraTime
}

// Plan returns what the examination was made from.
func (e Exam) Plan() Plan {
	plan := Plan{
		Name: e.Name, Group: e.Branch.Group, Persons: e.Persons, Devices: e.Devices, School: e.Branch.School, Authority: e.Branch.Authority, Room: e.Room,
		Starts: e.Starts, Ends: e.Ends, Rules: e.Rules, Preset: e.Preset, Draft: e.Draft,
	}
	for _, i := range e.Invigilators {
		plan.Invigilators = append(plan.Invigilators, i.Staff)
	}
	return plan
}

// Create keeps a new examination. Faults: Invalid with the field for what cannot
// be, Denied "exam.not_yours" for a class that the teacher does not have, and those
// of SetExtra.
func (s *Service) Create(ctx context.Context, actor may.Actor, plan Plan) (Exam, error) {
	return s.create(ctx, actor, plan, "")
}

func (s *Service) create(ctx context.Context, actor may.Actor, plan Plan, of org.ID) (Exam, error) {
	branch, err := s.place(ctx, plan)
	if err != nil {
		return Exam{}, err
	}
	now := s.now()
	exam := Exam{ID: s.NewID(), Branch: branch, Staff: actor.ID, ByName: actor.Name, Created: now, Changed: now, Of: of}
	permit, err := s.mine(ctx, actor, branch, plan)
	if err != nil {
		return Exam{}, err
	}
	if exam, err = s.fill(ctx, exam, plan); err != nil {
		return Exam{}, err
	}
	// In one transaction, so that the examination is on no device without the extra
	// time, and no extra time stays behind where there is no examination.
	err = s.Store.Atomically(ctx, func(ctx context.Context) error {
		for _, extra := range plan.Extra {
			extra.Branch = exam.school()
			if err := s.enter(ctx, actor, extra); err != nil {
				return err
			}
		}
		if err := s.Store.CreateExam(ctx, permit, exam); err != nil || of == "" {
			return err
		}
		return s.Store.CopyGiven(ctx, permit, Exam{ID: of, Branch: exam.Branch}, exam)
	})
	if err != nil {
		return Exam{}, err
	}
	if err := s.settle(ctx, permit, exam, "arm"); err != nil || len(plan.Extra) == 0 {
		return exam, err
	}
	return exam, s.Settle(ctx, exam.school())
}

// Update changes an examination that has not begun. What is on the devices
// already is replaced by a higher revision.
func (s *Service) Update(ctx context.Context, actor may.Actor, id org.ID, plan Plan) (Exam, error) {
	exam, permit, err := s.open(ctx, actor, id, may.ExamWrite)
	if err != nil {
		return Exam{}, err
	}
	if state := exam.State(s.now()); state != Draft && state != Planned && state != Armed {
		return Exam{}, errs.E(errs.Conflict, "exam.begun")
	}
	plan.School, plan.Authority = exam.Branch.School, exam.Branch.Authority
	branch, err := s.place(ctx, plan)
	if err != nil {
		return Exam{}, err
	}
	if branch.School != exam.Branch.School {
		return Exam{}, errs.E(errs.Invalid, "mode.several_schools").In("target")
	}
	if branch != exam.Branch || !slices.Equal(plan.Persons, exam.Persons) || !slices.Equal(plan.Devices, exam.Devices) {
		if _, err := s.mine(ctx, actor, branch, plan); err != nil {
			return Exam{}, err
		}
	}
	since := exam.Changed
	exam.Branch, exam.Shifts = branch, nil
	if exam, err = s.fill(ctx, exam, plan); err != nil {
		return Exam{}, err
	}
	if exam.Draft && exam.Mode != "" {
		return Exam{}, errs.E(errs.Conflict, "exam.armed_no_draft").In("draft")
	}
	return s.save(ctx, permit, exam, since, "edit", Record{Key: "edited"})
}

// Delete forgets an examination that was never on a device. Another one is
// cancelled, so that devices hear of it.
func (s *Service) Delete(ctx context.Context, actor may.Actor, id org.ID) error {
	exam, permit, err := s.open(ctx, actor, id, may.ExamWrite)
	if err != nil {
		return err
	}
	if exam.Mode == "" && exam.Rehearsal == nil {
		return s.Store.DeleteExam(ctx, permit, exam)
	}
	if state := exam.State(s.now()); state == Running || state == Ended {
		return errs.E(errs.Conflict, "exam.begun")
	}
	if !exam.Cancelled.IsZero() {
		return nil
	}
	since := exam.Changed
	exam.Cancelled = s.now()
	_, err = s.save(ctx, permit, exam, since, "cancel", Record{Key: "cancelled"})
	return err
}

// place finds the branch that a plan is for.
func (s *Service) place(ctx context.Context, plan Plan) (org.Branch, error) {
	if plan.Group != "" {
		branch, _, err := s.Store.ExamGroup(ctx, plan.Group)
		return branch, err
	}
	branch := org.Branch{Authority: plan.Authority, School: plan.School}
	if len(plan.Persons)+len(plan.Devices) == 0 {
		return branch, errs.E(errs.Invalid, "exam.no_target").In("target")
	}
	return branch, nil
}

// mine asks whether the actor may prepare examinations for these people: teachers
// for their own classes, and for devices of those.
func (s *Service) mine(ctx context.Context, actor may.Actor, branch org.Branch, plan Plan) (may.Permit, error) {
	permit, err := may.Do(actor, may.ExamWrite, branch)
	if err != nil {
		return permit, err
	}
	devices, err := s.Store.ExamDevices(ctx, org.Branch{Authority: branch.Authority, School: branch.School}, plan.Persons, plan.Devices)
	if err != nil || !onlyTeacher(actor, may.ExamWrite, branch) {
		return permit, err
	}
	teaches := true
	if branch.Group != "" {
		teaches, err = s.Roster.TeachesNow(ctx, actor.ID, branch.Group, s.Now())
	}
	if err == nil && teaches && len(plan.Persons)+len(plan.Devices) > 0 {
		teaches, err = s.teachesAll(ctx, actor, org.Branch{Authority: branch.Authority, School: branch.School}, plan, devices)
	}
	if err == nil && !teaches {
		err = errs.E(errs.Denied, "exam.not_yours")
	}
	return permit, err
}

// teachesAll reports whether a teacher has all of the devices. Somebody without one
// is nobody's pupil here: a device that they get later could be anybody's.
func (s *Service) teachesAll(ctx context.Context, actor may.Actor, school org.Branch, plan Plan, devices []org.ID) (bool, error) {
	for _, person := range once(plan.Persons) {
		own, err := s.Store.ExamDevices(ctx, school, []org.ID{person}, nil)
		if err != nil || len(own) == 0 {
			return false, err
		}
	}
	return s.Store.TeachesAll(ctx, actor.ID, once(devices), s.Now())
}

// fill checks a plan and puts it into the examination.
func (s *Service) fill(ctx context.Context, exam Exam, plan Plan) (Exam, error) {
	exam.Name, exam.Room = strings.TrimSpace(plan.Name), clip(strings.TrimSpace(plan.Room), mostRoom)
	if exam.Name == "" || len([]rune(exam.Name)) > mostName {
		return exam, errs.E(errs.Invalid, "exam.no_name", "most", mostName).In("name")
	}
	exam.Persons, exam.Devices = once(plan.Persons), once(plan.Devices)
	if len(exam.Persons)+len(exam.Devices) > mostSeats {
		return exam, errs.E(errs.Invalid, "exam.too_many", "most", mostSeats).In("target")
	}
	exam.Starts, exam.Ends = plan.Starts.UTC().Truncate(time.Second), plan.Ends.UTC().Truncate(time.Second)
	switch {
	case plan.Starts.IsZero():
		return exam, errs.E(errs.Invalid, "exam.no_start").In("starts")
	case !exam.Starts.Before(exam.Ends):
		return exam, errs.E(errs.Invalid, "mode.ends_before_start").In("ends")
	case exam.Length() > lease.LongestExam:
		return exam, errs.E(errs.Invalid, "exam.too_long", "hours", int(lease.LongestExam/time.Hour)).In("ends")
	case !exam.Ends.After(s.Now()):
		return exam, errs.E(errs.Invalid, "exam.past").In("starts")
	}
	var err error
	if exam.Rules, err = rulesOf(exam.Name, plan.Rules, plan.Draft); err != nil {
		return exam, err
	}
	exam.Preset, exam.Draft = plan.Preset, plan.Draft
	exam.Invigilators, err = s.invigilators(ctx, exam.school(), plan.Invigilators)
	return exam, err
}

func (s *Service) invigilators(ctx context.Context, school org.Branch, wanted []org.ID) ([]Invigilator, error) {
	all, err := s.Store.ExamStaff(ctx, school)
	if err != nil {
		return nil, err
	}
	var chosen []Invigilator
	for _, id := range once(wanted) {
		at := slices.IndexFunc(all, func(i Invigilator) bool { return i.Staff == id })
		if at < 0 {
			return nil, errs.E(errs.Invalid, "exam.no_such_staff").In("invigilator")
		}
		chosen = append(chosen, all[at])
	}
	return chosen, nil
}

// nothingToWrite reports whether rules open neither a page nor a program. A draft
// may be so.
func nothingToWrite(rules lease.Rules) bool {
	return len(rules.Apps) == 0 && (rules.Exam == nil || rules.Exam.Page == "" && rules.Exam.TabletApp == "")
}

// rulesOf checks what remains possible. Host names and programs come as the
// front doors have read them.
func rulesOf(name string, rules lease.Rules, draft bool) (lease.Rules, error) {
	exam := lease.Examination{}
	if rules.Exam != nil {
		exam = *rules.Exam
	}
	exam.Title, exam.Rehearsal = name, false
	if exam.Work != nil {
		exam.Work = &lease.Work{Folder: folder(name), Every: max(0, min(exam.Work.Every, mostEvery))}
	}
	rules.Sites, rules.Apps = slices.Compact(slices.Sorted(slices.Values(rules.Sites))), slices.Compact(slices.Sorted(slices.Values(rules.Apps)))
	if len(rules.Sites) > mostNames || len(rules.Apps) > mostNames {
		return rules, errs.E(errs.Invalid, "mode.too_many_names", "most", mostNames)
	}
	if exam.Page != "" {
		page, err := url.Parse(exam.Page)
		if err != nil || page.Scheme != "https" && page.Scheme != "http" || page.Hostname() == "" {
			return rules, errs.E(errs.Invalid, "exam.bad_page").In("page")
		}
		// The page itself is always among what is reachable.
		if !lease.MatchAny(rules.Sites, page.Hostname()) {
			rules.Sites = slices.Sorted(slices.Values(append(rules.Sites, strings.ToLower(page.Hostname()))))
		}
	}
	if exam.TabletApp != "" && !bundle.MatchString(exam.TabletApp) {
		return rules, errs.E(errs.Invalid, "exam.bad_tablet_app").In("tablet_app")
	}
	exam.SelfLock = exam.SelfLock && exam.TabletApp != ""
	if exam.Page == "" && len(rules.Apps) == 0 && exam.TabletApp == "" && !draft {
		return rules, errs.E(errs.Invalid, "exam.nothing_to_write").In("page")
	}
	for _, aid := range exam.Aids {
		if !slices.Contains(Aids, aid) {
			return rules, errs.E(errs.Invalid, "exam.no_such_aid").In("aid")
		}
	}
	if exam.Calculator != "" && !slices.Contains(lease.Calculators, exam.Calculator) {
		return rules, errs.E(errs.Invalid, "exam.no_such_calculator").In("calculator")
	}
	var err error
	exam.Versions, err = leastVersions(rules.Apps, exam)
	rules.Exam = &exam
	return rules, err
}

// bundle is an app's bundle identifier: letters, digits, hyphens, and at least one
// dot (Apple, CFBundleIdentifier).
var bundle = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)

// Aids are the accessibility aids that rules can name.
var Aids = []string{"reader", "magnifier", "contrast", "keyboard"}

func once(ids []org.ID) []org.ID { return slices.Compact(slices.Sorted(slices.Values(ids))) }

func clip(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	return string(runes[:n])
}

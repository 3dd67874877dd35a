package console

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/policies/presets"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// openings are what rules can open, by the names of the form.
var openings = []struct {
	name string
	of   func(*lease.Examination) *bool
}{
	{"usb", func(e *lease.Examination) *bool { return &e.USB }},
	{"clipboard", func(e *lease.Examination) *bool { return &e.Clipboard }},
	{"printing", func(e *lease.Examination) *bool { return &e.Printing }},
	{"screens", func(e *lease.Examination) *bool { return &e.SecondScreen }},
	{"spelling", func(e *lease.Examination) *bool { return &e.Spelling }},
	{"assistants", func(e *lease.Examination) *bool { return &e.Assistants }},
	{"capture", func(e *lease.Examination) *bool { return &e.Capture }},
	{"virtual", func(e *lease.Examination) *bool { return &e.Virtual }},
}

// GET /pruefungen/neu
func (h *Handler) newExam(c *gin.Context) error {
	v := visitor(c)
	now := h.Now().In(v.frame.Location)
	day := now.AddDate(0, 0, 7)
	starts := time.Date(day.Year(), day.Month(), day.Day(), 8, 0, 0, 0, v.frame.Location)
	plan := exam.Plan{Group: org.ID(query(c, "gruppe")), Invigilators: []org.ID{v.actor.ID}, Starts: starts, Ends: starts.Add(90 * time.Minute), Rules: lease.Rules{Exam: &lease.Examination{Resume: true}}}
	for _, preset := range exam.Presets {
		if preset.Key == query(c, "vorlage") {
			rules := preset.Rules
			plan.Preset, plan.Rules.Exam, plan.Rules.Apps = preset.Key, &rules, presets.Apps(preset.Programs)
		}
	}
	return h.drawExamForm(c, http.StatusOK, exam.Exam{}, plan, false, nil)
}

// GET /pruefungen/:exam/bearbeiten
func (h *Handler) editExam(c *gin.Context) error {
	e, err := h.Exams.Find(c.Request.Context(), actor(c), param(c, "exam"))
	if err != nil {
		return err
	}
	return h.drawExamForm(c, http.StatusOK, e, e.Plan(), true, nil)
}

// POST /pruefungen/neu, POST /pruefungen/:exam/bearbeiten
func (h *Handler) saveExam(c *gin.Context) error {
	ctx, who := c.Request.Context(), actor(c)
	var e exam.Exam
	var err error
	if id := param(c, "exam"); id != "" {
		if e, err = h.Exams.Find(ctx, who, id); err != nil {
			return err
		}
	}
	plan, err := h.readExam(c)
	switch do := field(c, "do"); {
	case picks(do):
		pick(&plan, do)
		return h.drawExamForm(c, http.StatusOK, e, plan, false, nil)
	case do == "preview" && err == nil:
		return h.drawExamForm(c, http.StatusOK, e, plan, true, nil)
	}
	if err == nil {
		if e.ID == "" {
			e, err = h.Exams.Create(ctx, who, plan)
		} else {
			e, err = h.Exams.Update(ctx, who, e.ID, plan)
		}
	}
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			if e.ID == "" && param(c, "exam") != "" {
				e.ID = param(c, "exam")
			}
			return h.drawExamForm(c, http.StatusUnprocessableEntity, e, plan, false, problem)
		}
		return err
	}
	h.flash(ctx, web.FlashDone, "exam_saved", "name", e.Name)
	return seeOther(c, web.To(web.PathExam, e.ID.String()))
}

// readExam reads the form. What cannot be read is a fault of its field; the rest
// of the plan is there all the same, so that the form keeps it.
func (h *Handler) readExam(c *gin.Context) (exam.Plan, error) {
	plan := exam.Plan{
		Name: field(c, "name"), Group: org.ID(field(c, "group")), Room: field(c, "room"), Invigilators: ticked(c, "invigilator"), Preset: field(c, "preset"), Draft: field(c, "do") == "draft",
	}
	plan.Persons, plan.Devices = seatsOf(c.PostFormArray("who"))
	if school, err := visitor(c).branch(); err == nil {
		plan.School, plan.Authority = school.School, school.Authority
	}
	rules := lease.Examination{Page: field(c, "page"), Resume: field(c, "resume") == "1", Calculator: field(c, "calculator"), TabletApp: field(c, "tablet_app"), SelfLock: field(c, "self_lock") == "1"}
	if rules.Calculator == web.CalculatorUnsaid {
		rules.Calculator = ""
	}
	if field(c, "collect") == "1" {
		rules.Work = &lease.Work{Every: number(c, "every", exam.CollectEvery)}
	}
	open := c.PostFormArray("open")
	for _, opening := range openings {
		*opening.of(&rules) = slices.Contains(open, opening.name)
	}
	var faults []error
	var err error
	if rules.Versions, err = readVersions(c.PostForm("versions")); err != nil {
		faults = append(faults, err)
	}
	aids := c.PostFormArray("aid")
	if len(aids) != len(exam.Aids) {
		rules.Aids = append([]string{}, aids...)
	}
	plan.Rules = lease.Rules{Apps: presets.Apps(c.PostFormArray("app")), Message: field(c, "message"), Exam: &rules}
	zone := frame(c).Location
	if day, err := time.ParseInLocation(dateForm+" 15:04", field(c, "day")+" "+field(c, "starts"), zone); err == nil {
		plan.Starts = day
	} else {
		faults = append(faults, errs.E(errs.Invalid, "exam.no_start").In("day"))
	}
	if day, err := time.ParseInLocation(dateForm+" 15:04", field(c, "day")+" "+field(c, "ends"), zone); err == nil {
		plan.Ends = day
	} else {
		faults = append(faults, errs.E(errs.Invalid, "exam.no_start").In("ends"))
	}
	hosts, err := roster.ReadHosts(strings.Split(c.PostForm("sites"), "\n"))
	if err != nil {
		if fault := errs.Find(err); fault != nil {
			err = fault.In("sites")
		}
		faults = append(faults, err)
	}
	plan.Rules.Sites = hosts
	if len(faults) > 0 {
		return plan, faults[0]
	}
	return plan, nil
}

func (h *Handler) drawExamForm(c *gin.Context, status int, e exam.Exam, plan exam.Plan, preview bool, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	form := web.ExamFormPage{
		Frame: v.frame, ID: e.ID.String(), Name: plan.Name, Room: plan.Room, Preset: plan.Preset, Rules: webRules(plan.Rules), Programs: programOptions(plan.Rules.Apps),
		Draft: e.Draft, Preview: preview, Problem: problem,
	}
	if problem != nil || c.Request.Method == http.MethodPost {
		form.Day, form.From, form.To, form.Rules.Sites, form.Rules.Versions = field(c, "day"), field(c, "starts"), field(c, "ends"), c.PostForm("sites"), c.PostForm("versions")
	} else {
		starts, ends := plan.Starts.In(v.frame.Location), plan.Ends.In(v.frame.Location)
		form.Day, form.From, form.To = starts.Format(dateForm), starts.Format("15:04"), ends.Format("15:04")
	}
	for _, preset := range exam.Presets {
		form.Presets = append(form.Presets, web.Option{Value: preset.Key, Chosen: preset.Key == plan.Preset})
	}
	var err error
	if form.Groups, err = h.examGroups(ctx, v, plan.Group); err != nil {
		return err
	}
	form.Alone = v.school != nil && may.Can(v.actor, may.SchoolRead, v.school.Branch())
	school := e.Branch
	if school.School == "" && v.school != nil {
		school = v.school.Branch()
	}
	colleagues, err := h.Exams.Colleagues(ctx, v.actor, org.Branch{Authority: school.Authority, School: school.School})
	if err != nil {
		return err
	}
	form.Invigilators = pickColleagues(c, colleagues, plan.Invigilators)
	if form.Who, err = h.pickSeats(c, org.Branch{Authority: school.Authority, School: school.School}, plan); err != nil {
		return err
	}
	return show(c, status, web.ExamForm(form))
}

// examGroups lists the groups for which the person may prepare examinations:
// teachers their own, the office all of the school.
func (h *Handler) examGroups(ctx context.Context, v *visit, chosen org.ID) ([]web.Option, error) {
	var list []web.Option
	if v.school != nil && may.Can(v.actor, may.SchoolRead, v.school.Branch()) {
		groups, _, err := h.Roster.Groups(ctx, v.actor, roster.GroupFilter{School: v.school.ID, Limit: 500})
		for _, group := range groups {
			list = append(list, web.Option{Value: group.ID.String(), Label: group.Name, Chosen: group.ID == chosen})
		}
		return list, err
	}
	groups, err := h.Roster.MyGroups(ctx, v.actor)
	for _, teaching := range groups {
		list = append(list, web.Option{Value: teaching.Group.ID.String(), Label: teaching.Group.Name, Chosen: teaching.Group.ID == chosen})
	}
	return list, err
}

// webRules tells rules in the terms of the pages.
func webRules(rules lease.Rules) web.ExamRules {
	shown := web.ExamRules{Sites: strings.Join(rules.Sites, "\n"), Message: rules.Message, Apps: programNames(rules.Apps)}
	e := rules.Exam
	if e == nil {
		e = &lease.Examination{}
	}
	shown.Page, shown.Resume, shown.TabletApp, shown.SelfLock = e.Page, e.Resume, e.TabletApp, e.SelfLock
	for _, key := range slices.Sorted(maps.Keys(e.Versions)) {
		shown.Versions += strings.Join(presets.Names(presets.Apps([]string{key})), ", ") + " " + e.Versions[key] + "\n"
	}
	shown.Every = exam.CollectEvery
	if e.Work != nil {
		shown.Collect, shown.Every = true, e.Work.Every
	}
	copied := *e
	for _, opening := range openings {
		shown.Open = append(shown.Open, web.Option{Value: opening.name, Chosen: *opening.of(&copied)})
	}
	for _, kind := range append([]string{""}, lease.Calculators...) {
		option := web.Option{Value: kind, Chosen: kind == e.Calculator}
		if kind == "" {
			option.Value = web.CalculatorUnsaid
		}
		shown.Calculators = append(shown.Calculators, option)
	}
	for _, aid := range exam.Aids {
		shown.Aids = append(shown.Aids, web.Option{Value: aid, Chosen: e.Aids == nil || slices.Contains(e.Aids, aid)})
	}
	return shown
}

// readVersions reads lines of a program and the least version of it.
func readVersions(text string) (map[string]string, error) {
	least := map[string]string{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch last := len(words) - 1; {
		case last < 0:
		case last == 0:
			return nil, errs.E(errs.Invalid, "exam.bad_version", "version", words[0]).In("versions")
		default:
			least[strings.Join(words[:last], " ")] = words[last]
		}
	}
	return least, nil
}

// programNames names programs as people know them; an id that is none of ours
// stands for itself.
func programNames(ids []string) []string {
	var names []string
	for _, option := range programOptions(ids) {
		if option.Chosen {
			names = append(names, option.Label)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(presets.Programs, func(p presets.Program) bool { return slices.Contains(p.Apps, id) }) {
			names = append(names, id)
		}
	}
	return names
}

func programOptions(ids []string) []web.Option {
	list := make([]web.Option, len(presets.Programs))
	for i, program := range presets.Programs {
		list[i] = web.Option{Value: program.Key, Label: program.Name, Chosen: slices.ContainsFunc(program.Apps, func(id string) bool { return slices.Contains(ids, id) })}
	}
	return list
}

package exam

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/policies/presets"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam/agenda"
	"schulwart.org/server/may"
)

// longestImported bounds how long an imported examination may last.
const longestImported = lease.LongestExam

// ImportPlan is what an import does.
type ImportPlan struct {
	Counts  ImportCounts
	Changes []ImportChange
	Faults  []agenda.Fault
	// Missing are examinations that an earlier file of the same kind had and this one
	// has no more, in the days that it covers. They stay unless they are dropped.
	Missing []ImportChange
	// Token names the plan.
	Token string

	steps []importStep
}

// ImportChange is one examination that changes. Kind is "create", "update" or
// "remove".
type ImportChange struct {
	Line   int // of the file; 0 for what is not in it
	Kind   string
	Name   string
	Before *agenda.Entry // nil: it is new
	After  *agenda.Entry // nil: it is called off
	Draft  bool          // it has no rules yet, and stays a draft until somebody says them
}

type importStep struct {
	kind   string
	exam   Exam
	since  time.Time
	origin Origin
}

// planner makes a plan row by row.
type planner struct {
	ImportPlan
	s          *Service
	actor      may.Actor
	permit     may.Permit
	imp        Import
	rules      lease.Rules
	groups     []NamedGroup
	colleagues []Colleague
	origins    map[string]Origin
	exams      map[org.ID]Exam
	teaches    map[org.ID]bool
	now        time.Time
}

// planImport compares a file with what there is.
func (s *Service) planImport(ctx context.Context, actor may.Actor, permit may.Permit, imp Import, drop bool) (ImportPlan, error) {
	if err := imp.check(); err != nil {
		return ImportPlan{}, err
	}
	_, zone, err := s.Schools.SchoolZone(ctx, imp.Branch.School)
	if err != nil {
		return ImportPlan{}, err
	}
	entries, faults := agenda.Read(imp.Table, agenda.How{Columns: imp.Columns, Zone: zone, Minutes: imp.Minutes})
	p := &planner{s: s, actor: actor, permit: permit, imp: imp, origins: map[string]Origin{}, exams: map[org.ID]Exam{}, teaches: map[org.ID]bool{}, now: s.now()}
	p.Faults = faults
	p.rules, _ = presetRules(imp.Preset)
	if err := p.load(ctx, entries); err != nil {
		return ImportPlan{}, err
	}
	for _, entry := range entries {
		err := p.row(ctx, entry)
		if fault := errs.Find(err); fault != nil {
			p.Faults = append(p.Faults, agenda.Fault{Line: entry.Line, Fault: fault})
		} else if err != nil {
			return ImportPlan{}, err
		}
	}
	// A row that cannot be read may be any of them: then nothing is called off.
	p.missing(imp, entries, drop && len(faults) == 0)
	p.Counts.Skipped = len(p.Faults)
	slices.SortStableFunc(p.Faults, func(a, b agenda.Fault) int { return cmp.Compare(a.Line, b.Line) })
	p.Token = p.token()
	return p.ImportPlan, nil
}

// presetRules are the rules that a preset begins with; none for no preset.
func presetRules(key string) (lease.Rules, bool) {
	if key == "" {
		return lease.Rules{Exam: &lease.Examination{Resume: true}}, true
	}
	for _, preset := range Presets {
		if preset.Key == key {
			rules := preset.Rules
			return lease.Rules{Apps: presets.Apps(preset.Programs), Exam: &rules}, true
		}
	}
	return lease.Rules{}, false
}

func (p *planner) load(ctx context.Context, entries []agenda.Entry) error {
	store, school := p.s.Store, p.imp.Branch
	first := p.now
	for _, entry := range entries {
		if entry.Starts.Before(first) {
			first = entry.Starts
		}
	}
	var err error
	if p.groups, err = store.ExamGroups(ctx, school); err != nil {
		return err
	}
	if p.colleagues, err = store.ExamColleagues(ctx, school); err != nil {
		return err
	}
	origins, err := store.ExamOrigins(ctx, school)
	if err != nil {
		return err
	}
	for _, origin := range origins {
		p.origins[origin.Key] = origin
	}
	exams, err := store.SchoolExams(ctx, school, first)
	for _, exam := range exams {
		p.exams[exam.ID] = exam
	}
	return err
}

// row plans what becomes of one examination of the file. What is wrong with it is a
// fault of the row.
func (p *planner) row(ctx context.Context, entry agenda.Entry) error {
	origin, known := p.origins[entry.Key]
	exam, there := p.exams[origin.Exam]
	known = known && there
	switch {
	case known && !exam.Cancelled.IsZero(), !known && entry.Cancelled:
		p.Counts.Same++ // what people called off stays so
		return nil
	case known && entry.Cancelled:
		return p.remove(ctx, entry.Line, exam)
	}
	if known {
		return p.update(ctx, entry, exam, origin)
	}
	if !entry.Ends.After(p.now) {
		p.Counts.Past++
		return nil
	}
	group, err := p.groupOf(entry)
	if err != nil {
		return err
	}
	if p.twin(entry, group) {
		p.Counts.Same++ // somebody has prepared it by hand
		return nil
	}
	if err := p.may(ctx, group); err != nil {
		return err
	}
	plan := Plan{Name: entry.Name, Group: group.ID, Room: entry.Room, Starts: entry.Starts, Ends: entry.Ends, Preset: p.imp.Preset, Rules: p.rulesOf(entry)}
	if plan.Invigilators, err = p.teachers(entry.Teachers); err != nil {
		return err
	}
	plan.Draft = nothingToWrite(plan.Rules)
	branch := p.imp.Branch
	branch.Group = group.ID
	made := Exam{ID: p.s.NewID(), Branch: branch, Staff: p.actor.ID, ByName: p.actor.Name, Created: p.now, Changed: p.now}
	if made, err = p.s.fill(ctx, made, plan); err != nil {
		return err
	}
	after := p.describe(made)
	p.add(ImportChange{Line: entry.Line, Kind: "create", Name: made.Name, After: &after, Draft: made.Draft}, importStep{kind: "create", exam: made, origin: p.originOf(entry, made.ID)})
	p.Counts.Created++
	return nil
}

func (p *planner) add(change ImportChange, step importStep) {
	p.Changes = append(p.Changes, change)
	p.steps = append(p.steps, step)
}

func (p *planner) originOf(entry agenda.Entry, exam org.ID) Origin {
	return Origin{Exam: exam, Key: entry.Key, Signature: p.imp.Table.Signature(), Row: entry}
}

// update takes over what the file says otherwise than the last time. What people
// changed here meanwhile, and the file did not, stays.
func (p *planner) update(ctx context.Context, entry agenda.Entry, exam Exam, origin Origin) error {
	was := origin.Row
	plan, changed := exam.Plan(), false
	take := func(differs bool, do func()) {
		if differs {
			changed = true
			do()
		}
	}
	take(entry.Name != was.Name, func() { plan.Name = entry.Name })
	take(entry.Room != was.Room, func() { plan.Room = entry.Room })
	take(!entry.Starts.Equal(was.Starts) || !entry.Ends.Equal(was.Ends), func() { plan.Starts, plan.Ends = entry.Starts, entry.Ends })
	var err error
	take(!strings.EqualFold(entry.Group, was.Group), func() {
		var group NamedGroup
		if group, err = p.groupOf(entry); err == nil {
			plan.Group, exam.Branch.Group = group.ID, group.ID
			err = p.may(ctx, group)
		}
	})
	if err != nil {
		return err
	}
	take(!slices.Equal(entry.Teachers, was.Teachers), func() { plan.Invigilators, err = p.teachers(entry.Teachers) })
	if err != nil {
		return err
	}
	take(entry.Page != was.Page && entry.Page != "", func() { plan.Rules = withEntry(plan.Rules, agenda.Entry{Page: entry.Page}) })
	take(entry.Calculator != was.Calculator && entry.Calculator != "", func() { plan.Rules = withEntry(plan.Rules, agenda.Entry{Calculator: entry.Calculator}) })
	if !changed {
		p.Counts.Same++
		return nil
	}
	if state := exam.State(p.now); state != Draft && state != Planned && state != Armed {
		return errs.E(errs.Conflict, "exam_import.begun")
	}
	if _, err := p.s.permit(ctx, p.actor, may.ExamWrite, exam); err != nil {
		return err
	}
	before, since := p.describe(p.exams[exam.ID]), exam.Changed
	exam.Shifts = nil
	if exam, err = p.s.fill(ctx, exam, plan); err != nil {
		return err
	}
	after := p.describe(exam)
	p.add(ImportChange{Line: entry.Line, Kind: "update", Name: exam.Name, Before: &before, After: &after, Draft: exam.Draft}, importStep{kind: "update", exam: exam, since: since, origin: p.originOf(entry, exam.ID)})
	p.Counts.Updated++
	return nil
}

func (p *planner) remove(ctx context.Context, line int, exam Exam) error {
	switch state := exam.State(p.now); state {
	case Draft, Planned, Armed:
	default:
		return errs.E(errs.Conflict, "exam_import.begun")
	}
	if _, err := p.s.permit(ctx, p.actor, may.ExamWrite, exam); err != nil {
		return err
	}
	before, since := p.describe(exam), exam.Changed
	exam.Cancelled = p.now
	p.add(ImportChange{Line: line, Kind: "remove", Name: exam.Name, Before: &before}, importStep{kind: "remove", exam: exam, since: since})
	p.Counts.Removed++
	return nil
}

// missing finds what earlier files of the same kind had in the days that this one
// covers.
func (p *planner) missing(imp Import, entries []agenda.Entry, drop bool) {
	here := map[string]bool{}
	var first, last time.Time
	for _, entry := range entries {
		here[entry.Key] = true
		if first.IsZero() || entry.Starts.Before(first) {
			first = entry.Starts
		}
		last = later(last, entry.Starts)
	}
	for _, key := range slices.Sorted(maps.Keys(p.origins)) {
		origin := p.origins[key]
		exam, there := p.exams[origin.Exam]
		if here[key] || !there || origin.Signature != imp.Table.Signature() || exam.Starts.Before(first) || exam.Starts.After(last) || !exam.Cancelled.IsZero() {
			continue
		}
		if state := exam.State(p.now); state != Draft && state != Planned && state != Armed {
			continue
		}
		if drop {
			before, since := p.describe(exam), exam.Changed
			exam.Cancelled = p.now
			p.add(ImportChange{Kind: "remove", Name: exam.Name, Before: &before}, importStep{kind: "remove", exam: exam, since: since})
			p.Counts.Removed++
			continue
		}
		before := p.describe(exam)
		p.Missing = append(p.Missing, ImportChange{Kind: "remove", Name: exam.Name, Before: &before})
	}
}

// describe tells an examination as files do, for people to compare.
func (p *planner) describe(exam Exam) agenda.Entry {
	entry := agenda.Entry{Name: exam.Name, Room: exam.Room, Starts: exam.Starts, Ends: exam.Ends}
	for _, group := range p.groups {
		if group.ID == exam.Branch.Group {
			entry.Group = group.Name
		}
	}
	for _, one := range exam.Invigilators {
		entry.Teachers = append(entry.Teachers, one.Name)
	}
	if exam.Rules.Exam != nil {
		entry.Page, entry.Calculator = exam.Rules.Exam.Page, exam.Rules.Exam.Calculator
	}
	return entry
}

// twin reports whether somebody has prepared the same by hand, or another file had
// it.
func (p *planner) twin(entry agenda.Entry, group NamedGroup) bool {
	for _, exam := range p.exams {
		if exam.Cancelled.IsZero() && exam.Branch.Group == group.ID && strings.EqualFold(exam.Name, entry.Name) && exam.Starts.Equal(entry.Starts) {
			return true
		}
	}
	return false
}

// may asks whether the actor prepares examinations for the group.
func (p *planner) may(ctx context.Context, group NamedGroup) error {
	if !onlyTeacher(p.actor, may.ExamWrite, p.imp.Branch) {
		return nil
	}
	teaches, asked := p.teaches[group.ID]
	if !asked {
		var err error
		if teaches, err = p.s.Roster.TeachesNow(ctx, p.actor.ID, group.ID, p.s.Now()); err != nil {
			return err
		}
		p.teaches[group.ID] = teaches
	}
	if !teaches {
		return errs.E(errs.Denied, "exam.not_yours")
	}
	return nil
}

func (p *planner) rulesOf(entry agenda.Entry) lease.Rules { return withEntry(p.rules, entry) }

// withEntry returns rules with what a row says of them.
func withEntry(rules lease.Rules, entry agenda.Entry) lease.Rules {
	copied := lease.Examination{}
	if rules.Exam != nil {
		copied = *rules.Exam
	}
	if entry.Page != "" {
		copied.Page = entry.Page
	}
	if entry.Calculator != "" {
		copied.Calculator = entry.Calculator
	}
	rules.Exam = &copied
	return rules
}

// groupOf finds the class or course of a row: the one that it names, else the only
// one that its other words name.
func (p *planner) groupOf(entry agenda.Entry) (NamedGroup, error) {
	if entry.Group != "" {
		at := slices.IndexFunc(p.groups, func(g NamedGroup) bool { return strings.EqualFold(g.Name, entry.Group) })
		if at < 0 {
			return NamedGroup{}, errs.E(errs.Invalid, "exam_import.unknown_group", "value", entry.Group)
		}
		return p.groups[at], nil
	}
	for _, text := range append([]string{entry.Name}, entry.Around...) {
		var found []NamedGroup
		for _, group := range p.groups {
			if names(text, group.Name) {
				found = append(found, group)
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return NamedGroup{}, errs.E(errs.Invalid, "exam_import.several_groups", "value", found[0].Name+", "+found[1].Name)
		}
	}
	return NamedGroup{}, errs.E(errs.Invalid, "exam_import.no_group", "value", entry.Name)
}

// names reports whether a text names a group, as a word of its own.
func names(text, group string) bool {
	text, group = strings.ToLower(text), strings.ToLower(group)
	inside := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for from := 0; group != ""; {
		at := strings.Index(text[from:], group)
		if at < 0 {
			return false
		}
		before, after := []rune(text[:from+at]), []rune(text[from+at+len(group):])
		if (len(before) == 0 || !inside(before[len(before)-1])) && (len(after) == 0 || !inside(after[0])) {
			return true
		}
		from += at + len(group)
	}
	return false
}

// teachers finds colleagues by login, by the whole name, or by a surname that only
// one of them has.
func (p *planner) teachers(written []string) ([]org.ID, error) {
	var all []org.ID
	for _, name := range written {
		var found []Colleague
		for _, c := range p.colleagues {
			if slices.Contains(c.written(), plain(name)) {
				found = append(found, c)
			}
		}
		switch len(found) {
		case 0:
			return nil, errs.E(errs.Invalid, "exam_import.unknown_teacher", "value", name)
		case 1:
			all = append(all, found[0].Staff)
		default:
			return nil, errs.E(errs.Invalid, "exam_import.several_teachers", "value", name)
		}
	}
	return all, nil
}

// written is how files may name a colleague.
func (c Colleague) written() []string {
	full := plain(c.Full)
	words := strings.Fields(full)
	all := []string{full, plain(c.Name), strings.ToLower(c.Login)}
	if n := len(words); n > 1 {
		all = append(all, words[n-1], words[n-1]+" "+strings.Join(words[:n-1], " "))
	}
	return all
}

// plain takes away what names differ in without meaning.
func plain(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return unicode.IsSpace(r) || r == ',' })
	return strings.Join(slices.DeleteFunc(words, func(w string) bool {
		return slices.Contains([]string{"herr", "frau", "hr.", "fr.", "dr.", "mr", "ms", "mrs", "mr.", "ms.", "mrs."}, w)
	}), " ")
}

// token is the same for plans that do the same.
func (p *planner) token() string {
	data, _ := json.Marshal(struct {
		Changes []ImportChange
		Faults  int
	}{p.Changes, len(p.Faults)}) // plain values always marshal
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:12])
}

package exam

import (
	"context"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam/agenda"
	"schulwart.org/server/may"
)

// ImportState says how far an import of planned examinations has come.
type ImportState string

// The states.
const (
	ImportMapping ImportState = "mapping" // which column means what?
	ImportPreview ImportState = "preview"
	ImportDone    ImportState = "done"
	ImportDropped ImportState = "dropped"
)

// Import is a file of planned examinations on its way.
type Import struct {
	Branch  org.Branch // of the school
	ID      org.ID
	Staff   org.ID
	ByName  string
	File    string       // its name
	Table   agenda.Table // empty once done or dropped: the file itself is not kept
	Columns []agenda.Field
	// Minutes is how long an examination lasts of which the file does not say it; 0:
	// such a row is a fault. Preset is the beginning of the rules of all; without one,
	// what names no page becomes a draft.
	Minutes int
	Preset  string
	State   ImportState
	Created time.Time
	Counts  ImportCounts
}

// ImportFile is a file as a door received it.
type ImportFile struct {
	School  org.ID
	Name    string
	Data    []byte
	Columns []agenda.Field // nil: as was said last time, else by their titles
	Minutes int
	Preset  string
	Drop    bool // call off what an earlier file of the same kind had and this one has no more
}

// ImportCounts is what an import does, or did. Past are rows of days that are over.
type ImportCounts struct{ Created, Updated, Removed, Same, Past, Skipped int }

// Schools knows the schools that examinations are imported for.
type Schools interface {
	// SchoolZone returns where a school is, and the zone of its clocks.
	SchoolZone(ctx context.Context, school org.ID) (org.Branch, *time.Location, error)
	// ReadTable reads a file of rows.
	ReadTable(data []byte) (agenda.Table, error)
}

// ImportStore keeps files on their way, and where examinations came from.
type ImportStore interface {
	// PutExamImport keeps an import. One that is done or dropped loses its table; that
	// leaves an audit row. It is a Conflict fault if it is over already.
	PutExamImport(ctx context.Context, permit may.Permit, imp Import) error
	FindExamImport(ctx context.Context, id org.ID) (Import, error)
	// ExamColumns returns what the columns of files with the signature were said to
	// mean, by their titles; nil if nobody said it.
	ExamColumns(ctx context.Context, school org.Branch, signature string) (map[string]agenda.Field, error)
	PutExamColumns(ctx context.Context, school org.Branch, signature string, columns map[string]agenda.Field, at time.Time) error
	// ExamOrigins lists what was imported into the school and is still there.
	ExamOrigins(ctx context.Context, school org.Branch) ([]Origin, error)
	// PutExamOrigin keeps where an examination came from. It is ErrChanged if another
	// one came from there.
	PutExamOrigin(ctx context.Context, school org.Branch, origin Origin) error
	// SchoolExams lists examinations of the school that end after the instant, and all
	// that were imported.
	SchoolExams(ctx context.Context, school org.Branch, after time.Time) ([]Exam, error)
	// ExamGroups lists classes and courses of the school.
	ExamGroups(ctx context.Context, school org.Branch) ([]NamedGroup, error)
	// ExamColleagues lists who may invigilate in the school, with how they are written.
	ExamColleagues(ctx context.Context, school org.Branch) ([]Colleague, error)
}

// Origin is the row that an examination came from, as it was when it was taken last.
type Origin struct {
	Exam      org.ID
	Key       string
	Signature string // of the file's columns
	Row       agenda.Entry
}

// NamedGroup is a class or a course.
type NamedGroup struct {
	ID   org.ID
	Name string
}

// Colleague is somebody who may invigilate, with the whole name and the login.
type Colleague struct {
	Invigilator
	Full  string
	Login string
}

// openFile reads a file for a school.
func (s *Service) openFile(ctx context.Context, actor may.Actor, file ImportFile) (Import, may.Permit, *time.Location, error) {
	branch, zone, err := s.Schools.SchoolZone(ctx, file.School)
	if err != nil {
		return Import{}, may.Permit{}, nil, err
	}
	permit, err := may.Do(actor, may.ExamWrite, branch)
	if err != nil {
		return Import{}, permit, nil, err
	}
	imp := Import{
		Branch: branch, ID: s.NewID(), Staff: actor.ID, ByName: actor.Name, File: clip(strings.TrimSpace(file.Name), mostName), Minutes: file.Minutes, Preset: file.Preset,
		State: ImportMapping, Created: s.Now().UTC(),
	}
	if agenda.IsCalendar(file.Data) {
		imp.Table, err = agenda.ReadCalendar(file.Data, zone)
	} else {
		imp.Table, err = s.Schools.ReadTable(file.Data)
	}
	if err != nil {
		return Import{}, permit, nil, err
	}
	if imp.Columns = file.Columns; imp.Columns == nil {
		saved, err := s.Store.ExamColumns(ctx, branch, imp.Table.Signature())
		if err != nil {
			return Import{}, permit, nil, err
		}
		imp.Columns = agenda.Propose(imp.Table.Header, saved)
	}
	return imp, permit, zone, nil
}

// BeginImport reads a file and proposes what its columns mean. Nothing is planned
// before ApplyImport.
func (s *Service) BeginImport(ctx context.Context, actor may.Actor, file ImportFile) (Import, error) {
	imp, permit, _, err := s.openFile(ctx, actor, file)
	if err != nil {
		return Import{}, err
	}
	return imp, s.Store.PutExamImport(ctx, permit, imp)
}

// Import returns an import of the actor's school.
func (s *Service) Import(ctx context.Context, actor may.Actor, id org.ID) (Import, error) {
	imp, _, err := s.imported(ctx, actor, id)
	return imp, err
}

func (s *Service) imported(ctx context.Context, actor may.Actor, id org.ID) (Import, may.Permit, error) {
	imp, err := s.Store.FindExamImport(ctx, id)
	if err != nil {
		return Import{}, may.Permit{}, err
	}
	permit, err := may.Do(actor, may.ExamWrite, imp.Branch)
	if err == nil && imp.Staff != actor.ID && onlyTeacher(actor, may.ExamWrite, imp.Branch) {
		err = errs.E(errs.NotFound, "not_found") // somebody else's file
	}
	return imp, permit, err
}

// under finds an import that is neither done nor dropped.
func (s *Service) under(ctx context.Context, actor may.Actor, id org.ID) (Import, may.Permit, error) {
	imp, permit, err := s.imported(ctx, actor, id)
	if err == nil && (imp.State == ImportDone || imp.State == ImportDropped) {
		err = errs.E(errs.Conflict, "import.over")
	}
	return imp, permit, err
}

// MapImport says which column means what, how long an examination lasts of which the
// file does not say it, and what rules all begin with.
func (s *Service) MapImport(ctx context.Context, actor may.Actor, id org.ID, columns []agenda.Field, minutes int, preset string) error {
	imp, permit, err := s.under(ctx, actor, id)
	if err != nil {
		return err
	}
	imp.Columns, imp.Minutes, imp.Preset = columns, minutes, preset
	if err := imp.check(); err != nil {
		return err
	}
	imp.State = ImportPreview
	return s.Store.PutExamImport(ctx, permit, imp)
}

func (i Import) check() error {
	if i.Minutes < 0 || time.Duration(i.Minutes)*time.Minute > longestImported {
		return errs.E(errs.Invalid, "exam.too_long", "hours", int(longestImported/time.Hour)).In("minutes")
	}
	if _, known := presetRules(i.Preset); !known {
		return errs.E(errs.Invalid, "exam_import.no_preset").In("preset")
	}
	return agenda.Check(i.Table.Header, i.Columns)
}

// DropImport forgets an import and its file.
func (s *Service) DropImport(ctx context.Context, actor may.Actor, id org.ID) error {
	imp, permit, err := s.under(ctx, actor, id)
	if err != nil {
		return err
	}
	imp.State = ImportDropped
	return s.Store.PutExamImport(ctx, permit, imp)
}

// PreviewImport says what an import would do, and changes nothing.
func (s *Service) PreviewImport(ctx context.Context, actor may.Actor, id org.ID) (Import, ImportPlan, error) {
	imp, permit, err := s.under(ctx, actor, id)
	if err != nil {
		return imp, ImportPlan{}, err
	}
	plan, err := s.planImport(ctx, actor, permit, imp, false)
	return imp, plan, err
}

// ApplyImport does what the preview showed, worked out anew; rows with faults are
// left out. Token names the preview that was seen: it is the Conflict fault
// "exam_import.changed" if something else would happen now.
func (s *Service) ApplyImport(ctx context.Context, actor may.Actor, id org.ID, drop bool, token string) (Import, error) {
	imp, permit, err := s.under(ctx, actor, id)
	if err != nil {
		return imp, err
	}
	imp, _, err = s.apply(ctx, actor, permit, imp, drop, token)
	return imp, err
}

// PreviewFile is PreviewImport of a file that is not kept, for programs.
func (s *Service) PreviewFile(ctx context.Context, actor may.Actor, file ImportFile) (Import, ImportPlan, error) {
	imp, permit, _, err := s.openFile(ctx, actor, file)
	if err != nil {
		return imp, ImportPlan{}, err
	}
	plan, err := s.planImport(ctx, actor, permit, imp, file.Drop)
	return imp, plan, err
}

// ApplyFile is ApplyImport of a file that is not kept, for programs.
func (s *Service) ApplyFile(ctx context.Context, actor may.Actor, file ImportFile, token string) (Import, ImportPlan, error) {
	imp, permit, _, err := s.openFile(ctx, actor, file)
	if err != nil {
		return imp, ImportPlan{}, err
	}
	return s.apply(ctx, actor, permit, imp, file.Drop, token)
}

// apply keeps all of it or nothing, and brings what is near to the devices.
func (s *Service) apply(ctx context.Context, actor may.Actor, permit may.Permit, imp Import, drop bool, token string) (Import, ImportPlan, error) {
	plan, err := s.planImport(ctx, actor, permit, imp, false)
	if err != nil {
		return imp, plan, err
	}
	seen := plan.Token
	if drop {
		if plan, err = s.planImport(ctx, actor, permit, imp, true); err != nil {
			return imp, plan, err
		}
	}
	if token != seen && token != plan.Token {
		return imp, plan, errs.E(errs.Conflict, "exam_import.changed").In("token")
	}
	imp.State, imp.Counts = ImportDone, plan.Counts
	err = s.Store.Atomically(ctx, func(ctx context.Context) error { return s.carryOut(ctx, permit, imp, plan) })
	if err != nil {
		return imp, plan, err
	}
	return imp, plan, s.Settle(ctx, imp.Branch)
}

func (s *Service) carryOut(ctx context.Context, permit may.Permit, imp Import, plan ImportPlan) error {
	for _, step := range plan.steps {
		var err error
		switch records := []Record{{Key: "imported"}}; {
		case step.kind == "create":
			err = s.Store.CreateExam(ctx, permit, step.exam)
		case step.kind == "remove" && step.exam.Mode == "":
			err = s.Store.DeleteExam(ctx, permit, step.exam)
		default:
			stamp(records, permit, s.Now())
			step.exam.Changed = later(s.Now(), step.since.Add(tick))
			if err = s.Store.UpdateExam(ctx, permit, step.exam, step.since, "import", records); err != nil {
				return err
			}
		}
		if err == nil && step.kind != "remove" {
			err = s.Store.PutExamOrigin(ctx, imp.Branch, step.origin)
		}
		if err != nil {
			return err
		}
	}
	columns := map[string]agenda.Field{}
	for i, title := range imp.Table.Header {
		columns[title] = imp.Columns[i]
	}
	if err := s.Store.PutExamColumns(ctx, imp.Branch, imp.Table.Signature(), columns, s.Now()); err != nil {
		return err
	}
	return s.Store.PutExamImport(ctx, permit, imp)
}

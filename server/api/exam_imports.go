package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/exam/agenda"
	"schulwart.org/server/may"
)

// mostExamFile bounds a request with a file of planned examinations, which stands in
// it as Base64.
const mostExamFile = 12 << 20

// ExamFileIn is a file of planned examinations with how it is read.
type ExamFileIn struct {
	Body struct {
		School      org.ID         `json:"school" maxLength:"64"`
		Name        string         `json:"name,omitempty" maxLength:"200" example:"klausurplan.csv"`
		Content     []byte         `json:"content" doc:"The file, in Base64: CSV with titles in its first line (UTF-8, UTF-16 or Windows-1252), or a calendar (RFC 5545)."`
		Columns     []agenda.Field `json:"columns,omitempty" maxItems:"100" doc:"What each column means: name, subject, group, date, start, end, length, room, teacher, page, calculator, key, status; empty leaves one out. Without the list: as somebody of the school said it last, else by their titles."`
		Minutes     int            `json:"minutes,omitempty" minimum:"0" maximum:"360" doc:"How long an examination lasts of which the file says neither end nor length."`
		Preset      string         `json:"preset,omitempty" maxLength:"40" example:"writing" doc:"Beginning of the rules of all new ones. What then opens neither a page nor a program is a draft."`
		DropMissing bool           `json:"drop_missing,omitempty" doc:"Call off what an earlier file with the same columns had in the days of this one, and this one has no more. Never what people prepared by hand, and nothing while a row cannot be read."`
		Token       string         `json:"token,omitempty" maxLength:"64" doc:"Of the preview that was seen; for apply."`
	}
}

// ExamFilePlan is what a file of planned examinations would change, or has changed.
type ExamFilePlan struct {
	Columns []ExamFileColumn `json:"columns" nullable:"false"`
	Created int              `json:"created"`
	Updated int              `json:"updated"`
	Removed int              `json:"removed"`
	Same    int              `json:"same"`
	Past    int              `json:"past" doc:"Rows of days that are over."`
	Changes []ExamFileChange `json:"changes" nullable:"false"`
	Missing []ExamFileChange `json:"missing" nullable:"false" doc:"What an earlier file had and this one has no more; it stays unless drop_missing says otherwise."`
	Faults  []ExamFileFault  `json:"faults" nullable:"false" doc:"Rows that are left out, and why."`
	Token   string           `json:"token" doc:"Names this plan. Given back with apply, nothing else is carried out."`
}

// ExamFileColumn is a column with what it means.
type ExamFileColumn struct {
	Title string       `json:"title"`
	Field agenda.Field `json:"field" doc:"Empty: it is left out."`
}

// ExamFileChange is one examination that changes.
type ExamFileChange struct {
	Line   int          `json:"line" doc:"Of the file; 0 for what is not in it."`
	What   string       `json:"what" enum:"create,update,remove"`
	Name   string       `json:"name"`
	Before *PlannedExam `json:"before,omitempty"`
	After  *PlannedExam `json:"after,omitempty"`
	Draft  bool         `json:"draft"`
}

// PlannedExam is an examination as files tell it.
type PlannedExam struct {
	Name     string    `json:"name"`
	Group    string    `json:"group,omitempty"`
	Room     string    `json:"room,omitempty"`
	Teachers []string  `json:"teachers,omitempty"`
	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at"`
}

// ExamFileFault is a row that is left out.
type ExamFileFault struct {
	Line int            `json:"line"`
	Key  string         `json:"key"`
	Args map[string]any `json:"args,omitempty"`
}

func registerExamImports(d *door) {
	handle(d, op{id: "preview-exam-import", method: http.MethodPost, path: "/api/v1/exam-imports/preview", summary: "Say what a file of planned examinations would change", needs: may.ExamWrite, most: mostExamFile}, d.previewExams)
	handle(d, op{id: "apply-exam-import", method: http.MethodPost, path: "/api/v1/exam-imports/apply", summary: "Take over a file of planned examinations, as its preview said", needs: may.ExamWrite, most: mostExamFile}, d.applyExams)
}

func (in *ExamFileIn) file() exam.ImportFile {
	b := in.Body
	return exam.ImportFile{School: b.School, Name: b.Name, Data: b.Content, Columns: b.Columns, Minutes: b.Minutes, Preset: b.Preset, Drop: b.DropMissing}
}

func (d *door) previewExams(ctx context.Context, actor may.Actor, in *ExamFileIn) (*body[ExamFilePlan], error) {
	imp, plan, err := d.Exams.PreviewFile(ctx, actor, in.file())
	return &body[ExamFilePlan]{examFilePlan(imp, plan)}, err
}

func (d *door) applyExams(ctx context.Context, actor may.Actor, in *ExamFileIn) (*body[ExamFilePlan], error) {
	imp, plan, err := d.Exams.ApplyFile(ctx, actor, in.file(), in.Body.Token)
	return &body[ExamFilePlan]{examFilePlan(imp, plan)}, err
}

func examFilePlan(imp exam.Import, plan exam.ImportPlan) ExamFilePlan {
	out := ExamFilePlan{
		Columns: []ExamFileColumn{}, Created: plan.Counts.Created, Updated: plan.Counts.Updated, Removed: plan.Counts.Removed, Same: plan.Counts.Same, Past: plan.Counts.Past,
		Changes: examFileChanges(plan.Changes), Missing: examFileChanges(plan.Missing), Faults: []ExamFileFault{}, Token: plan.Token,
	}
	for i, title := range imp.Table.Header {
		column := ExamFileColumn{Title: title}
		if i < len(imp.Columns) {
			column.Field = imp.Columns[i]
		}
		out.Columns = append(out.Columns, column)
	}
	for _, fault := range plan.Faults {
		out.Faults = append(out.Faults, ExamFileFault{fault.Line, fault.Fault.Key, fault.Fault.Args})
	}
	return out
}

func examFileChanges(changes []exam.ImportChange) []ExamFileChange {
	out := []ExamFileChange{}
	planned := func(e *agenda.Entry) *PlannedExam {
		if e == nil {
			return nil
		}
		return &PlannedExam{e.Name, e.Group, e.Room, e.Teachers, e.Starts.UTC(), e.Ends.UTC()}
	}
	for _, change := range changes {
		out = append(out, ExamFileChange{change.Line, change.Kind, change.Name, planned(change.Before), planned(change.After), change.Draft})
	}
	return out
}

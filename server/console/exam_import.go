package console

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/exam/agenda"
	"schulwart.org/web"
)

// mostImported bounds what a preview lists of each kind.
const mostImported = 100

// GET /pruefungen/import
func (h *Handler) beginExamImport(c *gin.Context) error {
	return page(c, web.ExamImport(web.ExamImportPage{Frame: frame(c)}))
}

// POST /pruefungen/import
func (h *Handler) readExamImport(c *gin.Context) error {
	imp, err := h.examImport(c)
	if problem := startFault(err); problem != nil {
		return show(c, http.StatusUnprocessableEntity, web.ExamImport(web.ExamImportPage{Frame: frame(c), Problem: problem}))
	}
	if err != nil {
		return err
	}
	return seeOther(c, web.To(web.PathExamImportStep, imp.ID.String()))
}

func (h *Handler) examImport(c *gin.Context) (exam.Import, error) {
	school, err := visitor(c).branch()
	if err != nil {
		return exam.Import{}, err
	}
	name, data, err := uploaded(c)
	if err != nil {
		return exam.Import{}, err
	}
	return h.Exams.BeginImport(c.Request.Context(), actor(c), exam.ImportFile{School: school.School, Name: name, Data: data})
}

// GET /pruefungen/import/:plan
//
// An import is where its state says: its columns are asked for, its preview is
// shown, or what it did.
func (h *Handler) showExamImport(c *gin.Context) error {
	return h.drawExamImport(c, http.StatusOK, nil)
}

func (h *Handler) drawExamImport(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	imp, err := h.Exams.Import(ctx, v.actor, param(c, "plan"))
	if err != nil {
		return err
	}
	state := imp.State
	if state == exam.ImportPreview && c.Query("spalten") != "" {
		state = exam.ImportMapping // back from the preview
	}
	switch state {
	case exam.ImportMapping:
		return show(c, status, web.ExamImportMap(examImportMap(v.frame, imp, problem)))
	case exam.ImportPreview:
		_, plan, err := h.Exams.PreviewImport(ctx, v.actor, imp.ID)
		if fault := startFault(err); fault != nil {
			return show(c, http.StatusUnprocessableEntity, web.ExamImportMap(examImportMap(v.frame, imp, fault)))
		}
		if err != nil {
			return err
		}
		return show(c, status, web.ExamImportPreview(examImportPreview(v.frame, imp, plan, problem)))
	case exam.ImportDone:
		return show(c, status, web.ExamImportDone(web.ExamImportDonePage{
			Frame: v.frame, ExamImportCounts: examImportCounts(imp.Counts), File: imp.File, At: imp.Created, Drafts: imp.Preset == "" && imp.Counts.Created > 0,
		}))
	}
	return seeOther(c, web.PathExamImport)
}

func examImportCounts(c exam.ImportCounts) web.ExamImportCounts {
	return web.ExamImportCounts{Create: c.Created, Update: c.Updated, Remove: c.Removed, Same: c.Same, Past: c.Past, Skipped: c.Skipped}
}

func examImportMap(frame web.Frame, imp exam.Import, problem *web.Problem) web.ExamImportMapPage {
	const sample = 3
	shown := web.ExamImportMapPage{Frame: frame, ID: imp.ID.String(), File: imp.File, Rows: len(imp.Table.Rows), Problem: problem}
	if imp.Minutes > 0 {
		shown.Minutes = strconv.Itoa(imp.Minutes)
	}
	for i, title := range imp.Table.Header {
		column := web.ImportColumn{Title: title}
		if i < len(imp.Columns) {
			column.Field = string(imp.Columns[i])
		}
		for _, row := range imp.Table.Rows[:min(sample, len(imp.Table.Rows))] {
			if i < len(row.Cells) {
				column.Sample = append(column.Sample, row.Cells[i])
			}
		}
		shown.Columns = append(shown.Columns, column)
	}
	for _, field := range agenda.Fields {
		shown.Fields = append(shown.Fields, string(field))
	}
	for _, preset := range exam.Presets {
		if len(preset.Programs) > 0 {
			shown.Presets = append(shown.Presets, web.Option{Value: preset.Key, Chosen: preset.Key == imp.Preset})
		}
	}
	return shown
}

func examImportPreview(frame web.Frame, imp exam.Import, plan exam.ImportPlan, problem *web.Problem) web.ExamImportPreviewPage {
	shown := web.ExamImportPreviewPage{
		Frame: frame, ExamImportCounts: examImportCounts(plan.Counts), ID: imp.ID.String(), File: imp.File, Token: plan.Token, Problem: problem, MayDrop: len(plan.Faults) == 0,
		More: max(0, len(plan.Changes)-mostImported), MoreFaults: max(0, len(plan.Faults)-mostImported),
	}
	for _, change := range plan.Changes[:min(mostImported, len(plan.Changes))] {
		shown.Rows = append(shown.Rows, examImportRow(change))
	}
	for _, change := range plan.Missing {
		shown.Missing = append(shown.Missing, examImportRow(change))
	}
	for _, fault := range plan.Faults[:min(mostImported, len(plan.Faults))] {
		if said := problemOf(fault.Fault); said != nil {
			shown.Faults = append(shown.Faults, web.ImportFault{Line: fault.Line, Problem: *said})
		}
	}
	return shown
}

func examImportRow(change exam.ImportChange) web.ExamImportRow {
	planned := func(e *agenda.Entry) *web.PlannedExam {
		if e == nil {
			return nil
		}
		return &web.PlannedExam{Name: e.Name, Group: e.Group, Room: e.Room, Lead: e.Teachers, Calculator: e.Calculator, Starts: e.Starts, Ends: e.Ends}
	}
	return web.ExamImportRow{Line: change.Line, Kind: change.Kind, Name: change.Name, Before: planned(change.Before), After: planned(change.After), Draft: change.Draft}
}

// POST /pruefungen/import/:plan
func (h *Handler) stepExamImport(c *gin.Context) error {
	ctx, who, id := c.Request.Context(), actor(c), param(c, "plan")
	var err error
	switch c.PostForm("action") {
	case "map":
		err = h.mapExamColumns(c, id)
	case "back":
		return seeOther(c, web.With(web.To(web.PathExamImportStep, id.String()), "spalten", "1"))
	case "drop":
		if err = h.Exams.DropImport(ctx, who, id); err == nil {
			return seeOther(c, web.PathExamImport)
		}
	case "apply":
		_, err = h.Exams.ApplyImport(ctx, who, id, c.PostForm("drop") == "1", field(c, "token"))
	}
	if problem := startFault(err); problem != nil {
		return h.drawExamImport(c, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	return seeOther(c, web.To(web.PathExamImportStep, id.String()))
}

func (h *Handler) mapExamColumns(c *gin.Context, id org.ID) error {
	imp, err := h.Exams.Import(c.Request.Context(), actor(c), id)
	if err != nil {
		return err
	}
	columns := make([]agenda.Field, len(imp.Table.Header))
	for i := range columns {
		columns[i] = agenda.Field(field(c, "column-"+strconv.Itoa(i)))
	}
	return h.Exams.MapImport(c.Request.Context(), actor(c), id, columns, number(c, "minutes", 0), field(c, "preset"))
}

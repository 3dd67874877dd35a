package console

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// maxImport bounds a file of an import, in bytes.
const maxImport = 8 << 20

// GET /import
func (h *Handler) showImports(c *gin.Context) error { return h.drawImports(c, http.StatusOK, nil) }

func (h *Handler) drawImports(c *gin.Context, status int, problem *web.Problem) error {
	imports, err := h.Roster.Imports(c.Request.Context(), actor(c))
	if err != nil {
		return err
	}
	schools, err := h.schoolOptions(c, placeOf(visitor(c)))
	if err != nil {
		return err
	}
	what := field(c, "what")
	if what == "" {
		what = string(roster.ImportDevices)
	}
	shown := web.ImportPage{Frame: frame(c), What: what, Schools: schools, Problem: problem}
	for _, imp := range imports {
		shown.Earlier = append(shown.Earlier, web.ImportRow{
			ID: imp.ID.String(), File: imp.File, What: string(imp.What), At: imp.Created, By: imp.StaffName, State: string(imp.State),
			Created: imp.Counts.Created, Updated: imp.Counts.Updated, Removed: imp.Counts.Removed,
		})
	}
	return show(c, status, web.Import(shown))
}

// POST /import
func (h *Handler) beginImport(c *gin.Context) error {
	imp, err := h.readImport(c)
	if problem := startFault(err); problem != nil {
		return h.drawImports(c, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	return seeOther(c, web.To(web.PathImportStep, imp.ID.String()))
}

// uploaded reads the file of a form.
func uploaded(c *gin.Context) (name string, data []byte, err error) {
	sent, err := c.FormFile("file")
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return "", nil, errs.E(errs.Invalid, "import.too_large", "most", maxImport>>20).In("file")
		}
		return "", nil, errs.E(errs.Invalid, "import.no_file").In("file")
	}
	file, err := sent.Open()
	if err != nil {
		return "", nil, err
	}
	defer file.Close()
	data, err = io.ReadAll(io.LimitReader(file, maxImport))
	return sent.Filename, data, err
}

func (h *Handler) readImport(c *gin.Context) (roster.Import, error) {
	name, data, err := uploaded(c)
	if err != nil {
		return roster.Import{}, err
	}
	school := placeOf(visitor(c))
	if asked := field(c, "school"); asked != "" {
		school = org.ID(asked)
	}
	return h.Roster.BeginImport(c.Request.Context(), actor(c), school, roster.What(field(c, "what")), name, field(c, "profile"), data)
}

// GET /import/:import
//
// An import is where its state says: its columns are asked for, its preview is
// shown, or what it did.
func (h *Handler) showImport(c *gin.Context) error { return h.drawImport(c, http.StatusOK, nil) }

func (h *Handler) drawImport(c *gin.Context, status int, problem *web.Problem) error {
	imp, err := h.Roster.Import(c.Request.Context(), actor(c), param(c, "import"))
	if err != nil {
		return err
	}
	state := imp.State
	if state == roster.Previewing && c.Query("spalten") != "" {
		state = roster.Mapping // back from the preview
	}
	switch state {
	case roster.Mapping:
		return show(c, status, web.ImportMap(importMap(frame(c), imp, problem)))
	case roster.Previewing:
		preview, err := h.Roster.PreviewImport(c.Request.Context(), actor(c), imp.ID)
		if fault := startFault(err); fault != nil {
			return show(c, http.StatusUnprocessableEntity, web.ImportMap(importMap(frame(c), imp, fault)))
		}
		if err != nil {
			return err
		}
		return show(c, status, web.ImportPreview(importPreview(frame(c), preview, problem)))
	case roster.Done:
		return show(c, status, web.ImportDone(web.ImportDonePage{
			Frame: frame(c), File: imp.File, What: string(imp.What), At: imp.Created,
			Created: imp.Counts.Created, Updated: imp.Counts.Updated, Removed: imp.Counts.Removed, Skipped: imp.Counts.Skipped,
		}))
	}
	return seeOther(c, web.PathImport)
}

func importMap(frame web.Frame, imp roster.Import, problem *web.Problem) web.ImportMapPage {
	const sample = 3
	shown := web.ImportMapPage{Frame: frame, ID: imp.ID.String(), File: imp.File, What: string(imp.What), Rows: len(imp.Table.Rows), Problem: problem}
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
	for _, spec := range roster.FieldsOf(imp.What) {
		shown.Fields = append(shown.Fields, web.ImportField{Name: string(spec.Name), Required: spec.Required})
	}
	return shown
}

func importPreview(frame web.Frame, p roster.Preview, problem *web.Problem) web.ImportPreviewPage {
	shown := web.ImportPreviewPage{
		Frame: frame, ID: p.Import.ID.String(), File: p.Import.File, What: string(p.Import.What),
		Create: p.Counts.Created, Update: p.Counts.Updated, Remove: p.Counts.Removed, Same: p.Counts.Same,
		Warn: p.Sure, Percent: p.Percent, More: p.More, Problem: problem,
	}
	for _, change := range p.Changes {
		shown.Rows = append(shown.Rows, web.ImportChange{Line: change.Line, Kind: change.Kind, Name: change.Name, Old: change.Old, New: change.New})
	}
	for _, fault := range p.Faults {
		if said := problemOf(fault.Fault); said != nil {
			shown.Faults = append(shown.Faults, web.ImportFault{Line: fault.Line, Problem: *said})
		}
	}
	return shown
}

// POST /import/:import
func (h *Handler) stepImport(c *gin.Context) error {
	ctx, who, id := c.Request.Context(), actor(c), param(c, "import")
	var err error
	switch c.PostForm("action") {
	case "map":
		err = h.mapColumns(c, id)
	case "back":
		return seeOther(c, web.With(web.To(web.PathImportStep, id.String()), "spalten", "1"))
	case "drop":
		if err = h.Roster.DropImport(ctx, who, id); err == nil {
			return seeOther(c, web.PathImport)
		}
	case "apply":
		_, err = h.Roster.ApplyImport(ctx, who, id, c.PostForm("sure") == "1")
	}
	if problem := startFault(err); problem != nil {
		return h.drawImport(c, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	return seeOther(c, web.To(web.PathImportStep, id.String()))
}

func (h *Handler) mapColumns(c *gin.Context, id org.ID) error {
	imp, err := h.Roster.Import(c.Request.Context(), actor(c), id)
	if err != nil {
		return err
	}
	columns := make([]roster.Field, len(imp.Table.Header))
	for i := range columns {
		columns[i] = roster.Field(field(c, "column-"+strconv.Itoa(i)))
	}
	_, err = h.Roster.MapImport(c.Request.Context(), actor(c), id, columns)
	return err
}

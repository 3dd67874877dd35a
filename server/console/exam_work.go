package console

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// GET /pruefungen/:exam/dateien
func (h *Handler) showExamWork(c *gin.Context) error { return h.drawExamWork(c, http.StatusOK, nil) }

func (h *Handler) drawExamWork(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	collected, err := h.Exams.Collected(ctx, v.actor, param(c, "exam"))
	if err != nil {
		return err
	}
	e := collected.Exam
	row, err := h.examRowOf(ctx, v.actor, e)
	if err != nil {
		return err
	}
	shown := web.ExamWorkPage{
		Frame: v.frame, Exam: row, MayGive: collected.MayGive, Most: exam.MostGivenFile >> 20, All: exam.MostGivenBytes >> 20, Count: exam.MostGiven,
		Began: !collected.At.Before(e.Starts), CSV: exportURL(c), Problem: problem,
	}
	if e.Rules.Exam != nil && e.Rules.Exam.Work != nil {
		shown.Collects, shown.Every = true, e.Rules.Exam.Work.Every
	}
	shown.MayAsk = e.State(collected.At) == exam.Running
	if a := collected.Asking; !a.At.IsZero() {
		shown.Asking = &web.ExamAsking{At: a.At, All: a.All, Received: a.Received}
	}
	for _, file := range collected.Given {
		shown.Given = append(shown.Given, web.ExamGiven{ID: file.ID.String(), Name: file.Name, Size: file.Size, By: file.By, At: file.At})
	}
	names := may.SeesNames(v.actor, e.Branch)
	for _, seat := range collected.Seats {
		shown.Seats = append(shown.Seats, handedOf(seat, shown.Began, names))
	}
	if c.Query("format") == "csv" {
		return exportWork(c, collected, shown.Seats)
	}
	return show(c, status, web.ExamWork(shown))
}

func handedOf(seat exam.Handed, began, names bool) web.ExamHanded {
	out := web.ExamHanded{Device: seat.Device.String(), Name: seat.Name, Standing: "waiting"}
	if names && seat.Writer.PersonNow != "" {
		out.Name, out.Tag = seat.Writer.PersonNow, seat.Name
	}
	latest, came := seat.Latest()
	switch {
	case seat.Missing():
		out.Standing = "missing"
	case seat.Final() && seat.Late:
		out.Standing = "late"
	case seat.Final():
		out.Standing = "received"
	case came:
		out.Standing = "kept"
	case began:
		out.Standing = "nothing"
	}
	if !came {
		return out
	}
	out.Received, out.Made, out.Files, out.Size, out.Nobody = latest.Received, latest.At, len(latest.Files), latest.Size(), latest.Nobody
	for _, left := range latest.Left {
		out.Left = append(out.Left, web.ExamLeft{Path: left.Path, Why: left.Why})
	}
	for _, state := range seat.Works {
		one := web.ExamKept{ID: state.ID, Made: state.At, Received: state.Received, Final: state.Final}
		for _, file := range state.Files {
			one.Files = append(one.Files, web.ExamHandedFile{Path: file.Path, Size: file.Size, Given: file.Given})
		}
		out.States = append(out.States, one)
	}
	return out
}

// exportWork answers with a line for each file of the state that counts, and one for
// each seat of which nothing came.
func exportWork(c *gin.Context, collected exam.Collected, seats []web.ExamHanded) error {
	var file bytes.Buffer
	out := csv.NewWriter(&file)
	_ = out.Write([]string{"device", "name", "state", "received", "device_time", "final", "path", "bytes", "given"})
	for i, seat := range collected.Seats {
		head := []string{harmless(seat.Name), harmless(seats[i].Name), seats[i].Standing}
		latest, came := seat.Latest()
		if !came || len(latest.Files) == 0 {
			_ = out.Write(append(head, "", "", "", "", "", ""))
			continue
		}
		for _, f := range latest.Files {
			_ = out.Write(append(head, latest.Received.UTC().Format(time.RFC3339), latest.At.UTC().Format(time.RFC3339), strconv.FormatBool(latest.Final), harmless(f.Path), strconv.FormatInt(f.Size, 10), strconv.FormatBool(f.Given)))
		}
	}
	out.Flush()
	return download(c, "text/csv; charset=utf-8", "schulwart-arbeiten-"+collected.Exam.Starts.Format(dateForm)+".csv", file.Bytes())
}

// POST /pruefungen/:exam/dateien
//
// Files are read as they come: none of them is in memory, or on our disk, as a whole.
func (h *Handler) giveExamFiles(c *gin.Context) error {
	names, err := h.readExamFiles(c)
	if err == nil && len(names) == 0 {
		err = errs.E(errs.Invalid, "exam.given_empty").In("file")
	}
	if len(names) > 0 {
		h.flash(c.Request.Context(), web.FlashDone, "exam_files_given", "names", strings.Join(names, ", "))
	}
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawExamWork(c, http.StatusUnprocessableEntity, problem)
		}
		return err
	}
	return seeOther(c, web.To(web.PathExamWork, param(c, "exam").String()))
}

func (h *Handler) readExamFiles(c *gin.Context) (names []string, err error) {
	form, err := c.Request.MultipartReader()
	if err != nil {
		return nil, errs.E(errs.Invalid, "exam.given_empty").In("file").Because(err)
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return names, errs.E(errs.Invalid, "exam.given_broken").In("file").Because(err)
		}
		if part.FormName() != "file" || part.FileName() == "" {
			continue
		}
		given, err := h.Exams.Give(c.Request.Context(), actor(c), param(c, "exam"), part.FileName(), part)
		if err != nil {
			return names, err
		}
		names = append(names, given.Name)
	}
}

// POST /pruefungen/:exam/dateien/:file
func (h *Handler) takeBackExamFile(c *gin.Context) error {
	if err := h.Exams.TakeBack(c.Request.Context(), actor(c), param(c, "exam"), param(c, "file")); err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawExamWork(c, http.StatusConflict, problem)
		}
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "exam_taken_back")
	return seeOther(c, web.To(web.PathExamWork, param(c, "exam").String()))
}

// shownInside are kinds of files that a browser shows by itself and that can do
// nothing there; everything else is saved.
var shownInside = map[string]string{".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".txt": "text/plain; charset=utf-8", ".csv": "text/plain; charset=utf-8"}

// GET /pruefungen/:exam/dateien/:file
func (h *Handler) showExamFile(c *gin.Context) error {
	content, err := h.Exams.ReadGiven(c.Request.Context(), actor(c), param(c, "exam"), param(c, "file"))
	if err != nil {
		return err
	}
	if kind := shownInside[strings.ToLower(path.Ext(content.Name))]; kind != "" {
		// Somebody else wrote it: it is shown, and runs nothing.
		policy := "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; object-src 'self'"
		if kind != "application/pdf" { // browsers show none in a sandbox
			policy = "sandbox; " + policy
		}
		c.Header("Content-Security-Policy", policy)
		return streamFile(c, content, kind, "inline")
	}
	return streamFile(c, content, "application/octet-stream", "attachment")
}

// GET /pruefungen/:exam/arbeiten
func (h *Handler) fetchExamWork(c *gin.Context) error {
	content, err := h.Exams.Bundle(c.Request.Context(), actor(c), param(c, "exam"), org.ID(query(c, "device")))
	if err != nil {
		return err
	}
	return streamFile(c, content, "application/zip", "attachment")
}

// GET /pruefungen/:exam/arbeiten/:device/:state
func (h *Handler) fetchExamFile(c *gin.Context) error {
	content, err := h.Exams.ReadWork(c.Request.Context(), actor(c), param(c, "exam"), param(c, "device"), c.Param("state"), c.Query("path"))
	if err != nil {
		return err
	}
	return streamFile(c, content, "application/octet-stream", "attachment")
}

// streamFile writes a file piece by piece. Where it breaks off, so does the answer.
func streamFile(c *gin.Context, content exam.Content, kind, how string) error {
	c.Header("Content-Type", kind)
	c.Header("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": content.Name}))
	c.Header("X-Content-Type-Options", "nosniff")
	if content.Size >= 0 {
		c.Header("Content-Length", strconv.FormatInt(content.Size, 10))
	}
	c.Status(http.StatusOK)
	if err := content.Write(c.Writer); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

package console

import (
	"bytes"
	"encoding/csv"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// GET /pruefungen/:exam/nachweis
func (h *Handler) showExamEvidence(c *gin.Context) error {
	v := visitor(c)
	evidence, err := h.Exams.Evidence(c.Request.Context(), v.actor, param(c, "exam"))
	if err != nil {
		return err
	}
	names := map[org.ID]string{}
	for _, seat := range evidence.Seats {
		names[seat.Device] = seatName(seat, may.SeesNames(v.actor, evidence.Exam.Branch))
	}
	if c.Query("format") == "csv" {
		return exportEvidence(c, evidence, names)
	}
	row, err := h.examRowOf(c.Request.Context(), v.actor, evidence.Exam)
	if err != nil {
		return err
	}
	shown := web.ExamEvidencePage{Frame: v.frame, Exam: row, Rules: webRules(evidence.Exam.Rules), Whole: evidence.Whole, CSV: exportURL(c)}
	for _, device := range evidence.Doubtful {
		shown.Doubtful = append(shown.Doubtful, names[device])
	}
	for i, r := range evidence.Records {
		if i == 0 || r.Device != evidence.Records[i-1].Device {
			shown.Parts = append(shown.Parts, web.ExamChain{Name: names[r.Device]})
		}
		part := &shown.Parts[len(shown.Parts)-1]
		if r.Device != "" && part.Name == "" {
			part.Name = r.Device.String()
		}
		part.Rows = append(part.Rows, web.ExamRecord{At: r.At, Said: r.Said, By: r.By, Text: recordText(v.frame, r, names)})
		part.Head = r.Hash
	}
	return page(c, web.ExamEvidence(shown))
}

// recordText says what a line tells. A key without words of its own, from a newer
// agent, is shown as it came.
func recordText(frame web.Frame, r exam.Record, names map[org.ID]string) web.Sentence {
	key, args := r.Key, map[string]any{"name": "", "file": "", "files": "", "minutes": "", "seconds": "", "part": "", "what": r.Key}
	for name, value := range r.Args {
		args[name] = value
		switch name {
		case "from", "to":
			if known := names[org.ID(value)]; known != "" {
				args[name] = known
			}
		case "part":
			if web.Knows(frame.Lang, "part.name."+value) {
				args[name] = frame.T("part.name." + value)
			}
		}
	}
	if key == "event" {
		key = "event." + strings.ReplaceAll(strings.TrimPrefix(r.Args["event"], "exam."), "-", "_")
		args["what"] = r.Args["event"]
	}
	if !web.Knows(frame.Lang, "exam.record."+key) {
		key = "other"
	}
	return web.Sentence{Key: key, Args: args}
}

// exportEvidence answers with the same lines as a file, hashes included, so that
// somebody else can check the chains.
func exportEvidence(c *gin.Context, evidence exam.Evidence, names map[org.ID]string) error {
	var file bytes.Buffer
	out := csv.NewWriter(&file)
	_ = out.Write([]string{"device", "name", "seq", "server_time", "device_time", "key", "args", "by", "hash", "calculator"})
	calculator := ""
	if rules := evidence.Exam.Rules.Exam; rules != nil {
		calculator = rules.Calculator
	}
	for _, r := range evidence.Records {
		said := ""
		if !r.Said.IsZero() {
			said = r.Said.UTC().Format(time.RFC3339Nano)
		}
		_ = out.Write([]string{
			r.Device.String(), harmless(names[r.Device]), strconv.Itoa(r.Seq), r.At.UTC().Format(time.RFC3339Nano), said, r.Key, harmless(argsText(r.Args)), harmless(r.By), r.Hash, calculator,
		})
	}
	out.Flush()
	return download(c, "text/csv; charset=utf-8", "schulwart-pruefung-"+evidence.Exam.Starts.Format(dateForm)+".csv", file.Bytes())
}

// argsText writes arguments in the order of their names.
func argsText(args map[string]string) string {
	parts := make([]string, 0, len(args))
	for _, name := range slices.Sorted(maps.Keys(args)) {
		parts = append(parts, name+"="+args[name])
	}
	return strings.Join(parts, "; ")
}

// GET /pruefungen/aufbewahrung
func (h *Handler) showExamKeeping(c *gin.Context) error {
	return h.drawExamKeeping(c, http.StatusOK, nil)
}

func (h *Handler) drawExamKeeping(c *gin.Context, status int, problem *web.Problem) error {
	v := visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	keeping, err := h.Exams.Keeping(c.Request.Context(), v.actor, branch)
	if err != nil {
		return err
	}
	shown := web.ExamKeepingPage{Frame: v.frame, Days: keeping.Days, MaySet: keeping.MaySet, Least: exam.LeastKept, Most: exam.MostKept, Problem: problem}
	for _, old := range keeping.Deletions {
		shown.Deletions = append(shown.Deletions, web.ExamDeletion{Starts: old.Starts, Records: old.Records, Files: old.Files, Days: old.Days, Deleted: old.Deleted})
	}
	return show(c, status, web.ExamKeeping(shown))
}

// POST /pruefungen/aufbewahrung
func (h *Handler) setExamKeeping(c *gin.Context) error {
	v := visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	if err := h.Exams.SetKeeping(c.Request.Context(), v.actor, branch.Authority, number(c, "days", 0)); err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawExamKeeping(c, http.StatusUnprocessableEntity, problem)
		}
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "exam_keeping_set")
	return seeOther(c, web.PathExamKeeping)
}

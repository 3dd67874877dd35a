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
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// GET /pruefungen/:exam/bereitschaft
func (h *Handler) showExamReady(c *gin.Context) error {
	v := visitor(c)
	e, ready, err := h.Exams.Readiness(c.Request.Context(), v.actor, param(c, "exam"))
	if err != nil {
		return err
	}
	shown := web.ExamReadyPage{Frame: v.frame, Exam: h.examRowOf(c, e)}
	names := may.SeesNames(v.actor, e.Branch)
	for _, one := range ready {
		row := web.ExamReady{Name: seatName(one.Seat, names), Armed: one.Line != nil && one.Line.Armed}
		for _, blocker := range one.Blockers {
			row.Blockers = append(row.Blockers, webBlocker(v.frame, blocker))
		}
		if row.Armed {
			shown.Armed++
		}
		if !one.Stopped() {
			shown.Free++
		}
		shown.Rows = append(shown.Rows, row)
	}
	return page(c, web.ExamReadyShow(shown))
}

// webBlocker tells instants, sizes and parts as people read them.
func webBlocker(frame web.Frame, blocker exam.Blocker) web.ExamBlocker {
	shown := web.ExamBlocker{Key: blocker.Key, Args: map[string]any{}, Stops: blocker.Stops}
	for name, value := range blocker.Args {
		shown.Args[name] = value
		switch name {
		case "since", "until":
			if at, err := time.Parse(time.RFC3339, value); err == nil {
				shown.Args[name] = frame.When(at)
			}
		case "bytes":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				shown.Args[name] = frame.Bytes(n)
			}
		case "part":
			if web.Knows(frame.Lang, "part.name."+value) {
				shown.Args[name] = frame.T("part.name." + value)
			}
		}
	}
	return shown
}

// seatName names a seat with its inventory number, for lists that people carry
// around.
func seatName(seat exam.Seat, names bool) string {
	if names && seat.PersonNow != "" {
		return seat.PersonNow + " · " + seat.Name
	}
	return seat.Name
}

// GET /pruefungen/:exam/codes
//
// Each showing leaves its audit row, so the page is fetched by whoever asked for
// it and never by a script.
func (h *Handler) showExamCodes(c *gin.Context) error {
	v := visitor(c)
	e, cards, err := h.Exams.Codes(c.Request.Context(), v.actor, param(c, "exam"), toIDs(c.QueryArray("device"))...)
	if err != nil {
		return err
	}
	shown := web.ExamCodesPage{Frame: v.frame, Exam: h.examRowOf(c, e)}
	names := may.SeesNames(v.actor, e.Branch)
	for _, card := range cards {
		shown.Cards = append(shown.Cards, web.ExamCodes{Device: card.Device.String(), Name: seatName(card.Seat, names), Release: card.Release, Resume: card.Resume})
	}
	return page(c, web.ExamCodesShow(shown))
}

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
	shown := web.ExamEvidencePage{Frame: v.frame, Exam: h.examRowOf(c, evidence.Exam), Whole: evidence.Whole, CSV: exportURL(c)}
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
	key, args := r.Key, map[string]any{"name": "", "minutes": "", "seconds": "", "part": "", "what": r.Key}
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
	_ = out.Write([]string{"device", "name", "seq", "server_time", "device_time", "key", "args", "by", "hash"})
	for _, r := range evidence.Records {
		said := ""
		if !r.Said.IsZero() {
			said = r.Said.UTC().Format(time.RFC3339Nano)
		}
		_ = out.Write([]string{
			r.Device.String(), harmless(names[r.Device]), strconv.Itoa(r.Seq), r.At.UTC().Format(time.RFC3339Nano), said, r.Key, harmless(argsText(r.Args)), harmless(r.By), r.Hash,
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
		shown.Deletions = append(shown.Deletions, web.ExamDeletion{Starts: old.Starts, Records: old.Records, Days: old.Days, Deleted: old.Deleted})
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

// GET /pruefungszeit
func (h *Handler) showExtra(c *gin.Context) error { return h.drawExtra(c, http.StatusOK, nil) }

func (h *Handler) drawExtra(c *gin.Context, status int, problem *web.Problem) error {
	v := visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	all, err := h.Exams.Extras(c.Request.Context(), v.actor, branch)
	if err != nil {
		return err
	}
	shown := web.ExtraPage{Frame: v.frame, Target: field(c, "target"), Minutes: field(c, "minutes"), Percent: field(c, "percent"), Problem: problem}
	for _, x := range all {
		row := web.ExtraRow{Target: "p:" + x.Person.String(), Name: x.Name, Minutes: x.Minutes, Percent: x.Percent, By: x.ByName, Changed: x.Changed}
		if x.Device != "" {
			row.Target = "d:" + x.Device.String()
		}
		shown.Rows = append(shown.Rows, row)
	}
	return show(c, status, web.Extra(shown))
}

// POST /pruefungszeit
func (h *Handler) saveExtra(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	extra := exam.ExtraTime{Branch: branch, Extra: exam.Extra{Minutes: number(c, "minutes", 0), Percent: number(c, "percent", 0)}}
	done := "extra_saved"
	if id := field(c, "id"); id != "" {
		done = "extra_removed"
		extra.Extra = exam.Extra{}
		if person, is := strings.CutPrefix(id, "p:"); is {
			extra.Person = org.ID(person)
		} else {
			extra.Device = org.ID(strings.TrimPrefix(id, "d:"))
		}
	} else if err = h.extraTarget(c, branch, &extra); err == nil && extra.Minutes == 0 && extra.Percent == 0 {
		err = errs.E(errs.Invalid, "extra.nothing").In("minutes")
	}
	if err == nil {
		err = h.Exams.SetExtra(ctx, v.actor, extra)
	}
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawExtra(c, http.StatusUnprocessableEntity, problem)
		}
		return err
	}
	h.flash(ctx, web.FlashDone, done)
	return seeOther(c, web.PathExtra)
}

// extraTarget finds the pupil or the device that was typed.
func (h *Handler) extraTarget(c *gin.Context, branch org.Branch, extra *exam.ExtraTime) error {
	typed := field(c, "target")
	if typed == "" {
		return errs.E(errs.Invalid, "extra.no_target").In("target")
	}
	devices, _, err := h.Roster.Devices(c.Request.Context(), actor(c), roster.DeviceFilter{School: branch.School, Query: typed, Limit: 10})
	if err != nil {
		return err
	}
	for _, device := range devices {
		if strings.EqualFold(device.Name, typed) {
			extra.Device = device.ID
			return nil
		}
	}
	persons, _, err := h.Roster.Persons(c.Request.Context(), actor(c), typed, branch.School, "", 10)
	if err != nil {
		return err
	}
	var found []roster.Person
	for _, person := range persons {
		if strings.EqualFold(person.Name, typed) {
			found = append(found, person)
		}
	}
	if len(found) == 0 {
		found = persons
	}
	if len(found) != 1 {
		return errs.E(errs.Invalid, "extra.unknown", "name", typed, "count", len(found)).In("target")
	}
	extra.Person = found[0].ID
	return nil
}

package console

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// POST /pruefungen/:exam/tun
func (h *Handler) changeExam(c *gin.Context) error {
	ctx, who, id := c.Request.Context(), actor(c), param(c, "exam")
	do := field(c, "do")
	err := h.examDeed(ctx, who, id, do, c)
	return h.afterExam(c, err, do)
}

func (h *Handler) examDeed(ctx context.Context, who may.Actor, id org.ID, do string, c *gin.Context) error {
	var err error
	switch do {
	case "start":
		_, err = h.Exams.Start(ctx, who, id)
	case "end":
		_, err = h.Exams.End(ctx, who, id)
	case "extend":
		_, err = h.Exams.Extend(ctx, who, id, number(c, "minutes", 0))
	case "pause":
		_, err = h.Exams.Pause(ctx, who, id)
	case "go-on":
		_, err = h.Exams.GoOn(ctx, who, id)
	case "collect":
		_, err = h.Exams.CollectNow(ctx, who, id, "")
	case "rehearse":
		_, err = h.Exams.Rehearse(ctx, who, id)
	case "end-rehearsal":
		_, err = h.Exams.EndRehearsal(ctx, who, id)
	case "hand-over":
		_, err = h.Exams.HandOver(ctx, who, id, org.ID(field(c, "to")))
	default:
		if _, err = h.Exams.Find(ctx, who, id); err == nil {
			err = errs.E(errs.Invalid, "exam.what").In("do")
		}
	}
	return err
}

// said is what is said once after a deed, by its name.
var said = map[string]string{
	"start": "exam_started", "end": "exam_ended", "extend": "exam_extended", "pause": "exam_paused", "go-on": "exam_went_on", "rehearse": "exam_rehearsed",
	"end-rehearsal": "exam_rehearsal_ended", "hand-over": "exam_handed_over", "release": "exam_released", "readmit": "exam_readmitted", "swap": "exam_swapped",
	"compensate": "exam_compensated", "dismiss": "exam_dismissed", "seen": "exam_seen", "extend-seat": "exam_given", "collect": "exam_collecting", "collect-seat": "exam_collecting",
}

func (h *Handler) afterExam(c *gin.Context, err error, do string) error {
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawExam(c, http.StatusUnprocessableEntity, problem)
		}
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, said[do])
	return seeOther(c, web.To(web.PathExam, c.Param("exam")))
}

// POST /pruefungen/:exam/kopie
func (h *Handler) copyExam(c *gin.Context) error {
	do, done := h.Exams.Copy, "exam_copied"
	if field(c, "who") == "missing" {
		do, done = h.Exams.Resit, "exam_resit"
	}
	e, err := do(c.Request.Context(), actor(c), param(c, "exam"))
	if err != nil {
		return h.afterExam(c, err, "")
	}
	h.flash(c.Request.Context(), web.FlashDone, done)
	return seeOther(c, web.To(web.PathExamEdit, e.ID.String()))
}

// POST /pruefungen/:exam/absagen
func (h *Handler) cancelExam(c *gin.Context) error {
	if err := h.Exams.Delete(c.Request.Context(), actor(c), param(c, "exam")); err != nil {
		return h.afterExam(c, err, "")
	}
	h.flash(c.Request.Context(), web.FlashDone, "exam_cancelled")
	return seeOther(c, web.PathExams)
}

// GET /pruefungen/:exam/platz/:device
func (h *Handler) showExamSeat(c *gin.Context) error { return h.drawExamSeat(c, http.StatusOK, nil) }

func (h *Handler) drawExamSeat(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v, id := c.Request.Context(), visitor(c), param(c, "exam")
	board, err := h.Exams.Board(ctx, v.actor, id)
	if err != nil {
		return err
	}
	if !board.Leads {
		return errs.E(errs.Denied, "exam.not_yours")
	}
	for _, place := range board.Places {
		if place.Device != param(c, "device") {
			continue
		}
		row, err := h.examRowOf(ctx, v.actor, board.Exam)
		if err != nil {
			return err
		}
		shown := web.ExamSeatPage{
			Frame: v.frame, Exam: row, Seat: examSeat(place, may.SeesNames(v.actor, board.Exam.Branch)), Ends: place.Ends,
			Released: !place.Note.Released.IsZero(), Swapped: place.Reason == "swapped", Collects: board.Exam.Rules.Exam != nil && board.Exam.Rules.Exam.Work != nil && board.Exam.State(board.At) == exam.Running, Over: board.Exam.Over(board.At) || !board.At.Before(place.Ends), Problem: problem,
		}
		spares, err := h.Exams.Spares(ctx, v.actor, id)
		if err != nil {
			return err
		}
		for _, spare := range spares {
			shown.Others = append(shown.Others, web.Option{Value: spare.Device.String(), Label: spare.Name})
		}
		return show(c, status, web.ExamSeatShow(shown))
	}
	return errs.E(errs.NotFound, "exam.not_a_seat")
}

// POST /pruefungen/:exam/platz/:device
func (h *Handler) changeExamSeat(c *gin.Context) error {
	ctx, who, id, device := c.Request.Context(), actor(c), param(c, "exam"), param(c, "device")
	do := field(c, "do")
	var err error
	switch do {
	case "release":
		err = h.Exams.Release(ctx, who, id, device)
	case "readmit":
		err = h.Exams.Readmit(ctx, who, id, device)
	case "swap":
		err = h.Exams.Swap(ctx, who, id, device, org.ID(field(c, "other")))
	case "compensate":
		err = h.Exams.Compensate(ctx, who, id, device)
	case "dismiss":
		err = h.Exams.Dismiss(ctx, who, id, device)
	case "collect-seat":
		_, err = h.Exams.CollectNow(ctx, who, id, device)
	case "seen":
		err = h.Exams.SeenTo(ctx, who, id, device)
	case "extend-seat":
		err = h.Exams.ExtendSeat(ctx, who, id, device, number(c, "minutes", 0))
	default:
		if _, err = h.Exams.Find(ctx, who, id); err == nil {
			err = errs.E(errs.Invalid, "exam.what").In("do")
		}
	}
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawExamSeat(c, http.StatusUnprocessableEntity, problem)
		}
		return err
	}
	h.flash(ctx, web.FlashDone, said[do])
	return seeOther(c, web.To(web.PathExam, id.String()))
}

// GET /pruefungen/:exam/zeiten
func (h *Handler) showExamTimes(c *gin.Context) error {
	v := visitor(c)
	board, err := h.Exams.Board(c.Request.Context(), v.actor, param(c, "exam"))
	if err != nil {
		return err
	}
	if !board.Leads {
		return errs.E(errs.Denied, "exam.not_yours")
	}
	row, err := h.examRowOf(c.Request.Context(), v.actor, board.Exam)
	if err != nil {
		return err
	}
	shown := web.ExamTimesPage{Frame: v.frame, Exam: row}
	names := may.SeesNames(v.actor, board.Exam.Branch)
	for _, place := range board.Places {
		shown.Rows = append(shown.Rows, web.ExamTime{
			Device: place.Device.String(), Name: examSeat(place, names).Name, Ends: place.Ends, More: place.Ends.Sub(board.Exam.End(board.At)),
		})
	}
	return page(c, web.ExamTimes(shown))
}

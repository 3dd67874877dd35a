package console

import (
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// GET /pruefungen/:exam/bereitschaft
func (h *Handler) showExamReady(c *gin.Context) error {
	v := visitor(c)
	e, ready, err := h.Exams.Readiness(c.Request.Context(), v.actor, param(c, "exam"))
	if err != nil {
		return err
	}
	at, err := h.examRowOf(c.Request.Context(), v.actor, e)
	if err != nil {
		return err
	}
	shown := web.ExamReadyPage{Frame: v.frame, Exam: at, Asked: h.askedAt(c)}
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
		if row.Answered = !shown.Asked.IsZero() && !one.Seen.Before(shown.Asked); row.Answered {
			shown.Answered++
		}
		shown.Rows = append(shown.Rows, row)
	}
	if !shown.Asked.IsZero() && shown.Answered < len(shown.Rows) && h.Now().Sub(shown.Asked) < answersWithin {
		shown.Again = c.Request.URL.RequestURI()
	}
	return page(c, web.ExamReadyShow(shown))
}

// answersWithin is for how long the page waits for devices that were asked.
const answersWithin = 2 * time.Minute

// askedAt reads when the devices were asked, zero if that is long ago.
func (h *Handler) askedAt(c *gin.Context) time.Time {
	ms, err := strconv.ParseInt(c.Query("gefragt"), 10, 64)
	if at := time.UnixMilli(ms); err == nil && h.Now().Sub(at) < 2*answersWithin {
		return at
	}
	return time.Time{}
}

// POST /pruefungen/:exam/bereitschaft
func (h *Handler) askExamReady(c *gin.Context) error {
	id, at := param(c, "exam"), h.Now()
	if _, err := h.Exams.AskReady(c.Request.Context(), visitor(c).actor, id); err != nil {
		return err
	}
	return seeOther(c, web.With(web.To(web.PathExamReady, id.String()), "gefragt", strconv.FormatInt(at.UnixMilli(), 10)))
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
	row, err := h.examRowOf(c.Request.Context(), v.actor, e)
	if err != nil {
		return err
	}
	shown := web.ExamCodesPage{Frame: v.frame, Exam: row}
	names := may.SeesNames(v.actor, e.Branch)
	for _, card := range cards {
		shown.Cards = append(shown.Cards, web.ExamCodes{Device: card.Device.String(), Name: seatName(card.Seat, names), Release: card.Release, Resume: card.Resume})
	}
	return page(c, web.ExamCodesShow(shown))
}

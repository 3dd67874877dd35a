package console

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// GET /pruefungen/:exam
func (h *Handler) showExam(c *gin.Context) error { return h.drawExam(c, http.StatusOK, nil) }

func (h *Handler) drawExam(c *gin.Context, status int, problem *web.Problem) error {
	shown, _, err := h.examPage(c.Request.Context(), visitor(c), param(c, "exam"))
	if err != nil {
		return err
	}
	shown.Problem, shown.Print = problem, examPrint(shown)
	return show(c, status, web.ExamShow(shown))
}

// examPage is the page of an examination as it is now, and where its school is.
func (h *Handler) examPage(ctx context.Context, v *visit, id org.ID) (web.ExamPage, org.Branch, error) {
	board, err := h.Exams.Board(ctx, v.actor, id)
	if err != nil {
		return web.ExamPage{}, org.Branch{}, err
	}
	e := board.Exam
	row, err := h.examRowOf(ctx, v.actor, e)
	if err != nil {
		return web.ExamPage{}, e.Branch, err
	}
	shown := web.ExamPage{
		Frame: v.frame, Row: row, Of: e.Of.String(), Live: examLive(v, board), Rules: webRules(e.Rules), Leads: board.Leads,
		MayEnd: may.Can(v.actor, may.ModeEnd, e.Branch), MayEdit: board.Leads && may.Can(v.actor, may.ExamWrite, e.Branch),
	}
	if board.Leads && !e.Over(board.At) {
		colleagues, err := h.Exams.Colleagues(ctx, v.actor, org.Branch{Authority: e.Branch.Authority, School: e.Branch.School})
		if err != nil {
			return shown, e.Branch, err
		}
		for _, one := range colleagues {
			if !e.Leads(one.Staff) {
				shown.Staff = append(shown.Staff, web.Option{Value: one.Staff.String(), Label: one.Name})
			}
		}
	}
	return shown, e.Branch, nil
}

// examLive draws the board. It says of nobody when the own end is.
func examLive(v *visit, board exam.Board) web.ExamLive {
	e := board.Exam
	live := web.ExamLive{
		Frame: v.frame, ID: e.ID.String(), State: web.ExamState(e.State(board.At)), Starts: e.Starts, Ends: e.End(board.At), Paused: e.Paused, Leads: board.Leads,
	}
	if a := board.Asking; !a.At.IsZero() {
		live.Asking = &web.ExamAsking{At: a.At, All: a.All, Received: a.Received}
	}
	if e.Rehearsing(board.At) {
		live.Rehearsal = e.Rehearsal.Ends
	}
	names := may.SeesNames(v.actor, e.Branch)
	for _, place := range board.Places {
		live.Seats = append(live.Seats, examSeat(place, names))
		if live.State == web.ExamRunning && !board.At.Before(live.Ends) && place.Standing != exam.SeatEnded && place.Standing != exam.SeatLeft {
			live.Waiting++
		}
	}
	return live
}

func examSeat(place exam.Place, names bool) web.ExamSeat {
	seat := web.ExamSeat{
		Device: place.Device.String(), Name: place.Name, Standing: string(place.Standing), Since: place.Since, Battery: -1, Look: place.Troubled(),
		Hand: !place.Hand.IsZero(), Asked: place.Hand, Waits: place.Waits, Lost: place.Lost.Owed(),
	}
	if seat.Lost > 0 {
		for _, part := range place.Lost.Causes {
			seat.Causes = append(seat.Causes, web.LostCause{Cause: part.Cause, Minutes: int((part.For + time.Minute - time.Second) / time.Minute)})
		}
	}
	if names && place.Writer.PersonNow != "" {
		seat.Name, seat.Tag = place.Writer.PersonNow, place.Name
	}
	if line := place.Line; line != nil {
		seat.Seen = line.Seen
		if line.Battery != nil {
			seat.Battery = *line.Battery
		}
	}
	if place.Reason != "" {
		seat.Reason = examReason(place)
	}
	return seat
}

// examReasons are those with words of their own; what a device says of a part is
// told by the words of modes.
var examReasons = []string{"released", "swapped", "code", "not_enrolled", "refused", "not_heard", "on_its_way", "not_there", "never_there", "end_not_heard", "held_without_contact"}

func examReason(place exam.Place) *web.Sentence {
	key := place.Reason
	if !slices.Contains(examReasons, key) {
		key = "part"
	}
	args := map[string]any{"device": "", "at": place.Since}
	for name, value := range place.Args {
		args[name] = value
	}
	return &web.Sentence{Key: key, Args: args}
}

package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/web"
)

// POST /unterricht/:group/laufend/:mode/plus
func (h *Handler) extendMode(c *gin.Context) error {
	if pretended(c) {
		return h.extendRehearsal(c)
	}
	_, err := h.Lessons.Extend(c.Request.Context(), actor(c), param(c, "mode"), number(c, "minutes", 10))
	return h.backToBoard(c, err)
}

// POST /unterricht/:group/laufend/:mode/ende
//
// Ends the mode for all, or for the ticked devices. What was running can be
// taken back for ten seconds.
func (h *Handler) endMode(c *gin.Context) error {
	if pretended(c) {
		return h.endRehearsal(c)
	}
	ctx, devices := c.Request.Context(), ticked(c, "device")
	mode, err := h.Lessons.End(ctx, actor(c), param(c, "mode"), devices...)
	if err == nil && h.Now().Before(mode.Ends) {
		token := append([]org.ID{mode.ID}, devices...)
		key := "mode.ended"
		if len(devices) > 0 {
			key = "mode.ended_some" // for the others it goes on
		}
		h.offerUndo(ctx, web.To(web.PathUndo, c.Param("group")), strings.Join(texts(token), " "), key, "mode", modeName(c, mode.Kind), "count", len(devices))
	}
	return h.backToBoard(c, err)
}

// modeName is a mode as the person reads it.
func modeName(c *gin.Context, kind lease.Kind) string {
	return web.T(frame(c).Lang, "mode."+string(kind)+".name")
}

// POST /unterricht/:group/zurueck
func (h *Handler) undoEnd(c *gin.Context) error {
	if pretended(c) {
		return h.resumeRehearsal(c)
	}
	token := toIDs(strings.Fields(c.PostForm("token")))
	if len(token) == 0 {
		return errs.E(errs.NotFound, "not_found")
	}
	if token[0] == absentToken {
		return h.backToBoard(c, h.setAbsent(c, token[1:], false))
	}
	_, err := h.Lessons.Resume(c.Request.Context(), actor(c), token[0], token[1:]...)
	return h.backToBoard(c, err)
}

// POST /unterricht/:group/abwesend
//
// Ticks devices off, or on again. Running modes are settled by the room that
// hears of changed membership; the board shows it when it is true.
func (h *Handler) markAbsent(c *gin.Context) error {
	if pretended(c) {
		return seeOther(c, web.PathRehearsal)
	}
	devices, absent := ticked(c, "device"), c.PostForm("absent") != "0"
	err := h.setAbsent(c, devices, absent)
	if err == nil && absent && len(devices) > 0 {
		token := strings.Join(texts(append([]org.ID{absentToken}, devices...)), " ")
		h.offerUndo(c.Request.Context(), web.To(web.PathUndo, c.Param("group")), token, "absent")
	}
	return h.backToBoard(c, err)
}

// absentToken begins the token of an undo that is about absence.
const absentToken = org.ID("absent")

func (h *Handler) setAbsent(c *gin.Context, devices []org.ID, absent bool) error {
	ctx, who, group := c.Request.Context(), actor(c), param(c, "group")
	found, err := h.findClass(ctx, who, group.String())
	if err != nil {
		return err
	}
	for _, device := range devices {
		if absent {
			err = h.Roster.SetAbsent(ctx, who, group, device, h.absentUntil(found))
		} else {
			err = h.Roster.SetPresent(ctx, who, group, device)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// absentUntil is the end of the lesson, or of the mode that runs longest: who
// is absent must not be restricted by its last minutes.
func (h *Handler) absentUntil(c class) time.Time {
	until := c.school.LessonEnd(h.Now())
	for _, mode := range c.Modes {
		if !mode.Over(h.Now()) && mode.Ends.After(until) {
			until = mode.Ends
		}
	}
	return until
}

// backToBoard ends an action: the board as it is now, with what went wrong if a
// person can do something about it.
func (h *Handler) backToBoard(c *gin.Context, err error) error {
	switch {
	case err == nil:
		return seeOther(c, web.To(web.PathBoard, c.Param("group")))
	case startFault(err) != nil:
		return h.drawBoard(c, http.StatusUnprocessableEntity, startFault(err))
	}
	return err
}

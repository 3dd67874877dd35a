package console

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// GET /mein-tag/koffer
func (h *Handler) showBorrow(c *gin.Context) error { return h.drawBorrow(c, http.StatusOK, nil) }

func (h *Handler) drawBorrow(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	asked := query(c, "set")
	if asked == "" {
		asked = field(c, "group")
	}
	var sets []web.SetChoice
	for _, kind := range []org.GroupKind{org.Set, org.Room} {
		groups, _, err := h.Roster.Groups(ctx, v.actor, roster.GroupFilter{School: placeOf(v), Kind: kind})
		if err != nil {
			return err
		}
		for _, group := range groups {
			choice := web.SetChoice{Group: groupRef(group), Devices: group.Devices}
			if holder := group.Holder(h.Now()); holder != nil {
				choice.HeldBy, choice.Until, choice.Mine = holder.Name, holder.Until, holder.Staff == v.actor.ID
			}
			sets = append(sets, choice)
		}
	}
	slices.SortStableFunc(sets, func(a, b web.SetChoice) int {
		if first := b2i(b.Group.ID == asked) - b2i(a.Group.ID == asked); first != 0 {
			return first
		}
		return strings.Compare(strings.ToLower(a.Group.Name), strings.ToLower(b.Group.Name))
	})
	return show(c, status, web.Borrow(web.BorrowPage{Frame: v.frame, Until: h.lessonEnd(v), Sets: sets, Asked: asked, Problem: problem}))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// POST /mein-tag/koffer
func (h *Handler) borrow(c *gin.Context) error {
	taken, err := h.Roster.BorrowSet(c.Request.Context(), actor(c), org.ID(field(c, "group")), time.Time{}, c.PostForm("takeover") == "1")
	if problem := startFault(err); problem != nil {
		return h.drawBorrow(c, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "set_borrowed", "group", taken.Group.Name, "until", taken.Until)
	return seeOther(c, web.To(web.PathBoard, taken.Group.ID.String()))
}

// POST /mein-tag/koffer/zurueck
func (h *Handler) giveBack(c *gin.Context) error {
	if err := h.Roster.GiveBack(c.Request.Context(), actor(c), org.ID(field(c, "group"))); err != nil {
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "given_back")
	return seeOther(c, web.PathDay)
}

package console

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// GET /unterricht/:group
func (h *Handler) showBoard(c *gin.Context) error {
	return h.drawBoard(c, http.StatusOK, nil)
}

// drawBoard answers with the board as it is now, and with what went wrong if
// something did.
func (h *Handler) drawBoard(c *gin.Context, status int, problem *web.Problem) error {
	if pretended(c) {
		return h.drawRehearsal(c, status, problem)
	}
	h.lookedUp(c)
	ctx, v := c.Request.Context(), visitor(c)
	found, err := h.findClass(ctx, v.actor, c.Param("group"))
	if err != nil {
		return err
	}
	v.at(found.school)
	live, err := h.live(ctx, v, found)
	if err != nil {
		return err
	}
	page := web.BoardPage{Frame: v.frame, Group: groupRef(found.group), Room: found.group.Room, Live: live, Print: fingerprint(live), Problem: problem}
	page.Period = period(found.school, h.Now())
	page.Substitute, page.Borrowed = taken(v.actor, found.group, h.Now())
	page.StandIns = standIns(v.actor, found.group, h.Now())
	return show(c, status, web.Board(page))
}

// GET /unterricht/:group/stand
func (h *Handler) showBoardPart(c *gin.Context) error {
	if pretended(c) {
		return h.rehearsalPart(c)
	}
	h.lookedUp(c)
	v := visitor(c)
	found, err := h.findClass(c.Request.Context(), v.actor, c.Param("group"))
	if err != nil {
		return err
	}
	v.at(found.school)
	live, err := h.live(c.Request.Context(), v, found)
	if err != nil {
		return err
	}
	return page(c, web.BoardLiveFragment(live))
}

// at tells times in the zone of the school that a page is about, which may be
// another one than the person's first.
func (v *visit) at(school roster.School) { v.frame.Location = location(school.Timezone) }

// period is the lesson that runs in the school, nil if none is known.
func period(school roster.School, at time.Time) *web.Period {
	found, runs := school.PeriodAt(at)
	if !runs {
		return nil
	}
	return &web.Period{Number: found.Number, Start: found.Start, End: found.End}
}

// taken says whether the person stands in for a colleague here, or has borrowed
// the set.
func taken(who may.Actor, group roster.Group, at time.Time) (*web.Substitution, *time.Time) {
	var standIn *web.Substitution
	var borrowed *time.Time
	for _, teacher := range group.Teachers {
		if teacher.Staff != who.ID || !teacher.Until.After(at) {
			continue
		}
		switch teacher.How {
		case roster.Substitute:
			standIn = &web.Substitution{For: owner(group), Until: teacher.Until}
		case roster.Borrower:
			borrowed = &teacher.Until
		}
	}
	return standIn, borrowed
}

// standIns says which colleagues have the group for this lesson beside the
// person.
func standIns(who may.Actor, group roster.Group, at time.Time) []web.StandIn {
	var all []web.StandIn
	for _, teacher := range group.Teachers {
		if teacher.How == roster.Substitute && teacher.Staff != who.ID && teacher.Until.After(at) {
			all = append(all, web.StandIn{By: teacher.Name, Until: teacher.Until})
		}
	}
	return all
}

// owner is the first colleague who has the group for good.
func owner(group roster.Group) string {
	for _, teacher := range group.Teachers {
		if teacher.How == roster.Owner {
			return teacher.Name
		}
	}
	return ""
}

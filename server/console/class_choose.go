package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// GET /mein-tag/klassen
func (h *Handler) showChoose(c *gin.Context) error {
	choices, err := h.ownChoices(c)
	if err != nil {
		return err
	}
	return page(c, web.Choose(web.ChoosePage{Frame: frame(c), Query: query(c, "q"), Groups: choices}))
}

// POST /mein-tag/klassen
func (h *Handler) choose(c *gin.Context) error {
	if err := h.Roster.ChooseGroups(c.Request.Context(), actor(c), ticked(c, "group")); err != nil {
		choices, listErr := h.ownChoices(c)
		if listErr != nil {
			return listErr
		}
		return again(c, err, func(problem *web.Problem) templ.Component {
			return web.Choose(web.ChoosePage{Frame: frame(c), Groups: choices, Problem: problem})
		})
	}
	h.flash(c.Request.Context(), web.FlashDone, "classes_chosen")
	return seeOther(c, web.PathDay)
}

// ownChoices lists what was searched for and what is chosen already: what the
// page does not show would be given up when it is sent.
func (h *Handler) ownChoices(c *gin.Context) ([]web.GroupChoice, error) {
	choices, err := h.groupChoices(c, "", roster.Owner)
	if err != nil {
		return nil, err
	}
	mine, err := h.Roster.MyGroups(c.Request.Context(), actor(c))
	if err != nil {
		return nil, err
	}
	for _, teaching := range mine {
		group := teaching.Group
		shown := slices.ContainsFunc(choices, func(g web.GroupChoice) bool { return g.Group.ID == group.ID.String() })
		if teaching.How == roster.Owner && !shown {
			choices = append(choices, web.GroupChoice{Group: groupRef(group), Devices: group.Devices, Chosen: true})
		}
	}
	return choices, nil
}

// groupChoices lists the groups of the person's school that can be taught; those
// that the person has by the right are chosen.
func (h *Handler) groupChoices(c *gin.Context, kind org.GroupKind, how roster.How) ([]web.GroupChoice, error) {
	ctx, v := c.Request.Context(), visitor(c)
	const most = 200
	groups, _, err := h.Roster.Groups(ctx, v.actor, roster.GroupFilter{Query: query(c, "q"), School: placeOf(v), Kind: kind, Limit: most})
	if err != nil {
		return nil, err
	}
	var choices []web.GroupChoice
	for _, group := range groups {
		if group.Kind == org.Pilot || kind == "" && group.Kind == org.Set {
			continue
		}
		choice := web.GroupChoice{Group: groupRef(group), Devices: group.Devices}
		for _, teacher := range group.Teachers {
			if teacher.How == roster.Owner && teacher.Staff != v.actor.ID {
				choice.Teachers = append(choice.Teachers, teacher.Name)
			}
			choice.Chosen = choice.Chosen || teacher.Staff == v.actor.ID && teacher.How == how
		}
		choices = append(choices, choice)
	}
	return choices, nil
}

// placeOf is the school that the person acts in, empty while none is chosen.
func placeOf(v *visit) org.ID {
	if v.school == nil {
		return ""
	}
	return v.school.ID
}

// GET /mein-tag/vertreten
func (h *Handler) showSubstitute(c *gin.Context) error {
	return h.drawSubstitute(c, http.StatusOK, nil)
}

func (h *Handler) drawSubstitute(c *gin.Context, status int, problem *web.Problem) error {
	choices, err := h.groupChoices(c, "", roster.Substitute)
	if err != nil {
		return err
	}
	mine, err := h.Roster.MyGroups(c.Request.Context(), actor(c))
	if err != nil {
		return err
	}
	choices = slices.DeleteFunc(choices, func(g web.GroupChoice) bool { // nobody stands in for themselves
		own := slices.ContainsFunc(mine, func(t roster.Teaching) bool { return t.Group.ID.String() == g.Group.ID })
		return own || g.Group.Kind == web.KindRoom
	})
	return show(c, status, web.Substitute(web.SubstitutePage{Frame: frame(c), Query: query(c, "q"), Until: h.lessonEnd(visitor(c)), Groups: choices, Problem: problem}))
}

// lessonEnd is until when something taken now is had.
func (h *Handler) lessonEnd(v *visit) time.Time {
	if v.school == nil {
		return h.Now().Add(roster.DefaultLesson)
	}
	return v.school.LessonEnd(h.Now())
}

// POST /mein-tag/vertreten
func (h *Handler) substitute(c *gin.Context) error {
	taken, err := h.Roster.TakeClass(c.Request.Context(), actor(c), org.ID(field(c, "group")), time.Time{})
	if problem := startFault(err); problem != nil {
		return h.drawSubstitute(c, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "class_taken", "group", taken.Group.Name, "until", taken.Until)
	return seeOther(c, web.To(web.PathBoard, taken.Group.ID.String()))
}

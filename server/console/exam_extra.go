package console

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

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

package console

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/presets"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// GET /unterricht/:group/modus/:kind
func (h *Handler) showModeForm(c *gin.Context) error {
	kind := lease.Kind(c.Param("kind"))
	if !kind.Valid() || kind == lease.Exam {
		return errs.E(errs.NotFound, "not_found")
	}
	return h.drawModeForm(c, http.StatusOK, modeForm{kind: kind, devices: c.QueryArray("device")}, nil)
}

func (h *Handler) drawModeForm(c *gin.Context, status int, form modeForm, problem *web.Problem) error {
	if pretended(c) {
		return show(c, status, web.ModeForm(h.rehearsalForm(c, form, problem)))
	}
	ctx, v := c.Request.Context(), visitor(c)
	found, err := h.findClass(ctx, v.actor, c.Param("group"))
	if err != nil {
		return err
	}
	v.at(found.school)
	page := blankForm(v.frame, form, problem)
	page.Group, page.Devices, page.DefaultEnd = groupRef(found.group), len(found.Members), found.school.LessonEnd(h.Now())
	if form.minutes == 0 && form.kind != lease.Screen {
		page.Minutes = minutesTo(h.Now(), page.DefaultEnd, form.kind)
	}
	for _, member := range found.Members {
		if slices.Contains(form.devices, member.Device.String()) {
			page.Selected = append(page.Selected, web.DeviceRef{ID: member.Device.String(), Name: displayName(member.Person, member.Name)})
		}
	}
	if form.kind == lease.Sites && may.Anywhere(v.actor, may.SitesWrite) {
		if page.Lists, err = h.siteChoices(c, form.lists); err != nil {
			return err
		}
	}
	return show(c, status, web.ModeForm(page))
}

// blankForm fills in what does not depend on the class.
func blankForm(frame web.Frame, form modeForm, problem *web.Problem) web.ModeFormPage {
	page := web.ModeFormPage{
		Frame: frame, Kind: web.ModeKind(form.kind), Minutes: form.minutes, Until: form.until, Sites: form.sites, Message: form.message,
		MaxMinutes: int(form.kind.Longest() / time.Minute), Problem: problem,
	}
	if page.Minutes == 0 {
		page.Minutes = int(form.kind.Default() / time.Minute)
	}
	for _, program := range presets.Programs {
		page.Programs = append(page.Programs, web.Option{Value: program.Key, Label: program.Name, Chosen: slices.Contains(form.apps, program.Key)})
	}
	return page
}

// minutesTo offers the end of the lesson in whole minutes.
func minutesTo(now, end time.Time, kind lease.Kind) int {
	return int(min(end.Sub(now)+30*time.Second, kind.Longest()) / time.Minute)
}

func (h *Handler) siteChoices(c *gin.Context, chosen []string) ([]web.SiteListChoice, error) {
	lists, err := h.Roster.SiteLists(c.Request.Context(), actor(c))
	if err != nil {
		return nil, err
	}
	choices := make([]web.SiteListChoice, len(lists))
	for i, list := range lists {
		choices[i] = web.SiteListChoice{ID: list.ID.String(), Name: list.Name, Hosts: len(list.Sites), Chosen: slices.Contains(chosen, list.ID.String())}
	}
	slices.SortFunc(choices, func(a, b web.SiteListChoice) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return choices, nil
}

// displayName is the pupil's name where a school keeps it, else the inventory
// number.
func displayName(person, tag string) string {
	if person != "" {
		return person
	}
	return tag
}

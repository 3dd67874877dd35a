package console

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/presets"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// POST /unterricht/:group/modus
func (h *Handler) startMode(c *gin.Context) error {
	if pretended(c) {
		return h.startRehearsal(c)
	}
	err := h.start(c)
	switch {
	case err == nil:
		return seeOther(c, web.To(web.PathBoard, c.Param("group")))
	case startFault(err) == nil:
		return err
	case askedByForm(c):
		return h.drawModeForm(c, http.StatusUnprocessableEntity, readModeForm(c), startFault(err))
	}
	return h.drawBoard(c, http.StatusUnprocessableEntity, startFault(err))
}

func (h *Handler) start(c *gin.Context) error {
	ctx, who := c.Request.Context(), actor(c)
	group, err := h.Roster.Group(ctx, who, param(c, "group"))
	if err != nil {
		return err
	}
	if c.PostForm("last") != "" {
		_, err := h.Lessons.Repeat(ctx, who, group.ID)
		return err
	}
	school, err := h.Roster.School(ctx, who, group.School)
	if err != nil {
		return err
	}
	form := readModeForm(c)
	request, err := h.request(ctx, who, form, school)
	if err != nil {
		return err
	}
	request.Group, request.Devices = group.ID, toIDs(form.devices)
	_, err = h.Lessons.Start(ctx, who, request)
	return err
}

// askedByForm reports whether the form page was filled in, and not a tile of
// the board tapped.
func askedByForm(c *gin.Context) bool {
	_, there := c.GetPostForm("minutes")
	return there
}

// modeForm is what people typed.
type modeForm struct {
	kind    lease.Kind
	minutes int
	until   string
	lists   []string
	sites   string
	apps    []string
	message string
	devices []string
}

func readModeForm(c *gin.Context) modeForm {
	return modeForm{
		kind: lease.Kind(field(c, "kind")), minutes: number(c, "minutes", 0), until: field(c, "until"),
		lists: c.PostFormArray("list"), sites: c.PostForm("sites"), apps: c.PostFormArray("app"),
		message: field(c, "message"), devices: c.PostFormArray("device"),
	}
}

// request turns what was typed into what the room understands.
func (h *Handler) request(ctx context.Context, who may.Actor, form modeForm, school roster.School) (lesson.Request, error) {
	request := lesson.Request{Kind: form.kind, Minutes: form.minutes, Message: form.message, Apps: presets.Apps(form.apps)}
	var err error
	if request.Until, err = h.until(form, school); err != nil {
		return request, err
	}
	if !request.Until.IsZero() { // a time that was typed goes before the length that stands there anyway
		request.Minutes = 0
	}
	if form.kind != lease.Sites {
		return request, nil
	}
	typed, err := roster.ReadHosts(strings.Split(form.sites, "\n"))
	if err != nil {
		if fault := errs.Find(err); fault != nil {
			return request, fault.In("sites")
		}
		return request, err
	}
	request.Sites = typed
	for _, list := range toIDs(form.lists) {
		found, err := h.Roster.SiteList(ctx, who, list)
		if err != nil {
			return request, err
		}
		request.Sites = append(request.Sites, found.Sites...)
	}
	return request, nil
}

// until is the end as a time of the school's day; without one typed it is the
// end of the lesson, as far as the kind may last that long.
func (h *Handler) until(form modeForm, school roster.School) (time.Time, error) {
	now := h.Now()
	if form.until == "" {
		if end := school.LessonEnd(now); form.minutes == 0 && form.kind != lease.Screen && end.Sub(now) <= form.kind.Longest() {
			return end, nil
		}
		return time.Time{}, nil
	}
	clock, err := time.Parse("15:04", form.until)
	if err != nil {
		return time.Time{}, errs.E(errs.Invalid, "mode.bad_time").In("until")
	}
	zone := location(school.Timezone)
	local := now.In(zone)
	end := time.Date(local.Year(), local.Month(), local.Day(), clock.Hour(), clock.Minute(), 0, 0, zone)
	if !end.After(now) {
		return time.Time{}, errs.E(errs.Invalid, "mode.ends_before_start").In("until")
	}
	return end, nil
}

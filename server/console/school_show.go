package console

import (
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/board"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/shelf"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// GET /schule
func (h *Handler) showSchool(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	if asked := query(c, "ort"); asked != "" {
		return h.moveTo(c, org.ID(asked))
	}
	branch, err := v.branch()
	if err != nil {
		return err
	}
	now := h.Now()
	midnight := startOfDay(now, v.frame.Location)
	found, err := h.Board.School(ctx, v.actor, branch, midnight)
	if err != nil {
		return err
	}
	shown := web.SchoolPage{
		Frame: v.frame, School: found.School, Authority: found.Authority, Period: period(*v.school, now),
		Devices: found.Devices, Seen: found.Seen, Overdue: len(found.Overdue), CheckedAt: found.CheckedAt,
		Deviating: found.Deviating, Missing: found.Missing, Curve: curve(found.Contacts, *v.school, midnight, now),
	}
	for _, running := range found.Running {
		mode := runningMode(v.actor, running.Mode, now)
		mode.Devices = running.Devices
		shown.Running = append(shown.Running, web.SchoolMode{
			Group: web.GroupRef{ID: running.Mode.Branch.Group.String(), Name: running.Group, Kind: web.GroupKind(running.Kind)}, Names: running.Names, Mode: mode,
		})
	}
	shown.MayEnrol = may.Can(v.actor, may.TokenWrite, branch)
	shown.Teaching = shown.Period != nil || len(shown.Running) > 0
	shown.Todo = h.todo(v, found)
	if err := h.appsAsked(c, &shown); err != nil {
		return err
	}
	if err := h.standardToday(c, &shown); err != nil {
		return err
	}
	return page(c, web.School(shown))
}

// todo lists what a person of the school can do today, the most urgent first.
func (h *Handler) todo(v *visit, found board.School) []web.Todo {
	var list []web.Todo
	add := func(when bool, urgency, key, url string, n int) {
		if when {
			list = append(list, web.Todo{Urgency: urgency, What: web.Sentence{Key: key, Args: map[string]any{"count": n}}, URL: url})
		}
	}
	writes := may.Can(v.actor, may.SchoolWrite, v.school.Branch())
	add(len(found.Overdue) > 0, "today", "overdue", web.With(web.PathDevices, "state", overdue), len(found.Overdue))
	add(found.Deviating > 0, "today", "deviating", web.With(web.PathDevices, "state", string(web.StateDeviating)), found.Deviating)
	add(found.Missing > 0, "soon", "missing", web.With(web.PathDevices, "seen", string(roster.SeenLately)), found.Missing)
	add(found.Devices == 0 && writes, "open", "first_device", web.PathTokenNew, 0)
	add(len(v.school.Bells) == 0 && writes, "open", "bells", web.PathSettings, 0)
	return list
}

// appsAsked adds that teachers wait for an answer about apps.
func (h *Handler) appsAsked(c *gin.Context, shown *web.SchoolPage) error {
	v := visitor(c)
	if !may.Can(v.actor, may.ShelfWrite, v.school.Branch()) {
		return nil
	}
	requests, err := h.Shelf.Requests(c.Request.Context(), v.actor, v.school.ID)
	waiting := 0
	for _, r := range requests {
		if r.Answer == shelf.Open {
			waiting++
		}
	}
	if waiting > 0 {
		shown.Todo = append(shown.Todo, web.Todo{Urgency: "soon", What: web.Sentence{Key: "apps_asked", Args: map[string]any{"count": waiting}}, URL: web.PathShelf + "#requests"})
	}
	return err
}

// standardToday adds how far the school follows the standard, and what of it
// waits for somebody.
func (h *Handler) standardToday(c *gin.Context, shown *web.SchoolPage) error {
	v := visitor(c)
	if !may.Can(v.actor, may.PolicyRead, v.school.Branch()) {
		return nil
	}
	today, err := h.Standard.Today(c.Request.Context(), v.actor, v.school.Branch())
	if err != nil {
		return err
	}
	if today.Follow.Fields > 0 {
		percent := today.Follow.Percent()
		shown.Follow = &percent
	}
	add := func(n int, urgency, key, url string) {
		if n > 0 {
			shown.Todo = append(shown.Todo, web.Todo{Urgency: urgency, What: web.Sentence{Key: key, Args: map[string]any{"count": n}}, URL: url})
		}
	}
	add(today.Proposed, "today", "drafts_waiting", web.PathDrafts)
	add(today.Asked, "today", "exceptions_asked", web.With(web.PathExceptions, "stand", "asked"))
	add(today.Soon, "today", "exceptions_soon", web.With(web.PathExceptions, "endet", "7"))
	add(today.Ending-today.Soon, "soon", "exceptions_ending", web.With(web.PathExceptions, "endet", "30"))
	add(today.Pilots, "open", "pilots", web.PathDrafts)
	return nil
}

// step is the width of one bar of the curve of contacts.
const step = 10 * time.Minute

// curve sums contacts in steps since midnight, up to now and no further.
func curve(contacts []board.Contacts, school roster.School, midnight, now time.Time) web.Curve {
	shown := web.Curve{From: midnight, Step: step, Until: midnight.Add(24 * time.Hour), Values: make([]int, max(0, int(now.Sub(midnight)/step)+1))}
	for _, minute := range contacts {
		if i := int(minute.Minute.Sub(midnight) / step); i >= 0 && i < len(shown.Values) {
			shown.Values[i] += minute.N
		}
	}
	zone := location(school.Timezone)
	day := midnight.In(zone)
	for _, bell := range school.Bells {
		shown.Bells = append(shown.Bells, time.Date(day.Year(), day.Month(), day.Day(), bell.From/60, bell.From%60, 0, 0, zone))
	}
	return shown
}

func startOfDay(at time.Time, zone *time.Location) time.Time {
	local := at.In(zone)
	return time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
}

// GET /schule/einstellungen
func (h *Handler) showSettings(c *gin.Context) error {
	v := visitor(c)
	if _, err := v.branch(); err != nil {
		return err
	}
	return page(c, web.Settings(web.SettingsPage{
		Frame: v.frame, Name: v.school.Name, Short: v.school.Short, Bells: bellLines(v.school.Bells), FilterURL: filterURL(v),
		DefaultMinutes: minutesOf(v.school.Minutes),
	}))
}

func minutesOf(minutes int) int {
	if minutes > 0 {
		return minutes
	}
	return int(roster.DefaultLesson / time.Minute)
}

func bellLines(bells []roster.Bell) string {
	lines := make([]string, len(bells))
	for i, bell := range bells {
		lines[i] = fmt.Sprintf("%02d:%02d-%02d:%02d", bell.From/60, bell.From%60, bell.Until/60, bell.Until%60)
	}
	return strings.Join(lines, "\n")
}

// POST /schule/einstellungen
func (h *Handler) saveSettings(c *gin.Context) error {
	v := visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	if err := h.storeSettings(c, v, branch); err != nil {
		return again(c, err, func(problem *web.Problem) templ.Component {
			return web.Settings(web.SettingsPage{
				Frame: v.frame, Name: field(c, "name"), Short: field(c, "short"), Bells: c.PostForm("bells"), FilterURL: filterURL(v),
				DefaultMinutes: number(c, "default_minutes", 0), Problem: problem,
			})
		})
	}
	h.flash(c.Request.Context(), web.FlashDone, "settings_saved")
	return seeOther(c, web.PathSettings)
}

func (h *Handler) storeSettings(c *gin.Context, v *visit, branch org.Branch) error {
	ctx := c.Request.Context()
	bells, err := roster.ReadBells(c.PostForm("bells"))
	if err != nil {
		return err
	}
	name, short, minutes := field(c, "name"), field(c, "short"), number(c, "default_minutes", 0)
	_, err = h.Roster.UpdateSchool(ctx, v.actor, branch.School, roster.SchoolUpdate{Name: &name, Short: &short, Bells: &bells, Minutes: &minutes})
	return err
}

// filterURL leads to the school's web filter, which is a policy like any other.
func filterURL(v *visit) string {
	if !may.Can(v.actor, may.PolicyRead, v.school.Branch()) {
		return ""
	}
	place := policyPlace(standard.Place{Place: desired.Place{Level: org.School, ID: v.school.ID}})
	return place.URL + "#f-" + catalog.WebFilterFamily.Name
}

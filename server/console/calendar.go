package console

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/calendar"
	"schulwart.org/server/calendar/holidays"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// GET /kalender
func (h *Handler) showCalendars(c *gin.Context) error {
	v := visitor(c)
	if level, id, chosen := strings.Cut(query(c, "ort"), "/"); chosen {
		return seeOther(c, web.To(web.PathCalendar, level, id))
	}
	if v.school != nil {
		return seeOther(c, web.To(web.PathCalendar, string(org.School), v.school.ID.String()))
	}
	places, err := h.placesFor(c, may.SchoolWrite, "")
	if err != nil {
		return err
	}
	if len(places) == 0 {
		return errNoPlace
	}
	level, id, _ := strings.Cut(places[0].Value, "/")
	return seeOther(c, web.To(web.PathCalendar, level, id))
}

// GET /kalender/:level/:place
func (h *Handler) showCalendar(c *gin.Context) error {
	return h.drawCalendar(c, http.StatusOK, web.CalendarPage{})
}

// drawCalendar shows a school year beside what a form said.
func (h *Handler) drawCalendar(c *gin.Context, status int, said web.CalendarPage) error {
	ctx, v, shown := c.Request.Context(), visitor(c), said
	found, err := h.Calendars.Find(ctx, v.actor, org.Level(c.Param("level")), param(c, "place"))
	if err != nil {
		return err
	}
	day := ground.Date(query(c, "ab"))
	if !day.Valid() {
		day = ground.DateOf(h.Now().In(zoneOf(c)))
	}
	first, last := calendar.SchoolYear(day)
	shown.Frame, shown.Level, shown.ID, shown.School, shown.MayWrite = v.frame, c.Param("level"), c.Param("place"), found.Branch.School != "", found.MayWrite
	shown.Name, shown.Land = poolPlace(c, h.placeNames(c), found.Branch), string(found.Land)
	shown.First, shown.Last = noon(first), noon(last)
	here := web.To(web.PathCalendar, shown.Level, shown.ID)
	shown.Before, shown.After = web.With(here, "ab", string(first.Add(-1))), web.With(here, "ab", string(last.Add(1)))
	shown.Months, shown.Entries = yearMonths(found, first, last), yearEntries(found, first, last)
	for _, land := range append([]ground.Land{""}, ground.Lander...) {
		shown.Lands = append(shown.Lands, web.Option{Value: string(land), Chosen: land == found.Land})
	}
	slices.SortFunc(shown.Lands[1:], func(a, b web.Option) int {
		return cmp.Compare(v.frame.T("land."+a.Value), v.frame.T("land."+b.Value))
	})
	if shown.Places, err = h.placesFor(c, may.SchoolWrite, shown.Level+"/"+shown.ID); err != nil {
		return err
	}
	return show(c, status, web.Calendar(shown))
}

func noon(day ground.Date) time.Time {
	at, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return time.Time{}
	}
	return at.Add(12 * time.Hour)
}

// yearMonths says of every day of a school year what it is.
func yearMonths(found calendar.Calendar, first, last ground.Date) []web.CalendarMonth {
	var months []web.CalendarMonth
	for day := first; day <= last; day = day.Add(1) {
		at := noon(day)
		if at.Day() == 1 {
			months = append(months, web.CalendarMonth{At: at})
		}
		m := &months[len(months)-1]
		m.Days = append(m.Days, dayKind(found, day))
	}
	return months
}

func dayKind(found calendar.Calendar, day ground.Date) web.DayKind {
	within := func(b ground.Break) bool { return b.First <= day && day <= b.Last }
	if _, is := found.Land.Holiday(day); is {
		return "holiday"
	}
	switch weekday := day.Weekday(); {
	case slices.ContainsFunc(found.Breaks, within):
		return "break"
	case slices.ContainsFunc(found.Own, within):
		return "own"
	case weekday == time.Saturday, weekday == time.Sunday:
		return "weekend"
	}
	return "school"
}

// yearEntries lists what lies in a school year, in the order of its days.
func yearEntries(found calendar.Calendar, first, last ground.Date) []web.CalendarEntry {
	var list []web.CalendarEntry
	add := func(kind web.DayKind, mine bool, breaks ...ground.Break) {
		for _, b := range breaks {
			if b.Last >= first && b.First <= last {
				list = append(list, web.CalendarEntry{Kind: kind, Name: b.Name, First: noon(b.First), Last: noon(b.Last), Mine: mine, Value: breakValue(b)})
			}
		}
	}
	for _, year := range []int{noon(first).Year(), noon(last).Year()} {
		for _, holiday := range found.Land.Holidays(year) {
			add("holiday", false, ground.Break{Name: holiday.Name, First: holiday.Date, Last: holiday.Date})
		}
	}
	add("break", found.MayWrite && found.Branch.School == "", found.Breaks...)
	add("own", found.MayWrite, found.Own...)
	slices.SortStableFunc(list, func(a, b web.CalendarEntry) int { return cmp.Or(a.First.Compare(b.First), a.Last.Compare(b.Last)) })
	return list
}

// A break in forms: its days and its name.
func breakValue(b ground.Break) string {
	return string(b.First) + "/" + string(b.Last) + "/" + b.Name
}

func readBreak(value string) ground.Break {
	parts := strings.SplitN(value+"//", "/", 3)
	return ground.Break{First: ground.Date(parts[0]), Last: ground.Date(parts[1]), Name: strings.TrimSuffix(parts[2], "//")}
}

// POST /kalender/:level/:place
func (h *Handler) changeCalendar(c *gin.Context) error {
	ctx, what := c.Request.Context(), field(c, "do")
	added := ground.Break{Name: field(c, "name"), First: ground.Date(field(c, "first")), Last: ground.Date(cmp.Or(field(c, "last"), field(c, "first")))}
	err := h.Calendars.Change(ctx, actor(c), org.Level(c.Param("level")), param(c, "place"), func(land ground.Land, own []ground.Break) (ground.Land, []ground.Break) {
		switch what {
		case "land":
			land = ground.Land(field(c, "land"))
		case "add":
			own = append(own, added)
		case "take":
			for _, value := range c.PostFormArray("break") {
				own = append(own, readBreak(value))
			}
		case "remove":
			gone := readBreak(field(c, "break"))
			own = slices.DeleteFunc(own, func(b ground.Break) bool { return b == gone })
		}
		return land, own
	})
	if err != nil {
		problem := problemOf(err)
		if problem == nil || !canMend(err) {
			return err
		}
		if what == "add" && problem.Field == "breaks" {
			problem.Field, problem.Key = "first", problem.Key+".form"
		}
		return h.drawCalendar(c, http.StatusUnprocessableEntity, web.CalendarPage{Problem: problem, Form: web.CalendarEntry{Name: added.Name, First: noon(added.First), Last: noon(added.Last)}})
	}
	h.flash(ctx, web.FlashDone, "calendar_saved")
	to := web.To(web.PathCalendar, c.Param("level"), c.Param("place"))
	if what == "add" {
		to = web.With(to, "ab", string(added.First))
	}
	return seeOther(c, to)
}

// POST /kalender/:level/:place/vorschau
func (h *Handler) readCalendar(c *gin.Context) error {
	found, err := h.Calendars.Find(c.Request.Context(), actor(c), org.Level(c.Param("level")), param(c, "place"))
	if err != nil {
		return err
	}
	var lines []holidays.Line
	name, data, err := uploaded(c)
	if err == nil {
		lines, err = h.Calendars.Read(data, append(found.Breaks, found.Own...))
	}
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawCalendar(c, http.StatusUnprocessableEntity, web.CalendarPage{Problem: problem})
		}
		return err
	}
	preview := &web.CalendarPreview{File: name}
	for _, l := range lines {
		switch {
		case l.Fault != "":
			preview.Faults = append(preview.Faults, web.CalendarFault{Line: l.Number, Name: l.Break.Name, Key: l.Fault})
		case l.Known:
			preview.Known++
		default:
			preview.New = append(preview.New, web.CalendarEntry{Kind: "break", Name: l.Break.Name, First: noon(l.Break.First), Last: noon(l.Break.Last), Value: breakValue(l.Break)})
		}
	}
	return h.drawCalendar(c, http.StatusOK, web.CalendarPage{Preview: preview})
}

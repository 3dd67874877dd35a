package sample

import (
	"time"

	"github.com/a-h/templ"

	"schulwart.org/web"
)

func day(year int, month time.Month, n int) time.Time {
	return time.Date(year, month, n, 12, 0, 0, 0, time.UTC)
}

// calendarPage is a school year in which each kind of day appears.
func calendarPage(f web.Frame, school bool) web.CalendarPage {
	p := web.CalendarPage{
		Frame: admin(f, web.NavCalendar), Level: "authority", ID: "a1", Name: "Landeshauptstadt Musterstadt", School: school, MayWrite: true, Land: "MV",
		Lands: []web.Option{{Value: ""}, {Value: "HH"}, {Value: "MV", Chosen: true}}, First: day(2026, time.August, 1), Last: day(2027, time.July, 31), Before: "?ab=2026-07-31", After: "?ab=2027-08-01",
	}
	p.Entries = []web.CalendarEntry{
		{Kind: "holiday", Name: "holiday.unity", First: day(2026, time.October, 3), Last: day(2026, time.October, 3)},
		{Kind: "break", Name: "Herbstferien", First: day(2026, time.October, 15), Last: day(2026, time.October, 24), Mine: !school, Value: "2026-10-15/2026-10-24/Herbstferien"},
		{Kind: "holiday", Name: "holiday.reformation", First: day(2026, time.October, 31), Last: day(2026, time.October, 31)},
		{Kind: "break", Name: "Weihnachtsferien", First: day(2026, time.December, 21), Last: day(2027, time.January, 2), Mine: !school, Value: "2026-12-21/2027-01-02/Weihnachtsferien"},
	}
	if school {
		p.Level, p.ID, p.Name = "school", "s1", "Goethe-Gymnasium"
		p.Entries = append(p.Entries, web.CalendarEntry{Kind: "own", Name: "Pädagogischer Tag", First: day(2027, time.February, 15), Last: day(2027, time.February, 15), Mine: true, Value: "2027-02-15/2027-02-15/Pädagogischer Tag"})
	}
	for at := p.First; !at.After(p.Last); at = at.AddDate(0, 0, 1) {
		if at.Day() == 1 {
			p.Months = append(p.Months, web.CalendarMonth{At: at})
		}
		kind := web.DayKind("school")
		if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
			kind = "weekend"
		}
		for _, entry := range p.Entries {
			if !at.Before(entry.First) && !at.After(entry.Last) {
				kind = entry.Kind
			}
		}
		month := &p.Months[len(p.Months)-1]
		month.Days = append(month.Days, kind)
	}
	return p
}

var calendars = []Sample{
	{"calendar", "School", func(f web.Frame) templ.Component { return web.Calendar(calendarPage(f, false)) }},
	{"calendar-school", "School", func(f web.Frame) templ.Component {
		p := calendarPage(f, true)
		p.Places = []web.Option{{Value: "school/s1", Label: "Goethe-Gymnasium", Chosen: true}, {Value: "school/s2", Label: "Realschule am See"}}
		return web.Calendar(p)
	}},
	{"calendar-preview", "School", func(f web.Frame) templ.Component {
		p := calendarPage(f, false)
		p.Preview = &web.CalendarPreview{File: "ferien-mv.ics", Known: 2, New: []web.CalendarEntry{{Kind: "break", Name: "Winterferien", First: day(2027, time.February, 8), Last: day(2027, time.February, 19), Value: "2027-02-08/2027-02-19/Winterferien"}},
			Faults: []web.CalendarFault{{Line: 7, Name: "Elternabend", Key: "no_day"}}}
		return web.Calendar(p)
	}},
	{"calendar-fault", "School", func(f web.Frame) templ.Component {
		p := calendarPage(f, false)
		p.Land, p.Problem, p.Form = "", &web.Problem{Key: "calendar.bad_break.form", Field: "first"}, web.CalendarEntry{Name: "Osterferien", First: day(2027, time.April, 3), Last: day(2027, time.March, 24)}
		return web.Calendar(p)
	}},
}

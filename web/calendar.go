package web

import (
	"fmt"
	"time"

	"github.com/a-h/templ"
)

func (p CalendarPage) here() templ.SafeURL { return templ.SafeURL(To(PathCalendar, p.Level, p.ID)) }

// year names a school year, "2026/27".
func (p CalendarPage) year() string {
	return fmt.Sprintf("%d/%02d", p.First.Year(), p.Last.Year()%100)
}

// kinds are those that the legend explains: a school's own only at a school.
func (p CalendarPage) kinds() []DayKind {
	kinds := []DayKind{"school", "weekend", "holiday", "break"}
	if p.School {
		kinds = append(kinds, "own")
	}
	return kinds
}

func (p CalendarPage) monthShort(m CalendarMonth) string {
	name := []rune(p.T(fmt.Sprintf("word.month.%d", m.At.Month())))
	return string(name[:min(3, len(name))])
}

// pictureText says in numbers what the picture shows; the table below says the rest.
func (p CalendarPage) pictureText() string {
	days := map[DayKind]int{}
	for _, month := range p.Months {
		for _, kind := range month.Days {
			days[kind]++
		}
	}
	return p.T("calendar.picture.label", "year", p.year(), "school", days["school"], "holidays", days["holiday"], "breaks", days["break"]+days["own"])
}

// entryName is the name of an entry: public holidays have words of their own.
func (p CalendarPage) entryName(e CalendarEntry) string {
	switch {
	case e.Kind == "holiday":
		return p.T(e.Name)
	case e.Name == "":
		return p.T("calendar.unnamed")
	}
	return e.Name
}

// days tells from when until when, with weekdays.
func (p CalendarPage) days(e CalendarEntry) string {
	day := func(t time.Time) string {
		return p.T("calendar.day", "weekday", Sentence{Key: fmt.Sprintf("weekday.short.%d", t.Weekday())}, "day", Frame{Lang: p.Lang}.Day(t))
	}
	if e.First.Equal(e.Last) {
		return day(e.First)
	}
	return p.T("calendar.span", "first", day(e.First), "last", day(e.Last))
}

func (p CalendarPage) faultLine(fault CalendarFault) string {
	name := fault.Name
	if name == "" {
		name = p.T("calendar.unnamed")
	}
	return p.T("calendar.fault", "line", fault.Line, "name", name, "why", p.T("calendar.fault."+fault.Key))
}

// isoDay is a day as forms want it.
func isoDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func yearBox(months int) string { return fmt.Sprintf("0 0 %d %d", 34+31*13, months*14) }

func dot5(n int) string { return fmt.Sprintf("%.1f", float64(n)+5.5) }

func slash(x, y int) string { return fmt.Sprintf("M%d %dl7-7", x+2, y+9) }

func cross(x, y int) string { return fmt.Sprintf("M%d %dl7-7m-7 0l7 7", x+2, y+9) }

package web

import (
	"strconv"
	"strings"
	"time"
)

// local returns t in school time.
func (f Frame) local(t time.Time) time.Time {
	if f.Location == nil {
		return t.UTC()
	}
	return t.In(f.Location)
}

// zoneName is school time by a name that browsers know, for what they tell
// themselves; empty where it has none.
func (f Frame) zoneName() string {
	if f.Location == nil || !strings.Contains(f.Location.String(), "/") && f.Location != time.UTC {
		return ""
	}
	return f.Location.String()
}

// now is the time of the page; a page without one is made now.
func (f Frame) now() time.Time {
	if f.Now.IsZero() {
		return time.Now()
	}
	return f.Now
}

// Clock tells the time of day, "09:50".
func (f Frame) Clock(t time.Time) string { return f.local(t).Format("15:04") }

// Exact tells date and time to the second, for logs.
func (f Frame) Exact(t time.Time) string {
	if f.Lang == "en" {
		return f.local(t).Format("2 Jan 2006, 15:04:05")
	}
	return f.local(t).Format("02.01.2006, 15:04:05")
}

// Day tells the date in figures, "16.11.2026".
func (f Frame) Day(t time.Time) string {
	if t.IsZero() {
		return f.T("time.open")
	}
	if f.Lang == "en" {
		return f.local(t).Format("2 Jan 2006")
	}
	return f.local(t).Format("02.01.2006")
}

// Date tells weekday and date, "Montag, 16. November".
func (f Frame) Date(t time.Time) string {
	local := f.local(t)
	return f.T("time.date",
		"weekday", Sentence{Key: "weekday." + strconv.Itoa(int(local.Weekday()))},
		"day", strconv.Itoa(local.Day()),
		"month", Sentence{Key: "month." + strconv.Itoa(int(local.Month()))})
}

// When tells an instant as briefly as is clear: the time alone for today, with
// "gestern" or "morgen" beside it for the neighbours, else with the date.
func (f Frame) When(t time.Time) string {
	if t.IsZero() {
		return f.T("time.never")
	}
	switch f.daysFromToday(t) {
	case 0:
		return f.Clock(t)
	case -1:
		return f.T("time.yesterday", "clock", f.Clock(t))
	case 1:
		return f.T("time.tomorrow", "clock", f.Clock(t))
	}
	return f.T("time.dayclock", "day", f.Day(t), "clock", f.Clock(t))
}

func (f Frame) daysFromToday(t time.Time) int {
	return int(midnight(f.local(t)).Sub(midnight(f.local(f.now()))).Hours() / 24)
}

// midnight counts days in UTC, where each has 24 hours.
func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// Age tells how long ago t is, "vor 3 s".
func (f Frame) Age(t time.Time) string {
	if t.IsZero() {
		return f.T("time.never")
	}
	ago := f.now().Sub(t)
	switch {
	case ago < time.Minute:
		return f.T("age.seconds", "n", strconv.Itoa(max(0, int(ago.Seconds()))))
	case ago < time.Hour:
		return f.T("age.minutes", "n", strconv.Itoa(int(ago.Minutes())))
	case ago < 48*time.Hour:
		return f.T("age.hours", "n", strconv.Itoa(int(ago.Hours())))
	}
	return f.T("age.days", "n", strconv.Itoa(int(ago.Hours()/24)))
}

// Length tells a duration in its two largest units, "1 h 30 min".
func (f Frame) Length(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		hours, minutes := int(d.Hours()), int(d.Minutes())%60
		if minutes == 0 {
			return strconv.Itoa(hours) + " h"
		}
		return strconv.Itoa(hours) + " h " + strconv.Itoa(minutes) + " min"
	}
	return f.T("time.days", "count", int(d.Hours()/24))
}

// Number writes a whole number with the language's thousands.
func (f Frame) Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	separator := "."
	if f.Lang == "en" {
		separator = ","
	}
	if len(digits) <= 4 { // "1200" reads better than "1.200"
		return sign + digits
	}
	first := len(digits) % 3
	groups := []string{}
	if first > 0 {
		groups = append(groups, digits[:first])
	}
	for i := first; i < len(digits); i += 3 {
		groups = append(groups, digits[i:i+3])
	}
	return sign + strings.Join(groups, separator)
}

// inWords writes a small number as a word, as a sentence begins with it.
func (f Frame) inWords(n int) string {
	if key := "number." + strconv.Itoa(n); Knows(f.Lang, key) {
		return f.T(key)
	}
	return f.Number(int64(n))
}

// Decimal writes a number with one digit behind the point.
func (f Frame) Decimal(x float64) string {
	text := strconv.FormatFloat(x, 'f', 1, 64)
	if f.Lang == "en" {
		return text
	}
	return strings.Replace(text, ".", ",", 1)
}

// Bytes writes a size as people say it, "1,4 GB".
func (f Frame) Bytes(n int64) string {
	units := []string{"kB", "MB", "GB", "TB"}
	if n < 1000 {
		return f.Number(n) + " B"
	}
	size, unit := float64(n)/1000, 0
	for size >= 1000 && unit < len(units)-1 {
		size, unit = size/1000, unit+1
	}
	return f.Decimal(size) + " " + units[unit]
}

// List joins names, "Ada, Ben und Cem".
func (f Frame) List(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " " + f.T("time.and") + " " + names[last]
}

// stamp is an instant for a machine, as the datetime attribute wants it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// itoa shortens templates.
func itoa(n int) string { return strconv.Itoa(n) }

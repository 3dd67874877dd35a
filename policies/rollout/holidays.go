package rollout

import (
	"slices"
	"time"
)

// Land is one of the sixteen German Länder, by its ISO 3166-2 code without "DE-".
type Land string

// Lander lists the Länder by code.
var Lander = []Land{"BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH"}

// Valid reports whether there is such a Land.
func (l Land) Valid() bool { return slices.Contains(Lander, l) }

// Date is a day without a time and without a zone: "2026-11-30".
type Date string

const dateForm = "2006-01-02"

// DateOf returns the day of the instant in its own zone.
func DateOf(at time.Time) Date { return Date(at.Format(dateForm)) }

// Valid reports whether the calendar has such a day.
func (d Date) Valid() bool {
	_, err := time.Parse(dateForm, string(d))
	return err == nil
}

// noon returns the middle of the day in UTC, for reckoning with days only.
func (d Date) noon() time.Time {
	day, _ := time.Parse(dateForm, string(d))
	return day.Add(12 * time.Hour)
}

// Add returns the day so many days later.
func (d Date) Add(days int) Date { return DateOf(d.noon().AddDate(0, 0, days)) }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.noon().Weekday() }

// Easter returns Easter Sunday of a year of the Gregorian calendar (the
// algorithm of Meeus, Jones and Butcher).
func Easter(year int) Date {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return DateOf(time.Date(year, time.Month(n/31), n%31+1, 12, 0, 0, 0, time.UTC))
}

// Holiday is a public holiday.
type Holiday struct {
	Date Date
	Name string // key: "holiday.easter_monday"
}

// holiday is a rule. A day is either fixed ("05-01") or counted from Easter.
type holiday struct {
	name   string
	day    string
	easter int
	in     []Land // nil for all
	from   int    // first year; 0 for always
	only   int    // the one year; 0 for every
}

// holidays are the public holidays of the Länder as their laws have them. Days
// that only some communities keep (Mariä Himmelfahrt in Bavaria, Fronleichnam in
// parts of Saxony and Thuringia, the peace festival of Augsburg) are entered with
// the school's holidays, where somebody knows the community.
var holidays = []holiday{
	{name: "new_year", day: "01-01"},
	{name: "epiphany", day: "01-06", in: []Land{"BW", "BY", "ST"}},
	{name: "women", day: "03-08", in: []Land{"BE"}, from: 2019},
	{name: "women", day: "03-08", in: []Land{"MV"}, from: 2023},
	{name: "good_friday", easter: -2},
	{name: "easter_sunday", easter: 0, in: []Land{"BB"}},
	{name: "easter_monday", easter: 1},
	{name: "labour", day: "05-01"},
	{name: "liberation", day: "05-08", in: []Land{"BE"}, only: 2020},
	{name: "liberation", day: "05-08", in: []Land{"BE"}, only: 2025},
	{name: "ascension", easter: 39},
	{name: "whit_sunday", easter: 49, in: []Land{"BB"}},
	{name: "whit_monday", easter: 50},
	{name: "corpus_christi", easter: 60, in: []Land{"BW", "BY", "HE", "NW", "RP", "SL"}},
	{name: "uprising", day: "06-17", in: []Land{"BE"}, only: 2028},
	{name: "assumption", day: "08-15", in: []Land{"SL"}},
	{name: "children", day: "09-20", in: []Land{"TH"}, from: 2019},
	{name: "unity", day: "10-03"},
	{name: "reformation", day: "10-31", in: []Land{"BB", "MV", "SN", "ST", "TH"}},
	{name: "reformation", day: "10-31", in: []Land{"HB", "HH", "NI", "SH"}, from: 2018},
	{name: "reformation", day: "10-31", in: []Land{"BE", "BW", "BY", "HB", "HE", "HH", "NI", "NW", "RP", "SH", "SL"}, only: 2017},
	{name: "all_saints", day: "11-01", in: []Land{"BW", "BY", "NW", "RP", "SL"}},
	{name: "repentance", in: []Land{"SN"}},
	{name: "christmas", day: "12-25"},
	{name: "boxing", day: "12-26"},
}

func (h holiday) applies(land Land, year int) bool {
	return (h.in == nil || slices.Contains(h.in, land)) && year >= h.from && (h.only == 0 || h.only == year)
}

func (h holiday) date(year int) Date {
	start := DateOf(time.Date(year, time.January, 1, 12, 0, 0, 0, time.UTC))
	switch {
	case h.name == "repentance":
		// The Wednesday before the 23rd of November.
		before := start[:5] + "11-22"
		return before.Add(-(int(before.Weekday()) - int(time.Wednesday) + 7) % 7)
	case h.day != "":
		return start[:5] + Date(h.day)
	}
	return Easter(year).Add(h.easter)
}

// Holidays lists the public holidays of a Land in a year, in their order; those
// of all Länder for one that does not exist.
func (l Land) Holidays(year int) []Holiday {
	var days []Holiday
	for _, h := range holidays {
		if h.applies(l, year) {
			days = append(days, Holiday{h.date(year), "holiday." + h.name})
		}
	}
	slices.SortStableFunc(days, func(a, b Holiday) int {
		switch {
		case a.Date < b.Date:
			return -1
		case a.Date > b.Date:
			return 1
		}
		return 0
	})
	return days
}

// Holiday returns the public holiday that the day is in the Land.
func (l Land) Holiday(day Date) (Holiday, bool) {
	year := day.noon().Year()
	for _, h := range holidays {
		if h.applies(l, year) && h.date(year) == day {
			return Holiday{day, "holiday." + h.name}, true
		}
	}
	return Holiday{}, false
}

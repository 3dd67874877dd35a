package rollout_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/rollout"
)

var berlin = zone("Europe/Berlin")

func zone(name string) *time.Location {
	found, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return found
}

func at(text string) time.Time {
	read, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
	if err != nil {
		panic(err)
	}
	return read
}

func clock(text string) rollout.Clock {
	read, err := rollout.ParseClock(text)
	if err != nil {
		panic(err)
	}
	return read
}

func span(from, to string) rollout.Span { return rollout.Span{From: clock(from), To: clock(to)} }

var (
	schwerin = rollout.Calendar{Zone: "Europe/Berlin", Land: "MV", Lessons: span("07:30", "15:10"), Breaks: []rollout.Break{{First: "2026-12-21", Last: "2027-01-02"}}}
	friday   = rollout.Window{Open: []rollout.Hours{{Days: []time.Weekday{time.Friday}, Span: span("14:00", "18:00")}}}
)

func TestAWindowThroughASchoolYear(t *testing.T) {
	night := rollout.Window{Open: []rollout.Hours{{Days: []time.Weekday{time.Monday}, Span: span("22:00", "05:00")}}}
	deadline := friday
	deadline.Deadline = at("2026-11-26 12:00")
	evenings := rollout.Window{Open: []rollout.Hours{{Days: []time.Weekday{time.Monday, time.Thursday}, Span: span("16:00", "20:00")}}}
	holidays, never, quiet := evenings, evenings, evenings
	holidays.Free, never.Free, quiet.Quiet = rollout.FreeOnly, rollout.FreeNever, span("17:00", "18:00")
	whole := friday
	whole.Free = rollout.FreeWhole
	cases := map[string]struct {
		window        rollout.Window
		at            string
		opens, closes string
		forced        bool
	}{
		"Friday, from when lessons are over":        {friday, "2026-11-26 09:00", "2026-11-27 15:10", "2026-11-27 18:00", false},
		"runs already":                              {friday, "2026-11-27 16:00", "2026-11-27 15:10", "2026-11-27 18:00", false},
		"is over at its end":                        {friday, "2026-11-27 18:00", "2026-12-04 15:10", "2026-12-04 18:00", false},
		"in the holidays all of Friday's hours":     {friday, "2026-12-20 18:00", "2026-12-25 14:00", "2026-12-25 18:00", false},
		"in the holidays all day":                   {whole, "2026-12-20 18:00", "2026-12-20 00:00", "2026-12-21 00:00", false},
		"no hours: any time but lessons":            {rollout.Window{}, "2026-11-26 09:00", "2026-11-26 15:10", "2026-11-27 00:00", false},
		"over midnight is one opening each day":     {night, "2026-11-24 01:00", "2026-11-24 00:00", "2026-11-24 05:00", false},
		"over midnight, in the evening":             {night, "2026-11-24 05:00", "2026-11-30 22:00", "2026-12-01 00:00", false},
		"only on days without lessons":              {holidays, "2026-11-26 09:00", "2026-12-21 16:00", "2026-12-21 20:00", false},
		"never on days without lessons":             {never, "2026-12-18 09:00", "2027-01-04 16:00", "2027-01-04 20:00", false},
		"quiet hours cut an opening":                {quiet, "2026-11-26 17:10", "2026-11-26 18:00", "2026-11-26 20:00", false},
		"after the deadline only lessons count":     {deadline, "2026-11-26 13:00", "2026-11-26 15:10", "2026-11-27 00:00", true},
		"before the deadline nothing opens: forced": {deadline, "2026-11-26 09:00", "2026-11-26 15:10", "2026-11-27 00:00", true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := c.window.Next(schwerin, at(c.at))
			if !ok || !got.Opens.Equal(at(c.opens)) || !got.Closes.Equal(at(c.closes)) || got.Forced != c.forced {
				t.Errorf("%v: %s, %s until %s, forced %v", ok, got.Key, got.Opens.In(berlin), got.Closes.In(berlin), got.Forced)
			}
		})
	}
	shut := rollout.Window{Open: []rollout.Hours{{Days: []time.Weekday{time.Tuesday}, Span: span("08:00", "12:00")}}, Free: rollout.FreeNever}
	if got, ok := shut.Next(schwerin, at("2026-11-26 09:00")); ok {
		t.Errorf("a window in lessons alone opens %s", got.Opens)
	}
}

func TestTheNightsInWhichClocksChange(t *testing.T) {
	every := []time.Weekday{0, 1, 2, 3, 4, 5, 6}
	cases := map[string]struct {
		day    rollout.Date
		span   rollout.Span
		opens  string // UTC
		length time.Duration
	}{
		"March, around the hour that is left out":   {"2026-03-29", span("01:00", "04:00"), "2026-03-29T00:00:00Z", 2 * time.Hour},
		"March, inside the hour that is left out":   {"2026-03-29", span("02:15", "02:45"), "2026-03-29T01:00:00Z", 30 * time.Minute},
		"March, from inside that hour":              {"2026-03-29", span("02:30", "04:00"), "2026-03-29T01:00:00Z", time.Hour},
		"March, the whole day":                      {"2026-03-29", span("00:00", "24:00"), "2026-03-28T23:00:00Z", 23 * time.Hour},
		"October, around the hour that comes twice": {"2026-10-25", span("01:00", "04:00"), "2026-10-24T23:00:00Z", 4 * time.Hour},
		"October, inside the hour: once":            {"2026-10-25", span("02:15", "02:45"), "2026-10-25T01:15:00Z", 30 * time.Minute},
		"October, until inside the hour":            {"2026-10-25", span("01:00", "02:30"), "2026-10-24T23:00:00Z", 90 * time.Minute},
		"October, the whole day":                    {"2026-10-25", span("00:00", "24:00"), "2026-10-24T22:00:00Z", 25 * time.Hour},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			window := rollout.Window{Open: []rollout.Hours{{Days: every, Span: c.span}}}
			list := window.Day(schwerin, c.day)
			if len(list) != 1 {
				t.Fatalf("%d openings", len(list))
			}
			if got := list[0]; got.Opens.UTC().Format(time.RFC3339) != c.opens || got.Closes.Sub(got.Opens) != c.length {
				t.Errorf("%s for %s", got.Opens.UTC(), got.Closes.Sub(got.Opens))
			}
		})
	}
}

// anyWindow draws hours, quiet hours and a treatment of free days.
func anyWindow(t *rapid.T) rollout.Window {
	clock := rapid.Custom(func(t *rapid.T) rollout.Clock { return rollout.Clock(rapid.IntRange(0, 95).Draw(t, "quarter") * 15) })
	hours := rapid.Custom(func(t *rapid.T) rollout.Hours {
		days := rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 1, 7, rapid.ID[int]).Draw(t, "days")
		from := clock.Draw(t, "from")
		to := clock.Filter(func(c rollout.Clock) bool { return c != from }).Draw(t, "to")
		h := rollout.Hours{Span: rollout.Span{From: from, To: to}}
		for _, day := range days {
			h.Days = append(h.Days, time.Weekday(day))
		}
		return h
	})
	w := rollout.Window{Open: rapid.SliceOfN(hours, 0, 3).Draw(t, "open"), Free: rapid.SampledFrom([]rollout.Free{"", "whole", "never", "only"}).Draw(t, "free")}
	if rapid.Bool().Draw(t, "has quiet") {
		w.Quiet = rollout.Span{From: clock.Draw(t, "quiet from"), To: clock.Draw(t, "quiet to")}
	}
	return w
}

func anyCalendar(t *rapid.T) rollout.Calendar {
	return rollout.Calendar{
		Zone: rapid.SampledFrom([]string{"Europe/Berlin", "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"}).Draw(t, "zone"),
		Land: rapid.SampledFrom(rollout.Lander).Draw(t, "land"), Lessons: schwerin.Lessons, Breaks: schwerin.Breaks,
	}
}

// anyTime draws instants, most of them near the nights in which clocks change.
func anyTime(t *rapid.T) time.Time {
	near := rapid.SampledFrom([]string{"2026-03-29 02:00", "2026-10-25 02:00", "2026-03-08 08:00", "2026-11-01 07:00", "2026-04-04 16:00", "2026-12-20 12:00", "2026-06-10 09:00"}).Draw(t, "near")
	return at(near).Add(time.Duration(rapid.IntRange(-40*60, 40*60).Draw(t, "minutes")) * time.Minute)
}

func within(s rollout.Span, at time.Time) bool {
	now := rollout.Clock(at.Hour()*60 + at.Minute())
	if s.From <= s.To {
		return now >= s.From && now < s.To
	}
	return now >= s.From || now < s.To
}

// skipped reports whether clocks jumped forward within so long before.
func skipped(at time.Time, before time.Duration) bool {
	_, now := at.Zone()
	_, then := at.Add(-before).Zone()
	return now > then
}

func TestOpeningsNeverOverlapAndNeverFallIntoLessonsOrQuietHours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window, calendar, from := anyWindow(t), anyCalendar(t), anyTime(t)
		zone := zone(calendar.Zone)
		seen, last, now := map[string]bool{}, time.Time{}, from
		for range 12 {
			next, ok := window.Next(calendar, now)
			if !ok {
				return
			}
			switch {
			case !next.Closes.After(next.Opens) || !next.Closes.After(now):
				t.Fatalf("%s is empty or over: %s until %s", next.Key, next.Opens, next.Closes)
			case seen[next.Key]:
				t.Fatalf("%s comes twice", next.Key)
			case next.Opens.Before(last):
				t.Fatalf("%s overlaps the one before", next.Key)
			}
			if again, _ := window.Next(calendar, now); again != next {
				t.Fatalf("asked again: %v, %v", again, next)
			}
			if inside, _ := window.Next(calendar, next.Opens.Add(next.Closes.Sub(next.Opens)/2)); inside != next {
				t.Fatalf("inside of it another one is next: %v, %v", inside, next)
			}
			for moment := next.Opens; moment.Before(next.Closes); moment = moment.Add(5 * time.Minute) {
				local := moment.In(zone)
				if skipped(local, 2*time.Hour) {
					continue // hours that were left out are made up for
				}
				if window.Quiet.From != window.Quiet.To && within(window.Quiet, local) {
					t.Fatalf("%s is open at %s, in quiet hours", next.Key, local)
				}
				if calendar.SchoolDay(rollout.DateOf(local)) && within(calendar.Lessons, local) {
					t.Fatalf("%s is open at %s, in lessons", next.Key, local)
				}
			}
			seen[next.Key], last, now = true, next.Closes, next.Closes
		}
	})
}

// A window of every day is there on every day exactly once, whatever its hours.
func TestNoWindowIsLostOrDoubledOverAYear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(0, 94).Draw(t, "from")
		to := rapid.IntRange(from+1, 95).Draw(t, "to")
		calendar := anyCalendar(t)
		calendar.Lessons = rollout.Span{From: 1, To: 2} // a minute of the night: no window is in lessons
		hours := rollout.Hours{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, Span: rollout.Span{From: rollout.Clock(from*15 + 2), To: rollout.Clock(to*15 + 2)}}
		window := rollout.Window{Open: []rollout.Hours{hours}}
		day := rollout.Date(rapid.SampledFrom([]string{"2026-03-01", "2026-10-01", "2026-04-01"}).Draw(t, "day"))
		now := window.Day(calendar, day)[0].Opens
		for range 40 {
			next, ok := window.Next(calendar, now)
			if want := string(day) + "T" + hours.From.String(); !ok || next.Key != want {
				t.Fatalf("%s instead of %s", next.Key, want)
			}
			day, now = day.Add(1), next.Closes
		}
	})
}

func TestADeviceBeginsInsideTheOpeningAndDevicesDoNotBeginTogether(t *testing.T) {
	opening, _ := friday.Next(schwerin, at("2026-11-26 09:00"))
	var begins []time.Time
	for i := range 60 {
		device := id("d", i)
		begin := rollout.Begin("r", device, opening)
		if !opening.Has(begin) || !opening.Has(begin.Add(30*time.Minute)) {
			t.Fatalf("begins at %s, with no time left", begin)
		}
		if again := rollout.Begin("r", device, opening); !again.Equal(begin) {
			t.Fatal("begins at another time when asked again")
		}
		begins = append(begins, begin)
	}
	slices.SortFunc(begins, time.Time.Compare)
	for quarter := range 4 {
		from := opening.Opens.Add(time.Duration(quarter) * 34 * time.Minute)
		n := 0
		for _, begin := range begins {
			if !begin.Before(from) && begin.Before(from.Add(34*time.Minute)) {
				n++
			}
		}
		if n < 5 {
			t.Errorf("%d of 60 begin in quarter %d", n, quarter+1)
		}
	}
}

func TestAWindowIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window, now := anyWindow(t), anyTime(t)
		window.Deadline = now.Add(72 * time.Hour).UTC()
		data, err := json.Marshal(window)
		if err != nil {
			t.Fatal(err)
		}
		var read rollout.Window
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		was, ok := window.Next(schwerin, now)
		is, still := read.Next(schwerin, now)
		if was != is || ok != still {
			t.Fatalf("%s: %v became %v", data, was, is)
		}
	})
	for _, wrong := range []string{"7:30", "07-30", "24:01", "12:60", "ab:cd", "", "-1:00"} {
		if got, err := rollout.ParseClock(wrong); err == nil {
			t.Errorf("%q is read as %s", wrong, got)
		}
	}
}

package calendar_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/app"
	"schulwart.org/server/calendar"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

type woken struct{ times int }

func (w *woken) Wake() { w.times++ }

var (
	autumn = rollout.Break{Name: "Herbstferien", First: "2026-10-15", Last: "2026-10-24"}
	bridge = rollout.Break{Name: "Brückentag", First: "2027-05-07", Last: "2027-05-07"}
)

func TestASchoolHasItsAuthoritysHolidaysAndItsOwn(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, changes := t.Context(), &woken{}
		room := &calendar.Service{Store: s, Tables: app.Tables{}, Changes: changes}
		school, _ := storetest.School(t, s)
		keller := storetest.Person(t, s, "Frau Keller", may.AuthorityAdmin, org.Branch{Authority: school.Authority}, time.Now())
		winter := storetest.Person(t, s, "Frau Winter", may.SchoolAdmin, school, time.Now())
		oert := storetest.Person(t, s, "Frau Oert", may.Teacher, school, time.Now())

		if err := room.Set(ctx, keller, org.Authority, school.Authority, "MV", []rollout.Break{autumn, autumn}); err != nil {
			t.Fatal(err)
		}
		if err := room.Set(ctx, winter, org.School, school.School, "", []rollout.Break{bridge}); err != nil {
			t.Fatal(err)
		}
		if changes.times != 2 {
			t.Errorf("devices were told %d times", changes.times)
		}
		found, err := room.Find(ctx, winter, org.School, school.School)
		if err != nil || found.Land != "MV" || !slices.Equal(found.Breaks, []rollout.Break{autumn}) || !slices.Equal(found.Own, []rollout.Break{bridge}) || !found.MayWrite {
			t.Errorf("%+v: %v", found, err)
		}
		// Rollouts and devices know both.
		calendars, err := s.Calendars(ctx, school)
		if err != nil {
			t.Fatal(err)
		}
		for day, lessons := range map[rollout.Date]bool{"2026-10-16": false, "2027-05-07": false, "2026-10-31": false, "2027-05-10": true, "2026-10-26": true} {
			if calendars[school.School].SchoolDay(day) != lessons {
				t.Errorf("lessons on %s: %t", day, !lessons)
			}
		}
		for what, err := range map[string]error{
			"a school over its authority": room.Set(ctx, winter, org.Authority, school.Authority, "BY", nil),
			"a teacher":                   room.Set(ctx, oert, org.School, school.School, "", nil),
		} {
			if !errs.Is(err, errs.Denied) && !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := room.Set(ctx, winter, org.School, school.School, "BY", nil); !errs.Is(err, errs.Invalid) {
			t.Errorf("a school chose its Land: %v", err)
		}
		if _, err := room.Find(ctx, keller, org.Group, school.School); !errs.Is(err, errs.NotFound) {
			t.Errorf("the calendar of a group: %v", err)
		}
		if err := room.Change(ctx, keller, org.Authority, school.Authority, func(land rollout.Land, own []rollout.Break) (rollout.Land, []rollout.Break) {
			return land, append(own, rollout.Break{First: "2026-10-24", Last: "2026-10-15"})
		}); !errs.Is(err, errs.Invalid) {
			t.Errorf("holidays the wrong way round: %v", err)
		}
		if found, _ := room.Find(ctx, keller, org.Authority, school.Authority); !slices.Equal(found.Breaks, []rollout.Break{autumn}) {
			t.Errorf("after a refusal: %v", found.Breaks)
		}
	})
}

func event(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCALENDAR\r\n"
}

func TestFilesOfHolidaysAreReadAndNothingIsGuessed(t *testing.T) {
	room := &calendar.Service{Tables: app.Tables{}}
	ministry := event(
		"BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", "SUMMARY:Herbstferien\\, Mecklenburg-Vorpommern", "DTSTART;VALUE=DATE:20261015", "DTEND;VALUE=DATE:20261025", "END:VEVENT",
		"BEGIN:VEVENT", "UID:2", "DTSTAMP:20260101T000000Z", "SUMMARY:Brückentag", "DTSTART;VALUE=DATE:20270507", "END:VEVENT",
		"BEGIN:VEVENT", "UID:3", "DTSTAMP:20260101T000000Z", "SUMMARY:Zeugnisse", "DTSTART:20270716T080000Z", "DTEND:20270716T100000Z", "END:VEVENT",
		"BEGIN:VEVENT", "UID:4", "DTSTAMP:20260101T000000Z", "SUMMARY:Jeden Montag", "DTSTART;VALUE=DATE:20270111", "RRULE:FREQ=WEEKLY", "END:VEVENT",
		"BEGIN:VEVENT", "UID:5", "DTSTAMP:20260101T000000Z", "SUMMARY:Ein Jahr daneben", "DTSTART;VALUE=DATE:20261015", "DTEND;VALUE=DATE:20271025", "END:VEVENT",
		"BEGIN:VEVENT", "UID:6", "DTSTAMP:20260101T000000Z", "SUMMARY:Winterferien", "DTSTART:20270208T000000", "DTEND:20270220T000000", "END:VEVENT")
	table := "Anlass;Erster Tag;Letzter Tag\r\nHerbstferien;15.10.2026;24.10.2026\r\nBrückentag;7.5.2027;\r\nUnsinn;32.13.2026;1.1.2027\r\nRückwärts;2026-10-24;2026-10-15\r\n"
	for what, c := range map[string]struct {
		file string
		want []calendar.Line
	}{
		"a calendar": {ministry, []calendar.Line{
			{Number: 1, Break: rollout.Break{Name: "Herbstferien, Mecklenburg-Vorpommern", First: "2026-10-15", Last: "2026-10-24"}, Known: true},
			{Number: 2, Break: bridge},
			{Number: 3, Break: rollout.Break{Name: "Zeugnisse"}, Fault: "no_day"},
			{Number: 4, Break: rollout.Break{Name: "Jeden Montag"}, Fault: "repeats"},
			{Number: 5, Break: rollout.Break{Name: "Ein Jahr daneben", First: "2026-10-15", Last: "2027-10-24"}, Fault: "long_break"},
			{Number: 6, Break: rollout.Break{Name: "Winterferien", First: "2027-02-08", Last: "2027-02-19"}},
		}},
		"a table": {table, []calendar.Line{
			{Number: 2, Break: autumn, Known: true},
			{Number: 3, Break: bridge},
			{Number: 4, Break: rollout.Break{Name: "Unsinn", Last: "2027-01-01"}, Fault: "bad_break"},
			{Number: 5, Break: rollout.Break{Name: "Rückwärts", First: "2026-10-24", Last: "2026-10-15"}, Fault: "bad_break"},
		}},
		"a table of Windows": {"Anlass;Von\nBr\xfcckentag;07.05.2027\n", []calendar.Line{{Number: 2, Break: bridge}}},
	} {
		t.Run(what, func(t *testing.T) {
			lines, err := room.Read([]byte(c.file), []rollout.Break{autumn})
			if err != nil || !slices.Equal(lines, c.want) {
				t.Errorf("%+v: %v", lines, err)
			}
		})
	}
	for what, file := range map[string]string{"nothing": "", "an empty calendar": event(), "half a calendar": "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "other columns": "a;b\n1;2\n", "a picture": "\x89PNG\x00\x00"} {
		if lines, err := room.Read([]byte(file), nil); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v, %v", what, lines, err)
		}
	}
}

func TestASchoolYearHasEachDayOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := rollout.DateOf(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 0).UTC())
		first, last := calendar.SchoolYear(day)
		if day < first || last < day || first[5:] != "08-01" || last[5:] != "07-31" {
			t.Fatalf("%s is in %s to %s", day, first, last)
		}
		if before, _ := calendar.SchoolYear(first.Add(-1)); before == first {
			t.Fatal("the year before is the same")
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(event("BEGIN:VEVENT", "DTSTART;VALUE=DATE:20270507", "SUMMARY:x", "END:VEVENT")))
	f.Add([]byte("Anlass;Von;Bis\nx;1.1.2027;2.1.2027\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines, err := (&calendar.Service{Tables: app.Tables{}}).Read(data, nil)
		if err != nil && errs.Find(err) == nil {
			t.Fatalf("a fault without words: %v", err)
		}
		for _, l := range lines {
			if (l.Fault == "") != (calendar.Fault(l.Break) == "") && l.Fault != "repeats" && l.Fault != "no_day" {
				t.Fatalf("%+v is said to be %q", l.Break, l.Fault)
			}
		}
	})
}

package holidays_test

import (
	"slices"
	"strings"
	"testing"

	"schulwart.org/policies/rollout"
	"schulwart.org/server/calendar/holidays"
	"schulwart.org/server/errs"
	"schulwart.org/server/roster"
)

var (
	autumn = rollout.Break{Name: "Herbstferien", First: "2026-10-15", Last: "2026-10-24"}
	bridge = rollout.Break{Name: "Brückentag", First: "2027-05-07", Last: "2027-05-07"}
)

// rows are read as the server reads them.
func rows(data []byte) ([][]string, error) {
	read, err := roster.ReadTable(data)
	all := [][]string{read.Header}
	for _, row := range read.Rows {
		all = append(all, row.Cells)
	}
	return all, err
}

func event(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCALENDAR\r\n"
}

func TestFilesOfHolidaysAreReadAndNothingIsGuessed(t *testing.T) {
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
		want []holidays.Line
	}{
		"a calendar": {ministry, []holidays.Line{
			{Number: 1, Break: rollout.Break{Name: "Herbstferien, Mecklenburg-Vorpommern", First: "2026-10-15", Last: "2026-10-24"}, Known: true},
			{Number: 2, Break: bridge},
			{Number: 3, Break: rollout.Break{Name: "Zeugnisse"}, Fault: "no_day"},
			{Number: 4, Break: rollout.Break{Name: "Jeden Montag"}, Fault: "repeats"},
			{Number: 5, Break: rollout.Break{Name: "Ein Jahr daneben", First: "2026-10-15", Last: "2027-10-24"}, Fault: "long_break"},
			{Number: 6, Break: rollout.Break{Name: "Winterferien", First: "2027-02-08", Last: "2027-02-19"}},
		}},
		"a table": {table, []holidays.Line{
			{Number: 2, Break: autumn, Known: true},
			{Number: 3, Break: bridge},
			{Number: 4, Break: rollout.Break{Name: "Unsinn", Last: "2027-01-01"}, Fault: "bad_break"},
			{Number: 5, Break: rollout.Break{Name: "Rückwärts", First: "2026-10-24", Last: "2026-10-15"}, Fault: "bad_break"},
		}},
		"a table of Windows": {"Anlass;Von\nBr\xfcckentag;07.05.2027\n", []holidays.Line{{Number: 2, Break: bridge}}},
	} {
		t.Run(what, func(t *testing.T) {
			lines, err := holidays.Read([]byte(c.file), rows, []rollout.Break{autumn})
			if err != nil || !slices.Equal(lines, c.want) {
				t.Errorf("%+v: %v", lines, err)
			}
		})
	}
	for what, file := range map[string]string{"nothing": "", "an empty calendar": event(), "half a calendar": "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "other columns": "a;b\n1;2\n", "a picture": "\x89PNG\x00\x00"} {
		if lines, err := holidays.Read([]byte(file), rows, nil); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v, %v", what, lines, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(event("BEGIN:VEVENT", "DTSTART;VALUE=DATE:20270507", "SUMMARY:x", "END:VEVENT")))
	f.Add([]byte("Anlass;Von;Bis\nx;1.1.2027;2.1.2027\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines, err := holidays.Read(data, rows, nil)
		if err != nil && errs.Find(err) == nil {
			t.Fatalf("a fault without words: %v", err)
		}
		for _, l := range lines {
			if (l.Fault == "") != (holidays.Fault(l.Break) == "") && l.Fault != "repeats" && l.Fault != "no_day" {
				t.Fatalf("%+v is said to be %q", l.Break, l.Fault)
			}
		}
	})
}

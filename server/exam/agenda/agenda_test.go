package agenda

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestTimesAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]int{"8:00": 480, "08:00 Uhr": 480, "8 Uhr": 480, "8.05": 485, "0800": 480, "13h30": 810, "10:15:00": 615} {
		if got, known := Clock(text); !known || got != want {
			t.Errorf("time %q: %d, %v", text, got, known)
		}
	}
	for _, text := range []string{"", "25:00", "8:75", "1. Stunde", "acht", "24.11.2026"} {
		if got, known := Clock(text); known {
			t.Errorf("time %q: %d", text, got)
		}
	}
	for _, text := range []string{"24.11.2026", "24.11.26", "Di, 24.11.2026", "Dienstag 24.11.2026", "2026-11-24", "20261124", "24. November 2026", "24. 11. 2026"} {
		if got, known := Day(text); !known || got.Format(time.DateOnly) != "2026-11-24" {
			t.Errorf("day %q: %v, %v", text, got, known)
		}
	}
	for _, text := range []string{"", "31.02.2026", "KW 48", "24.11.", "24.11.1126"} {
		if got, known := Day(text); known {
			t.Errorf("day %q: %v", text, got)
		}
	}
	for text, want := range map[string]int{"90": 90, "90 min": 90, "90 Minuten": 90, "1:30": 90, "1:30 h": 90, "1,5 h": 90, "2 Std": 120, "1 h 30": 90, "45'": 45} {
		if got, known := Minutes(text); !known || got != want {
			t.Errorf("length %q: %d, %v", text, got, known)
		}
	}
	for _, text := range []string{"", "0", "-5", "lang", "1:75"} {
		if got, known := Minutes(text); known {
			t.Errorf("length %q: %d", text, got)
		}
	}
}

func TestCalculatorsAsTeachersWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"keiner": "none", "ohne": "none", "WTR": "scientific", "wissenschaftlicher (WTR)": "scientific", "GTR": "graphing", "grafikfähig": "graphing", "CAS": "cas", "mit CAS": "cas", "einfach": "basic",
		"Abakus": "", "WTR oder GTR": "",
	} {
		table := Table{Header: []string{"Fach", "Klasse", "Datum", "Beginn", "Ende", "Taschenrechner"}, Rows: []Row{{Line: 2, Cells: []string{"Mathe", "10a", "24.11.2026", "8:00", "9:30", text}}}}
		entries, faults := Read(table, How{Columns: Propose(table.Header, nil), Zone: berlin(t)})
		if want == "" {
			if len(faults) != 1 || len(entries) != 0 {
				t.Errorf("%q: %+v, %v", text, entries, faults)
			}
			continue
		}
		if len(entries) != 1 || entries[0].Calculator != want {
			t.Errorf("%q: %+v, %v", text, entries, faults)
		}
	}
}

func TestRowsOfAGermanExport(t *testing.T) {
	zone := berlin(t)
	header := []string{"Datum", "Beginn", "Ende", "Klasse/Kurs", "Fach", "Art", "Lehrkraft", "Raum", "Bemerkung"}
	columns := Propose(header, nil)
	if want := []Field{Date, Start, End, Group, Subject, Name, Teacher, Room, ""}; !slices.Equal(columns, want) {
		t.Fatalf("proposed %v", columns)
	}
	if columns := Propose(header, map[string]Field{"Bemerkung": Name, "Art": ""}); columns[8] != Name || columns[5] != "" {
		t.Errorf("what was said last time: %v", columns)
	}
	table := Table{Header: header, Rows: []Row{
		{Line: 2, Cells: []string{"24.11.2026", "8:00 Uhr", "9:30", "10a", "Mathematik", "Klassenarbeit 2", "Oert; Brandt", "Aula", "x"}},
		{Line: 3, Cells: []string{"Mi, 25.11.2026", "10:00 - 11:30", "", "10b", "Deutsch"}},
		{Line: 4, Cells: []string{"24.11.2026", "morgens", "", "10a", "Physik"}},
		{Line: 5, Cells: []string{"24.11.2026", "8:00", "", "10a", "Physik"}},
		{Line: 6, Cells: []string{"24.11.2026", "9:00", "8:00", "10a", "Chemie"}},
		{Line: 7, Cells: []string{"32.11.2026", "9:00", "10:00", "10a", "Chemie"}},
		{Line: 8, Cells: []string{"24.11.2026", "8:00", "9:30", "10a", "mathematik", "klassenarbeit 2"}},
		{Line: 9, Cells: []string{"24.11.2026", "8:00", "9:30", "10a", "", ""}},
	}}
	entries, faults := Read(table, How{Columns: columns, Zone: zone})
	if len(entries) != 2 {
		t.Fatalf("%d entries", len(entries))
	}
	first := entries[0]
	if first.Name != "Mathematik, Klassenarbeit 2" || first.Group != "10a" || first.Room != "Aula" || !slices.Equal(first.Teachers, []string{"Oert", "Brandt"}) ||
		!first.Starts.Equal(time.Date(2026, 11, 24, 8, 0, 0, 0, zone)) || first.Ends.Sub(first.Starts) != 90*time.Minute {
		t.Errorf("%+v", first)
	}
	if second := entries[1]; second.Name != "Deutsch" || second.Starts.In(zone).Format("2.1. 15:04") != "25.11. 10:00" || second.Ends.Sub(second.Starts) != 90*time.Minute {
		t.Errorf("%+v", second)
	}
	var keys []string
	for _, f := range faults {
		keys = append(keys, f.Fault.Key)
	}
	want := []string{"exam_import.bad_time", "exam_import.no_end", "exam_import.ends_before", "exam_import.bad_date", "import.twice", "exam_import.no_name"}
	if !slices.Equal(keys, want) || faults[0].Line != 4 {
		t.Errorf("faults: %v", keys)
	}
	// With a usual length what names no end has one; a number of its own stays the
	// key when all else changes.
	entries, _ = Read(Table{Rows: []Row{{Line: 1, Cells: []string{"24.11.2026 8:00 Uhr", "Physik", "77"}}}}, How{Columns: []Field{Date, Name, Key}, Zone: zone, Minutes: 45})
	if len(entries) != 1 || entries[0].Key != "key:77" || entries[0].Ends.Sub(entries[0].Starts) != 45*time.Minute {
		t.Errorf("%+v", entries)
	}
}

// Clocks are turned back on the 25th of October 2026: half past two is twice.
func TestTimesAroundTheChangeOfClocks(t *testing.T) {
	zone := berlin(t)
	columns := []Field{Date, Start, Length, Name}
	entries, faults := Read(Table{Rows: []Row{
		{Line: 1, Cells: []string{"24.10.2026", "8:00", "60", "vor"}}, {Line: 2, Cells: []string{"26.10.2026", "8:00", "60", "nach"}},
	}}, How{Columns: columns, Zone: zone})
	if len(faults) > 0 || entries[0].Starts.UTC().Hour() != 6 || entries[1].Starts.UTC().Hour() != 7 {
		t.Errorf("%v %+v", faults, entries)
	}
}

const calendar = "\xef\xbb\xbfBEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//DE\r\n" +
	"BEGIN:VEVENT\r\nUID:a@x\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261124T070000Z\r\nDTEND:20261124T083000Z\r\nSUMMARY:Mathe 10a\\, Arbeit 2\r\nLOCATION:Aula\r\nORGANIZER;CN=\"Frau Oert\":mailto:oert@x.example\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:b@x\r\nDTSTAMP:20261101T000000Z\r\nDTSTART;TZID=W. Europe Standard Time:20261124T080000\r\nDURATION:PT1H30M\r\nSUMMARY:Deutsch 10b mit einem sehr langen Titel, der in der\r\n  nächsten Zeile weitergeht\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:c@x\r\nDTSTAMP:20261101T000000Z\r\nDTSTART;VALUE=DATE:20261124\r\nSUMMARY:Wandertag\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:d@x\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261124T080000\r\nDTEND:20261124T090000\r\nRRULE:FREQ=WEEKLY\r\nSUMMARY:Chor\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:d@x\r\nRECURRENCE-ID:20261201T080000\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261202T080000\r\nDTEND:20261202T090000\r\nSUMMARY:Chor\\, verlegt\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:e@x\r\nDTSTAMP:20261101T000000Z\r\nDTSTART;TZID=Mars/Olympus:20261124T080000\r\nDTEND;TZID=Mars/Olympus:20261124T090000\r\nSUMMARY:Landung\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:f@x\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261124T110000\r\nDTEND:20261124T120000\r\nSTATUS:CANCELLED\r\nSUMMARY:Physik\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

func TestCalendar(t *testing.T) {
	zone := berlin(t)
	if !IsCalendar([]byte(calendar)) || IsCalendar([]byte("Datum;Beginn")) {
		t.Error("what is a calendar")
	}
	table, err := ReadCalendar([]byte(calendar), zone)
	if err != nil {
		t.Fatal(err)
	}
	columns := Propose(table.Header, nil)
	if err := Check(table.Header, columns); err != nil {
		t.Fatal(err)
	}
	entries, faults := Read(table, How{Columns: columns, Zone: zone})
	eight := time.Date(2026, 11, 24, 8, 0, 0, 0, zone)
	if len(entries) != 4 {
		t.Fatalf("%d entries, %v", len(entries), faults)
	}
	if e := entries[0]; e.Key != "key:a@x" || e.Name != "Mathe 10a, Arbeit 2" || !e.Starts.Equal(eight) || !slices.Equal(e.Teachers, []string{"Frau Oert"}) || e.Line != 4 {
		t.Errorf("in UTC: %+v", e)
	}
	if e := entries[1]; !e.Starts.Equal(eight) || e.Ends.Sub(e.Starts) != 90*time.Minute || !strings.HasSuffix(e.Name, "der in der nächsten Zeile weitergeht") {
		t.Errorf("in a zone of Windows, with a length: %+v", e)
	}
	if e := entries[2]; e.Key != "key:d@x/20261201T080000" || !e.Starts.Equal(eight.AddDate(0, 0, 8)) {
		t.Errorf("one of a series that was moved: %+v", e)
	}
	if e := entries[3]; !e.Cancelled || !e.Starts.Equal(eight.Add(3*time.Hour)) {
		t.Errorf("called off: %+v", e)
	}
	got := map[int]string{}
	for _, f := range faults {
		got[f.Line] = f.Fault.Key
	}
	for line, key := range map[int]string{21: "exam_import.all_day", 27: "exam_import.repeats", 43: "exam_import.zone"} {
		if got[line] != key {
			t.Errorf("line %d: %q of %v", line, got[line], got)
		}
	}
	for _, broken := range []string{"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART\r\nEND:VEVENT"} {
		if table, err := ReadCalendar([]byte(broken), zone); err == nil && len(table.Rows) == 0 {
			t.Errorf("%q is read as nothing", broken)
		}
	}
}

// No file, however odd, stops the reading, and nothing is read that ends before it
// begins.
func TestOddFiles(t *testing.T) {
	zone := berlin(t)
	cell := rapid.SampledFrom([]string{"", "24.11.2026", "8:00", "8:00-9:30", "90", "1,5 h", "10a", "2026-11-24T08:00:00+01:00", "24.11.2026 23:30", "0:00", "abgesagt", "–", "T", ","})
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(rapid.OneOf(cell, rapid.String()), 0, len(Fields)+2).Draw(t, "cells")
		columns := rapid.Permutation(append(slices.Clone(Fields), "", "")).Draw(t, "columns")
		entries, faults := Read(Table{Rows: []Row{{Line: 1, Cells: cells}}}, How{Columns: columns, Zone: zone, Minutes: rapid.IntRange(0, 400).Draw(t, "minutes")})
		if len(entries)+len(faults) != 1 {
			t.Fatalf("%d entries and %d faults of one row", len(entries), len(faults))
		}
		for _, e := range entries {
			if !e.Starts.Before(e.Ends) || e.Name == "" || e.Key == "" {
				t.Fatalf("%+v", e)
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		text := "BEGIN:VCALENDAR\r\n" + rapid.StringMatching(`(BEGIN:VEVENT\r\n((DTSTART|DTEND|RRULE|UID|SUMMARY|TZID)[:;=]{0,2}[A-Z0-9:;="]{0,16}\r\n){0,4}(END:VEVENT\r\n)?){0,3}(END:VCALENDAR)?`).Draw(t, "text")
		table, err := ReadCalendar([]byte(text), zone)
		if err == nil {
			Read(table, How{Columns: Propose(table.Header, nil), Zone: zone})
		}
	})
}

package agenda

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"schulwart.org/server/errs"
)

// IsCalendar reports whether a file is a calendar (RFC 5545).
func IsCalendar(data []byte) bool {
	data = bytes.TrimLeft(bytes.TrimPrefix(data, []byte{0xEF, 0xBB, 0xBF}), " \r\n\t")
	const begin = "BEGIN:VCALENDAR"
	return len(data) >= len(begin) && strings.EqualFold(string(data[:len(begin)]), begin)
}

// calendarHeader are the columns of a calendar, by the names of RFC 5545.
var calendarHeader = []string{"UID", "SUMMARY", "DTSTART", "DTEND", "LOCATION", "ORGANIZER", "STATUS", "CATEGORIES", "DESCRIPTION", "URL"}

const mostEvents = 5000

// ReadCalendar reads a calendar as a table: a row for each event. Times without a
// zone are of the one given. Events that repeat or last whole days are no
// examinations; their rows say so.
func ReadCalendar(data []byte, zone *time.Location) (table Table, err error) {
	defer func() {
		if broken := recover(); broken != nil { // the parser's fault, and no reason to stop
			table, err = Table{}, errs.E(errs.Invalid, "exam_import.not_calendar").In("file").Because(fmt.Errorf("%v", broken))
		}
	}()
	data = bytes.TrimPrefix(data, []byte{0xEF, 0xBB, 0xBF})
	calendar, err := ics.ParseCalendar(bytes.NewReader(data))
	if err != nil {
		return Table{}, errs.E(errs.Invalid, "exam_import.not_calendar").In("file").Because(err)
	}
	lines := eventLines(data)
	events := calendar.Events()
	switch {
	case len(events) == 0:
		return Table{}, errs.E(errs.Invalid, "import.empty").In("file")
	case len(events) > mostEvents:
		return Table{}, errs.E(errs.Invalid, "import.too_many_rows", "most", mostEvents).In("file")
	}
	for _, property := range calendar.CalendarProperties {
		if property.IANAToken == "X-WR-TIMEZONE" {
			if named, known := zoneOf(property.Value); known {
				zone = named
			}
		}
	}
	table.Header = calendarHeader
	for i, event := range events {
		row := eventRow(event, zone)
		if i < len(lines) {
			row.Line = lines[i]
		}
		table.Rows = append(table.Rows, row)
	}
	return table, nil
}

// eventLines lists on which lines events begin.
func eventLines(data []byte) []int {
	var lines []int
	for i, line := range bytes.Split(data, []byte("\n")) {
		if strings.EqualFold(strings.TrimSpace(string(line)), "BEGIN:VEVENT") {
			lines = append(lines, i+1)
		}
	}
	return lines
}

func eventRow(event *ics.VEvent, zone *time.Location) Row {
	text := func(property ics.ComponentProperty) string {
		if p := event.GetProperty(property); p != nil {
			return strings.Join(strings.Fields(ics.FromText(p.Value)), " ")
		}
		return ""
	}
	row := Row{Cells: []string{
		text(ics.ComponentPropertyUniqueId), text(ics.ComponentPropertySummary), "", "", text(ics.ComponentPropertyLocation), organizer(event),
		text(ics.ComponentPropertyStatus), text(ics.ComponentPropertyCategories), text(ics.ComponentPropertyDescription), text(ics.ComponentPropertyUrl),
	}}
	fail := func(key, value string) { row.Fault, row.Value = key, value }
	if row.Cells[0] != "" {
		if one := text("RECURRENCE-ID"); one != "" {
			row.Cells[0] += "/" + one // one of a series that was moved is an event of its own
		}
	}
	if event.GetProperty(ics.ComponentPropertyRrule) != nil || event.GetProperty(ics.ComponentPropertyRdate) != nil {
		fail("exam_import.repeats", row.Cells[1])
		return row
	}
	starts, fault, value := eventTime(event.GetProperty(ics.ComponentPropertyDtStart), zone)
	if fault != "" {
		fail(fault, value)
		return row
	}
	row.Cells[2] = starts.Format(time.RFC3339)
	end := event.GetProperty(ics.ComponentPropertyDtEnd)
	if end == nil {
		if length := text(ics.ComponentPropertyDuration); length != "" {
			lasts, known := isoLength(length)
			if !known {
				fail("exam_import.bad_length", length)
				return row
			}
			row.Cells[3] = starts.Add(lasts).Format(time.RFC3339)
		}
		return row // without an end the usual length counts
	}
	ends, fault, value := eventTime(end, zone)
	if fault != "" {
		fail(fault, value)
		return row
	}
	row.Cells[3] = ends.Format(time.RFC3339)
	return row
}

// organizer is who leads an event, by the name that the calendar gives.
func organizer(event *ics.VEvent) string {
	p := event.GetProperty(ics.ComponentPropertyOrganizer)
	if p == nil {
		return ""
	}
	if names := p.ICalParameters["CN"]; len(names) > 0 && names[0] != "" {
		return strings.Trim(names[0], `"`)
	}
	value := strings.TrimSpace(p.Value)
	if len(value) > 7 && strings.EqualFold(value[:7], "mailto:") {
		return value[7:]
	}
	return value
}

// eventTime reads an instant: in UTC, in a zone that it names, or in the one given.
func eventTime(p *ics.IANAProperty, zone *time.Location) (at time.Time, fault, value string) {
	if p == nil {
		return at, "exam_import.bad_date", ""
	}
	text := strings.TrimSpace(p.Value)
	if _, err := time.Parse("20060102", text); err == nil {
		return at, "exam_import.all_day", text
	}
	if at, err := time.Parse("20060102T150405Z", text); err == nil {
		return at, "", ""
	}
	if named := p.ICalParameters["TZID"]; len(named) > 0 {
		known := false
		if zone, known = zoneOf(named[0]); !known {
			return at, "exam_import.zone", named[0]
		}
	}
	at, err := time.ParseInLocation("20060102T150405", text, zone)
	if err != nil {
		return at, "exam_import.bad_time", text
	}
	return at, "", ""
}

// windowsZones are the zones of Windows that are met here, by the names of the
// IANA (https://github.com/unicode-org/cldr, windowsZones.xml).
var windowsZones = map[string]string{
	"W. Europe Standard Time": "Europe/Berlin", "Central Europe Standard Time": "Europe/Budapest", "Romance Standard Time": "Europe/Paris",
	"Central European Standard Time": "Europe/Warsaw", "GMT Standard Time": "Europe/London", "E. Europe Standard Time": "Europe/Chisinau",
	"FLE Standard Time": "Europe/Kiev", "GTB Standard Time": "Europe/Bucharest", "UTC": "UTC", "Coordinated Universal Time": "UTC",
}

func zoneOf(name string) (*time.Location, bool) {
	name = strings.Trim(strings.TrimSpace(name), `"`)
	if iana, known := windowsZones[name]; known {
		name = iana
	}
	// Some programs put their own name before it: "/mozilla.org/20050126_1/Europe/Berlin".
	for _, part := range []string{"Europe/", "Etc/"} {
		if at := strings.Index(name, part); at > 0 {
			name = name[at:]
		}
	}
	if name == "" || name == "Local" {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

// isoLength reads a duration as calendars write it: "PT1H30M", "PT90M", "P0DT2H".
func isoLength(text string) (time.Duration, bool) {
	days, clock, found := strings.Cut(strings.TrimPrefix(strings.ToUpper(text), "+"), "T")
	if !found || strings.Trim(days, "P0D") != "" {
		return 0, false
	}
	lasts, err := time.ParseDuration(strings.ToLower(clock))
	return lasts, err == nil && lasts > 0
}

// Package holidays reads files in which school holidays stand. It says what stands in
// them, entry by entry, and keeps nothing.
package holidays

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
)

// Line is an entry of a file of holidays, with what is wrong with it.
type Line struct {
	Number int // of the row from 1, or of the event
	Break  rollout.Break
	// Fault is why it cannot be taken: "bad_break", "long_break", "long_name",
	// "repeats", "no_day"; "" for nothing.
	Fault string
	Known bool // the calendar has these days already
}

// mostLines bounds the entries of one file.
const mostLines = 1000

// Rows reads a file of rows, each cell trimmed, the first row being the titles.
type Rows func(data []byte) ([][]string, error)

// Read says what stands in a file of holidays: a calendar (RFC 5545) as ministries
// and school programs give them, or a table whose columns are called name, first and
// last day. Known are the breaks that are there.
func Read(data []byte, rows Rows, known []rollout.Break) ([]Line, error) {
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte{0xEF, 0xBB, 0xBF}), " \r\n\t")
	const begin = "BEGIN:VCALENDAR"
	var lines []Line
	var err error
	if len(text) >= len(begin) && strings.EqualFold(string(text[:len(begin)]), begin) {
		lines, err = readEvents(text)
	} else {
		lines, err = readRows(data, rows)
	}
	switch {
	case err != nil:
		return nil, err
	case len(lines) == 0:
		return nil, errs.E(errs.Invalid, "import.empty").In("file")
	case len(lines) > mostLines:
		return nil, errs.E(errs.Invalid, "import.too_many_rows", "most", mostLines).In("file")
	}
	for i := range lines {
		l := &lines[i]
		if l.Fault == "" {
			l.Fault = Fault(l.Break)
		}
		l.Known = slices.ContainsFunc(known, func(b rollout.Break) bool { return b.First == l.Break.First && b.Last == l.Break.Last })
	}
	return lines, nil
}

// readEvents reads the events of a calendar that last whole days.
func readEvents(data []byte) (lines []Line, err error) {
	broken := func(cause error) error {
		return errs.E(errs.Invalid, "exam_import.not_calendar").In("file").Because(cause)
	}
	defer func() {
		if fault := recover(); fault != nil { // the parser's, and no reason to stop
			lines, err = nil, broken(fmt.Errorf("%v", fault))
		}
	}()
	parsed, err := ics.ParseCalendar(bytes.NewReader(data))
	if err != nil {
		return nil, broken(err)
	}
	for i, event := range parsed.Events() {
		lines = append(lines, eventLine(i+1, event))
	}
	return lines, nil
}

func eventLine(number int, event *ics.VEvent) Line {
	l := Line{Number: number}
	if summary := event.GetProperty(ics.ComponentPropertySummary); summary != nil {
		l.Break.Name = strings.Join(strings.Fields(ics.FromText(summary.Value)), " ")
	}
	if event.GetProperty(ics.ComponentPropertyRrule) != nil || event.GetProperty(ics.ComponentPropertyRdate) != nil {
		l.Fault = "repeats"
		return l
	}
	first, whole := wholeDay(event.GetProperty(ics.ComponentPropertyDtStart))
	if !whole {
		l.Fault = "no_day"
		return l
	}
	l.Break.First, l.Break.Last = first, first
	// The end of a whole day is the day after the last one (RFC 5545, 3.6.1). Some
	// programs name the first day again.
	if end := event.GetProperty(ics.ComponentPropertyDtEnd); end != nil {
		after, whole := wholeDay(end)
		if !whole {
			l.Fault = "no_day"
			return l
		}
		if after > first {
			l.Break.Last = after.Add(-1)
		}
	}
	return l
}

// wholeDay reads a day, which some programs write as its midnight.
func wholeDay(p *ics.IANAProperty) (rollout.Date, bool) {
	if p == nil {
		return "", false
	}
	day, clock, timed := strings.Cut(strings.TrimSpace(p.Value), "T")
	at, err := time.Parse("20060102", day)
	return rollout.DateOf(at), err == nil && (!timed || clock == "000000")
}

// columnTitles are how the columns of a table are called, in lower case.
var columnTitles = [3][]string{
	{"name", "bezeichnung", "ferien", "anlass", "titel", "title", "summary", "betreff"},
	{"erster tag", "von", "beginn", "anfang", "start", "first", "from", "datum", "date", "first day"},
	{"letzter tag", "bis", "ende", "end", "last", "to", "until", "last day"},
}

func readRows(data []byte, read Rows) ([]Line, error) {
	rows, err := read(data)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	columns := [3]int{-1, -1, -1}
	for at, title := range rows[0] {
		for i, titles := range columnTitles {
			if columns[i] < 0 && slices.Contains(titles, strings.ToLower(title)) {
				columns[i] = at
			}
		}
	}
	if columns[1] < 0 {
		return nil, errs.E(errs.Invalid, "calendar.no_columns").In("file")
	}
	var lines []Line
	for i, row := range rows[1:] {
		cell := func(column int) string {
			if column < 0 || column >= len(row) {
				return ""
			}
			return row[column]
		}
		first, last := writtenDay(cell(columns[1])), writtenDay(cell(columns[2]))
		if cell(columns[2]) == "" {
			last = first
		}
		lines = append(lines, Line{Number: i + 2, Break: rollout.Break{Name: strings.Join(strings.Fields(cell(columns[0])), " "), First: first, Last: last}})
	}
	return lines, nil
}

// writtenDay reads a day as people and programs write it; "" where it is none.
func writtenDay(text string) rollout.Date {
	for _, form := range []string{time.DateOnly, "2.1.2006", "02.01.2006", "2.1.06", "2006/01/02", "20060102"} {
		if at, err := time.Parse(form, text); err == nil {
			return rollout.DateOf(at)
		}
	}
	return ""
}

const longestName = 120 // bytes

// longestBreak is how many days a break can last: whoever enters a longer one has
// mistaken a year.
const longestBreak = 100

// Fault names what is wrong with a break: "bad_break" where its days are none or
// the wrong way round, "long_break", "long_name"; "" for nothing.
func Fault(b rollout.Break) string {
	switch {
	case !b.First.Valid() || !b.Last.Valid() || b.Last < b.First:
		return "bad_break"
	case b.First.Add(longestBreak) < b.Last:
		return "long_break"
	case len(b.Name) > longestName:
		return "long_name"
	}
	return ""
}

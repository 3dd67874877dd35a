package agenda

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"schulwart.org/server/errs"
)

// window reads when an examination begins and ends.
func window(cells map[Field]string, how How) (starts, ends time.Time, fault *errs.Error) {
	begin, until := parts(cells[Start])
	if cells[End] != "" {
		until = cells[End]
	}
	day := cells[Date]
	if at, known := instant(begin, how.Zone); known {
		starts = at
	} else {
		if day == "" {
			day, begin = split(begin)
		}
		if begin == "" {
			_, begin = split(day) // "24.11.2026 8:00" in the column of the day
			day, _ = split(day)
		}
		date, known := Day(day)
		if !known {
			return starts, ends, errs.E(errs.Invalid, "exam_import.bad_date", "value", day)
		}
		at, known := Clock(begin)
		if !known {
			return starts, ends, errs.E(errs.Invalid, "exam_import.bad_time", "value", begin)
		}
		starts = on(date, at, how.Zone)
	}
	ends, fault = end(cells[Length], until, starts, how)
	if fault == nil && !ends.After(starts) {
		fault = errs.E(errs.Invalid, "exam_import.ends_before", "value", until)
	}
	return starts, ends, fault
}

func end(length, until string, starts time.Time, how How) (time.Time, *errs.Error) {
	switch {
	case until != "":
		if at, known := instant(until, how.Zone); known {
			return at, nil
		}
		day, clock := split(until)
		date, dated := Day(day)
		if !dated {
			date, clock = starts.In(how.Zone), until
		}
		at, known := Clock(clock)
		if !known {
			return starts, errs.E(errs.Invalid, "exam_import.bad_time", "value", until)
		}
		return on(date, at, how.Zone), nil
	case length != "":
		minutes, known := Minutes(length)
		if !known {
			return starts, errs.E(errs.Invalid, "exam_import.bad_length", "value", length)
		}
		return starts.Add(time.Duration(minutes) * time.Minute), nil
	case how.Minutes > 0:
		return starts.Add(time.Duration(how.Minutes) * time.Minute), nil
	}
	return starts, errs.E(errs.Invalid, "exam_import.no_end")
}

// on is a time of a day, by the clocks on the wall.
func on(date time.Time, clock int, zone *time.Location) time.Time {
	return time.Date(date.Year(), date.Month(), date.Day(), clock/60, clock%60, 0, 0, zone)
}

// instant reads a date with its time.
func instant(text string, zone *time.Location) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, true
	}
	if day, clock := split(text); clock != "" {
		date, dated := Day(day)
		at, timed := Clock(clock)
		return on(date, at, zone), dated && timed
	}
	return time.Time{}, false
}

// parts takes "8:00 - 9:30" apart.
func parts(text string) (begin, until string) {
	for _, dash := range []string{"–", " bis ", " to ", " - ", "-"} {
		before, after, found := strings.Cut(text, dash)
		if !found {
			continue
		}
		if _, isTime := Clock(before); !isTime {
			continue
		}
		if _, isTime := Clock(after); isTime {
			return strings.TrimSpace(before), strings.TrimSpace(after)
		}
	}
	return text, ""
}

// split parts a date from the time behind it.
func split(text string) (day, clock string) {
	text = strings.TrimSpace(text)
	for i, r := range text {
		if (r == ' ' || r == 'T' || r == ',') && i > 0 {
			if _, dated := Day(text[:i]); dated {
				return text[:i], strings.Trim(text[i+1:], " ,um")
			}
		}
	}
	return text, ""
}

var weekday = regexp.MustCompile(`^\p{L}+\.?,?\s+`)

// Day reads a date as people and programs write it: "24.11.2026", "Di, 24.11.26",
// "2026-11-24", "24. November 2026", "20261124".
func Day(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	text = weekday.ReplaceAllString(text, "")
	for i, name := range months {
		text = strings.Replace(text, " "+name+" ", " "+strconv.Itoa(i+1)+". ", 1)
	}
	compact := strings.ReplaceAll(text, " ", "")
	for _, layout := range []string{time.DateOnly, "2.1.2006", "2.1.06", "20060102", "2/1/2006"} {
		if date, err := time.Parse(layout, compact); err == nil && date.Year() > 1999 && date.Year() < 2100 {
			return date, true
		}
	}
	return time.Time{}, false
}

var months = []string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}

var clockText = regexp.MustCompile(`^(\d{1,2})(?:[:.h](\d{2}))?(?::\d{2})?$`)

// Clock reads a time of day in minutes: "8:00 Uhr", "08.00", "8 Uhr", "0800".
func Clock(text string) (minutes int, known bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	text = strings.TrimSpace(strings.TrimSuffix(text, "uhr"))
	if len(text) == 4 && strings.Trim(text, "0123456789") == "" {
		text = text[:2] + ":" + text[2:]
	}
	found := clockText.FindStringSubmatch(text)
	if found == nil {
		return 0, false
	}
	hour, _ := strconv.Atoi(found[1])
	minute := 0
	if found[2] != "" {
		minute, _ = strconv.Atoi(found[2])
	}
	return hour*60 + minute, hour < 24 && minute < 60
}

var lengthText = regexp.MustCompile(`^(?:(\d{1,2})(?:[.,](\d+))?\s*(?:h|std|stunden?|hours?)\.?)?\s*(?:(\d{1,3})\s*(?:m|min|minuten|minutes|')?\.?)?$`)

// Minutes reads how long something lasts: "90", "90 min", "1:30", "1,5 h", "1 h 30".
func Minutes(text string) (minutes int, known bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if before, after, found := strings.Cut(text, ":"); found {
		hours, first := strconv.Atoi(before)
		rest, second := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(after), "h")))
		return hours*60 + rest, first == nil && second == nil && hours >= 0 && rest >= 0 && rest < 60 && hours*60+rest > 0
	}
	found := lengthText.FindStringSubmatch(text)
	if found == nil {
		return 0, false
	}
	hours, _ := strconv.Atoi(found[1])
	minutes, _ = strconv.Atoi(found[3])
	minutes += hours * 60
	if found[2] != "" {
		part, _ := strconv.ParseFloat("0."+found[2], 64)
		minutes += int(part*60 + 0.5)
	}
	return minutes, minutes > 0
}

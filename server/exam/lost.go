package exam

import (
	"strconv"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
)

// Lost is time in which somebody could not write, as the device's own log says,
// and how much of it was given back, or dismissed.
type Lost struct {
	Seat
	For    time.Duration
	Given  time.Duration
	Causes []LostPart
}

// LostPart is one time in which somebody could not write.
type LostPart struct {
	Cause string // under "exam.lost.cause" in web/locale: restart, browser, display, late, swap, other
	For   time.Duration
}

// lateStart is how long after the beginning a device may start without that being
// told as lost: it takes so long to show the page.
const lateStart = time.Minute

// Owed returns what may still be given back, in whole minutes begun.
func (l Lost) Owed() int {
	rest := l.For - l.Given
	if rest <= 0 {
		return 0
	}
	return int((rest + time.Minute - time.Second) / time.Minute)
}

// LostTime adds up the time that was lost, per seat: a device that was off, waited
// for the resume code, or whose page was away; one that began late; the way to
// another device. Whether that was a failure, who invigilates knows.
func LostTime(exam Exam, seats []Seat, records []Record) []Lost {
	began, left, settled := map[org.ID]time.Time{}, map[org.ID]time.Time{}, map[org.ID]time.Duration{}
	parts := map[org.ID][]LostPart{}
	for _, r := range records {
		switch {
		case r.Key == "deed_started":
			if known := began[r.Device]; known.IsZero() || r.Said.Before(known) {
				began[r.Device] = r.Said
			}
		case r.Key == "swapped_from":
			left[r.Device] = r.At
		case r.Key == "lost_dismissed":
			if minutes, err := strconv.Atoi(r.Args["minutes"]); err == nil {
				settled[r.Device] += time.Duration(minutes) * time.Minute
			}
		}
		if part, is := lostPart(exam, r); is {
			parts[r.Device] = append(parts[r.Device], part)
		}
	}
	var all []Lost
	for _, seat := range seats {
		l := Lost{Seat: seat, Given: settled[seat.Device], Causes: parts[seat.Device]}
		from, cause, grace := exam.Starts, "late", lateStart
		if former := seat.Note.Instead; former != "" {
			from, cause, grace = left[former], "swap", 0
		}
		if at := began[seat.Device]; !at.IsZero() && !from.IsZero() {
			if gone := at.Sub(from) - exam.pausedBetween(from, at); gone > grace {
				l.Causes = append(l.Causes, LostPart{cause, gone})
			}
		}
		for _, part := range l.Causes {
			l.For += part.For
		}
		for _, shift := range seat.Note.Shifts {
			if shift.Why == "lost" {
				l.Given += shift.By
			}
		}
		if l.For > 0 {
			all = append(all, l)
		}
	}
	return all
}

// lostPart reads a line of the evidence that tells of lost time.
func lostPart(exam Exam, r Record) (LostPart, bool) {
	told := r.Key == "event" && r.Args["event"] == ddm.EventExamLost
	seconds, err := strconv.Atoi(r.Args["seconds"])
	if !told || err != nil || seconds <= 0 || r.Said.Before(exam.Starts) {
		return LostPart{}, false
	}
	// Nobody loses more than has passed since the beginning.
	lasted := min(time.Duration(seconds)*time.Second, r.Said.Sub(exam.Starts))
	part := LostPart{Cause: "other", For: lasted - exam.pausedBetween(r.Said.Add(-lasted), r.Said)}
	switch cause := r.Args["cause"]; cause {
	case "restart", "browser", "display":
		part.Cause = cause
	}
	return part, part.For > 0
}

// pausedBetween is for how long everybody paused meanwhile: that time was given back
// to all.
func (e Exam) pausedBetween(from, until time.Time) time.Duration {
	var paused time.Duration
	for _, shift := range e.Shifts {
		if shift.Why != "pause" {
			continue
		}
		begin, end := shift.At, shift.At.Add(shift.By)
		if begin.Before(from) {
			begin = from
		}
		if end.After(until) {
			end = until
		}
		paused += max(0, end.Sub(begin))
	}
	return paused
}

package exam

import (
	"slices"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

// Seat is a device that takes part, with whoever writes on it.
type Seat struct {
	Device    org.ID
	Enrolment org.ID // empty: not enrolled
	Name      string // inventory number
	Platform  org.Platform
	Person    org.ID
	PersonNow string // name, if the school keeps names
	Simulated bool

	// Extra is what the office entered for the person, or for the device.
	Extra Extra
	Note  SeatNote
}

// SeatNote is what happened to one seat.
type SeatNote struct {
	Instead  org.ID    // the device that this one took the place of
	Person   org.ID    // who wrote on it when it was swapped
	Shifts   []Shift   // by which the end was moved for this seat alone
	Released time.Time // let out before the end
	Again    time.Time // let in again
}

// Extra is extra time in examinations: so many minutes, or so many percent of
// their length. Nothing says why somebody has it.
type Extra struct {
	Minutes int
	Percent int
	Since   time.Time // when it was entered; what had ended then stays ended
}

// Of returns the extra time in an examination of the length, in whole minutes.
func (x Extra) Of(length time.Duration) time.Duration {
	part := time.Duration(x.Percent) * length / 100
	if rest := part % time.Minute; rest > 0 {
		part += time.Minute - rest
	}
	return part + time.Duration(x.Minutes)*time.Minute
}

// Wish is what a device shall hold: a window of its own, and the rules.
type Wish struct {
	Seat
	Starts, Ends time.Time
	Rules        lease.Rules
}

// EndOf returns when a seat ends by itself, as it stands at the instant. A device
// that took another's place has that one's end.
func (e Exam) EndOf(seats []Seat, device org.ID, at time.Time) time.Time {
	shifts := slices.Clone(e.shifts(at))
	var extra Extra
	for range len(seats) + 1 { // no chain of replacements is longer
		seat, is := find(seats, device)
		if !is {
			break
		}
		shifts = append(shifts, seat.Note.Shifts...)
		extra = seat.Extra
		if seat.Note.Instead == "" {
			break
		}
		device = seat.Note.Instead
	}
	if end := moved(e.Ends, shifts); extra.Since.After(end) {
		return end
	}
	return moved(e.Ends.Add(extra.Of(e.Length())), shifts)
}

// Writer returns the seat whose person writes on the device: the first of the
// devices that it took the place of.
func Writer(seats []Seat, device org.ID) Seat {
	seat, _ := find(seats, device)
	for range len(seats) { // no chain of replacements is longer
		former, is := find(seats, seat.Note.Instead)
		if !is {
			break
		}
		seat = former
	}
	return seat
}

// LastEnd returns when the last seat ends.
func (e Exam) LastEnd(seats []Seat, at time.Time) time.Time {
	last := e.End(at)
	for _, wish := range e.Wishes(seats, at) {
		last = later(last, wish.Ends)
	}
	return last
}

// Wishes returns what each device shall hold, as it stands at the instant. A
// wish whose end has passed says that the device shall be let go.
func (e Exam) Wishes(seats []Seat, at time.Time) []Wish {
	wishes := make([]Wish, 0, len(seats))
	for _, seat := range seats {
		wish := Wish{Seat: seat, Starts: e.Starts, Ends: e.EndOf(seats, seat.Device, at), Rules: e.Rules}
		for _, stop := range []time.Time{e.Ended, e.Cancelled, seat.Note.Released} {
			if !stop.IsZero() && stop.Before(wish.Ends) {
				wish.Ends = stop
			}
		}
		wishes = append(wishes, wish)
	}
	return wishes
}

// rehearsals returns what the devices of the rehearsal shall hold.
func (e Exam) rehearsals(seats []Seat) []Wish {
	r := e.Rehearsal
	if r == nil {
		return nil
	}
	rules := e.Rules
	if rules.Exam != nil {
		copied := *rules.Exam
		copied.Rehearsal, copied.Work = true, nil
		rules.Exam = &copied
	}
	ends := r.Ends
	for _, stop := range []time.Time{e.Starts, e.Cancelled} {
		if !stop.IsZero() && stop.Before(ends) {
			ends = stop
		}
	}
	var wishes []Wish
	for _, seat := range seats {
		if len(r.Devices) == 0 || slices.Contains(r.Devices, seat.Device) {
			seat.Note.Again = time.Time{}
			wishes = append(wishes, Wish{Seat: seat, Starts: r.Starts, Ends: ends, Rules: rules})
		}
	}
	return wishes
}

func find(seats []Seat, device org.ID) (Seat, bool) {
	at := slices.IndexFunc(seats, func(s Seat) bool { return s.Device == device })
	if at < 0 {
		return Seat{}, false
	}
	return seats[at], true
}

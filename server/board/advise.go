package board

import (
	"strconv"
	"time"

	"schulwart.org/server/lesson"
)

// Advice is what a call page says: the likely cause, the next step, and a
// sentence to read aloud. Keys are under "cause.", "step." and "say." in
// web/locale; all three share the arguments.
type Advice struct {
	Cause, Step, Say string
	Args             map[string]string
}

// Bounds of what counts as trouble.
const (
	lowBattery = 15
	lowDisk    = 2 << 30 // bytes
	wrongClock = 300.0   // seconds
	longAway   = 14 * 24 * time.Hour
)

// Advise looks for the most likely cause of a call, the gravest first. It is
// pure: what it says follows from what is on the page.
func Advise(d Device, at time.Time) Advice {
	advice := Advice{Args: map[string]string{"name": d.Name}}
	say := func(key string) Advice {
		advice.Cause, advice.Step, advice.Say = key, key, key
		return advice
	}
	held := holding(d.Modes, at)
	if held != nil {
		advice.Args["by"], advice.Args["kind"] = held.Lease.ByName, string(held.Lease.Kind)
		advice.Args["until"] = held.Lease.Ends.UTC().Format(time.RFC3339)
		advice.Args["reason"] = held.Reason.Key
	}
	switch {
	case d.Enrolment == "" && d.Left:
		return say("left")
	case d.Enrolment == "":
		return say("not_enrolled")
	case overdue(d.Modes):
		return say("overdue")
	case !d.Contact.Connected && at.Sub(d.Contact.Seen) > longAway:
		return say("long_away")
	case !d.Contact.Connected && held != nil && held.Reason.Key != "not_received":
		return say("held_offline")
	case held != nil && held.State == lesson.Deviating:
		return say("deviating")
	case held != nil && (held.State == lesson.Active || held.State == lesson.Delivered || held.State == lesson.Planned):
		return say("mode")
	case !d.Contact.Connected && d.Facts.Battery != nil && *d.Facts.Battery < lowBattery:
		advice.Args["battery"] = strconv.Itoa(*d.Facts.Battery)
		return say("battery")
	case !d.Contact.Connected:
		return say("no_contact")
	case d.Facts.ClockOffset != nil && abs(*d.Facts.ClockOffset) > wrongClock:
		return say("clock")
	case d.Facts.DiskTotal > 0 && d.Facts.DiskFree < lowDisk:
		return say("disk")
	}
	return say("fine")
}

// holding is the mode that a caller may feel: what is planned for later is none.
func holding(modes []lesson.DeviceMode, at time.Time) *lesson.DeviceMode {
	for i := range modes {
		if modes[i].State != lesson.Ended && !at.Before(modes[i].Lease.Starts) {
			return &modes[i]
		}
	}
	return nil
}

func overdue(modes []lesson.DeviceMode) bool {
	for _, mode := range modes {
		switch {
		case mode.State == lesson.Unreachable && mode.Reason.Key == "should_have_ended", mode.Reason.Key == "not_released":
			return true
		}
	}
	return false
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}

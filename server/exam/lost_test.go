package exam

import (
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
)

func TestLostTime(t *testing.T) {
	bell := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return bell.Add(time.Duration(minutes) * time.Minute) }
	started := func(device org.ID, minute int) Record {
		return Record{Device: device, Said: at(minute), Key: "deed_started"}
	}
	lost := func(device org.ID, minute, seconds int, cause string) Record {
		args := map[string]string{"event": ddm.EventExamLost, "seconds": (time.Duration(seconds) * time.Second).String(), "cause": cause}
		args["seconds"] = itoa(seconds)
		return Record{Device: device, Said: at(minute), Key: "event", Args: args}
	}
	exam := Exam{Starts: bell, Ends: at(90), Shifts: []Shift{{At: at(30), By: 10 * time.Minute, Why: "pause"}}}
	seats := []Seat{{Device: "on-time"}, {Device: "restarted"}, {Device: "late"}, {Device: "broken"}, {Device: "spare", Note: SeatNote{Instead: "broken"}}, {Device: "paused"}, {Device: "given", Note: SeatNote{Shifts: []Shift{{By: 2 * time.Minute, Why: "lost"}}}}}
	records := []Record{
		started("on-time", 0), started("restarted", 0), lost("restarted", 12, 125, "restart"), lost("restarted", 20, 60, "strange"),
		started("late", 7), started("broken", 0), {Device: "broken", At: at(40), Key: "swapped_from"}, started("spare", 44),
		started("paused", 0), lost("paused", 45, 15*60, "browser"), started("given", 0), lost("given", 1, 600, "restart"),
		{Device: "on-time", Said: at(-5), Key: "event", Args: map[string]string{"event": ddm.EventExamLost, "seconds": "300"}},
	}
	got := map[org.ID]Lost{}
	for _, l := range LostTime(exam, seats, records) {
		got[l.Device] = l
	}
	for device, want := range map[org.ID]struct {
		owed  int
		cause string
	}{"restarted": {4, "restart"}, "late": {7, "late"}, "spare": {4, "swap"}, "paused": {5, "browser"}} {
		if l := got[device]; l.Owed() != want.owed || l.Causes[0].Cause != want.cause {
			t.Errorf("%s: %d minutes by %+v", device, l.Owed(), l.Causes)
		}
	}
	// Nobody lost more than had passed, and what was given back is owed no more.
	if l := got["given"]; l.For != time.Minute || l.Owed() != 0 {
		t.Errorf("%+v", l)
	}
	if _, is := got["on-time"]; is {
		t.Error("before the beginning nothing is lost")
	}
}

func itoa(n int) string { return minutesOf(n)["minutes"] }

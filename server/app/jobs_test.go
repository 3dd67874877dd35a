package app

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"schulwart.org/scripts/need"
	"schulwart.org/server/store/storetest"
)

// Walks through both DST nights, a minute at a time: each daily job runs once
// per local date, also the one whose hour does not exist or comes twice.
func TestDailyJobsRunOnceOnDSTDays(t *testing.T) {
	zone := need.Zone(t, "Europe/Berlin")
	s := storetest.Open(t)
	for _, day := range []time.Time{time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 21, 0, 0, 0, time.UTC)} {
		ran := map[string]int{}
		at := day
		j := job{name: "nightly", daily: 2, run: func(context.Context) error { ran[at.In(zone).Format(time.DateOnly)]++; return nil }}
		for range 30 * 60 / 5 {
			runJob(context.Background(), j, s, zone, func() time.Time { return at }, slog.New(slog.DiscardHandler))
			at = at.Add(5 * time.Minute)
		}
		for date, n := range ran {
			if n != 1 {
				t.Errorf("%s: ran %d times", date, n)
			}
		}
		if len(ran) < 2 {
			t.Errorf("from %s: ran on %v only", day, ran)
		}
	}
}

// Who moves the backup from 2 to 22 o'clock during the day expects one tonight,
// and one only.
func TestAnHourThatPeopleSetHoldsFromTheSameDayOn(t *testing.T) {
	zone := need.Zone(t, "Europe/Berlin")
	hour, ran := 2, []string{}
	at := time.Date(2026, 11, 24, 0, 0, 0, 0, zone)
	j := job{name: "backup", hour: func() int { return hour }, run: func(context.Context) error { ran = append(ran, at.In(zone).Format("02. 15:04")); return nil }}
	s := storetest.Open(t)
	for range 48 * 12 {
		if at.Equal(time.Date(2026, 11, 24, 10, 0, 0, 0, zone)) {
			hour = 22
		}
		runJob(context.Background(), j, s, zone, func() time.Time { return at }, slog.New(slog.DiscardHandler))
		at = at.Add(5 * time.Minute)
	}
	if got := strings.Join(ran, ", "); got != "24. 02:00, 24. 22:00, 25. 22:00" {
		t.Errorf("ran %s", got)
	}
}

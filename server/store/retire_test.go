package store_test

import (
	"fmt"
	"testing"
	"time"

	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// What is finished goes when its time is over, and not a day before; what still
// runs or is still to be told stays, however old.
func TestRetireTakesWhatIsOldAndFinished(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		school, class := storetest.School(t, s)
		now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
		ago := func(days int) int64 { return now.AddDate(0, 0, -days).UnixMilli() }
		a, sc := school.Authority, school.School
		mode := func(id string, ends int64) {
			storetest.Exec(t, s, `INSERT INTO modes (authority, id, school, group_id, kind, starts, ends, staff, by_name, rules, created, changed) VALUES ($1, $2, $3, $4, 'offline', 1, $5, 'p', 'Frau Oert', '{}', 1, 1)`, a, id, sc, class, ends)
		}
		lease := func(id, mode string, keep int64) {
			storetest.Exec(t, s, `INSERT INTO leases (authority, id, mode, school, device, enrolment, rev, kind, rules, starts, ends, keep_until, by_name, state, since) VALUES ($1, $2, $3, $4, 'd', '', 1, 'offline', '{}', 1, 2, $5, 'Frau Oert', 'ended', 1)`, a, id, mode, sc, keep)
		}
		mode("old", ago(15))
		lease("old", "old", ago(15))
		mode("young", ago(13))
		lease("young", "young", ago(13))
		mode("kept", ago(15)) // over, but a device may still hold a lease of it
		lease("kept", "kept", ago(13))
		for id, days := range map[string]int{"old": 31, "young": 29} {
			storetest.Exec(t, s, `INSERT INTO device_events (authority, device, id, at, received, key) VALUES ($1, $2, $3, 1, $4, 'enrolled')`, a, "d-"+id, id, ago(days))
		}
		// A device that says the same as another takes nothing of it along.
		storetest.Exec(t, s, `INSERT INTO device_events (authority, device, id, at, received, key) VALUES ($1, 'other', 'old', 1, $2, 'enrolled')`, a, ago(1))
		for _, days := range []int{9, 7} {
			storetest.Exec(t, s, `INSERT INTO contacts (authority, school, minute, n) VALUES ($1, $2, $3, 1)`, a, sc, ago(days))
		}
		for id, until := range map[string]int64{"past": ago(1), "ahead": ago(-1)} {
			storetest.Exec(t, s, `INSERT INTO absences (authority, group_id, device, until) VALUES ($1, $2, $3, $4)`, a, class, id, until)
		}
		for id, row := range map[string]struct {
			how   string
			until int64
		}{"old": {"substitute", ago(15)}, "young": {"substitute", ago(13)}, "for good": {"substitute", 0}, "own": {"owner", ago(15)}} {
			storetest.Exec(t, s, `INSERT INTO group_staff (authority, group_id, staff, how, until) VALUES ($1, $2, $3, $4, $5)`, a, class, id, row.how, row.until)
		}
		for _, days := range []int{401, 399} {
			storetest.Exec(t, s, `INSERT INTO signed_messages (authority, enrolment, digest, at) VALUES ($1, 'e', $2, $3)`, a, fmt.Sprint(days), ago(days))
		}
		for _, days := range []int{91, 89} {
			storetest.Exec(t, s, `INSERT INTO job_runs (job, due, at) VALUES ('backup', $1, $2)`, fmt.Sprint(days), ago(days))
		}

		gone, err := s.Retire(t.Context(), now)
		if err != nil || gone != 8 {
			t.Errorf("%d rows, %v", gone, err)
		}
		if again, err := s.Retire(t.Context(), now); err != nil || again != 0 {
			t.Errorf("once more: %d rows, %v", again, err)
		}
		for query, want := range map[string]string{
			`SELECT COUNT(*) FROM leases WHERE id IN ('young', 'kept')`:                    "2",
			`SELECT COUNT(*) FROM leases`:                                                  "2",
			`SELECT COUNT(*) FROM modes WHERE id IN ('young', 'kept')`:                     "2",
			`SELECT COUNT(*) FROM modes`:                                                   "2",
			`SELECT COUNT(*) FROM device_events WHERE id = 'young' OR device = 'other'`:    "2",
			`SELECT COUNT(*) FROM device_events`:                                           "2",
			`SELECT COUNT(*) FROM contacts`:                                                "1",
			`SELECT MAX(device) FROM absences`:                                             "ahead",
			`SELECT COUNT(*) FROM group_staff WHERE staff IN ('young', 'for good', 'own')`: "3",
			`SELECT COUNT(*) FROM group_staff`:                                             "3",
			`SELECT MAX(digest) FROM signed_messages`:                                      "399",
			`SELECT MAX(due) FROM job_runs`:                                                "89",
		} {
			if got := storetest.Ask(t, s, query); got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
	})
}

package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// The list of schools and a school's own page must not show different numbers.
func TestTheListOfSchoolsCountsAsTheSchoolDoes(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		school, class := storetest.School(t, s)
		now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
		midnight := now.Truncate(24 * time.Hour)
		at := func(d time.Duration) int64 { return now.Add(d).UnixMilli() }
		for n, device := range []struct {
			seen    time.Duration
			retired int64
		}{{-time.Hour, 0}, {-2 * time.Hour, 0}, {-20 * time.Hour, 0}, {-time.Hour, at(-time.Minute)}} {
			id := fmt.Sprint("d", n)
			storetest.Exec(t, s, `INSERT INTO devices (authority, id, school, name, serial, platform, model, source, created, retired) VALUES ($1, $2, $3, $4, '', 'linux', '', 'hand', 1, $5)`,
				school.Authority, id, school.School, id, device.retired)
			storetest.Exec(t, s, `INSERT INTO device_states (authority, device, school, last_seen, facts) VALUES ($1, $2, $3, $4, '{}')`, school.Authority, id, school.School, at(device.seen))
		}
		for n, mode := range []struct{ starts, ends time.Duration }{{-time.Hour, time.Hour}, {-2 * time.Hour, -time.Hour}, {time.Hour, 2 * time.Hour}} {
			storetest.Exec(t, s, `INSERT INTO modes (authority, id, school, group_id, kind, starts, ends, staff, by_name, rules, created, changed) VALUES ($1, $2, $3, $4, 'offline', $5, $6, 'p', 'Frau Oert', '{}', 1, 1)`,
				school.Authority, fmt.Sprint("m", n), school.School, class, at(mode.starts), at(mode.ends))
		}
		found, err := s.Glance(t.Context(), school, midnight, now)
		if err != nil {
			t.Fatal(err)
		}
		today, err := s.Today(t.Context(), school, midnight, now)
		if err != nil {
			t.Fatal(err)
		}
		running, err := s.RunningModes(t.Context(), school, now)
		if err != nil {
			t.Fatal(err)
		}
		if found.Seen != 2 || found.Seen != today.Seen || found.Deviating != today.Deviating || found.Modes != 1 || found.Modes != len(running) {
			t.Errorf("the list says %+v, the school %+v and %d modes", found, today, len(running))
		}
		// A mode for ticked devices has no group to name, and names the first of them.
		storetest.Exec(t, s, `INSERT INTO modes (authority, id, school, group_id, kind, starts, ends, staff, by_name, rules, created, changed) VALUES ($1, 'ticked', $2, '', 'offline', $3, $4, 'p', 'Frau Oert', '{}', 1, 1)`,
			school.Authority, school.School, at(-time.Minute), at(time.Hour))
		for n := range 4 {
			storetest.Exec(t, s, `INSERT INTO leases (authority, id, mode, school, device, enrolment, rev, kind, rules, starts, ends, keep_until, by_name, state, since) VALUES ($1, $2, 'ticked', $3, $4, '', 1, 'offline', '{}', $5, $6, $6, 'Frau Oert', 'planned', 1)`,
				school.Authority, fmt.Sprint("l", n), school.School, fmt.Sprint("d", 3-n), at(-time.Minute), at(time.Hour))
		}
		running, err = s.RunningModes(t.Context(), school, now)
		if err != nil {
			t.Fatal(err)
		}
		if len(running) != 2 || running[0].Devices != 4 || !slices.Equal(running[0].Names, []string{"d0", "d1", "d2"}) || running[1].Names != nil {
			t.Errorf("running %+v", running)
		}
		if other, err := s.Glance(t.Context(), org.Branch{Authority: school.Authority, School: "other"}, midnight, now); err != nil || other.Seen+other.Modes != 0 {
			t.Errorf("another school has %+v, %v", other, err)
		}
	})
}

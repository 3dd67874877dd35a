package store_test

import (
	"fmt"
	"testing"
	"time"

	"schulwart.org/server/checkin"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// One policy that deviates since Monday does not get younger because another was
// fetched on Tuesday.
func TestEachPolicyHasAnAgeOfItsOwn(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		school, _ := storetest.School(t, s)
		storetest.Exec(t, s, `INSERT INTO devices (authority, id, school, name, platform, source, created) VALUES ($1, 'd', $2, 'G-1', 'linux', 'hand', 1)`, school.Authority, school.School)
		storetest.Exec(t, s, `INSERT INTO device_states (authority, device, school, said_since) VALUES ($1, 'd', $2, 77000)`, school.Authority, school.School)
		enrolment := checkin.Enrolment{Authority: school.Authority, School: school.School, Device: "d"}
		report := func(declarations string) map[string]time.Time {
			t.Helper()
			before := time.Now().Add(-time.Millisecond)
			if err := s.SaveReport(t.Context(), enrolment, checkin.Report{Declarations: declarations}); err != nil {
				t.Fatal(err)
			}
			sheet, err := s.Sheet(t.Context(), "d")
			if err != nil {
				t.Fatal(err)
			}
			for identifier, at := range sheet.SaidSince {
				if at.Before(before) && at.UnixMilli() != 77000 {
					delete(sheet.SaidSince, identifier) // older than this report
				}
			}
			return sheet.SaidSince
		}
		said := func(usb, filter string) string {
			return fmt.Sprintf(`{"configurations":[{"identifier":"usb","active":false,"valid":"invalid","server-token":%q},{"identifier":"filter","active":true,"valid":"valid","server-token":%q}]}`, usb, filter)
		}
		if fresh := report(said("1", "1")); len(fresh) != 2 {
			t.Errorf("said for the first time: %v", fresh)
		}
		time.Sleep(5 * time.Millisecond)
		if fresh := report(said("1", "2")); len(fresh) != 1 || fresh["filter"].IsZero() {
			t.Errorf("only the filter is new: %v", fresh)
		}
		time.Sleep(5 * time.Millisecond)
		if fresh := report(said("1", "2")); len(fresh) != 0 {
			t.Errorf("the same again: %v", fresh)
		}
		// What was said before ages were kept is at least so old.
		storetest.Exec(t, s, `UPDATE device_states SET said_times = '{}'`)
		if kept := report(said("1", "3")); kept["usb"].UnixMilli() != 77000 {
			t.Errorf("from before: %v", kept)
		}
	})
}

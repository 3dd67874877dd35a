package store_test

import (
	"slices"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// Who takes a class over next week picked apps for it already today.
func TestASubstitutionThatBeginsLaterOpensNoShelf(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		school, _ := storetest.School(t, s)
		now := time.Now()
		for group, days := range map[string][2]int{"own": {0, 0}, "now": {-1, 1}, "past": {-2, -1}, "ahead": {1, 2}} {
			at := func(days int) int64 {
				if days == 0 {
					return 0
				}
				return now.AddDate(0, 0, days).UnixMilli()
			}
			storetest.Exec(t, s, `INSERT INTO group_staff (authority, group_id, staff, how, since, until) VALUES ($1, $2, 'oert', 'substitute', $3, $4)`, school.Authority, group, at(days[0]), at(days[1]))
		}
		taught, err := s.GroupsTaught(t.Context(), "oert")
		if err != nil || !slices.Equal(taught, []org.ID{"now", "own"}) {
			t.Errorf("teaches %v, %v", taught, err)
		}
	})
}

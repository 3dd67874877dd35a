package store_test

import (
	"slices"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/ids"
	"schulwart.org/server/roster"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// Classes stand in the order in which a school names them, on one page and over
// several.
func TestGroupsStandInTheOrderThatPeopleExpect(t *testing.T) {
	want := []string{"4b", "5a", "5b", "9c", "10a", "10b", "EF", "Koffer 2", "Koffer 10", "Koffer B", "Q1", "Q2"}
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		school, _ := storetest.School(t, s) // with class 4b
		for _, name := range []string{"10b", "Q2", "Koffer 10", "5b", "EF", "10a", "Koffer B", "5a", "9c", "Koffer 2", "Q1"} {
			storetest.Exec(t, s, `INSERT INTO school_groups (authority, id, school, kind, name, created) VALUES ($1, $2, $3, 'class', $4, 1)`, school.Authority, ids.New(), school.School, name)
		}
		for _, limit := range []int{0, 1, 5} {
			var names []string
			filter := roster.GroupFilter{Limit: limit}
			for {
				groups, next, err := s.ListGroups(t.Context(), []org.Branch{school}, filter, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				for _, group := range groups {
					names = append(names, group.Name)
				}
				if filter.Cursor = next; next == "" {
					break
				}
			}
			if !slices.Equal(names, want) {
				t.Errorf("%d a page: %q, want %q", limit, names, want)
			}
		}
	})
}

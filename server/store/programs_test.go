package store_test

import (
	"maps"
	"testing"

	"schulwart.org/policies/org"
	"schulwart.org/server/checkin"
	"schulwart.org/server/exam"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// A report that says nothing of programs leaves what is known of them.
func TestVersionsOfProgramsStayUntilTheyAreToldAnew(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		school, _ := storetest.School(t, s)
		storetest.Exec(t, s, `INSERT INTO devices (authority, id, school, name, platform, source, created) VALUES ($1, 'd', $2, 'G-1', 'linux', 'hand', 1)`, school.Authority, school.School)
		storetest.Exec(t, s, `INSERT INTO device_states (authority, device, school, facts) VALUES ($1, 'd', $2, '{}')`, school.Authority, school.School)
		enrolment := checkin.Enrolment{Authority: school.Authority, School: school.School, Device: "d"}
		after := func(programs *map[string]string) map[string]string {
			t.Helper()
			if err := s.SaveReport(t.Context(), enrolment, checkin.Report{Programs: programs}); err != nil {
				t.Fatal(err)
			}
			facts, err := s.ExamFacts(t.Context(), exam.Exam{Branch: school}, []org.ID{"d"})
			if err != nil {
				t.Fatal(err)
			}
			return facts["d"].Programs
		}
		if got := after(nil); got != nil {
			t.Errorf("nothing was told: %v", got)
		}
		want := map[string]string{"chromium": "141.0-1"}
		for _, said := range []*map[string]string{&want, nil} {
			if got := after(said); !maps.Equal(got, want) {
				t.Errorf("after %v: %v", said, got)
			}
		}
		if got := after(&map[string]string{}); got == nil || len(got) != 0 {
			t.Errorf("nothing is installed: %v", got)
		}
	})
}

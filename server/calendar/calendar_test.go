package calendar_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/app"
	"schulwart.org/server/calendar"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

type woken struct{ times int }

func (w *woken) Wake() { w.times++ }

var (
	autumn = rollout.Break{Name: "Herbstferien", First: "2026-10-15", Last: "2026-10-24"}
	bridge = rollout.Break{Name: "Brückentag", First: "2027-05-07", Last: "2027-05-07"}
)

func TestASchoolHasItsAuthoritysHolidaysAndItsOwn(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, changes := t.Context(), &woken{}
		room := &calendar.Service{Store: s, Tables: app.Tables{}, Changes: changes}
		school, _ := storetest.School(t, s)
		keller := storetest.Person(t, s, "Frau Keller", may.AuthorityAdmin, org.Branch{Authority: school.Authority}, time.Now())
		winter := storetest.Person(t, s, "Frau Winter", may.SchoolAdmin, school, time.Now())
		oert := storetest.Person(t, s, "Frau Oert", may.Teacher, school, time.Now())

		if err := room.Set(ctx, keller, org.Authority, school.Authority, "MV", []rollout.Break{autumn, autumn}); err != nil {
			t.Fatal(err)
		}
		if err := room.Set(ctx, winter, org.School, school.School, "", []rollout.Break{bridge}); err != nil {
			t.Fatal(err)
		}
		if changes.times != 2 {
			t.Errorf("devices were told %d times", changes.times)
		}
		found, err := room.Find(ctx, winter, org.School, school.School)
		if err != nil || found.Land != "MV" || !slices.Equal(found.Breaks, []rollout.Break{autumn}) || !slices.Equal(found.Own, []rollout.Break{bridge}) || !found.MayWrite {
			t.Errorf("%+v: %v", found, err)
		}
		// Rollouts and devices know both.
		calendars, err := s.Calendars(ctx, school)
		if err != nil {
			t.Fatal(err)
		}
		for day, lessons := range map[rollout.Date]bool{"2026-10-16": false, "2027-05-07": false, "2026-10-31": false, "2027-05-10": true, "2026-10-26": true} {
			if calendars[school.School].SchoolDay(day) != lessons {
				t.Errorf("lessons on %s: %t", day, !lessons)
			}
		}
		for what, err := range map[string]error{
			"a school over its authority": room.Set(ctx, winter, org.Authority, school.Authority, "BY", nil),
			"a teacher":                   room.Set(ctx, oert, org.School, school.School, "", nil),
		} {
			if !errs.Is(err, errs.Denied) && !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := room.Set(ctx, winter, org.School, school.School, "BY", nil); !errs.Is(err, errs.Invalid) {
			t.Errorf("a school chose its Land: %v", err)
		}
		if _, err := room.Find(ctx, keller, org.Group, school.School); !errs.Is(err, errs.NotFound) {
			t.Errorf("the calendar of a group: %v", err)
		}
		if err := room.Change(ctx, keller, org.Authority, school.Authority, func(land rollout.Land, own []rollout.Break) (rollout.Land, []rollout.Break) {
			return land, append(own, rollout.Break{First: "2026-10-24", Last: "2026-10-15"})
		}); !errs.Is(err, errs.Invalid) {
			t.Errorf("holidays the wrong way round: %v", err)
		}
		if found, _ := room.Find(ctx, keller, org.Authority, school.Authority); !slices.Equal(found.Breaks, []rollout.Break{autumn}) {
			t.Errorf("after a refusal: %v", found.Breaks)
		}
	})
}

func TestASchoolYearHasEachDayOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := rollout.DateOf(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 0).UTC())
		first, last := calendar.SchoolYear(day)
		if day < first || last < day || first[5:] != "08-01" || last[5:] != "07-31" {
			t.Fatalf("%s is in %s to %s", day, first, last)
		}
		if before, _ := calendar.SchoolYear(first.Add(-1)); before == first {
			t.Fatal("the year before is the same")
		}
	})
}

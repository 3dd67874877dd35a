package rollout_test

import (
	"slices"
	"strings"
	"testing"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/rollout"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// A school sees what its authority rolls out to it: its own devices, and no others.
func TestASchoolSeesWhatItsAuthorityRollsOut(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := found(t, s, 4)
		other := org.Branch{Authority: c.school.Authority, School: "other"}
		storetest.Exec(t, s, `INSERT INTO schools (authority, id, name, short, created) VALUES ('`+c.school.Authority.String()+`', 'other', 'Realschule', 'RS', 1)`)
		storetest.Exec(t, s, `INSERT INTO devices (authority, id, school, name, platform, created) VALUES ('`+c.school.Authority.String()+`', 'far', 'other', 'RS-1', 'linux', 1)`)
		storetest.Exec(t, s, `INSERT INTO enrolments (authority, id, device, school, udid, state, created, changed) VALUES ('`+c.school.Authority.String()+`', 'efar', 'far', 'other', 'ufar', 'enrolled', 1, 1)`)
		abroad := storetest.Person(t, s, "Frau Fremd", may.SchoolAdmin, org.Branch{Authority: "elsewhere", School: "x"}, c.at)
		neighbour := storetest.Person(t, s, "Herr Nah", may.SchoolAdmin, other, c.at)

		wanted := rollout.New{Package: c.webApp("1").ID, Level: org.Authority, Place: c.school.Authority, Rings: []ground.Ring{{Kind: ground.RingAll}}, Draft: true}
		planned, err := c.Create(t.Context(), c.keller, wanted)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Find(t.Context(), c.winter, planned.ID); !errs.Is(err, errs.NotFound) {
			t.Errorf("a school saw a draft: %v", err)
		}
		if _, err := c.Act(t.Context(), c.keller, planned.ID, rollout.DoStart); err != nil {
			t.Fatal(err)
		}
		failed := ddm.PackageStatus{Rollout: planned.ID.String(), Name: "moodle", State: ddm.PackageFailed, Reason: &ddm.Reason{Code: "package.no-space", Details: map[string]string{"error": "far away"}}, Since: c.at}
		if err := c.Reported(t.Context(), c.school.Authority, "far", says(failed)); err != nil {
			t.Fatal(err)
		}
		for _, try := range []struct {
			who     may.Actor
			devices int
			failed  int
		}{{c.winter, 4, 0}, {neighbour, 1, 1}, {c.keller, 5, 1}} {
			view, err := c.Find(t.Context(), try.who, planned.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got := view.Rings[0]; got.Devices != try.devices || got.Failed != try.failed || len(view.Reasons) != try.failed || view.Above == (try.who.ID == c.keller.ID) {
				t.Errorf("%s sees %+v, %+v, above %t", try.who.Name, got, view.Reasons, view.Above)
			}
			devices, _, err := c.Devices(t.Context(), try.who, planned.ID, rollout.DeviceFilter{})
			if err != nil || len(devices) != try.devices {
				t.Errorf("%s lists %d devices: %v", try.who.Name, len(devices), err)
			}
			if view.MayRun != (try.who.ID == c.keller.ID) {
				t.Errorf("%s may run it: %t", try.who.Name, view.MayRun)
			}
		}
		if _, err := c.Act(t.Context(), c.winter, planned.ID, rollout.DoRollBack); !errs.Is(err, errs.NotFound) {
			t.Errorf("a school took it back: %v", err)
		}
		if _, err := c.Find(t.Context(), abroad, planned.ID); !errs.Is(err, errs.NotFound) {
			t.Errorf("another authority's school: %v", err)
		}
		if list, _, err := c.List(t.Context(), abroad, rollout.Filter{}); err != nil || len(list) != 0 {
			t.Errorf("another authority's school lists %v, %v", list, err)
		}
	})
}

// What happened stands there in its order, with who did it.
func TestARolloutTellsWhatHappened(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := found(t, s, 40)
		view, err := c.Create(t.Context(), c.keller, rollout.New{Package: c.webApp("2").ID, Level: org.Authority, Place: c.school.Authority, Draft: true,
			Rings: []ground.Ring{{Kind: ground.RingGroup, Place: c.room}, {Kind: ground.RingAll}}, Gates: ground.Gates{Verified: 1, Failed: 2}})
		if err != nil {
			t.Fatal(err)
		}
		do := func(who may.Actor, deed rollout.Do) {
			t.Helper()
			c.at = c.at.Add(1e9)
			if _, err := c.Act(t.Context(), who, view.ID, deed); err != nil {
				t.Fatal(deed, err)
			}
		}
		do(c.keller, rollout.DoStart)
		present := map[org.ID]string{}
		c.answer(func(org.ID) bool { return false }, present)
		c.hours(1)
		c.answer(func(device org.ID) bool { return device >= "d00030" }, present) // those outside of the room
		c.hours(1)
		do(c.keller, rollout.DoRetry)
		do(c.keller, rollout.DoPause)
		do(c.keller, rollout.DoRollBack)
		seen, err := c.Find(t.Context(), c.keller, view.ID)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, step := range slices.Backward(seen.Steps) {
			told = append(told, step.What+" "+step.By)
			if step.What == "halts" && (step.Status.Where != 1 || step.Status.Count != 10 || step.Status.Of != 10) {
				t.Errorf("it halted at %+v", step.Status)
			}
		}
		const want = "planned Frau Keller, start Frau Keller, ring , halts , retry Frau Keller, pause Frau Keller, rollback Frau Keller"
		if got := strings.Join(told, ", "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

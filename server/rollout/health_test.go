package rollout_test

import (
	"testing"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/rollout"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// keeps adds to a report how a device keeps its policies: so many of them not.
func keeps(report ddm.StatusReport, troubles int) ddm.StatusReport {
	states := []ddm.DeclarationState{
		{Identifier: "org.schulwart.lease.x", Valid: ddm.Invalid, Reasons: []ddm.Reason{{Code: "lease.replayed"}}},
		{Identifier: ground.Prefix + "deb.x", Valid: ddm.Invalid, Reasons: []ddm.Reason{{Code: "package.kind"}}},
		{Identifier: catalog.IdentifierPrefix + "browser", Valid: ddm.Valid, Reasons: []ddm.Reason{{Code: ddm.ReasonPending}}},
	}
	for _, family := range catalog.Families[:troubles] {
		states = append(states, ddm.DeclarationState{Identifier: catalog.IdentifierPrefix + family.Name, Valid: ddm.Valid, Reasons: []ddm.Reason{{Code: "part.deviating"}}})
	}
	report.StatusItems.Management = &ddm.ManagementItems{Declarations: &ddm.DeclarationStates{Configurations: states}}
	return report
}

// A version that installs well and breaks what it stands beside halts its rollout.
func TestDevicesThatAreWorseOffSinceHaltIt(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := found(t, s, 30)
		view, err := c.Create(t.Context(), c.keller, rollout.New{Package: c.webApp("1").ID, Level: org.Authority, Place: c.school.Authority,
			Rings: []ground.Ring{{Kind: ground.RingAll}}, Gates: ground.Gates{Verified: 30, Failed: 2, Ailing: 10, Hours: 48}})
		if err != nil {
			t.Fatal(err)
		}
		told := c.told()
		report := func(device org.ID, troubles int) {
			t.Helper()
			d := told[device]
			said := ddm.PackageStatus{Rollout: d.Rollout.String(), Name: d.Name, Try: d.Try, State: ddm.PackageVerified, Present: d.Version, Since: c.at}
			if err := c.Reported(t.Context(), c.school.Authority, device, keeps(says(said), troubles)); err != nil {
				t.Fatal(err)
			}
		}
		i := 0
		devices := make([]org.ID, 0, len(told))
		for device := range told {
			devices = append(devices, device)
			report(device, i%2) // some had a trouble of their own before
			i++
		}
		ailing := func(want int, state ground.State) {
			t.Helper()
			c.hours(1)
			v := c.look(view.ID)
			if v.Rings[0].Ailing != want || v.Rings[0].Verified != 30 || v.Status.State != state {
				t.Fatalf("%+v, %+v; wanted %d", v.Rings[0].Figures, v.Status, want)
			}
			found, _, err := c.Devices(t.Context(), c.keller, view.ID, rollout.DeviceFilter{Ailing: true})
			if err != nil || len(found) != want {
				t.Fatalf("%d devices are listed as worse off: %v", len(found), err)
			}
		}
		ailing(0, ground.Running)
		for _, device := range devices[:3] {
			report(device, 2)
		}
		ailing(3, ground.Running) // ten in a hundred are allowed
		report(devices[0], 0)     // mended
		ailing(2, ground.Running)
		for _, device := range devices[:4] {
			report(device, 2)
		}
		ailing(4, ground.Halted)
		if v := c.look(view.ID); v.Status.Why != ground.WhyAiling || v.Status.Count != 4 || v.Status.Of != 30 {
			t.Errorf("%+v", v.Status)
		}
		// A count anew finds the same.
		storetest.Exec(t, s, `UPDATE rollout_tallies SET turn = -1`)
		ailing(4, ground.Halted)
	})
}

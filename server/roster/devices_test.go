package roster_test

import (
	"reflect"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// Seen: a teacher's program could set a mode for single devices, and had no way
// to learn which there are.
func TestWhoTeachesListsTheDevicesOfTheClass(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		class, others := h.group(org.Class, "7a"), h.group(org.Class, "8b")
		pupil, err := h.CreatePerson(ctx, h.admin, h.school.ID, "Lena Albers", "")
		h.must(err)
		device := h.device(h.school, "GYM-1", "C02XK1")
		h.device(h.school, "GYM-2", "")
		model := "ThinkPad"
		_, err = h.UpdateDevice(ctx, h.admin, device.ID, roster.DeviceUpdate{Person: &pupil.ID, Model: &model})
		h.must(err)
		h.must(h.AddDevices(ctx, h.admin, class.ID, []org.ID{device.ID}, time.Time{}, time.Time{}))
		h.must(h.ChooseGroups(ctx, h.oert, []org.ID{class.ID}))
		list := func(actor may.Actor, filter roster.DeviceFilter) ([]roster.Device, error) {
			devices, _, err := h.Devices(ctx, actor, filter)
			return devices, err
		}
		own := roster.DeviceFilter{Group: class.ID}
		devices, err := list(h.oert, own)
		h.must(err)
		expected := []roster.Device{{
			Authority: h.school.Authority, ID: device.ID, School: h.school.ID, SchoolName: h.school.Name, Name: "GYM-1", Platform: org.Linux,
		}}
		if !reflect.DeepEqual(devices, expected) {
			t.Errorf("a teacher gets %+v, want %+v", devices, expected)
		}
		for name, try := range map[string]struct {
			actor  may.Actor
			filter roster.DeviceFilter
			fault  string
		}{
			"no group":          {h.oert, roster.DeviceFilter{}, "denied"},
			"only a school":     {h.oert, roster.DeviceFilter{School: h.school.ID}, "denied"},
			"a search":          {h.oert, roster.DeviceFilter{Group: class.ID, Query: "C02"}, "denied"},
			"last contact":      {h.oert, roster.DeviceFilter{Group: class.ID, Seen: roster.SeenNever}, "denied"},
			"a colleague's":     {h.oert, roster.DeviceFilter{Group: others.ID}, "lesson.not_yours"},
			"a colleague":       {h.kern, own, "lesson.not_yours"},
			"another authority": {h.stranger, own, "not_found"},
			"no such group":     {h.oert, roster.DeviceFilter{Group: "none"}, "not_found"},
		} {
			if _, err := list(try.actor, try.filter); fault(err) != try.fault {
				t.Errorf("%s: %v, want %s", name, err, try.fault)
			}
		}
		// A look at devices elsewhere opens nothing here.
		both := h.kern
		both.Grants = append([]may.Grant{{Role: may.Technician, Branch: h.other.Branch()}}, both.Grants...)
		_, err = list(both, own)
		want(t, err, "lesson.not_yours")
		taken, err := h.TakeClass(ctx, both, class.ID, time.Time{})
		h.must(err)
		devices, err = list(both, own)
		h.must(err)
		if len(devices) != 1 || devices[0].Serial != "" {
			t.Errorf("who stands in gets %+v", devices)
		}
		h.at = taken.Until
		_, err = list(both, own)
		want(t, err, "lesson.not_yours")
		devices, err = list(h.admin, own)
		h.must(err)
		if len(devices) != 1 || devices[0].Serial != "C02XK1" || devices[0].PersonName != "Lena Albers" {
			t.Errorf("who looks after devices gets %+v", devices)
		}
	})
}

package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/api"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// Seen: a teacher's program could set a mode for single devices, and had no way
// to learn which there are.
func TestATeachersProgramNamesDevicesOfTheClass(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		ctx, admin, teacher := t.Context(), h.tokens[may.SchoolAdmin], h.tokens[may.Teacher]
		operator := may.Actor{ID: "op", Grants: []may.Grant{{Role: may.Operator}}, Via: "test"}
		device, err := h.roster.CreateDevice(ctx, operator, h.school.ID, "GYM-03", "C02XK1", org.Linux)
		h.must(err)
		h.must(h.roster.AddDevices(ctx, operator, h.class.ID, []org.ID{device.ID}, time.Time{}, time.Time{}))
		storetest.Enrol(t, h.store, device.Branch(), device.ID)
		name, kind := "8b", org.Class
		others, err := h.roster.CreateGroup(ctx, operator, h.school.ID, roster.GroupUpdate{Name: &name, Kind: &kind})
		h.must(err)
		foreign, err := h.roster.CreateGroup(ctx, operator, h.other.ID, roster.GroupUpdate{Name: &name, Kind: &kind})
		h.must(err)

		refused := func(query string, status int, key string) {
			t.Helper()
			var p api.Problem
			if h.ask(teacher, "GET", "/api/v1/devices"+query, nil, &p); p.Status != status || p.Key != key {
				t.Errorf("%q: %d %s, want %d %s", query, p.Status, p.Key, status, key)
			}
		}
		own := "?group=" + h.class.ID.String()
		refused(own, http.StatusForbidden, "lesson.not_yours")
		if r := h.ask(teacher, "POST", "/api/v1/groups/"+h.class.ID.String()+"/take", nil, nil); r.StatusCode != http.StatusOK {
			t.Fatalf("taking the class: %d", r.StatusCode)
		}
		refused("", http.StatusForbidden, "denied")
		refused(own+"&q=C02", http.StatusForbidden, "denied")
		refused("?group="+others.ID.String(), http.StatusForbidden, "lesson.not_yours")
		refused("?group="+foreign.ID.String(), http.StatusNotFound, "not_found")
		refused("/"+device.ID.String(), http.StatusForbidden, "denied")

		var list struct{ Items []object }
		h.ask(teacher, "GET", "/api/v1/devices"+own, nil, &list)
		if len(list.Items) != 4 {
			t.Fatalf("a teacher lists %+v", list.Items)
		}
		var mode struct{ Devices []object }
		one := object{"target": object{"devices": []any{list.Items[3]["id"]}}, "kind": "offline", "minutes": 20}
		if r := h.ask(teacher, "POST", "/api/v1/modes", one, &mode); r.StatusCode != http.StatusCreated || len(mode.Devices) != 1 || mode.Devices[0]["name"] != "GYM-03" {
			t.Fatalf("a mode for one device: %d %+v", r.StatusCode, mode)
		}

		// The mode shows in the state, and in nothing else.
		h.ask(teacher, "GET", "/api/v1/devices"+own+"&state="+fmt.Sprint(mode.Devices[0]["state"]), nil, &list)
		found := slices.IndexFunc(list.Items, func(d object) bool { return d["id"] == device.ID.String() })
		if found < 0 {
			t.Fatalf("by state a teacher lists %+v", list.Items)
		}
		seen := list.Items[found]
		if seen["name"] != "GYM-03" || seen["platform"] != "linux" {
			t.Errorf("a teacher reads %+v", seen)
		}
		for _, part := range []string{"serial", "person", "model", "system", "agent", "last_seen", "since", "reason"} {
			if value, told := seen[part]; told {
				t.Errorf("a teacher reads %s %v", part, value)
			}
		}
		for _, part := range []string{"groups", "modes"} {
			if of, _ := seen[part].([]any); len(of) != 0 {
				t.Errorf("a teacher reads %s %v", part, of)
			}
		}
		var full struct{ Items []object }
		h.ask(admin, "GET", "/api/v1/devices"+own+"&q=C02", nil, &full)
		if len(full.Items) != 1 || full.Items[0]["serial"] != "C02XK1" {
			t.Errorf("an administrator reads %+v", full.Items)
		}
	})
}

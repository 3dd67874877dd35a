package console_test

import (
	"testing"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/lesson"
	"schulwart.org/web"
)

// Seen: a mode for ticked devices stood on the school's page without a word for
// whom, and with a link to a board that is not there.
func TestTheSchoolsPageNamesTickedDevices(t *testing.T) {
	h := newHouse(t)
	admin := h.as("admin@gym.example")
	start := func(devices ...org.ID) {
		t.Helper()
		_, err := h.lessons.Start(t.Context(), h.actor("admin@gym.example"), lesson.Request{Devices: devices, Kind: lease.Offline, Minutes: 20})
		must(t, err)
	}
	board := web.To(web.PathBoard, "")
	start(h.devices[7])
	admin.get(web.PathSchool).has(t, "<b>1 Gerät: GYM-0008</b>")
	start(h.devices[4], h.devices[2], h.devices[1], h.devices[0])
	page := admin.get(web.PathSchool)
	page.has(t, "<b>4 Geräte: GYM-0001, GYM-0002, GYM-0003\u00a0…</b>")
	page.lacks(t, `href="`+board+`"`)
}

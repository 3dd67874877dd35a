package console_test

import (
	"net/http"
	"strings"
	"testing"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/web"
)

// says lets a device that takes part report an event, as after its commit.
func (h *house) says(device org.ID, id, key string) {
	h.t.Helper()
	leases, err := h.store.DeviceLeases(h.t.Context(), h.school.Authority, device, h.clock.now())
	must(h.t, err)
	var said []ddm.LeaseStatus
	for _, l := range leases {
		said = append(said, ddm.LeaseStatus{ID: l.ID.String(), Rev: l.Rev, Phase: ddm.LeaseActive, Since: h.clock.now()})
	}
	event := ddm.Event{ID: id, At: h.clock.now(), Key: key}
	must(h.t, h.deps.Exams.Observed(h.t.Context(), h.school, device, ddm.AgentItems{Leases: said, Events: []ddm.Event{event}}))
	h.live.Publish(h.school, device)
}

// The page of an examination hears at once of a raised hand, of what a colleague
// does, and that there is something else to do.
func TestThePageOfAnExaminationIsLive(t *testing.T) {
	h := newHouse(t)
	oert := h.as("oert@gym.example")
	at := h.plannedExam(oert)
	page := oert.get(at).body
	_, rest, found := strings.Cut(page, `data-stream="`)
	path, _, _ := strings.Cut(rest, `"`)
	if !found || !strings.HasPrefix(path, at+"/live?print=") || strings.Contains(page, "every 5s") {
		t.Fatalf("the page asks for its stream at %q", path)
	}
	events := h.listen(t, oert, path)
	oert.post(at+"/tun", "do", "start")
	text := next(t, events)
	for _, want := range []string{`id="exam-now"`, `id="exam-deeds"`, `id="exam-links"`, "Läuft bis", `value="pause"`, "hx-swap-oob"} {
		if !strings.Contains(text, want) {
			t.Errorf("begun, and the stream does not bring %q", want)
		}
	}
	until := func(what string, good func(text string) bool) {
		t.Helper()
		for range 20 {
			if good(next(t, events)) {
				return
			}
		}
		t.Errorf("never heard: %s", what)
	}
	device := h.devices[2]
	h.says(device, "e1", ddm.EventExamHand)
	until("a raised hand", func(text string) bool {
		return strings.Contains(text, `id="exam-looks"`) && strings.Contains(text, "Meldet sich seit 10:00") && !strings.Contains(text, `id="exam-deeds"`)
	})
	oert.post(at+"/platz/"+device.String(), "do", "seen")
	until("somebody was there", func(text string) bool {
		return strings.Contains(text, `id="exam-looks"`) && !strings.Contains(text, "Meldet sich")
	})
	// Where no stream gets through, the same parts come when they are asked for.
	oert.post(at+"/tun", "do", "pause")
	if text := oert.get(at + "/stand").body; strings.Count(text, "hx-swap-oob") != 5 || !strings.Contains(text, `value="go-on"`) {
		t.Errorf("the parts: %s", text)
	}
	if a := h.as("hotline@example.org").get(web.To(web.PathExamLive, "no-such")); a.status != http.StatusNotFound {
		t.Errorf("no such examination: %d", a.status)
	}
}

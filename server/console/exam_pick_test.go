package console_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/web"
)

// without takes a field with its value out of a form.
func without(form []string, name string) []string {
	var kept []string
	for i := 0; i+1 < len(form); i += 2 {
		if form[i] != name {
			kept = append(kept, form[i], form[i+1])
		}
	}
	return kept
}

func chips(page string) []string {
	var names []string
	for _, found := range regexp.MustCompile(`(?s)<li class="chip"><input[^>]*>\s*(.*?)\s*<button`).FindAllStringSubmatch(page, -1) {
		names = append(names, found[1])
	}
	return names
}

// Beside the class, or without one: people and devices are chosen by searching, and
// so is who invigilates.
func TestWhoTakesPartIsChosenBySearching(t *testing.T) {
	h := newHouse(t)
	admin := h.as("admin@gym.example")
	form := h.examForm()
	found := admin.post(web.PathExamNew, append(form, "do", "find", "find-who", "GYM-0007", "find-invigilator", "blum")...)
	found.has(t, `value="Mathematik 2"`, "GYM-0007")
	// What a script sends while somebody types saves nothing.
	if typed := admin.post(web.PathExamNew, append(form, "find-who", "GYM-0007")...); typed.path != web.PathExamNew || typed.status != http.StatusOK {
		t.Errorf("typing into the search: %d at %s", typed.status, typed.path)
	}
	add := regexp.MustCompile(`value="(add-who:d:[^"]+)"`).FindStringSubmatch(found.body)
	lead := regexp.MustCompile(`value="(add-invigilator:[^"]+)"`).FindStringSubmatch(found.body)
	if add == nil || lead == nil {
		t.Fatalf("found neither device nor colleague: %v %v", add, lead)
	}
	chosen := admin.post(web.PathExamNew, append(form, "do", add[1])...)
	if names := chips(chosen.body); !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "GYM-0007") }) {
		t.Errorf("chosen: %v", names)
	}
	device := strings.TrimPrefix(add[1], "add-who:")
	dropped := admin.post(web.PathExamNew, append(form, "do", "drop-who:"+device, "who", device)...)
	if names := chips(dropped.body); len(names) != 0 {
		t.Errorf("taken away: %v", names)
	}
	staff := strings.TrimPrefix(lead[1], "add-invigilator:")
	saved := admin.post(web.PathExamNew, append(form, "do", "save", "who", device, "invigilator", staff)...)
	if saved.status != http.StatusOK || strings.Count(saved.body, `id="now-`) != 7 {
		t.Errorf("the class of six and one device more: %d, %d seats", saved.status, strings.Count(saved.body, `id="now-`))
	}
	saved.has(t, "Blum")
	alone := admin.post(web.PathExamNew, append(without(form, "group"), "do", "save", "who", device)...)
	if strings.Count(alone.body, `id="now-`) != 1 {
		t.Errorf("one device alone: %d at %s", alone.status, alone.path)
	}
	if edit := admin.get(alone.path + "/bearbeiten"); len(chips(edit.body)) != 1 {
		t.Errorf("edited: %v", chips(edit.body))
	}
	// A teacher finds devices of the own classes only.
	oert := h.as("oert@gym.example")
	oert.post(web.PathExamNew, append(form, "do", "find", "find-who", "GYM-0001")...).has(t, "add-who:d:")
	oert.post(web.PathExamNew, append(form, "do", "find", "find-who", "GYM-0008")...).has(t, "Nichts gefunden")
}

func TestAResitIsForWhoWasMissing(t *testing.T) {
	h := newHouse(t)
	oert := h.as("oert@gym.example")
	at := h.plannedExam(oert)
	oert.post(at+"/tun", "do", "start")
	if a := oert.post(at+"/kopie", "who", "missing"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("while it runs: %d", a.status)
	}
	h.clock.move(time.Minute)
	for _, device := range h.devices[:4] {
		h.says(device, "e1", ddm.EventExamHand)
	}
	oert.post(at+"/tun", "do", "end")
	h.clock.move(time.Minute)
	resit := oert.post(at+"/kopie", "who", "missing")
	if names := chips(resit.body); !strings.HasSuffix(resit.path, "/bearbeiten") || !slices.Equal(names, []string{"GYM-0005", "GYM-0006"}) {
		t.Errorf("at %s: %v, want the two that were not there", resit.path, names)
	}
}

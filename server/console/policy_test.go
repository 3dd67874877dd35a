package console_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// standards plants what the pages of the standard show: a limit of the
// authority, an exception of the school from it, something published, a draft.
func (h *house) standards(admin may.Actor) (draft, revision, exception string) {
	ctx := context.Background()
	operator := h.actor("betrieb@example.org")
	above, err := h.deps.Standard.Begin(ctx, operator, desired.Place{Level: org.Authority, ID: h.school.Authority}, standard.NewDraft{
		Title: "Grundschutz", Families: map[string]standard.Wish{"usb-storage": {Settings: map[string]any{"access": "read-only"}}},
	})
	must(h.t, err)
	_, _, err = h.deps.Standard.Publish(ctx, operator, above.ID, standard.Release{})
	must(h.t, err)
	school := desired.Place{Level: org.School, ID: h.school.School}
	filed, err := h.deps.Standard.Except(ctx, admin, standard.NewException{
		Place: school, Family: "usb-storage", Field: "access", Value: "allowed", Reason: "Abgabe der Facharbeiten", Until: h.clock.now().Add(20 * 24 * time.Hour),
	})
	must(h.t, err)
	own, err := h.deps.Standard.Begin(ctx, admin, school, standard.NewDraft{
		Title: "Spiele", Families: map[string]standard.Wish{"webfilter": {Settings: map[string]any{"deny": []any{"games.example"}}}},
	})
	must(h.t, err)
	_, version, err := h.deps.Standard.Publish(ctx, admin, own.ID, standard.Release{})
	must(h.t, err)
	open, err := h.deps.Standard.Begin(ctx, admin, school, standard.NewDraft{
		Title: "Wetten", Families: map[string]standard.Wish{"webfilter": {Settings: map[string]any{"deny": []any{"games.example", "wetten.example"}}}},
	})
	must(h.t, err)
	return open.ID.String(), version.ID.String(), filed.ID.String()
}

// From "Ändern" to a published policy and back, as a school's administration
// does it, without any script.
func TestChangeDraftPublishAndTakeBack(t *testing.T) {
	h := newHouse(t)
	admin := h.as("admin@gym.example")
	place := web.To(web.PathPlacePolicies, "school", h.school.School.String())
	if a := admin.get(web.PathPolicies); a.path != place {
		t.Fatalf("policies lead to %s", a.path)
	}
	editor := admin.post(web.To(web.PathPolicyChange, "school", h.school.School.String()), "family", "webfilter")
	editor.has(t, "Gesperrte Seiten", "v.deny")
	form := strings.Split(editor.path, "?")[0]
	faulty := admin.post(form, "v.deny", "games.example\nkein name", "do", "save")
	if faulty.status != http.StatusUnprocessableEntity {
		t.Errorf("a faulty list was answered with %d", faulty.status)
	}
	faulty.has(t, "kein name", "ist kein Name einer Seite")
	draft := admin.post(form, "v.deny", "games.example\nwetten.example", "hold.deny", "", "do", "save")
	draft.has(t, "In diesem Entwurf", "wetten.example")
	draft = admin.post(draft.path, "title", "Spiele und Wetten", "reason", "Konferenz")
	draft.has(t, "8 Geräte ändern sich", "Veröffentlichen")
	history := admin.post(draft.path + "/veroeffentlichen")
	history.has(t, "Spiele und Wetten", "Konferenz", "Frau Kern", "Zurücknehmen", "Veröffentlicht: Spiele und Wetten")
	admin.get(place).has(t, "wetten.example", "Die Schule legt es hier fest.")
	revision := regexp.MustCompile(`/richtlinien/verlauf/[0-9a-f-]+`).FindString(history.body)
	admin.get(revision).has(t, "Was Zurücknehmen ändert")
	admin.post(revision).has(t, "zurückgenommen", "Zurückgenommen: Spiele und Wetten")
	admin.get(place).lacks(t, "wetten.example")
}

// The school's first page leads to the exceptions that end, and says how far
// the standard is followed.
func TestExceptionsAreSeen(t *testing.T) {
	h := newHouse(t)
	_, _, exception := h.standards(h.actor("admin@gym.example"))
	admin := h.as("admin@gym.example")
	admin.get(web.PathSchool).has(t, "0 %", "Eine Ausnahme endet in den nächsten 30 Tagen")
	admin.get(web.With(web.PathExceptions, "endet", "30")).has(t, "USB-Speicher: erlaubt", "Dann gilt: nur lesen", "Abgabe der Facharbeiten")
	admin.get(web.With(web.PathExceptions, "endet", "7")).lacks(t, "USB-Speicher: erlaubt")
	admin.get(web.PathFollowing).has(t, "USB-Speicher: erlaubt")
	admin.post(web.To(web.PathExceptionEnd, exception)).has(t, "Die Ausnahme ist beendet", "beendet von Frau Kern")
	admin.get(web.PathFollowing).has(t, "Nichts weicht ab")
}

// What holds on a device, where it comes from, and that nothing is claimed that
// the device did not say.
func TestDeviceSaysWhatHoldsAndWhy(t *testing.T) {
	h := newHouse(t)
	draft, _, _ := h.standards(h.actor("admin@gym.example"))
	// What an exception takes out of a list is not read as if it were in it.
	_, _, err := h.deps.Standard.Publish(context.Background(), h.actor("admin@gym.example"), org.ID(draft), standard.Release{})
	must(t, err)
	_, err = h.deps.Standard.Except(context.Background(), h.actor("admin@gym.example"), standard.NewException{
		Place: desired.Place{Level: org.Device, ID: h.devices[0]}, Family: "webfilter", Field: "deny", Value: []any{"games.example"}, Reason: "Informatik", Until: h.clock.now().Add(24 * time.Hour),
	})
	must(t, err)
	admin := h.as("admin@gym.example")
	page := admin.get(web.To(web.PathDevice, h.devices[0].String()))
	page.has(t, "USB-Speicher", "erlaubt (Ausnahme bis", "noch nicht abgeholt", "wetten.example", "ohne games.example – Ausnahme, gilt", "Ändern darf es")
	link := regexp.MustCompile(`/g/[A-Za-z0-9_-]+`).FindString(page.body)
	h.browser().get(link+"/was-sieht-die-schule?sprache=ar").has(t, `dir="rtl"`, "ماذا ترى المدرسة؟", "wetten.example")
}

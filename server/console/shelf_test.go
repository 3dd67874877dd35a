package console_test

import (
	"net/http"
	"regexp"
	"testing"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// app takes a web app into the catalogue of everybody.
func (h *house) app(name, title string) org.ID {
	h.t.Helper()
	pack, err := h.deps.Packages.WebApp(h.t.Context(), may.Actor{ID: "op", Name: "Betrieb", Grants: []may.Grant{{Role: may.Operator}}, Via: "test"}, "",
		ground.Package{Name: name, URL: "https://" + name, Title: ground.Text{DE: title}, Licence: "MIT"})
	must(h.t, err)
	return pack.ID
}

// From the school's choice to the pupil's pick and back, and what licences say to it.
func TestAPupilPicksWhatTheSchoolAllows(t *testing.T) {
	h := newHouse(t)
	app := h.app("geogebra.example", "GeoGebra")
	admin := h.as("admin@gym.example")
	admin.get(web.PathShelf).has(t, "Noch nichts zur Auswahl", "GeoGebra 1")
	admin.post(web.PathShelf, "app", app.String(), "for", "all", "group", "").has(t, "Die App steht zur Auswahl.", "Entfernen")
	admin.post(web.PathShelf, "app", app.String(), "for", "all", "group", "").has(t, "Diese App steht dafür schon zur Auswahl.")
	admin.get(web.PathLicences).has(t, "Noch keine Lizenzen gezählt")
	pool := []string{"app", "webapp/geogebra.example", "place", "school/" + h.school.School.String(), "total", "1", "cost", "4,90", "currency", "EUR", "note", "Vertrag 7"}
	admin.post(web.PathLicences, append(pool, "do", "save")...).has(t, "1 Lizenz", "Speichern") // nobody saves what was not shown
	admin.post(web.PathLicences, append(pool, "do", "save", "lose", "0")...).has(t, "Gespeichert.", "0 von 1 vergeben", "4,90 €")
	admin.post(web.PathLicences, "app", "webapp/geogebra.example", "place", "school/"+h.school.School.String(), "total", "x").has(t, "Die Anzahl liegt zwischen")

	links := make([]string, 2)
	for i := range links {
		links[i] = regexp.MustCompile(`href="(/g/[^"]+)"`).FindStringSubmatch(admin.get(web.To(web.PathDevice, h.devices[i].String())).body)[1] + "/apps"
	}
	nobody := h.browser()
	page := nobody.get(links[0])
	page.has(t, "GeoGebra", "Lizenz: MIT", "Kostet die Schule: 4,90 €", "Freie Lizenzen: 1", "Holen")
	entry := regexp.MustCompile(`name="entry" value="([^"]+)"`).FindStringSubmatch(page.body)[1]
	nobody.post(links[0], "do", "pick", "entry", entry).has(t, "Bestellt.", "Zurückgeben")
	nobody.post(links[1], "do", "pick", "entry", entry).has(t, "Gerade ist keine Lizenz frei.")
	nobody.get(links[1]+"?sprache=ar").has(t, `dir="rtl"`, "لا يوجد ترخيص متاح الآن")
	if a := nobody.post(links[0], "do", "pick", "entry", "no-such"); a.status != http.StatusNotFound {
		t.Errorf("what is not there was picked: %d", a.status)
	}
	admin.get(web.PathLicences).has(t, "Bei 1 App warten Geräte auf eine Lizenz", "1 von 1 vergeben")
	wish := regexp.MustCompile(`name="wish" value="([^"]+)"`).FindStringSubmatch(nobody.get(links[0]).body)[1]
	if a := nobody.post(links[1], "do", "return", "wish", wish); a.status != http.StatusNotFound {
		t.Errorf("another device gave it back: %d", a.status)
	}
	nobody.post(links[0], "do", "return", "wish", wish).has(t, "Holen")
	nobody.get(links[1]).has(t, "Bestellt.")
	admin.get(web.PathShelf).has(t, "Entfernen, auch von 1 Gerät", "Zuletzt geholt")
}

func TestATeacherAsksForAnAppOnThePages(t *testing.T) {
	h := newHouse(t)
	app := h.app("krita.example", "Krita")
	teacher, admin := h.as("oert@gym.example"), h.as("admin@gym.example")
	teacher.get(web.PathDay).has(t, "Apps für mich")
	teacher.post(web.PathTeacherApps, "do", "ask", "app", "", "title", "").has(t, "Schreiben Sie, welche App Sie sich wünschen.")
	teacher.post(web.PathTeacherApps, "do", "ask", "app", app.String(), "why", "Kunstkurs").has(t, "Ihr Wunsch ist bei der Schule.", "wartet auf die Schule")
	teacher.post(web.PathTeacherApps, "do", "ask", "title", "Spiele").has(t, "Spiele")
	admin.get(web.PathSchool).has(t, "2 Wünsche nach Apps warten")
	page := admin.get(web.PathShelf)
	page.has(t, "2 Wünsche warten auf Ihre Antwort", "Kunstkurs")
	requests := regexp.MustCompile(`/apps/wuensche/[0-9a-f-]+`).FindAllString(page.body, -1)
	first, last := requests[0], requests[len(requests)-1]
	if a := teacher.post(first, "do", "grant"); a.status != http.StatusForbidden {
		t.Errorf("a teacher answers: %d", a.status)
	}
	admin.post(last, "do", "refuse", "reason", "").has(t, "Schreiben Sie einen Grund")
	admin.post(last, "do", "refuse", "reason", "Nicht im Unterricht.").has(t, "Abgelehnt.")
	admin.post(first, "do", "grant").has(t, "Erlaubt.", "nur Frau Oert")
	admin.post(first, "do", "grant").has(t, "Jemand anderes hat diesen Wunsch schon beantwortet.")
	teacher.get(web.PathTeacherApps).has(t, "Krita", "erlaubt", "Nicht im Unterricht.")
	admin.get(web.PathSchool).lacks(t, "nach Apps warten")
}

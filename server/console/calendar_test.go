package console_test

import (
	"net/http"
	"testing"

	"schulwart.org/web"
)

// From the Land to a file of holidays, and the days that a school adds.
func TestTheSchoolYearIsSeenAndFilled(t *testing.T) {
	h := newHouse(t)
	operator, admin := h.as("betrieb@example.org"), h.as("admin@gym.example")
	city, school := web.To(web.PathCalendar, "authority", h.school.Authority.String()), web.To(web.PathCalendar, "school", h.school.School.String())
	operator.get(web.PathCalendars+"?ort=authority/"+h.school.Authority.String()).has(t, "Es ist kein Bundesland eingetragen", "Neujahr")
	operator.post(city, "do", "land", "land", "MV").has(t, "Der Kalender ist gespeichert.", "Reformationstag")
	operator.post(city, "do", "land", "land", "XX").has(t, "Dieses Land kennen wir nicht.")

	file := [2]string{"ferien.csv", "Anlass;Von;Bis\nHerbstferien;15.10.2026;24.10.2026\nWinter;1.2.2027;1.1.2027\n"}
	operator.sendFiles(city+"/vorschau", file).has(t, "ferien.csv: ein Eintrag kommt dazu", "Herbstferien", "Eintrag 3, Winter: Der erste oder letzte Tag fehlt")
	operator.get(city+"?ab=2026-10-01").lacks(t, "Do 15.10.2026")
	operator.post(city, "do", "take", "break", "2026-10-15/2026-10-24/Herbstferien").has(t, "Der Kalender ist gespeichert.")
	operator.get(city+"?ab=2026-10-01").has(t, "Herbstferien", "Do 15.10.2026 bis Sa 24.10.2026", "Entfernen")

	october := admin.get(school + "?ab=2026-10-01")
	october.has(t, "Herbstferien", "Tag der Deutschen Einheit")
	october.lacks(t, "Entfernen")
	admin.post(school, "do", "add", "name", "Brückentag", "first", "2027-05-07").has(t, "Brückentag", "Fr 07.05.2027", "Entfernen")
	admin.post(school, "do", "add", "name", "Rückwärts", "first", "2027-05-07", "last", "2027-05-01").has(t, "Der letzte Tag liegt vor dem ersten", "Rückwärts")
	admin.post(school, "do", "remove", "break", "2027-05-07/2027-05-07/Brückentag").has(t, "Der Kalender ist gespeichert.")
	admin.get(school+"?ab=2027-05-01").lacks(t, "Fr 07.05.2027")
	if a := admin.post(city, "do", "add", "name", "x", "first", "2027-05-07"); a.status != http.StatusForbidden && a.status != http.StatusNotFound {
		t.Errorf("a school wrote its authority's calendar: %d", a.status)
	}
	if a := h.as("oert@gym.example").post(school, "do", "add", "name", "hitzefrei", "first", "2027-06-21"); a.status != http.StatusForbidden {
		t.Errorf("a teacher gave the day off: %d", a.status)
	}
}

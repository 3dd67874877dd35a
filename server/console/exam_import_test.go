package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"regexp"
	"testing"

	"schulwart.org/web"
)

// sends uploads a file of planned examinations.
func (b *browser) sends(name, content string) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", name)
	must(b.t, err)
	_, err = file.Write([]byte(content))
	must(b.t, err)
	must(b.t, form.Close())
	request, err := http.NewRequest(http.MethodPost, b.base+web.PathExamImport, &body)
	must(b.t, err)
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(request)
}

func TestTheOfficeImportsAPlanOfExaminations(t *testing.T) {
	h := newHouse(t)
	admin := h.as("admin@gym.example")
	day := h.clock.now().AddDate(0, 0, 7).In(berlin(t)).Format("2.1.2006")
	// As Windows writes it: with semicolons, and not in UTF-8.
	plan := "Datum;Beginn;Wie lange;Klasse;Fach;Pr\xfcfung\n" + day + ";8:00 Uhr;90 min;7b;Mathematik;Klassenarbeit 2\n" + day + ";10:00;90;7x;Deutsch;Aufsatz\n"
	admin.get(web.PathExams).has(t, `href="/pruefungen/import"`)
	if a := admin.sends("plan.xlsx", "PK\x03\x04\x00\x00"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("no text: %d", a.status)
	}
	columns := admin.sends("plan.csv", plan)
	columns.has(t, "Was bedeuten die Spalten?", "Prüfung", "Klassenarbeit 2", `<option value="group" selected>`)
	chosen := []string{"action", "map", "column-0", "date", "column-1", "start", "column-2", "length", "column-3", "group", "column-4", "subject", "column-5", "name", "preset", "writing"}
	preview := admin.post(columns.path, chosen...)
	preview.has(t, "1 Prüfung ändert sich", "Mathematik, Klassenarbeit 2", "08:00", "Zeile 3:", "„7x“ gibt es hier nicht")
	if len(regexp.MustCompile(`class="group"`).FindAllString(admin.get(web.PathExams).body, -1)) > 0 {
		t.Error("a preview has planned something")
	}
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(preview.body)
	admin.post(columns.path, "action", "apply", "token", "old").has(t, "Sehen Sie die Vorschau noch einmal an")
	admin.post(columns.path, "action", "apply", "token", token[1]).has(t, "Übernommen.")
	admin.get(web.PathExams).has(t, "Mathematik, Klassenarbeit 2")
	// The same file again: its columns are known, and nothing changes.
	again := admin.sends("plan.csv", plan)
	again.has(t, `<option value="length" selected>`)
	admin.post(again.path, chosen...).has(t, "0 Prüfungen ändern sich", "bleiben unverändert")
	admin.post(again.path, "action", "drop")
	if a := h.as("blum@gym.example").get(columns.path); a.status != http.StatusNotFound {
		t.Errorf("a colleague reads somebody's file: %d", a.status)
	}
}

package console_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sendFiles uploads files as a browser does.
func (b *browser) sendFiles(path string, files ...[2]string) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, file := range files {
		part, err := form.CreateFormFile("file", file[0])
		must(b.t, err)
		_, err = io.WriteString(part, file[1])
		must(b.t, err)
	}
	must(b.t, form.Close())
	request, err := http.NewRequest(http.MethodPost, b.base+path, &body)
	must(b.t, err)
	request.Header.Set("Content-Type", form.FormDataContentType())
	return b.do(request)
}

func TestATeacherGivesFilesOut(t *testing.T) {
	h := newHouse(t)
	oert := h.as("oert@gym.example")
	at := h.plannedExam(oert)
	page := at + "/dateien"
	oert.get(at).has(t, "Dateien und Arbeiten")
	oert.get(page).has(t, "Es wird nichts ausgeteilt", "Höchstens 25 MB je Datei", "Es wird nichts eingesammelt")
	if a := oert.sendFiles(page); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "oder es wurde keine gewählt") {
		t.Errorf("no file at all: %d", a.status)
	}
	// Larger than a form may be otherwise.
	sheet := "%PDF-1.4\n" + strings.Repeat("Aufgabe ", 100_000)
	sent := oert.sendFiles(page, [2]string{"Blatt 1.pdf", sheet}, [2]string{"<b>böse</b>.html", "<script>alert(1)</script>"})
	if sent.status != http.StatusOK || sent.path != page {
		t.Fatalf("%d at %s", sent.status, sent.path)
	}
	sent.has(t, "Blatt 1.pdf", "Ausgeteilt wird jetzt auch", "Alle 5 Minuten und am Ende", "Noch nicht begonnen", "Angekommen: 0 von")
	sent.lacks(t, "<b>böse")
	links := regexp.MustCompile(regexp.QuoteMeta(page)+`/[0-9a-f-]{36}`).FindAllString(sent.body, -1)
	if len(links) < 4 {
		t.Fatalf("%v", links)
	}
	for _, link := range links {
		shown := oert.get(link)
		inside := strings.HasPrefix(shown.header.Get("Content-Disposition"), "inline")
		switch {
		case shown.body == sheet:
			if !inside || shown.header.Get("Content-Type") != "application/pdf" {
				t.Errorf("the sheet is shown as %v", shown.header)
			}
		case inside || shown.header.Get("Content-Type") != "application/octet-stream":
			t.Errorf("what could run something is shown: %v", shown.header)
		}
	}
	if a := oert.sendFiles(page, [2]string{"blatt 1.PDF", "x"}); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "wird schon ausgeteilt") {
		t.Errorf("the same name: %d", a.status)
	}
	for _, who := range []string{"blum@gym.example", "hotline@example.org"} {
		if a := h.as(who).get(page); a.status != http.StatusForbidden && a.status != http.StatusNotFound {
			t.Errorf("%s reads the questions: %d", who, a.status)
		}
	}
	oert.post(links[0]).has(t, "Die Datei wird nicht mehr ausgeteilt")
	// The form keeps that work is collected, says how often, and can end it.
	oert.get(at+"/bearbeiten").has(t, `name="collect"`)
	oert.post(at+"/bearbeiten", h.examForm("do", "save", "collect", "1", "every", "12")...).has(t, "„Mathematik 2“ ist gespeichert")
	oert.get(page).has(t, "Alle 12 Minuten")
	if a := oert.post(at+"/tun", "do", "collect"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("collected before the beginning: %d", a.status)
	}
	table := oert.get(page + "?format=csv")
	if !strings.HasPrefix(table.header.Get("Content-Type"), "text/csv") || !strings.Contains(table.body, "waiting") {
		t.Errorf("the table: %v %q", table.header, table.body)
	}
	if a := oert.get(at + "/arbeiten"); a.status != http.StatusNotFound {
		t.Errorf("before anything came: %d", a.status)
	}
	h.clock.move(70 * time.Minute)
	oert.get(page).lacks(t, `type="file"`)
	oert.get(page).has(t, "Läuft, noch nichts angekommen")
	oert.post(at+"/tun", "do", "collect").has(t, "Die Laptops sichern und schicken jetzt")
	oert.get(page).has(t, "Einsammeln seit")
	oert.get(at).has(t, "angekommen")
	if a := oert.sendFiles(page, [2]string{"spät.txt", "x"}); a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict || !strings.Contains(a.body, "hat schon begonnen") {
		t.Errorf("after the beginning: %d", a.status)
	}
}

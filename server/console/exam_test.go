package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"schulwart.org/web"
)

// examForm is a filled form for the class, an hour from now.
func (h *house) examForm(more ...string) []string {
	day := h.clock.now().In(berlin(h.t))
	return append([]string{
		"name", "Mathematik 2", "group", h.class.String(), "day", day.Format("2006-01-02"), "starts", day.Add(time.Hour).Format("15:04"), "ends", day.Add(150 * time.Minute).Format("15:04"),
		"page", "https://moodle.example/mathe", "open", "printing", "aid", "reader", "aid", "magnifier", "aid", "contrast", "aid", "keyboard", "resume", "1", "calculator", "scientific",
	}, more...)
}

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	must(t, err)
	return zone
}

// plannedExam makes an examination and returns its address.
func (h *house) plannedExam(b *browser) string {
	h.t.Helper()
	answer := b.post(web.PathExamNew, h.examForm("do", "save")...)
	if answer.status != http.StatusOK || answer.path == web.PathExamNew {
		h.t.Fatalf("%d at %s", answer.status, answer.path)
	}
	return answer.path
}

func TestATeacherPlansAndLeadsAnExamination(t *testing.T) {
	h := newHouse(t)
	oert := h.as("oert@gym.example")
	if text := oert.get(web.PathExams).body; !strings.Contains(text, "Keine Prüfung geplant") {
		t.Error("the empty list does not say what to do")
	}
	// A preview is no examination yet, and a fault keeps what was typed.
	if answer := oert.post(web.PathExamNew, h.examForm("do", "preview")...); answer.status != http.StatusOK || !strings.Contains(answer.body, "Was die Kinder haben") || !strings.Contains(answer.body, `value="Mathematik 2"`) {
		t.Errorf("preview: %d", answer.status)
	}
	if answer := oert.post(web.PathExamNew, append([]string{"ends", "07:00"}, h.examForm("do", "save")...)...); answer.status != http.StatusUnprocessableEntity || !strings.Contains(answer.body, "https://moodle.example/mathe") {
		t.Errorf("with an end before the start: %d", answer.status)
	}
	if answer := oert.post(web.PathExamNew, append([]string{"calculator", "abacus"}, h.examForm("do", "save")...)...); answer.status != http.StatusUnprocessableEntity || !strings.Contains(answer.body, "Diese Art von Taschenrechner") {
		t.Errorf("with a calculator that nobody knows: %d", answer.status)
	}
	if answer := oert.post(web.PathExamNew, append([]string{"app", "writer", "versions", "LibreOffice Writer 7.4\nGIMP 2.10"}, h.examForm("do", "save")...)...); answer.status != http.StatusUnprocessableEntity || !strings.Contains(answer.body, "„GIMP“ kommt in dieser Prüfung nicht vor") || !strings.Contains(answer.body, "LibreOffice Writer 7.4") {
		t.Errorf("with the version of a program that it does not use: %d", answer.status)
	}
	if answer := oert.post(web.PathExamNew, append([]string{"versions", "Chromium"}, h.examForm("do", "save")...)...); answer.status != http.StatusUnprocessableEntity || !strings.Contains(answer.body, "„Chromium“ ist keine Version") {
		t.Errorf("with a program and no version: %d", answer.status)
	}
	at := h.plannedExam(oert)
	page := oert.get(at).body
	for _, want := range []string{"wissenschaftlicher (WTR)", "Mathematik 2", "Geräten scharf", "Bereitschaft prüfen", "moodle.example", "Drucken", "Probe auf allen Geräten"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if text := oert.get(at + "/bereitschaft").body; !strings.Contains(text, "0 von") && !strings.Contains(text, "können teilnehmen") {
		t.Error("readiness")
	}
	oert.post(at+"/tun", "do", "start")
	oert.post(at+"/tun", "do", "extend", "minutes", "5")
	if text := oert.get(at).body; !strings.Contains(text, "Läuft bis 11:35") {
		t.Errorf("ninety minutes from ten, and five more: %s", regexp.MustCompile(`Läuft[^<]*`).FindString(text))
	}
	device := h.devices[0].String()
	oert.post(at+"/platz/"+device, "do", "extend-seat", "minutes", "20")
	oert.post(at+"/platz/"+h.devices[1].String(), "do", "release")
	// The board says of nobody when the own end is; the page of times does.
	if text := oert.get(at).body; strings.Contains(text, "11:55") || !strings.Contains(text, "Von der Aufsicht entlassen.") {
		t.Error("the board shows whose end is later, or not who was let out")
	}
	if text := oert.get(at + "/zeiten").body; !strings.Contains(text, "11:55") {
		t.Error("the times do not show it")
	}
	// Twice too much is said, not done.
	if answer := oert.post(at+"/tun", "do", "extend", "minutes", "1000"); answer.status != http.StatusUnprocessableEntity || !strings.Contains(answer.body, "höchstens 6 Stunden") {
		t.Errorf("too long: %d", answer.status)
	}
	if blum := h.as("blum@gym.example"); blum.get(at+"/zeiten").status != http.StatusForbidden || blum.get(at+"/codes").status != http.StatusForbidden {
		t.Error("a colleague who does not invigilate sees times or codes")
	}
	for range 2 {
		if answer := oert.post(at+"/tun", "do", "end"); answer.status != http.StatusOK || answer.path != at {
			t.Errorf("ending: %d", answer.status)
		}
	}
	file := oert.get(at + "/nachweis?format=csv").body
	if !strings.HasPrefix(file, "device,name,seq,") || strings.Count(file, "\n") < 5 || !strings.Contains(file, ",hash,calculator\n") || !strings.HasSuffix(file, ",scientific\n") {
		t.Errorf("the file: %s", file)
	}
	if text := oert.get(at + "/nachweis").body; !strings.Contains(text, "Vollständig") || !strings.Contains(text, "Für alle beendet") || !strings.Contains(text, "wissenschaftlicher (WTR)") {
		t.Error("the evidence")
	}
	copied := oert.post(at + "/kopie")
	if copied.status != http.StatusOK || !strings.HasSuffix(copied.path, "/bearbeiten") || strings.HasPrefix(copied.path, at) {
		t.Errorf("copy: %d at %s", copied.status, copied.path)
	}
}

func TestTheOfficeEntersExtraTimeOnce(t *testing.T) {
	h := newHouse(t)
	admin := h.as("admin@gym.example")
	name := regexp.MustCompile(`GYM-\d+`).FindString(admin.get(web.PathDevices).body)
	if answer := admin.post(web.PathExtra, "target", "niemand", "percent", "25"); answer.status != http.StatusUnprocessableEntity {
		t.Errorf("for nobody: %d", answer.status)
	}
	if answer := admin.post(web.PathExtra, "target", name, "percent", "25"); answer.status != http.StatusOK {
		t.Fatalf("for %q: %d %s", name, answer.status, answer.body)
	}
	text := admin.get(web.PathExtra).body
	if !strings.Contains(text, name) || !strings.Contains(text, "25 %") {
		t.Error("not in the list")
	}
	if answer := h.as("oert@gym.example").get(web.PathExtra); answer.status != http.StatusForbidden {
		t.Errorf("a teacher reads the list: %d", answer.status)
	}
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(text)
	admin.post(web.PathExtra, "id", id[1])
	if strings.Contains(admin.get(web.PathExtra).body, "25 %") {
		t.Error("still in the list")
	}
}

// An examination lies on the devices for a day before it begins. Meanwhile the
// class's board tells of the lesson.
func TestAnArmedExaminationDoesNotCoverTheLesson(t *testing.T) {
	h := newHouse(t)
	oert := h.as("oert@gym.example")
	h.plannedExam(oert)
	oert.post(web.To(web.PathModeStart, h.class.String()), "kind", "offline")
	h.readBack(h.devices[:6]...)
	text := oert.get(web.To(web.PathBoard, h.class.String())).body
	if !regexp.MustCompile(`<span class="number">6</span> aktiv`).MatchString(text) {
		t.Errorf("the board counts: %v", regexp.MustCompile(`<span class="number">\d+</span> \w+`).FindAllString(text, -1))
	}
}

// Who looks at the device's page is not told that its pupil has more time.
func TestADevicesPageDoesNotTellWhoseEndIsLater(t *testing.T) {
	h := newHouse(t)
	oert, admin := h.as("oert@gym.example"), h.as("admin@gym.example")
	at := h.plannedExam(oert)
	oert.post(at+"/tun", "do", "start")
	oert.post(at+"/platz/"+h.devices[0].String(), "do", "extend-seat", "minutes", "20")
	h.readBack(h.devices[0])
	text := admin.get(web.To(web.PathDevice, h.devices[0].String())).body
	if !strings.Contains(text, "11:30") || strings.Contains(text, "11:50") {
		t.Errorf("the page tells %v", regexp.MustCompile(`11:\d\d`).FindAllString(text, -1))
	}
}

package words

import (
	"strconv"
	"time"
)

func init() {
	for key, text := range driverSentences {
		sentences[key] = text
	}
}

// driverSentences are the reasons that the drivers of browser, screen and
// programs give.
var driverSentences = map[string]sentence{
	"browser.unset":      {"noch nicht gesetzt", "not set yet"},
	"browser.changed":    {"Vorgabe für Browser wurde geändert: {file}", "browser policy was changed: {file}"},
	"browser.foreign":    {"eine andere Vorgabe geht vor: {file}", "another policy goes first: {file}"},
	"browser.restart":    {"Browser wird gleich neu gestartet", "browser restarts soon"},
	"browser.restart-at": {"Browser wird um {at} Uhr neu gestartet", "browser restarts at {at}"},
	"browser.stayed":     {"Browser wartet auf eine Antwort und wurde nicht neu gestartet", "browser waits for an answer and was not restarted"},

	"screen.no-session": {"niemand ist angemeldet; nach einer Anmeldung wird der Bildschirm verdeckt", "nobody is logged in; a later login is covered"},
	"screen.wayland":    {"unter Wayland kann kein Programm den Bildschirm verdecken", "under Wayland no program can cover the screen"},
	"screen.starting":   {"Bildschirm wird gerade verdeckt", "screen is being covered"},
	"screen.gone":       {"Bildschirm ist nicht verdeckt", "screen is not covered"},
	"screen.keyboard":   {"ein anderes Programm hält die Tastatur fest", "another program holds on to the keyboard"},
	"screen.display":    {"Bildschirm ist nicht erreichbar: {error}", "display cannot be reached: {error}"},
	"screen.still":      {"Bildschirm ist noch verdeckt", "screen is still covered"},

	"apps.fanotify":         {"dieser Linux-Kern kann den Start von Programmen nicht prüfen", "this Linux kernel cannot check which programs start"},
	"apps.starting":         {"wird gerade wirksam", "takes effect soon"},
	"apps.gone":             {"Start von Programmen wird nicht geprüft", "start of programs is not checked"},
	"apps.closing":          {"noch offen, wird um {at} Uhr geschlossen: {names}", "still open, will be closed at {at}: {names}"},
	"apps.open":             {"noch offen: {names}", "still open: {names}"},
	"apps.unknown":          {"auf diesem Gerät nicht vorhanden: {names}", "not on this device: {names}"},
	"try.browser.written":   {"Vorgabe für Browser liegt bereit", "browser policy is in place"},
	"try.browser.blocked":   {"Chromium zeigt: von der Schule gesperrt", "Chromium shows: blocked by the school"},
	"try.browser.removed":   {"Vorgabe für Browser ist weg", "browser policy is gone"},
	"try.browser.open":      {"Chromium sperrt nichts mehr", "Chromium blocks nothing any more"},
	"try.screen.set":        {"Augen nach vorn", "eyes front"},
	"try.screen.covered":    {"Bildschirm {display} ist verdeckt", "screen {display} is covered"},
	"try.screen.none":       {"ein Bildschirm ist verdeckt", "a screen is covered"},
	"try.screen.free":       {"Bildschirm wieder frei", "screen is free again"},
	"try.screen.uncovered":  {"Bildschirm {display} zeigt wieder die Arbeit", "screen {display} shows the work again"},
	"try.apps.set":          {"kein Programm aus dem Menü", "no program of the menu"},
	"try.apps.copy-starts":  {"eine eigene Kopie eines Programms startet", "a pupil's copy of a program starts"},
	"try.apps.copy-refused": {"eine eigene Kopie startet nicht", "a pupil's copy does not start"},
	"try.apps.system":       {"was das System braucht, startet", "what the system needs starts"},
	"try.apps.free":         {"alle Programme wieder frei", "all programs are free again"},

	"selftest.back":         {"alles zurückgenommen", "everything is taken back"},
	"selftest.not-possible": {"auf diesem Gerät nicht möglich", "not possible on this device"},
	"selftest.not-tried":    {"nicht probiert", "not tried"},
	"selftest.good":         {"Die Probe ist bestanden: Was das Gerät meldet, stimmt.", "The self-test is passed: what the device reports is true."},
	"selftest.bad":          {"Die Probe ist nicht bestanden.", "The self-test is not passed."},
	"selftest.busy":         {"Gerade gilt ein Modus. Bitte erst beenden.", "A mode holds. Please end it first."},
	"selftest.running":      {"Der Dienst läuft. Bitte erst anhalten: systemctl stop schulwart-agent", "The service runs. Please stop it first: systemctl stop schulwart-agent"},
	"selftest.root":         {"Die Probe braucht Verwaltungsrechte (root).", "The self-test needs root."},

	"app-missing":        {"fehlt auf dem Gerät: {app}", "is missing on the device: {app}"},
	"session.starting":   {"wird gerade wirksam", "takes effect soon"},
	"session.opening":    {"das Prüfungsfenster öffnet sich gerade", "the exam window is opening"},
	"session.darkening":  {"weitere Bildschirme werden gerade ausgeschaltet", "further screens are being switched off"},
	"session.gone":       {"auf den Prüfungsbildschirm achtet gerade niemand", "nothing looks after the exam screen"},
	"session.fault":      {"der Prüfungsbildschirm ist nicht erreichbar: {error}", "the exam screen cannot be reached: {error}"},
	"session.no-browser": {"auf diesem Gerät ist kein Browser, der die Prüfung zeigen kann (Chromium oder Firefox, nicht als Snap)", "no browser on this device can show the exam (Chromium or Firefox, not as a snap)"},
	"session.wayland":    {"unter Wayland bleiben Zwischenablage und weitere Bildschirme offen; bitte mit „Xorg“ anmelden", "under Wayland the clipboard and further screens stay open; please sign in with “Xorg”"},
	"session.nobody":     {"niemand ist angemeldet; nach einer Anmeldung öffnet sich die Prüfung", "nobody is signed in; the exam opens after a sign-in"},
	"session.closed":     {"das Prüfungsfenster ist nicht offen", "the exam window is not open"},
	"session.behind":     {"ein anderes Fenster ist vor der Prüfung", "another window is in front of the exam"},
	"session.screens":    {"{count} Bildschirme sind an", "{count} screens are on"},
	"session.still":      {"der Prüfungsbildschirm gilt noch", "the exam screen still holds"},
	"session.profile":    {"Reste des Prüfungsbrowsers sind noch da", "remains of the exam browser are still there"},
	"part.session":       {"Prüfungsbildschirm", "exam screen"},

	"status.title": {"Was gilt hier?", "What holds here?"},

	"apps.still":    {"Programme werden noch geprüft", "programs are still checked"},
	"apps.unmarked": {"nicht alle Laufwerke werden geprüft: {where}", "not all file systems are checked: {where}"},
}

// BrowserRestart tells the pupil that the browser restarts after a while.
func BrowserRestart(lang Lang, notice time.Duration, restricted bool) (title, body string) {
	seconds := strconv.Itoa(int(notice.Round(time.Second) / time.Second))
	if lang == English {
		body = "Your browser restarts in " + seconds + " seconds. Finish what you are typing: your pages come back by themselves."
		if restricted {
			return "Browser restarts", body
		}
		return "Browser restarts", body + " Then all pages work again."
	}
	body = "Dein Browser startet in " + seconds + " Sekunden neu. Schick ab, was du gerade schreibst: Deine Seiten öffnen sich danach von selbst wieder."
	if restricted {
		return "Browser startet neu", body
	}
	return "Browser startet neu", body + " Dann gehen wieder alle Seiten."
}

// AppsClosing tells the pupil which programs will be closed.
func AppsClosing(lang Lang, names []string, notice time.Duration) (title, body string) {
	seconds := strconv.Itoa(int(notice.Round(time.Second) / time.Second))
	if lang == English {
		return "Please save", "In " + seconds + " seconds these programs are asked to close: " + few(names, "and more") + ". Save your work now."
	}
	return "Bitte speichern", "In " + seconds + " Sekunden werden diese Programme gebeten, sich zu schließen: " + few(names, "und weitere") + ". Speichere jetzt, was du brauchst."
}

// AppRefused tells the pupil why a program did not start.
func AppRefused(lang Lang, name, by string, until time.Time, loc *time.Location) (title, body string) {
	if by == "" {
		by = lockNobody[lang]
	}
	at := Clock(until, loc)
	if lang == English {
		return name + " does not start now", by + " allows other programs until " + at + ". After that everything is as before."
	}
	return name + " startet gerade nicht", by + " hat bis " + at + " Uhr andere Programme freigegeben. Danach ist alles wieder wie vorher."
}

// AppForbidden tells the pupil why a program never starts on this device.
func AppForbidden(lang Lang, name string) (title, body string) {
	if lang == English {
		return name + " does not start", "The school does not allow this program on this device. Ask your school if you need it."
	}
	return name + " startet nicht", "Die Schule erlaubt dieses Programm auf diesem Gerät nicht. Frag in der Schule nach, wenn du es brauchst."
}

// LangName is a language's own name for itself.
func LangName(lang Lang) string {
	return map[Lang]string{German: "Deutsch", Ukrainian: "Українська", Arabic: "العربية", Turkish: "Türkçe", Russian: "Русский", English: "English"}[lang]
}

// ReadAloud labels what reads the covered screen aloud.
func ReadAloud(lang Lang) string {
	return map[Lang]string{German: "Vorlesen", Ukrainian: "Прочитати", Arabic: "اقرأ لي", Turkish: "Sesli oku", Russian: "Прочитать", English: "Read aloud"}[lang]
}

// Remaining writes the time that is left as the ring of the covered screen shows
// it: minutes, rounded up, and seconds in the last one.
func Remaining(lang Lang, left time.Duration) string {
	units := map[Lang][2]string{German: {"min", "s"}, Ukrainian: {"хв", "с"}, Arabic: {"د", "ث"}, Turkish: {"dk", "sn"}, Russian: {"мин", "с"}, English: {"min", "s"}}[lang]
	seconds := max(0, int((left+time.Second-1)/time.Second))
	if seconds < 60 {
		return strconv.Itoa(seconds) + " " + units[1]
	}
	return strconv.Itoa((seconds+59)/60) + " " + units[0]
}

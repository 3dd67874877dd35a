package words

import (
	"sort"
	"strings"
)

// sentence is one text for technicians and teachers, German and English. Names
// in braces are filled from arguments.
type sentence struct{ de, en string }

// Keys lists every key that has a sentence.
func Keys() []string {
	keys := make([]string, 0, len(sentences))
	for key := range sentences {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// Text returns the sentence of a key with its arguments filled in, or the key
// itself if it has none: servers and drivers may be newer than these words.
func Text(lang Lang, key string, args map[string]string) string {
	found, ok := sentences[key]
	if !ok {
		return key
	}
	text := found.de
	if lang == English {
		text = found.en
	}
	for name, value := range args {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

var sentences = map[string]sentence{
	"kind.exam":    {"Prüfung", "exam"},
	"kind.screen":  {"Augen nach vorn", "eyes front"},
	"kind.offline": {"Internet aus", "internet off"},
	"kind.sites":   {"nur diese Seiten", "only these sites"},
	"kind.focus":   {"nur diese Programme", "only these programs"},

	"part.network": {"Netz", "network"},
	"part.browser": {"Browser", "browser"},
	"part.screen":  {"Bildschirm", "screen"},
	"part.apps":    {"Programme", "programs"},

	"state.ok":           {"wie gewollt", "as wanted"},
	"state.repaired":     {"wiederhergestellt", "restored"},
	"state.pending":      {"gleich wirksam", "takes effect soon"},
	"state.deviating":    {"abweichend", "drifted"},
	"state.not-possible": {"auf diesem Gerät nicht möglich", "not possible on this device"},

	"status.nothing":     {"Es gilt kein Modus. Alles ist wie immer.", "No mode holds. Everything is as usual."},
	"status.waiting":     {"Beginnt um {at} Uhr", "Begins at {at}"},
	"status.agrees":      {"Zurückgelesen: alles stimmt.", "Read back: everything agrees."},
	"status.disagrees":   {"Zurückgelesen: es weicht etwas ab.", "Read back: something differs."},
	"status.contact":     {"Letzter Kontakt zum Server: {at}", "Last contact with the server: {at}"},
	"status.no-contact":  {"Noch kein Kontakt zum Server.", "No contact with the server yet."},
	"status.filter":      {"Grundfilter: {count} gesperrte Namen", "Base filter: {count} refused names"},
	"status.challenge":   {"Für einen Freigabecode nennen Sie diese Zahl: {number}", "For a release code, read out this number: {number}"},
	"status.not-running": {"Der Dienst läuft nicht. Gezeigt wird, was gespeichert ist.", "The service is not running. Shown is what is stored."},
	"status.unenrolled":  {"Dieses Gerät ist noch nicht aufgenommen.", "This device is not enrolled yet."},
	"status.school":      {"Schule: {name}", "School: {name}"},

	"phase.waiting": {"geplant", "planned"},
	"phase.active":  {"aktiv", "active"},
	"phase.covered": {"verdeckt", "covered by another"},

	"part.notice": {"Mitteilung", "notice"},

	"enrol.done":        {"Aufgenommen. Dieses Gerät gehört jetzt zu: {school}", "Enrolled. This device now belongs to: {school}"},
	"enrol.not-running": {"Der Dienst läuft noch nicht. Starten Sie ihn mit: schulwart-agent install", "The service is not running yet. Start it with: schulwart-agent install"},
	"install.done":      {"Der Dienst ist eingerichtet und läuft.", "The service is installed and running."},
	"uninstall.done":    {"Alles ist zurückgenommen. Dieses Gerät wird nicht mehr verwaltet.", "Everything is taken back. This device is not managed any more."},

	"fault.link":        {"Das ist kein Aufnahme-Link. Er beginnt mit https:// und enthält /enroll/.", "This is not an enrolment link. It begins with https:// and contains /enroll/."},
	"fault.insecure":    {"Dieser Link ist nicht verschlüsselt. Nehmen Sie den Link mit https://.", "This link is not encrypted. Use the one with https://."},
	"fault.fingerprint": {"Dieser Server ist nicht der, für den der Link gemacht wurde. Es wurde nichts gesendet. Kopieren Sie den Link vollständig, auch den Teil nach #.", "This server is not the one for which the link was made. Nothing was sent. Copy the whole link, including the part behind #."},
	"fault.token":       {"Dieser Link ist verbraucht, abgelaufen oder zurückgezogen. Erzeugen Sie in der Konsole einen neuen.", "This link is used up, expired or revoked. Make a new one in the console."},
	"fault.clone":       {"Dieses Gerät ist eine Kopie eines anderen. Nehmen Sie es neu auf.", "This device is a copy of another one. Enrol it anew."},
	"fault.not-running": {"Der Dienst läuft nicht.", "The service is not running."},
	"fault.busy":        {"Es gilt gerade ein Modus, oder einer beginnt bald. Versuchen Sie es danach noch einmal.", "A mode holds or begins soon. Try again afterwards."},
	"fault.denied":      {"Das darf nur die Administration (root).", "Only the administrator (root) may do this."},

	"clock.server":     {"Uhr: vom Server bestätigt", "Clock: confirmed by the server"},
	"clock.wall":       {"Uhr: die des Geräts, seit dem Start nicht bestätigt", "Clock: the device's own, not confirmed since start"},
	"clock.checkpoint": {"Uhr: unsicher, die Uhr des Geräts geht nach", "Clock: uncertain, the device's clock is behind"},
	"clock.none":       {"Uhr: unbekannt", "Clock: unknown"},

	"release.done":        {"Freigegeben. Alles ist wieder wie vorher.", "Released. Everything is as before."},
	"release.wrong":       {"Dieser Code passt nicht. Noch {left} Versuche.", "This code does not fit. {left} tries left."},
	"release.wait":        {"Zu viele Versuche. Bitte warte bis {at} Uhr.", "Too many tries. Please wait until {at}."},
	"release.used":        {"Dieser Code wurde schon benutzt.", "This code has been used already."},
	"hand.up":             {"Du hast dich gemeldet.", "You asked for help."},
	"hand.down":           {"Du bist nicht mehr gemeldet.", "You do not ask for help any more."},
	"hand.nothing":        {"Es läuft gerade keine Prüfung.", "No exam is running."},
	"hand.soon":           {"Warte einen Moment. Versuche es gleich noch einmal.", "Wait a moment, then try again."},
	"hand.not-stored":     {"Das hat nicht geklappt. Melde dich mit der Hand.", "That did not work. Raise your hand."},
	"release.unheard":     {"Das hat nicht geklappt. Versuche es gleich noch einmal.", "That did not work. Try again in a moment."},
	"release.resumed":     {"Es geht weiter.", "You can go on."},
	"release.not-waiting": {"Die Prüfung läuft schon. Der Code bleibt gültig.", "The exam is running already. The code stays valid."},
	"release.nothing":     {"Es gilt gerade kein Modus, der enden könnte.", "No mode holds that could end."},
	"release.not-stored":  {"Die Freigabe konnte nicht gespeichert werden (Speicher voll).", "The release could not be stored (disk full)."},

	"lease.signature": {"Unterschrift stimmt nicht", "signature does not hold"},
	"lease.subject":   {"für ein anderes Gerät ausgestellt", "made for another device"},
	"lease.content":   {"Inhalt ist kein Modus", "content is not a mode"},
	"lease.issuer":    {"von einem anderen Server ausgestellt", "issued by another server"},
	"lease.too-long":  {"länger als erlaubt", "longer than allowed"},
	"lease.replayed":  {"veraltete Fassung, nicht befolgt", "outdated revision, not followed"},

	"declaration.unsupported": {"Diese Art von Vorgabe kennt der Dienst nicht", "the agent does not know this kind of declaration"},
	"declaration.unreadable":  {"Vorgabe ist nicht lesbar", "declaration cannot be read"},
	"declaration.predicate":   {"Bedingung wird nicht unterstützt", "predicate is not supported"},

	"part.no-driver":    {"auf diesem System nicht vorhanden", "does not exist on this system"},
	"part.driver-error": {"konnte nicht gesetzt werden: {error}", "could not be set: {error}"},
	"part.changed":      {"wurde von außen geändert", "was changed from outside"},
	"part.timeout":      {"antwortet nicht", "does not answer"},

	"ended.time":     {"zur vereinbarten Zeit beendet", "ended on time"},
	"ended.revision": {"vorzeitig beendet", "ended early"},
	"ended.code":     {"mit dem Freigabecode beendet", "ended with the release code"},

	"memory.full":      {"Der Speicher ist voll; der neue Stand konnte nicht gesichert werden.", "The disk is full; the new state could not be stored."},
	"memory.unwritten": {"Der neue Stand konnte nicht gesichert werden: {error}", "The new state could not be stored: {error}"},

	"refused.certificate.none":    {"Der Server hat kein Zertifikat gesehen", "the server saw no certificate"},
	"refused.certificate.unknown": {"Der Server kennt dieses Gerät nicht mehr; bitte neu aufnehmen", "the server does not know this device any more; please enrol it anew"},
	"refused.certificate.revoked": {"Die Schule hat dieses Gerät entlassen", "the school has let go of this device"},
	"refused.certificate.expired": {"Das Zertifikat ist abgelaufen und wird erneuert", "the certificate has expired and is being renewed"},
	"refused.clone":               {"Der Server hält dieses Gerät für eine Kopie; bitte neu aufnehmen", "the server takes this device for a copy; please enrol it anew"},
	"refused.authenticate":        {"Die Anmeldung beim Server beginnt von vorn", "the introduction to the server begins anew"},
	"refused.left":                {"Das Gerät ist abgemeldet; bitte neu aufnehmen", "the device has left; please enrol it anew"},
	"refused.serial":              {"Der Aufnahme-Link gilt für andere Seriennummern", "the enrolment link is for other serial numbers"},
	"refused.message":             {"Der Server konnte eine Nachricht nicht lesen", "the server could not read a message"},

	"event.tamper.repaired": {"{part} wurde auf dem Gerät geändert und wiederhergestellt.", "{part} was changed on the device and restored."},
	"event.tamper.stays":    {"{part} wurde auf dem Gerät geändert und ließ sich nicht wiederherstellen.", "{part} was changed on the device and could not be restored."},
	"event.clock.corrected": {"Die Uhr des Geräts wurde um {by} berichtigt.", "The device's clock was corrected by {by}."},
	"event.clock.moved":     {"Die Uhr des Geräts wurde um {by} verstellt; Enden bleiben, wo sie waren.", "The device's clock was moved by {by}; ends stay where they were."},
	"event.release.used":    {"Ein Modus wurde mit dem Freigabecode beendet.", "A mode was ended with the release code."},
	"event.release.blocked": {"Es wurden mehrmals falsche Freigabecodes eingegeben.", "Wrong release codes were entered several times."},
	"event.memory.torn":     {"Gespeicherter Stand war beschädigt; der vorige gilt.", "The stored state was damaged; the former one holds."},
	"event.memory.full":     {"Der Speicher des Geräts ist voll.", "The device's disk is full."},
	"event.exam.waits":      {"Nach einem Neustart wartet das Gerät auf den Code der Aufsicht.", "After a restart the device waits for the invigilator’s code."},
	"event.exam.resumed":    {"Nach einem Neustart ging die Prüfung weiter.", "The exam went on after a restart."},
	"event.exam.lost":       {"{seconds} Sekunden lang konnte niemand schreiben.", "Nobody could write for {seconds} seconds."},
	"event.exam.work-full":  {"Auf dem Gerät ist zu wenig Platz, um den Prüfungsordner zu sichern.", "There is too little room on the device to keep the exam’s folder."},
	"event.exam.virtual":    {"Das Gerät läuft als virtuelle Maschine ({of}).", "The device runs as a virtual machine ({of})."},
	"event.exam.remote":     {"Das Gerät ist von außen erreichbar: {via}.", "The device can be reached from elsewhere: {via}."},
	"event.exam.screens":    {"{count} Bildschirme sind angeschlossen.", "{count} screens are connected."},
	"event.exam.refused":    {"Ein Programm sollte starten und durfte nicht: {program}", "A program was asked to start and did not: {program}"},
	"event.exam.browser":    {"Das Prüfungsfenster wurde geschlossen und wieder geöffnet ({times} Mal).", "The exam window was closed and opened again ({times} times)."},
	"event.agent.started":   {"Der Dienst wurde gestartet.", "The agent was started."},
}

package words

func init() {
	for key, text := range familySentences {
		sentences[key] = text
	}
}

// familySentences are the names of the base policy's families, and the reasons
// that their drivers give.
var familySentences = map[string]sentence{
	"family.unset":          {"noch nicht gesetzt", "not set yet"},
	"family.changed":        {"wurde geändert: {file}", "was changed: {file}"},
	"family.unfinished":     {"noch nicht ganz wirksam", "not completely in effect yet"},
	"family.no-program":     {"auf diesem Gerät fehlt ein Programm: {program}", "a program is missing on this device: {program}"},
	"programs.missing":      {"noch nicht eingerichtet: {names}", "not installed yet: {names}"},
	"programs.unguarded":    {"die Sperre der Programme fehlt", "the guard of programs is missing"},
	"programs.guarding":     {"die Sperre der Programme beginnt gerade", "the guard of programs is just starting"},
	"programs.unknown":      {"nicht auf diesem Gerät: {names}", "not on this device: {names}"},
	"accounts.overruled":    {"eine andere Datei meldet weiterhin jemanden ohne Passwort an: {file}", "another file still signs somebody in without a password: {file}"},
	"accounts.pam":          {"die Anmeldung des Systems wurde von Hand geändert; unsere Regel steht nicht darin", "the system’s sign-in was changed by hand; our rule is not in it"},
	"accounts.weak":         {"das System nimmt ein zu kurzes Passwort an", "the system takes a password that is too short"},
	"updates.timer":         {"{what} läuft zu anderen Zeiten", "{what} runs at other times"},
	"time.no-zone":          {"die Zeitzone {name} kennt das Gerät nicht", "the device does not know the time zone {name}"},
	"time.no-language":      {"die Sprache {name} kennt das Gerät nicht", "the device does not know the language {name}"},
	"time.by-hand":          {"die Uhr wird von Hand gestellt", "the clock is set by hand"},
	"camera.open":           {"{name} ist noch für alle offen", "{name} is still open to everybody"},
	"part.accessibility":    {"Bedienungshilfen", "accessibility"},
	"part.accounts":         {"Konten und Anmeldung", "accounts and sign-in"},
	"part.camera":           {"Kamera und Mikrofon", "camera and microphone"},
	"part.programs":         {"Programme", "programs"},
	"part.screen-lock":      {"Bildschirmsperre", "screen lock"},
	"part.time-language":    {"Uhrzeit und Sprache", "time and language"},
	"part.updates":          {"Aktualisierungen", "updates"},
	"part.wallpaper":        {"Hintergrund", "wallpaper"},
	"family.desktop":        {"wirkt nicht auf {names}", "has no effect on {names}"},
	"family.no-desktop":     {"auf diesem Gerät ist kein Desktop, den wir kennen", "no desktop that we know is on this device"},
	"family.other-value":    {"{what} steht auf „{value}“", "{what} says “{value}”"},
	"wallpaper.no-picture":  {"das Bild {file} ist noch nicht auf dem Gerät", "the picture {file} is not on the device yet"},
	"browser.firefox-lacks": {"Firefox kennt dafür keine Vorgabe: {fields}", "Firefox knows no policy for: {fields}"},
	"certificates.gone":     {"das System vertraut einem Zertifikat noch nicht: {name}", "the system does not believe a certificate yet: {name}"},
	"dns.others":            {"das Gerät fragt andere Server: {servers}", "the device asks other servers: {servers}"},
	"wifi.not-running":      {"NetworkManager läuft auf diesem Gerät nicht", "NetworkManager does not run on this device"},
	"wifi.gone":             {"ein Netz ist dem Gerät nicht bekannt: {name}", "a network is not known to the device: {name}"},
	"proxy.gone":            {"der Desktop nimmt einen anderen Proxy", "the desktop uses another proxy"},
	"usb.attached":          {"ein USB-Speicher ist noch in Benutzung: {device}", "USB storage is still in use: {device}"},
	"usb.no-udev":           {"dieses Gerät verwaltet angesteckte Geräte nicht mit udev", "this device does not manage what is plugged in with udev"},
	"printing.unreachable":  {"ein Drucker antwortet nicht: {names}", "a printer does not answer: {names}"},
	"printing.gone":         {"ein Drucker fehlt: {name}", "a printer is missing: {name}"},
	"printing.default":      {"ein anderer Drucker wird zuerst angeboten", "another printer is offered first"},
	"printing.running":      {"der Druckdienst läuft noch", "the print service still runs"},
	"service.running":       {"ein Dienst läuft noch: {name}", "a service still runs: {name}"},
	"service.no-systemd":    {"dieses Gerät verwaltet Dienste nicht mit systemd", "this device does not manage services with systemd"},
	"polkit.not-running":    {"polkit läuft auf diesem Gerät nicht", "polkit does not run on this device"},
	"part.certificates":     {"Zertifikate", "certificates"},
	"part.dns":              {"Namensdienst", "name service"},
	"part.wifi":             {"WLAN", "Wi-Fi"},
	"part.proxy":            {"Proxy", "proxy"},
	"part.usb-storage":      {"USB-Speicher", "USB storage"},
	"part.printing":         {"Drucken", "printing"},
	"part.sharing":          {"Teilen", "sharing"},
	"part.vpn":              {"VPN und Hotspot", "VPN and hotspot"},
}

// Package words holds the sentences that people read on the device: pupils on
// the notice and on the covered screen, technicians in the status. It decides
// nothing and knows nothing but leases and times.
package words

import (
	"os"
	"strings"
	"time"

	"schulwart.org/policies/lease"
)

// Lang is a language as BCP 47 writes it, without region.
type Lang string

// The languages. Notices and the status exist in German and English; the
// covered screen in all of them.
const (
	German    Lang = "de"
	Ukrainian Lang = "uk"
	Arabic    Lang = "ar"
	Turkish   Lang = "tr"
	Russian   Lang = "ru"
	English   Lang = "en"
)

// Preferred returns German or English after the environment of the process
// (LC_ALL, LC_MESSAGES, LANG): English where it is asked for, else German.
func Preferred() Lang {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			if strings.HasPrefix(strings.ToLower(value), "en") {
				return English
			}
			return German
		}
	}
	return German
}

// Notice tells the pupil in plain words what a lease does, who set it and until
// when: "Frau Oert hat das Internet bis 10:35 Uhr ausgeschaltet. Danach ist
// alles wieder wie vorher." Languages other than English are told in German. A
// nil location is Germany.
func Notice(lang Lang, l lease.Lease, loc *time.Location) string {
	until := Clock(l.Expires, loc)
	if lang == English {
		return noticeEnglish(l, until)
	}
	return noticeGerman(l, until)
}

func noticeGerman(l lease.Lease, until string) string {
	by := l.By
	if by == "" {
		by = "Deine Schule"
	}
	const after = " Danach ist alles wieder wie vorher."
	switch l.Kind {
	case lease.Exam:
		return "Bis " + until + " Uhr läuft eine Prüfung. " + by + " hat festgelegt, was dabei erlaubt ist." + after
	case lease.Screen:
		return by + " möchte, dass du nach vorn schaust. Dein Bildschirm ist bis " + until + " Uhr gesperrt." + after
	case lease.Offline:
		return by + " hat das Internet bis " + until + " Uhr ausgeschaltet." + after
	case lease.Sites:
		return by + " hat bis " + until + " Uhr nur diese Seiten freigegeben: " + few(l.Rules.Sites, "und weitere") + "." + after
	case lease.Focus:
		return by + " hat bis " + until + " Uhr nur diese Programme freigegeben: " + few(appNames(l.Rules.Apps), "und weitere") + "." + after
	}
	return by + " hat bis " + until + " Uhr etwas eingestellt." + after
}

func noticeEnglish(l lease.Lease, until string) string {
	by := l.By
	if by == "" {
		by = "Your school"
	}
	const after = " After that everything is as before."
	switch l.Kind {
	case lease.Exam:
		return "An exam is running until " + until + ". " + by + " has set what is allowed." + after
	case lease.Screen:
		return by + " would like you to look to the front. Your screen is locked until " + until + "." + after
	case lease.Offline:
		return by + " has switched the internet off until " + until + "." + after
	case lease.Sites:
		return by + " allows only these sites until " + until + ": " + few(l.Rules.Sites, "and more") + "." + after
	case lease.Focus:
		return by + " allows only these programs until " + until + ": " + few(appNames(l.Rules.Apps), "and more") + "." + after
	}
	return by + " has set something until " + until + "." + after
}

// Over tells the pupil that nothing holds any more.
func Over(lang Lang) string {
	if lang == English {
		return "Everything is as before."
	}
	return "Jetzt ist alles wieder wie vorher."
}

// AppName turns the id of a desktop entry into a name that people know:
// "org.geogebra.GeoGebra" becomes "GeoGebra".
func AppName(id string) string {
	name := strings.TrimSuffix(id, ".desktop")
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 && dot+1 < len(name) {
		name = name[dot+1:]
	}
	name = strings.ReplaceAll(name, "-", " ")
	if name == "" {
		return id
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func appNames(ids []string) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = AppName(id)
	}
	return names
}

// few lists at most five names: a notice is read at a glance.
func few(names []string, more string) string {
	const most = 5
	if len(names) == 0 {
		return "–"
	}
	shown := make([]string, 0, most)
	for _, name := range names {
		if len(shown) == most {
			return strings.Join(shown, ", ") + " " + more
		}
		shown = append(shown, strings.TrimLeft(name, "=*."))
	}
	return strings.Join(shown, ", ")
}

// Package lease is the promise between server and device: what holds on one
// device, from when until when, signed. Starting is a command; the end is a
// property. The package signs, reads and weighs leases; it enforces nothing and
// looks at no clock.
package lease

import (
	"time"

	"schulwart.org/policies/org"
)

// DeclarationType is the DDM type in which a lease travels, to our agent only.
const DeclarationType = "org.schulwart.configuration.lease"

// Kind says what a lease does to a device.
type Kind string

// The kinds, in order of precedence.
const (
	Exam    Kind = "exam"    // Prüfung
	Screen  Kind = "screen"  // Augen nach vorn: the screen is covered
	Offline Kind = "offline" // Internet aus
	Sites   Kind = "sites"   // nur diese Seiten
	Focus   Kind = "focus"   // nur diese Programme
)

// Kinds lists the kinds in order of precedence, strongest first.
var Kinds = []Kind{Exam, Screen, Offline, Sites, Focus}

// Valid reports whether k is a kind that exists.
func (k Kind) Valid() bool {
	for _, known := range Kinds {
		if k == known {
			return true
		}
	}
	return false
}

// Longest and default lengths. While no timetable is known, a school day is
// taken as two lessons; a covered screen is a matter of minutes.
const (
	LongestMode   = 90 * time.Minute
	LongestScreen = 15 * time.Minute
	LongestExam   = 6 * time.Hour
	DefaultMode   = 45 * time.Minute
	DefaultScreen = 5 * time.Minute
)

// Longest returns the longest time that one lease of the kind may hold, extra
// time in exams not counted.
func (k Kind) Longest() time.Duration {
	switch k {
	case Exam:
		return LongestExam
	case Screen:
		return LongestScreen
	}
	return LongestMode
}

// Default returns the length of a lease for which nobody named one.
func (k Kind) Default() time.Duration {
	if k == Screen {
		return DefaultScreen
	}
	return DefaultMode
}

// Rules say what remains possible while the lease holds.
type Rules struct {
	// Sites are the host names that remain reachable (kind sites, exam). A name
	// covers its subdomains; see MatchHost.
	Sites []string `json:"sites,omitempty"`
	// Apps are the programs that remain startable (kind focus, exam): ids of
	// desktop entries on Linux ("org.geogebra.GeoGebra"), bundle ids on Apple.
	Apps []string `json:"apps,omitempty"`
	// Message is what the pupil reads beside the fixed sentence. Plain text.
	Message string `json:"message,omitempty"`
	// Exam is set in leases of kind Exam only.
	Exam *Examination `json:"exam,omitempty"`
}

// Lease is the content of one signed lease. Times are whole seconds in UTC.
type Lease struct {
	Issuer    string    // iss: the installation that signed it
	Subject   org.ID    // sub: the enrolment that it is for; no other device obeys it
	ID        string    // jti: one per mode and device
	Rev       int       // rev: a higher revision replaces a lower one
	NotBefore time.Time // nbf: when it begins to hold
	Expires   time.Time // exp: when it has ended, whatever happens
	Kind      Kind
	Rules     Rules
	By        string // who set it, as pupils may read it ("Frau Oert")
	Reason    string // optional, plain text
}

// Holds reports whether the lease is in force at the instant: from NotBefore
// inclusive to Expires exclusive.
func (l Lease) Holds(at time.Time) bool {
	return !at.Before(l.NotBefore) && at.Before(l.Expires)
}

// Ended reports whether the lease is over at the instant, or was ended early.
func (l Lease) Ended(at time.Time) bool {
	return !at.Before(l.Expires) || !l.NotBefore.Before(l.Expires)
}

// End returns the revision that ends the lease early: one higher, with an end
// that has passed at the instant. It never moves an end to a later time.
func (l Lease) End(at time.Time) Lease {
	l.Rev++
	if at.Before(l.Expires) {
		l.Expires = at.UTC().Truncate(time.Second)
	}
	return l
}

package web

import "time"

// PupilNowPage is "Was gilt hier?", public by the device's link. It speaks du.
type PupilNowPage struct {
	Frame
	Key    string
	Device string // inventory tag
	School string
	Modes  []PupilMode
	Set    []Setting // what is set, by family
	Seen   time.Time
	Formal bool // Sie, where a school wants it
}

// PupilSeesPage is "Was sieht die Schule?", public by the device's link.
type PupilSeesPage struct {
	Frame
	Key     string
	Device  string
	School  string
	Tongue  string    // one of PupilLanguages
	Set     []Setting // what is set, by family
	Sees    []string  // keys, looked up as sees.<key>
	Never   []string  // keys, looked up as never.<key>
	Kept    []string  // keys, looked up as kept.<key>
	Looks   []Look    // who looked at this device's page
	Contact string    // of the school's data protection; may be empty
	Formal  bool
}

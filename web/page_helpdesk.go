package web

import "time"

// HelpdeskPage is the one field that finds a device: inventory number, serial,
// room or name. The query is q.
type HelpdeskPage struct {
	Frame
	Query string
	Rows  []DeviceRow
	More  bool // there are more than are shown
}

// CallPage is what a person on the phone needs to say and to do.
type CallPage struct {
	Frame
	ID         string
	Name       string
	Holder     string // the pupil who has it
	School     string
	Groups     []string
	Platform   string
	System     string
	Simulated  bool
	Seen       time.Time
	State      State
	Since      time.Time
	Reason     *Sentence // reason.<key>
	Modes      []DeviceMode
	Cause      Sentence // likely cause, looked up as cause.<key>
	Step       Sentence // next step, looked up as step.<key>
	Sentence   Sentence // to read aloud, looked up as say.<key>
	StepURL    string   // where the next step is done; "" when it is done at the device
	MayRelease bool
	Code       *ReleasePart // when it was asked for
	History    []HistoryEntry
}

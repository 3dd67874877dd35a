package web

import "time"

// ShelfPage answers: what may be picked at our school, and what waits for a decision?
// Form fields: app, for=pupils|teachers|all, group.
type ShelfPage struct {
	Frame
	School   string
	Requests []AppRequest
	Rows     []ShelfRow
	Picks    []Pick // the latest first
	MayWrite bool
	Apps     []Option
	For      []Option
	Groups   []Option
	Problem  *Problem
}

// ShelfRow is an app that people may pick.
type ShelfRow struct {
	ID      string
	Title   string
	Version string
	For     string // pupils, teachers, all
	Group   string // only of this one
	Teacher string // only this one
	Picked  int
	By      string
	At      time.Time
}

// Pick is an app that was picked for a device.
type Pick struct {
	ID     string
	Device DeviceRef
	Title  string
	State  string // ordered, unlicensed, waiting, loading, installing, there, failed, unable
	Reason *RolloutReason
	By     string // a teacher; "" for whoever sat at the device
	At     time.Time
}

// AppRequest is an app that a teacher asks for. Form fields of an answer: do=grant|
// refuse, all=1, app, reason.
type AppRequest struct {
	ID     string
	Title  string
	Why    string
	Who    string
	At     time.Time
	Known  bool   // it is in the catalogue
	Answer string // open, granted, refused
	Reason string
	By     string // who answered
}

// PickRow is an app as somebody reads it who may pick it.
type PickRow struct {
	ID       string
	Title    string
	Icon     string
	Text     string
	Licence  string
	Cents    int64
	Currency string // "" where nobody said what one costs
	Counted  bool
	Free     int
	Pick     *Pick // nil while it was not picked
	Mine     bool  // whoever looks may give it back
}

// TeacherAppsPage answers: which apps can I get, and what became of my wishes? Form
// fields: do=pick entry | do=return wish | do=ask app, title, why. Query geraet names
// the device by its link.
type TeacherAppsPage struct {
	Frame
	Key      string // of the device's link; "" where none is meant
	Device   string
	Rows     []PickRow
	Requests []AppRequest
	Missing  []Option // of the catalogue
	Title    string
	Why      string
	Problem  *Problem
}

// PupilAppsPage is "Apps holen", public by the device's link. Form fields: do=pick
// entry | do=return wish.
type PupilAppsPage struct {
	Frame
	Key    string
	Device string
	School string
	Tongue string // one of PupilLanguages
	Rows   []PickRow
	Many   bool // no more can be picked
}

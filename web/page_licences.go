package web

import "time"

// LicencesPage answers: do our licences suffice, and what runs out? Form fields:
// place, app, total, cost, currency, until, note, do=preview|save, lose (how many the
// person saw would lose theirs).
type LicencesPage struct {
	Frame
	Rows     []PoolRow
	MayWrite bool
	Form     LicenceForm
	Change   *LicenceChange
	Problem  *Problem
}

// PoolRow is the licences that a place has of an app.
type PoolRow struct {
	ID       string
	Title    string
	Place    string
	School   bool // of one school, not of the authority
	Total    int
	Used     int
	Waiting  int
	Cents    int64
	Currency string    // "" where no cost is said
	Until    time.Time // last day; zero for without end
	Ends     int       // days until then
	Over     bool
	RunsOut  time.Time // at the pace of the last weeks; zero if nobody can tell
	Note     string
	MayWrite bool
}

// LicenceForm is what somebody says of licences.
type LicenceForm struct {
	Places     []Option
	Apps       []Option
	Total      string
	Cost       string
	Currencies []Option
	Until      string
	Note       string
}

// LicenceChange is what would change if the form were kept.
type LicenceChange struct {
	Title    string
	Place    string
	Total    int
	Before   int
	Used     int
	Waits    int
	Gain     int
	Lose     int
	LoseWho  []LicenceDevice // the first of them, in school order
	Dropping bool            // the pool would go
}

// LicencePage answers: who has one of these licences, and who waits?
type LicencePage struct {
	Frame
	Row     PoolRow
	Devices []LicenceDevice
	Total   int // of devices that have one or wait; Devices are the first
	Form    LicenceForm
	Change  *LicenceChange // of dropping the pool; nil for whoever may not
}

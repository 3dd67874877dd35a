package web

import "time"

// AppsPage answers: what is on its way to devices, and which apps are there?
type AppsPage struct {
	Frame
	Rollouts []RolloutRow // the latest first
	Rows     []AppRow     // by name, the newest version first
	Scopes   []Option     // for whom the person may take apps in; empty for nobody
	Room     []AppRoom    // of each of them
	Problem  *Problem     // of a web app that was not taken in
	Title    string
	URL      string
	Source   AppSource // what somebody wrote about a package from a repository
}

// AppSource is a package that devices have from a repository, as somebody wrote it.
type AppSource struct {
	Kind       string // deb, flatpak
	Name       string
	Version    string
	Commit     string // of a Flatpak
	Label      string
	URL        string
	Suite      string
	Components string // with spaces between them
	Key        string
}

// AppRoom is how much of its room the files of a place have, in bytes.
type AppRoom struct {
	Place string
	Used  int64
	Most  int64
}

// AppRow is one version of an app.
type AppRow struct {
	ID         string
	Title      string
	Kind       string // deb, flatpak, appimage, webapp, agent
	Name       string
	Version    string
	Size       int64 // bytes; 0 without a file
	By         string
	At         time.Time
	Everywhere bool   // not only in one authority
	Icon       string // hash of its picture
}

// RolloutRow is one rollout in a list.
type RolloutRow struct {
	ID      string
	Title   string
	State   string // draft, running, waiting, halted, done, rolled_back
	Why     string // of a halted one: failed, ailing, paused
	Changed time.Time
	By      string
}

// AppPage answers: what is this app, and who shall get it? Form fields: target,
// first, rings, window, failed, verified, hours, deadline, do=preview|start.
type AppPage struct {
	Frame
	Row          AppRow
	Text         string
	Architecture string
	Licence      string
	Source       string
	SHA256       string
	URL          string // of a web app
	Depends      []string
	MayRemove    bool
	Look         AppLook // what MayRemove lets the person change
	MayRun       bool
	Form         RolloutForm
	Preview      *RolloutPreview
	Problem      *Problem
}

// RolloutForm is what a rollout is planned with.
type RolloutForm struct {
	Targets  []Option
	First    []Option // groups for a first ring
	Room     bool     // there must be one
	Rings    []Option // careful, quick, all
	Windows  []Option
	Failed   string // percent
	Ailing   string // percent; "" for not looking
	Verified string
	Hours    string
	Deadline string   // day
	Sharing  []Option // together, alone
	Rate     string   // kilobytes a second; "" for as many as come
}

// RolloutPreview is what a rollout would reach.
type RolloutPreview struct {
	Rings  []RolloutRing
	Opens  time.Time // when the window opens next; zero for never
	Now    bool      // it is open now
	Former string    // version before; "" for none
	Total  int
	Short  Shortage
}

// Shortage says for how many devices there are licences; Needed is 0 where none are
// counted.
type Shortage struct {
	Needed  int
	Without int
	Names   []LicenceDevice // the first of those that stay without, in school order
}

// LicenceDevice is a device that has a licence, waits for one or stays without.
type LicenceDevice struct {
	ID     string
	Name   string
	School string
	Since  time.Time // when it got one; zero for none
	Waits  bool
}

// RolloutRing is one ring of a rollout.
type RolloutRing struct {
	Kind     string // group, share, school, all
	Place    string // name of the group or school
	Share    float64
	Devices  int
	Verified int
	Failed   int
	Unable   int
	Ailing   int    // of the verified ones
	Waiting  int    // for a licence
	State    string // ahead, open, passed, halted
	Since    time.Time
}

// RolloutStep is one thing that happened to a rollout: planned, start, ring, done,
// halts, pause, resume, retry, rollback.
type RolloutStep struct {
	At    time.Time
	What  string
	By    string // "" where it went on by itself
	Ring  int    // the last one offered, from 1
	Why   string // of a halt: failed, ailing
	Where int    // ring that halted it
	Count int
	Of    int
}

// RolloutPage answers: how far is it, and did anything go wrong?
type RolloutPage struct {
	Frame
	Row      RolloutRow
	AppID    string
	Name     string
	Version  string
	Former   string
	Own      bool // taken back, each device has the version that it had before
	Rings    []RolloutRing
	Where    int // ring that halted it, from 1
	Count    int
	Of       int
	Allowed  float64 // percent that may fail, or be worse off
	Opens    time.Time
	OpenNow  bool
	Deadline time.Time
	Reasons  []RolloutReason
	Steps    []RolloutStep // the last first
	Above    bool          // the authority's: the devices are those of the own schools
	Sites    []RolloutSite
	Rate     int  // kilobytes a second of each site; 0 for as many as come
	Alone    bool // each device has the file from the server
	Short    Shortage
	Actions  []string // start, pause, resume, retry, rollback: what is possible and permitted
	Again    string   // its address while it goes on by itself, and the page with it
}

// RolloutReason counts devices that failed for the same reason.
type RolloutReason struct {
	Code    string
	Details map[string]string
	Devices int
}

// RolloutSite is devices behind one line, and from where they had the file.
type RolloutSite struct {
	Name       string
	Line       int // which of the school's lines, from 1; 0 where there is one
	Single     bool
	Devices    int
	FromServer int64 // bytes
	FromPeers  int64
	Liars      int
}

// RolloutDevicesPage answers: which device has it, which not, and why?
type RolloutDevicesPage struct {
	Frame
	Row    RolloutRow
	Ring   int    // only this one, from 1; 0 for all
	How    string // only this outcome; "" for all
	Reason string // only failures of this reason; "" for all
	Rows   []RolloutDevice
	Total  int
	Filter []Option
	// Reasons are those of all failures, each a way to its devices.
	Reasons []RolloutReason
	Pager   Pager
}

// RolloutDevice is one device of a rollout.
type RolloutDevice struct {
	ID      string
	Name    string
	Ring    int
	Outcome string // "", pending, verified, failed, unable
	Offered bool
	Present string
	Reason  *RolloutReason
	Said    time.Time
	Tries   int  // how often it came to an end, good or bad
	Ailing  bool // it has the version, and is worse off since
}

// RolloutDoPage says what a deed would touch before it is done.
type RolloutDoPage struct {
	Frame
	Row      RolloutRow
	Do       string
	Devices  int
	Have     int
	Begun    int
	Version  string
	Own      bool // each has the version again that it had before
	Possible bool
	Problem  *Problem
}

// AppLook is how an app presents itself, in both languages.
type AppLook struct {
	Title, TitleEN, Text, TextEN string
	Problem                      *Problem
}

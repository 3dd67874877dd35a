package web

import "time"

// SitesPage lists the lists of allowed sites.
type SitesPage struct {
	Frame
	Lists []SiteListRow
}

// SiteListRow is one list.
type SiteListRow struct {
	ID      string
	Name    string
	Hosts   []string // the first few
	More    int      // how many more
	Owner   string   // "" for one's own
	Shared  bool     // with the school
	MayEdit bool
	Changed time.Time
}

// SitePage edits a list, or makes a new one when ID is empty. Form fields:
// name, hosts (one per line), shared=1.
type SitePage struct {
	Frame
	ID      string
	Name    string
	Hosts   string
	Shared  bool
	MayEdit bool
	Owner   string
	Problem *Problem
}

// ProposalPart is what the helper found that a page needs. It is drawn by
// ProposalFragment; chosen hosts are added to the text field.
type ProposalPart struct {
	Frame   Frame
	URL     string
	Hosts   []ProposedHost
	Problem *Problem
}

// ProposedHost is a host that a page loads from. Why is page, script, style,
// image, media, font, frame, data or redirect: how the page uses it, looked up
// as propose.<why>.
type ProposedHost struct {
	Host   string
	Why    string
	Times  int
	Chosen bool
}

// PupilScreen is a pupil's screen, drawn from what the device has read back. It
// is drawn by PupilScreenFragment.
type PupilScreen struct {
	Frame     Frame
	Device    string      // name
	On        bool        // running; off draws a dark screen
	Connected bool        // the cable or radio is there
	Modes     []PupilMode // in force on the device, most important first
	Clock     time.Time   // of the device
	Since     time.Time   // last change
	OOB       bool
}

// PupilMode is a mode as the pupil reads it.
type PupilMode struct {
	Kind    ModeKind
	What    []string // hosts or programs
	Message string
	By      string
	Ends    time.Time
}

// RehearsalPage is the first try on a pretend device: the board of a group of
// one, beside its screen.
type RehearsalPage struct {
	Frame
	Group  GroupRef
	Live   BoardLive
	Screen PupilScreen
	Done   bool // a mode was started and ended
}

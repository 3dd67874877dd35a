package web

import "time"

// GroupsPage lists the groups of a school. Filters are the query: q, kind.
type GroupsPage struct {
	Frame
	Query   string
	Kinds   []Option
	Rows    []GroupRow
	Pager   Pager
	Any     bool
	MayEdit bool
}

// GroupRow is one group of a list.
type GroupRow struct {
	Group    GroupRef
	Devices  int
	Teachers []string
	From     time.Time // zero when open
	Until    time.Time // zero when open
	Mode     *RunningMode
}

// GroupPage is one group with its devices and teachers.
type GroupPage struct {
	Frame
	Row      GroupRow
	Room     string
	Imported string // name of the import that made it; "" when a person did
	Members  []Member
	Pager    Pager
	Teachers []DeviceRef // id and name of persons
	Staff    []Option    // who could be added as a teacher
	QR       QR          // of "Ich habe diesen Koffer", for sets; empty otherwise
	MayEdit  bool
	Problem  *Problem
}

// Member is a device in a group, with dates.
type Member struct {
	Device   DeviceRef
	Person   string
	State    State
	Seen     time.Time
	From     time.Time
	Until    time.Time
	Imported bool
}

// GroupEditPage makes or changes a group. Form fields: name, kind, school,
// room, from, until (YYYY-MM-DD, may be empty), priority.
type GroupEditPage struct {
	Frame
	ID       string // "" for a new one
	Name     string
	Kind     GroupKind
	Schools  []Option // empty when there is one only
	Room     string
	From     string
	Until    string
	Priority int
	Problem  *Problem
}

// GroupDevicesPage chooses devices for a group. Form fields: device (repeated),
// from, until, action=add.
type GroupDevicesPage struct {
	Frame
	Group   GroupRef
	Query   string // GET q
	Rows    []DeviceRow
	Inside  map[string]bool // devices that are in it already
	Pager   Pager
	From    string
	Until   string
	Problem *Problem
}

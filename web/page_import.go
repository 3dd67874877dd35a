package web

import "time"

// ImportPage begins an import and shows the earlier ones. Form fields
// (multipart): file, what (of importKinds), school.
type ImportPage struct {
	Frame
	What    string
	Schools []Option
	Earlier []ImportRow
	Problem *Problem
}

// ImportRow is an earlier import. State is mapping, preview, done or dropped.
type ImportRow struct {
	ID      string
	File    string
	What    string
	At      time.Time
	By      string
	State   string
	Created int
	Updated int
	Removed int
}

// ImportMapPage asks which column means what. Form fields: action=map,
// column-0, column-1 … with the name of a field or "".
type ImportMapPage struct {
	Frame
	ID      string
	File    string
	What    string
	Rows    int
	Columns []ImportColumn
	Fields  []ImportField
	Problem *Problem
}

// ImportColumn is a column of the file with its first values.
type ImportColumn struct {
	Title  string
	Sample []string
	Field  string // proposed or chosen; "" when it is left out
}

// ImportField is what a column can mean; its word is import.field.<name>.
type ImportField struct {
	Name     string
	Required bool
}

// ImportPreviewPage says what an import will do before it does it. Form fields:
// action=apply|back|drop, and sure=1 when Warn is set (more than 5 % change).
type ImportPreviewPage struct {
	Frame
	ID      string
	File    string
	What    string
	Create  int
	Update  int
	Remove  int // only what an earlier import created
	Same    int
	Warn    bool
	Percent float64 // of what exists that changes
	Rows    []ImportChange
	More    int // changes that are not listed
	Faults  []ImportFault
	Problem *Problem
}

// ImportChange is one row. Kind is create, update or remove.
type ImportChange struct {
	Line int
	Kind string
	Name string
	Old  string // what changes, e.g. "7a"
	New  string
}

// ImportFault is a line that cannot be read.
type ImportFault struct {
	Line    int
	Problem Problem
}

// ImportDonePage is the result.
type ImportDonePage struct {
	Frame
	File    string
	What    string
	At      time.Time
	Created int
	Updated int
	Removed int
	Skipped int
}

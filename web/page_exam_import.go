package web

import "time"

// ExamImportPage begins an import of planned examinations. Form fields
// (multipart): file.
type ExamImportPage struct {
	Frame
	Problem *Problem
}

// ExamImportMapPage asks which column means what. Form fields: action=map|drop,
// column-0, column-1 … with the name of a field or "", minutes, preset.
type ExamImportMapPage struct {
	Frame
	ID      string
	File    string
	Rows    int
	Columns []ImportColumn
	Fields  []string // exam.import.field.<name>
	Minutes string
	Presets []Option // exam.preset.<value>
	Problem *Problem
}

// ExamImportCounts is what an import does.
type ExamImportCounts struct{ Create, Update, Remove, Same, Past, Skipped int }

// ExamImportPreviewPage says what an import will do before it does it. Form fields:
// action=apply|back|drop, token, drop=1 to call off what is missing.
type ExamImportPreviewPage struct {
	Frame
	ExamImportCounts
	ID         string
	File       string
	Token      string
	Rows       []ExamImportRow
	More       int // changes that are not listed
	Faults     []ImportFault
	MoreFaults int
	Missing    []ExamImportRow
	MayDrop    bool
	Problem    *Problem
}

// ExamImportRow is one examination that changes. Kind is create, update or remove.
type ExamImportRow struct {
	Line   int
	Kind   string
	Name   string
	Before *PlannedExam
	After  *PlannedExam
	Draft  bool
}

// PlannedExam is an examination as files tell it.
type PlannedExam struct {
	Name         string
	Group        string
	Room         string
	Lead         []string
	Calculator   string // a kind, "" says nothing of it
	Starts, Ends time.Time
}

// ExamImportDonePage is the result.
type ExamImportDonePage struct {
	Frame
	ExamImportCounts
	File   string
	At     time.Time
	Drafts bool // without a preset most are drafts
}

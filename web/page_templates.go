package web

import "time"

// TemplatesPage answers: which templates of others are there, from whom, and what
// is new? Form fields for a package: scope, file; for a publisher: scope, name,
// key, fingerprint.
type TemplatesPage struct {
	Frame
	Proposals   []TemplateProposal
	Rows        []TemplateRow // the newest version of each
	Publishers  []PublisherRow
	Scopes      []Option        // for whom the person may take packages in; empty for nobody
	Opened      *OpenedTemplate // a package that was not taken in
	Name        string
	Key         string
	Fingerprint string
	Problem     *Problem
}

// TemplateProposal is a newer version of a template that a place took over.
type TemplateProposal struct {
	Title   string
	Version int
	Former  int // version that the place has
	Place   PolicyPlace
	Coming  int // fields that would change
	Kept    int // fields that stay, because the place changed them itself
	URL     string
}

// TemplateRow is one version of a template.
type TemplateRow struct {
	ID          string
	Title       string
	Version     int
	Publisher   string
	Fingerprint string
	Trusted     bool // its key is still that of a known publisher
	By          string
	At          time.Time
	URL         string
}

// PublisherRow is a publisher whose templates are believed.
type PublisherRow struct {
	ID          string
	Name        string
	Fingerprint string
	By          string
	At          time.Time
	Everywhere  bool // not only in one authority
	MayRemove   bool
}

// OpenedTemplate is what is in a package that was not taken in. Its signature
// holds; Known says whether its key is that of a known publisher.
type OpenedTemplate struct {
	Title       string
	Version     int
	Publisher   string
	Fingerprint string
	Key         string
	Known       bool
	Says        []PolicyChange
	Faults      []TemplateFault
}

// TemplateFault is what is wrong in a template's sheet.
type TemplateFault struct {
	Line  int
	Where string
	Text  string
}

// TemplatePage answers: what would this template change here? Form fields: wo,
// do=take|decline, reason.
type TemplatePage struct {
	Frame
	Row        TemplateRow
	Place      PolicyPlace
	Places     []Option
	Former     int            // version that the place has; 0 for none
	Says       []PolicyChange // all that the template says
	Coming     []PolicyChange
	Kept       []PolicyChange // Before stays, After is what the template says
	Impact     *Impact        // nil where nothing comes
	Declined   *TemplateDecline
	DraftURL   string // of a draft that brings it already
	MayTake    bool
	MayDecline bool
	Reason     string
	Problem    *Problem
}

// TemplateDecline says why a place does not want a version.
type TemplateDecline struct {
	Reason string
	By     string
	At     time.Time
}

package web

import "time"

// Kinds of a PolicyField, as the catalogue names them.
const (
	KindFlag    = "flag"
	KindNumber  = "number"
	KindChoice  = "choice"
	KindText    = "text"
	KindNames   = "names"
	KindEntries = "entries"
)

// PolicyField is one thing that a family can say, as the catalogue describes it.
// Its words are policy.<family>.<field>, those of its choices
// policy.<family>.<field>.<choice>; fields of an entry stand below the entry's
// field.
type PolicyField struct {
	Family   string
	In       string // of a field of an entry: the field that holds the entries
	Name     string
	Kind     string
	Merge    string // strictest, union, nearest; word policy.merge.<merge>
	Unit     string // word policy.unit.<unit>
	Min, Max int
	Most     int
	Form     string // word policy.form.<form>
	Choices  []string
	Fields   []PolicyField // of each entry
	Key      string        // of entries: the field that tells them apart
	Required bool
	Secret   bool
}

// PolicyValue is what somebody says about a field. The zero value says nothing.
type PolicyValue struct {
	Set     bool
	On      bool
	Number  int
	Text    string // text or choice
	Names   []string
	Entries []PolicyEntry
	Hidden  bool // a secret: there is one, and it is not shown
}

// PolicyEntry is one entry, its values by field.
type PolicyEntry map[string]PolicyValue

// PolicyPlace is where something is said. Level is operator, authority, school,
// group or device; Name is empty for the operator.
type PolicyPlace struct {
	Level string
	ID    string
	Name  string
	URL   string // the place's policies; empty where the person may not go
}

// PolicySource is what one place says about a field. Effect is looked up as
// policy.effect.<effect>.
type PolicySource struct {
	Place     PolicyPlace
	Value     PolicyValue
	Effect    string
	Exception string // address of the exception; "" for none
	TakesOut  bool   // Value is taken out of a list, by an exception
}

// Abilities of a platform, as the catalogue names them; words
// policy.ability.<ability>.
const (
	Enforced    = "enforced"
	Reported    = "reported"
	NotPossible = "not-possible"
	Unverified  = "unverified"
)

// PolicyAbility is what one platform does with a family or a field.
type PolicyAbility struct {
	Platform   string
	Ability    string
	Supervised bool   // from supervised devices only
	Since      string // version from which the platform knows it
}

// CoveragePage answers: what works on which system?
type CoveragePage struct {
	Frame
	Topics []CoverageTopic
	Modes  []CoverageMode
}

// CoverageTopic gathers families; its word is policy.topic.<topic>.
type CoverageTopic struct {
	Topic    string
	Families []CoverageFamily
}

// CoverageFamily is one family with its fields, each with what the platforms do,
// in the order of Platforms.
type CoverageFamily struct {
	Family    string
	Platforms []PolicyAbility
	Fields    []CoverageField
}

// CoverageField is one field of a family.
type CoverageField struct {
	Field     PolicyField
	Platforms []PolicyAbility
}

// CoverageMode is what the platforms do with one kind of mode.
type CoverageMode struct {
	Kind      ModeKind
	Platforms []PolicyAbility
}

// Setting is one field on one device: what is effective, from where, what it
// overrode, and what the device says of it.
type Setting struct {
	Field   PolicyField
	Value   PolicyValue
	Hold    string // "", locked, free; word policy.hold.<hold>
	From    []PolicySource
	Until   time.Time // of the exception that decides; zero without one
	Ability string
	Missing string // what the device lacks: "supervision"; word policy.missing.<missing>
	// State is what the device reports; Since is when it began to say so, Reason
	// why (reason.<key>).
	State  State
	Since  time.Time
	Reason *Sentence
}

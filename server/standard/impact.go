package standard

import (
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
)

// Impact is what a draft would change on devices as they are now.
type Impact struct {
	Devices int // looked at: in use, in reach
	Changed int // of them, enrolled, would have another answer and can take at least a part of it
	Unable  int // of them, are meant and can take nothing of it, or not yet; Cannot says why
	// Schools lists schools with devices that change or cannot, most first.
	Schools []SchoolImpact
	Cannot  []Cannot
	// Fields are the differences on devices, those of most devices first. More
	// says how many were left out.
	Fields []FieldImpact
	More   int
	// Lower are words of places below that are heard no longer, Heard those that
	// are heard again.
	Lower []Unheard
	Heard []Unheard
	// Exceptions are those that the draft touches.
	Exceptions []ExceptionImpact
	// Strands are combinations that would strand devices: they cannot be
	// published.
	Strands []Strand
	// Refused are fields that a place above decides: they would change nothing, and
	// cannot be published. Set by Service.Impact only.
	Refused Faults
	// Names names the places that sources speak of.
	Names map[desired.Place]Place
	At    time.Time
}

// SchoolImpact is the impact on one school.
type SchoolImpact struct {
	School  org.Branch
	Name    string
	Devices int
	Changed int
	Cannot  int // of those that are meant
}

// Cannot is why devices that are meant do not take a field, or not yet.
type Cannot struct {
	Why      string // "not-possible", "supervision", "unverified", "agent-too-old", "not-enrolled"
	Family   string // empty for those that concern the device
	Field    string
	Platform org.Platform
	Devices  int
}

// FieldImpact is one difference with the number of devices on which it is.
type FieldImpact struct {
	Difference
	From    desired.Place // who decides then; before, if nobody does
	Devices int
}

// Unheard is the word of a place below.
type Unheard struct {
	Place   desired.Place
	Family  string
	Field   string
	Value   any
	Effect  desired.Effect // what becomes of it then
	Devices int
}

// ExceptionImpact is what becomes of an exception.
type ExceptionImpact struct {
	Exception Exception
	// Needless: what would hold without it is then what it says.
	Needless bool
}

// Strand is a combination that would strand devices.
type Strand struct {
	Fault
	School  org.Branch
	Name    string
	Devices int
}

// DeviceImpact is what changes on one device.
type DeviceImpact struct {
	Device  org.ID
	Name    string
	School  string
	Changed bool
	Fields  []FieldImpact
	Cannot  []Cannot
}

// Package sheet reads and writes policies as text: one YAML sheet per place of
// the tree, for people who keep them under version control, for presets and for
// templates. It opens no files; whoever does hands over path and content.
package sheet

import (
	"sort"
	"strings"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
)

// Place names a place as people write it: by names, from the top. Nothing at all
// is the operator.
type Place struct {
	Authority string `json:"authority,omitempty"`
	School    string `json:"school,omitempty"`
	Group     string `json:"group,omitempty"`
	Device    string `json:"device,omitempty"` // inventory number
}

// Level returns the height at which the place is.
func (p Place) Level() org.Level {
	switch {
	case p.Device != "":
		return org.Device
	case p.Group != "":
		return org.Group
	case p.School != "":
		return org.School
	case p.Authority != "":
		return org.Authority
	}
	return org.Operator
}

// String returns the names with the widest first, "Stadt Nordfurt › Gymnasium
// Nord"; empty for the operator.
func (p Place) String() string {
	var names []string
	for _, name := range []string{p.Authority, p.School, p.Group, p.Device} {
		if name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, " › ")
}

// Sheet is what one place says.
type Sheet struct {
	Place      Place
	Families   map[string]Family // by name
	Exceptions []Exception       // ordered by family, field and reason
	// File and lines say where it was read, for faults that are found later.
	File  string
	lines map[string]int
}

// Line returns the line on which a thing stands ("policies.webfilter.deny.3"), or
// the nearest one around it; 1 if nothing of it is written.
func (s Sheet) Line(path string) int {
	for path != "" {
		if line, ok := s.lines[path]; ok {
			return line
		}
		path = path[:max(strings.LastIndexByte(path, '.'), 0)]
	}
	return 1
}

// Family is one family's settings with how firmly each field is meant.
type Family struct {
	Settings catalog.Settings
	Holds    map[string]desired.Hold
}

// Kept stands for a secret that is set and stays as it is: secrets are never
// written out. In a sheet it is the tag !kept without a value.
const Kept = "••••••••"

// Exception is a deviation with owner, reason and end.
type Exception struct {
	Family, Field string
	Value         any // canonical
	Owner         string
	Reason        string
	Starts        time.Time // zero: at once
	Until         time.Time
	Path          string // in its sheet: "exceptions.1"
}

// Fault is what is wrong in a sheet, and where.
type Fault struct {
	catalog.Fault
	File string `json:"file"`
	Line int    `json:"line"` // from 1; 0 if it is about the whole file
}

// File is a sheet's text with the path that people know it by.
type File struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}

// ReadAll reads all sheets of a tree. With any fault nothing of it counts: a
// half-valid tree is refused. Two sheets about one place are a fault.
func ReadAll(files []File) ([]Sheet, []Fault) {
	var sheets []Sheet
	var faults []Fault
	seen := map[Place]string{}
	ordered := append([]File(nil), files...)
	sort.Slice(ordered, func(i, j int) bool { return ordered[i].Path < ordered[j].Path })
	for _, file := range ordered {
		read, wrong := Read(file)
		faults = append(faults, wrong...)
		if len(wrong) > 0 {
			continue
		}
		if other, twice := seen[read.Place]; twice {
			faults = append(faults, Fault{Fault: catalog.Fault{Key: "sheet.twice", Field: "place", Args: map[string]string{"file": other}}, File: file.Path, Line: 1})
			continue
		}
		seen[read.Place] = file.Path
		sheets = append(sheets, read)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return sheets, nil
}

func (s *Sheet) order() {
	sort.SliceStable(s.Exceptions, func(i, j int) bool {
		a, b := s.Exceptions[i], s.Exceptions[j]
		if a.Family != b.Family {
			return a.Family < b.Family
		}
		if a.Field != b.Field {
			return a.Field < b.Field
		}
		return a.Reason < b.Reason
	})
}

// Path returns where a sheet lies in a tree of files: a folder for each
// authority and school, with their own sheet in it.
func (p Place) Path() string {
	switch p.Level() {
	case org.Authority:
		return folder(p.Authority) + "/authority.yaml"
	case org.School:
		return folder(p.Authority) + "/" + folder(p.School) + "/school.yaml"
	case org.Group:
		return folder(p.Authority) + "/" + folder(p.School) + "/groups/" + folder(p.Group) + ".yaml"
	case org.Device:
		return folder(p.Authority) + "/" + folder(p.School) + "/devices/" + folder(p.Device) + ".yaml"
	}
	return "operator.yaml"
}

// folder makes a name one that every file system takes: small letters, digits
// and dashes.
func folder(name string) string {
	var clean strings.Builder
	dash := false
	for _, letter := range strings.ToLower(name) {
		plain, known := transcribed[letter]
		switch {
		case known:
		case letter >= 'a' && letter <= 'z' || letter >= '0' && letter <= '9':
			plain = string(letter)
		default:
			dash = clean.Len() > 0
			continue
		}
		if dash {
			clean.WriteByte('-')
			dash = false
		}
		clean.WriteString(plain)
	}
	if clean.Len() == 0 {
		return "x"
	}
	return clean.String()
}

var transcribed = map[rune]string{'ä': "ae", 'ö': "oe", 'ü': "ue", 'ß': "ss"}

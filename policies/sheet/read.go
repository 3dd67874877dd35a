package sheet

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
)

// Words of a sheet.
const (
	wordSchema     = "schema"
	wordPlace      = "place"
	wordPolicies   = "policies"
	wordExceptions = "exceptions"
	wordHold       = "hold"
	tagKept        = "!kept"
)

// Version is the schema of sheets that this program reads. A sheet can name the
// one that it was written for; without one it is 1.
const Version = 1

// MostText bounds a sheet: people write them, and a parser must not be kept busy.
const MostText = 1 << 20

// Read reads one sheet and says everything that is wrong with it, line by line.
func Read(file File) (Sheet, []Fault) {
	r := reader{file: file.Path}
	if len(file.Content) > MostText {
		r.fault(nil, "sheet.too_long", "")
		return Sheet{}, r.faults
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(file.Content))
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		r.syntax(err, file.Content)
		return Sheet{}, r.faults
	}
	if len(document.Content) == 0 {
		r.fault(nil, "sheet.empty", "")
		return Sheet{}, r.faults
	}
	if line := secondDocument(decoder); line > 0 {
		r.fault(&yaml.Node{Line: line}, "sheet.second_document", "")
		return Sheet{}, r.faults
	}
	sheet := r.sheet(document.Content[0])
	sheet.order()
	return sheet, r.faults
}

type reader struct {
	file   string
	faults []Fault
}

func (r *reader) fault(at *yaml.Node, key, field string, args ...string) {
	f := Fault{Fault: catalog.Fault{Key: key, Field: field}, File: r.file, Line: 1}
	if at != nil {
		f.Line = at.Line
	}
	for i := 0; i+1 < len(args); i += 2 {
		if f.Args == nil {
			f.Args = map[string]string{}
		}
		f.Args[args[i]] = args[i+1]
	}
	r.faults = append(r.faults, f)
}

var lineOf = regexp.MustCompile(`line (\d+)`)

// secondDocument returns the line on which a second document begins, 0 if there is
// none. The first one alone is read; whoever wrote a second one believes that it
// counts.
func secondDocument(decoder *yaml.Decoder) int {
	var second yaml.Node
	if err := decoder.Decode(&second); errors.Is(err, io.EOF) {
		return 0
	}
	if nothing(second) {
		return 0 // a last "---" with nothing behind it
	}
	return max(second.Line, 1)
}

func nothing(document yaml.Node) bool {
	return len(document.Content) == 1 && document.Content[0].Tag == "!!null"
}

// syntax tells what the YAML parser could not read.
func (r *reader) syntax(err error, content string) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	var types *yaml.TypeError
	if errors.As(err, &types) && len(types.Errors) > 0 {
		text = types.Errors[0]
	}
	f := Fault{Fault: catalog.Fault{Key: "sheet.syntax", Args: map[string]string{"text": text}}, File: r.file}
	if found := lineOf.FindStringSubmatch(text); found != nil {
		f.Line, _ = strconv.Atoi(found[1])
	} else {
		f.Line = unsaidLine(text, content)
	}
	r.faults = append(r.faults, f)
}

var anchorOf = regexp.MustCompile(`unknown anchor '(.+)'`)

// unsaidLine looks for the line of a fault for which the parser names none: letters
// that are not UTF-8, and a reference to nothing.
func unsaidLine(text, content string) int {
	anchor := anchorOf.FindStringSubmatch(text)
	for i, line := range strings.Split(content, "\n") {
		if !utf8.ValidString(line) || anchor != nil && strings.Contains(line, "*"+anchor[1]) {
			return i + 1
		}
	}
	return 1
}

// pairs calls do for each key of a mapping; anything else is a fault.
func (r *reader) pairs(node *yaml.Node, field string, do func(key, value *yaml.Node)) {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return
	}
	if node.Kind != yaml.MappingNode {
		r.fault(node, "sheet.not_mapping", field)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if seen[key.Value] {
			r.fault(key, "sheet.key_twice", field+dot(field)+key.Value)
			continue
		}
		seen[key.Value] = true
		do(key, value)
	}
}

func dot(field string) string {
	if field == "" {
		return ""
	}
	return "."
}

func (r *reader) sheet(root *yaml.Node) Sheet {
	sheet := Sheet{Families: map[string]Family{}, File: r.file, lines: map[string]int{}}
	if newer := schemaOf(root); newer != nil {
		// What else it says is for newer programs to judge.
		r.fault(newer, "sheet.too_new", wordSchema, "schema", newer.Value, "known", strconv.Itoa(Version))
		return sheet
	}
	r.pairs(root, "", func(key, value *yaml.Node) {
		switch key.Value {
		case wordSchema:
			if version, err := strconv.Atoi(value.Value); err != nil || version < 1 {
				r.fault(value, "sheet.bad_schema", wordSchema)
			}
		case wordPlace:
			sheet.lines[wordPlace] = key.Line
			sheet.Place = r.place(value)
		case wordPolicies:
			r.pairs(value, wordPolicies, func(name, content *yaml.Node) { r.family(&sheet, name, content) })
		case wordExceptions:
			r.exceptions(&sheet, value)
		default:
			r.fault(key, "policy.unknown_field", key.Value)
		}
	})
	return sheet
}

// schemaOf returns the schema of a sheet if it is newer than what is known here.
func schemaOf(root *yaml.Node) *yaml.Node {
	for i := 0; root.Kind == yaml.MappingNode && i+1 < len(root.Content); i += 2 {
		if version, err := strconv.Atoi(root.Content[i+1].Value); root.Content[i].Value == wordSchema && err == nil && version > Version {
			return root.Content[i+1]
		}
	}
	return nil
}

func (r *reader) place(node *yaml.Node) Place {
	var p Place
	r.pairs(node, wordPlace, func(key, value *yaml.Node) {
		into, known := map[string]*string{"authority": &p.Authority, "school": &p.School, "group": &p.Group, "device": &p.Device}[key.Value]
		if !known {
			r.fault(key, "policy.unknown_field", wordPlace+"."+key.Value)
			return
		}
		*into = strings.TrimSpace(value.Value)
	})
	if p.School != "" && p.Authority == "" || (p.Group != "" || p.Device != "") && p.School == "" || p.Group != "" && p.Device != "" {
		r.fault(node, "sheet.place_incomplete", wordPlace)
	}
	return p
}

func (r *reader) family(sheet *Sheet, name, content *yaml.Node) {
	family, ok := catalog.Find(name.Value)
	at := wordPolicies + "." + name.Value
	if !ok {
		r.fault(name, "sheet.unknown_family", at)
		return
	}
	said := Family{Holds: map[string]desired.Hold{}}
	raw := map[string]any{}
	sheet.lines[at] = name.Line
	r.pairs(content, at, func(key, value *yaml.Node) {
		if key.Value == wordHold {
			r.holds(&said, family, value, at)
			return
		}
		here := at + "." + key.Value
		sheet.lines[here] = key.Line
		index(sheet.lines, here, value)
		raw[key.Value] = r.plain(value)
	})
	settings, faults := family.Check(raw)
	for _, f := range faults {
		path := at + "." + f.Field
		r.faults = append(r.faults, Fault{Fault: catalog.Fault{Key: f.Key, Field: path, Args: f.Args}, File: r.file, Line: sheet.Line(path)})
	}
	said.Settings = settings
	sheet.Families[family.Name] = said
}

func (r *reader) holds(said *Family, family catalog.Family, node *yaml.Node, at string) {
	r.pairs(node, at+"."+wordHold, func(key, value *yaml.Node) {
		if _, ok := family.Field(key.Value); !ok {
			r.fault(key, "policy.unknown_field", at+"."+wordHold+"."+key.Value)
			return
		}
		switch hold := desired.Hold(value.Value); hold {
		case desired.Locked, desired.Free:
			said.Holds[key.Value] = hold
		case "standard":
		default:
			r.fault(value, "policy.not_choice", at+"."+wordHold+"."+key.Value, "choices", "locked, free, standard")
		}
	})
}

// index remembers where in the text each part of a value stands, under the paths
// that catalog.Check names.
func index(lines map[string]int, path string, node *yaml.Node) {
	switch node.Kind {
	case yaml.SequenceNode:
		for i, item := range node.Content {
			here := path + "." + strconv.Itoa(i+1)
			lines[here] = item.Line
			index(lines, here, item)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			here := path + "." + node.Content[i].Value
			lines[here] = node.Content[i].Line
			index(lines, here, node.Content[i+1])
		}
	}
}

// plain turns a node into plain values, as catalog.Check takes them. Aliases are
// not followed: a sheet that unfolds into a million values is nobody's wish.
func (r *reader) plain(node *yaml.Node) any {
	switch node.Kind {
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, item := range node.Content {
			list[i] = r.plain(item)
		}
		return list
	case yaml.MappingNode:
		entry := map[string]any{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			entry[node.Content[i].Value] = r.plain(node.Content[i+1])
		}
		return entry
	case yaml.AliasNode:
		r.fault(node, "sheet.alias", node.Value)
		return nil
	}
	var value any
	if node.Tag == tagKept {
		return Kept
	}
	if node.Tag == "!!timestamp" || node.Tag == "!!float" && strings.Contains(node.Value, ":") {
		return node.Value
	}
	if err := node.Decode(&value); err != nil {
		return node.Value
	}
	return value
}

func (r *reader) exceptions(sheet *Sheet, node *yaml.Node) {
	if node.Kind != yaml.SequenceNode {
		r.fault(node, "policy.not_list", wordExceptions)
		return
	}
	for i, item := range node.Content {
		at := wordExceptions + "." + strconv.Itoa(i+1)
		sheet.lines[at] = item.Line
		if e, ok := r.exception(item, at); ok {
			e.Path = at
			sheet.Exceptions = append(sheet.Exceptions, e)
		}
	}
}

func (r *reader) exception(node *yaml.Node, at string) (Exception, bool) {
	var e Exception
	var value *yaml.Node
	before := len(r.faults)
	r.pairs(node, at, func(key, content *yaml.Node) {
		switch key.Value {
		case "family":
			e.Family = content.Value
		case "field":
			e.Field = content.Value
		case "value", "without":
			value = content
		case "owner":
			e.Owner = strings.TrimSpace(content.Value)
		case "reason":
			e.Reason = strings.TrimSpace(content.Value)
		case "starts":
			e.Starts = r.day(content, at+".starts")
		case "until":
			e.Until = r.day(content, at+".until")
		default:
			r.fault(key, "policy.unknown_field", at+"."+key.Value)
		}
	})
	if len(r.faults) > before {
		return e, false
	}
	family, known := catalog.Find(e.Family)
	if !known {
		r.fault(node, "sheet.unknown_family", at+".family")
		return e, false
	}
	field, known := family.Field(e.Field)
	if !known {
		r.fault(node, "policy.unknown_field", at+".field")
		return e, false
	}
	for _, need := range []struct {
		name    string
		missing bool
	}{{"owner", e.Owner == ""}, {"reason", e.Reason == ""}, {"until", e.Until.IsZero()}, {"value", value == nil}} {
		if need.missing {
			r.fault(node, "policy.missing", at+"."+need.name)
		}
	}
	if value == nil || len(r.faults) > before {
		return e, false
	}
	clean, faults := field.Check(r.plain(value), "value")
	for _, f := range faults {
		r.faults = append(r.faults, Fault{Fault: catalog.Fault{Key: f.Key, Field: at + "." + f.Field, Args: f.Args}, File: r.file, Line: value.Line})
	}
	e.Value = clean
	return e, len(faults) == 0 && clean != nil
}

// day reads a date or an instant.
func (r *reader) day(node *yaml.Node, field string) time.Time {
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(form, node.Value); err == nil {
			return at.UTC()
		}
	}
	r.fault(node, "sheet.not_date", field)
	return time.Time{}
}

// Package appleschema holds profiles, commands and declarations against Apple's published
// schema (apple/device-management, MIT), for tests. The schema is not part of
// this repository; where it does not lie beside it, the tests say so and skip.
package appleschema

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"schulwart.org/scripts/need"
)

// Schema knows the keys of profiles, commands and declarations, as one system
// takes them.
type Schema struct {
	Profiles     map[string]description `json:"profiles"`
	Commands     map[string]description `json:"commands"`
	Declarations map[string]description `json:"declarations"`

	system system
}

// system is what a device runs. Without a version, every key that the system
// ever knew counts.
type system struct{ name, version string }

type description struct {
	Payload struct {
		Type      string           `json:"payloadtype"`
		Supported map[string]where `json:"supportedOS"`
	} `json:"payload"`
	Keys keys `json:"payloadkeys"`
}

// keys are a list of keys. Two entries of the schema refer to themselves; those
// are not looked into.
type keys []key

type key struct {
	Key        string           `json:"key"`
	Type       string           `json:"type"`
	Presence   string           `json:"presence"`
	Format     string           `json:"format"`
	RangeList  []any            `json:"rangelist"`
	Range      *bounds          `json:"range"`
	Repetition *bounds          `json:"repetition"`
	Subkeys    keys             `json:"subkeys"`
	Supported  map[string]where `json:"supportedOS"`
}

type where struct {
	Introduced string `json:"introduced"`
	Removed    string `json:"removed"`
}

// takes reports whether the system knows what is supported there.
func (o system) takes(supported map[string]where) bool {
	at := supported[o.name]
	switch {
	case at.Introduced == "n/a":
		return false
	case o.version == "":
		return true
	}
	return !older(o.version, at.Introduced) && (at.Removed == "" || older(o.version, at.Removed))
}

// older reports whether a version is older than another; an empty one was always
// there.
func older(a, b string) bool {
	if b == "" || b == "all" {
		return false
	}
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		if m, n := part(x, i), part(y, i); m != n {
			return m < n
		}
	}
	return false
}

func part(version []string, i int) int {
	if i >= len(version) {
		return 0
	}
	n, _ := strconv.Atoi(version[i])
	return n
}

type bounds struct {
	Min *float64 `json:"min"`
	Max *float64 `json:"max"`
}

// UnmarshalJSON reads a list of keys; anything else counts as none.
func (k *keys) UnmarshalJSON(data []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(data, &list) != nil {
		return nil
	}
	for _, raw := range list {
		var one key
		if err := json.Unmarshal(raw, &one); err != nil {
			return err
		}
		*k = append(*k, one)
	}
	return nil
}

// Load reads the schema from ../shared/data beside the repository, or skips the
// test with one line.
func Load(t testing.TB) Schema {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	data := need.Beside(t, filepath.Join(filepath.Dir(here), "..", ".."), "apple-schema.json")
	var schema Schema
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	schema.system = system{name: "iOS"}
	return schema
}

// On returns the schema as a version of a system takes it: "iOS" or "macOS".
func (s Schema) On(name, version string) Schema {
	s.system = system{name, version}
	return s
}

// payload returns what profiles may say under a type. Some types have several
// descriptions, each with keys of its own.
func (s Schema) payload(name string) (found keys, known bool) {
	for _, described := range s.Profiles {
		if described.Payload.Type == name && s.system.takes(described.Payload.Supported) {
			found, known = append(found, described.Keys...), true
		}
	}
	return found, known
}

// Declaration returns what is wrong with a declaration's payload, decoded into
// plain maps.
func (s Schema) Declaration(name string, payload map[string]any) []string {
	described, ok := s.Declarations[name]
	if !ok || !s.system.takes(described.Payload.Supported) {
		return []string{name + ": unknown declaration"}
	}
	return described.Keys.check(name, payload, s.system)
}

// Profile returns what is wrong with a profile, decoded into plain maps.
func (s Schema) Profile(profile map[string]any) []string {
	faults := s.Profiles["TopLevel"].Keys.check("profile", profile, s.system)
	content, _ := profile["PayloadContent"].([]any)
	if len(content) == 0 {
		faults = append(faults, "profile: no payload")
	}
	for i, item := range content {
		payload, _ := item.(map[string]any)
		name, _ := payload["PayloadType"].(string)
		at := fmt.Sprintf("payload %d (%s)", i, name)
		described, ok := s.payload(name)
		if !ok {
			faults = append(faults, at+": unknown type")
			continue
		}
		faults = append(faults, append(append(keys{}, s.Profiles["CommonPayloadKeys"].Keys...), described...).check(at, payload, s.system)...)
	}
	return faults
}

// Command returns what is wrong with a command's content.
func (s Schema) Command(request map[string]any) []string {
	name, _ := request["RequestType"].(string)
	described, ok := s.Commands[name]
	if !ok {
		return []string{name + ": unknown command"}
	}
	return append(keys{{Key: "RequestType", Type: "<string>", Presence: "required"}}, described.Keys...).check(name, request, s.system)
}

func (k keys) check(at string, value map[string]any, o system) []string {
	var faults []string
	known := map[string]bool{}
	for _, one := range k {
		known[one.Key] = true
		if given, ok := value[one.Key]; ok {
			faults = append(faults, one.check(at+"."+one.Key, given, o)...)
		} else if one.Presence == "required" && one.Key != "ANY" && o.takes(one.Supported) {
			faults = append(faults, at+"."+one.Key+": missing")
		}
	}
	for name := range value {
		if !known[name] && !known["ANY"] {
			faults = append(faults, at+"."+name+": unknown key")
		}
	}
	return faults
}

func (k key) check(at string, value any, o system) []string {
	if !o.takes(k.Supported) {
		return []string{at + ": not on this system"}
	}
	switch k.Type {
	case "<string>":
		text, ok := value.(string)
		if !ok {
			return []string{at + ": not a string"}
		}
		if k.Format != "" && !regexp.MustCompile(k.Format).MatchString(text) {
			return []string{at + ": not of the form " + k.Format}
		}
		return k.among(at, text)
	case "<integer>", "<real>":
		number, ok := number(value)
		if !ok {
			return []string{at + ": not a number"}
		}
		if k.Range != nil && k.Range.hold(number) {
			// A list beside a range names further values.
			return nil
		}
		if k.Range != nil && len(k.RangeList) == 0 {
			return []string{at + ": out of range"}
		}
		return k.among(at, number)
	case "<boolean>":
		return unless[bool](at, value)
	case "<data>":
		return unless[[]byte](at, value)
	case "<date>":
		return unless[time.Time](at, value)
	case "<dictionary>":
		inner, ok := value.(map[string]any)
		if !ok {
			return []string{at + ": not a dictionary"}
		}
		if len(k.Subkeys) == 0 {
			return nil
		}
		return k.Subkeys.check(at, inner, o)
	case "<array>":
		return k.list(at, value, o)
	}
	return nil
}

func (k key) list(at string, value any, o system) []string {
	items, ok := value.([]any)
	if !ok {
		return []string{at + ": not an array"}
	}
	var faults []string
	if k.Repetition != nil && !k.Repetition.hold(float64(len(items))) {
		faults = append(faults, at+": wrong number of items")
	}
	for i, item := range items {
		if len(k.Subkeys) == 1 && !strings.EqualFold(k.Subkeys[0].Key, "ANY") {
			faults = append(faults, k.Subkeys[0].check(fmt.Sprintf("%s[%d]", at, i), item, o)...)
		}
	}
	return faults
}

func (k key) among(at string, value any) []string {
	if len(k.RangeList) == 0 {
		return nil
	}
	for _, allowed := range k.RangeList {
		if allowed == value {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: %v is not one of %v", at, value, k.RangeList)}
}

func (b bounds) hold(n float64) bool {
	return (b.Min == nil || n >= *b.Min) && (b.Max == nil || n <= *b.Max)
}

func number(value any) (float64, bool) {
	switch n := value.(type) {
	case int64:
		return float64(n), true
	case uint64:
		return float64(n), true
	case float64:
		return n, true
	case float32:
		return float64(n), true
	}
	return 0, false
}

func unless[T any](at string, value any) []string {
	if _, ok := value.(T); !ok {
		return []string{fmt.Sprintf("%s: %T is the wrong type", at, value)}
	}
	return nil
}

package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Settings are values of one family's fields by name, each of the Go type that
// its Kind says. What Check returned is canonical: equal settings have equal
// JSON. A missing field says nothing.
type Settings map[string]any

// Fault is what is wrong with a value: a key of words, the field, arguments.
type Fault struct {
	Key   string            `json:"key"`   // "policy.too_many"
	Field string            `json:"field"` // "deny", or "networks.2.name"
	Args  map[string]string `json:"args,omitempty"`
}

// Bool returns the value of a flag and whether it is set.
func (s Settings) Bool(field string) (value, set bool) { value, set = s[field].(bool); return }

// On reports whether a flag is set to true.
func (s Settings) On(field string) bool { value, _ := s[field].(bool); return value }

// Int returns a number and whether it is set.
func (s Settings) Int(field string) (value int, set bool) { value, set = s[field].(int); return }

// Text returns a text or choice, empty if it is not set.
func (s Settings) Text(field string) string { value, _ := s[field].(string); return value }

// List returns names, nil if they are not set.
func (s Settings) List(field string) []string { value, _ := s[field].([]string); return value }

// Items returns entries, nil if they are not set.
func (s Settings) Items(field string) []Settings { value, _ := s[field].([]Settings); return value }

// Clone returns a copy that shares nothing that could be changed.
func (s Settings) Clone() Settings {
	clone := make(Settings, len(s))
	for name, value := range s {
		clone[name] = cloneValue(value)
	}
	return clone
}

func cloneValue(value any) any {
	switch value := value.(type) {
	case []string:
		return slices.Clone(value)
	case []Settings:
		list := make([]Settings, len(value))
		for i, item := range value {
			list[i] = item.Clone()
		}
		return list
	}
	return value
}

// Same reports whether two values of one field are equal.
func Same(a, b any) bool {
	left, _ := json.Marshal(a)
	right, _ := json.Marshal(b)
	return bytes.Equal(left, right)
}

// Decode reads settings of the family from JSON, as a declaration or the store
// holds them. Fields that are not known are left out: servers are newer than
// agents. Content that is no JSON object is an error.
func (f Family) Decode(data []byte) (Settings, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var raw map[string]any
	if err := decoder.Decode(&raw); err != nil {
		return nil, fmt.Errorf("reading settings of %s: %w", f.Name, err)
	}
	settings, _ := f.Check(raw)
	return settings, nil
}

// Check reads settings from JSON's or YAML's plain values and returns them
// canonical, with every fault: unknown fields, wrong kinds, limits, forms. Faulty
// fields are left out.
func (f Family) Check(raw map[string]any) (Settings, []Fault) {
	return check(f.Fields, raw, "")
}

func check(fields []Field, raw map[string]any, path string) (Settings, []Fault) {
	settings, faults := Settings{}, []Fault{}
	for _, field := range fields {
		value, given := raw[field.Name]
		if !given || value == nil {
			if field.Required {
				faults = append(faults, fault("policy.missing", path+field.Name))
			}
			continue
		}
		clean, wrong := field.Check(value, path+field.Name)
		faults = append(faults, wrong...)
		if len(wrong) == 0 && clean != nil {
			settings[field.Name] = clean
		}
	}
	unknown := []string{}
	for name := range raw {
		if !slices.ContainsFunc(fields, func(field Field) bool { return field.Name == name }) {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		faults = append(faults, fault("policy.unknown_field", path+name))
	}
	if len(faults) == 0 {
		faults = nil
	}
	return settings, faults
}

func fault(key, field string, args ...string) Fault {
	f := Fault{Key: key, Field: field}
	for i := 0; i+1 < len(args); i += 2 {
		if f.Args == nil {
			f.Args = map[string]string{}
		}
		f.Args[args[i]] = args[i+1]
	}
	return f
}

// Check returns the canonical value of a field, or what is wrong with it. An
// empty text or list is no value: it returns nil without a fault.
func (f Field) Check(value any, path string) (any, []Fault) {
	switch f.Kind {
	case Flag:
		if on, ok := value.(bool); ok {
			return on, nil
		}
		return nil, []Fault{fault("policy.not_flag", path)}
	case Number:
		return f.number(value, path)
	case Choice:
		text, ok := value.(string)
		if !ok || !slices.Contains(f.Choices, text) {
			return nil, []Fault{fault("policy.not_choice", path, "choices", strings.Join(f.Choices, ", "))}
		}
		return text, nil
	case Text:
		return f.text(value, path)
	case Names:
		return f.names(value, path)
	case Entries:
		return f.entries(value, path)
	}
	return nil, []Fault{fault("policy.unknown_field", path)}
}

func (f Field) number(value any, path string) (any, []Fault) {
	n, ok := whole(value)
	if !ok {
		return nil, []Fault{fault("policy.not_number", path)}
	}
	if n < f.Min || f.Max > 0 && n > f.Max {
		return nil, []Fault{fault("policy.out_of_range", path, "min", fmt.Sprint(f.Min), "max", fmt.Sprint(f.Max))}
	}
	return n, nil
}

func whole(value any) (int, bool) {
	switch n := value.(type) {
	case int:
		return n, true
	case int64:
		return int(n), true
	case uint64:
		return int(n), n < 1<<53
	case float64:
		return int(n), n == float64(int(n))
	case json.Number:
		i, err := n.Int64()
		return int(i), err == nil
	}
	return 0, false
}

func (f Field) text(value any, path string) (any, []Fault) {
	text, ok := value.(string)
	if !ok {
		return nil, []Fault{fault("policy.not_text", path)}
	}
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	clean, key := f.Form.clean(text)
	if key != "" {
		return nil, []Fault{fault(key, path, "value", brief(text))}
	}
	if most := f.longest(); len([]rune(clean)) > most {
		return nil, []Fault{fault("policy.too_long", path, "max", fmt.Sprint(most))}
	}
	if len([]rune(clean)) < f.Min {
		return nil, []Fault{fault("policy.too_short", path, "min", fmt.Sprint(f.Min))}
	}
	return clean, nil
}

func (f Field) longest() int {
	switch {
	case f.Max > 0:
		return f.Max
	case f.Form == Certificate:
		return 16 << 10
	case f.Form == Prose:
		return 2000
	}
	return 300
}

func brief(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return text
}

func (f Field) names(value any, path string) (any, []Fault) {
	var given []any
	switch list := value.(type) {
	case []any:
		given = list
	case []string:
		for _, item := range list {
			given = append(given, item)
		}
	default:
		return nil, []Fault{fault("policy.not_list", path)}
	}
	names, faults := []string{}, []Fault(nil)
	for i, item := range given {
		clean, wrong := Field{Kind: Text, Form: f.Form, Max: f.Max}.text(item, fmt.Sprintf("%s.%d", path, i+1))
		faults = append(faults, wrong...)
		if name, ok := clean.(string); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > f.most() {
		faults = append(faults, fault("policy.too_many", path, "max", fmt.Sprint(f.most())))
	}
	if len(names) == 0 || len(faults) > 0 {
		return nil, faults
	}
	return names, nil
}

func (f Field) entries(value any, path string) (any, []Fault) {
	var given []map[string]any
	switch list := value.(type) {
	case []Settings:
		for _, item := range list {
			given = append(given, item)
		}
	case []any:
		for i, item := range list {
			entry, ok := item.(map[string]any)
			if !ok {
				return nil, []Fault{fault("policy.not_entry", fmt.Sprintf("%s.%d", path, i+1))}
			}
			given = append(given, entry)
		}
	default:
		return nil, []Fault{fault("policy.not_list", path)}
	}
	var entries []Settings
	var faults []Fault
	for i, raw := range given {
		entry, wrong := check(f.Fields, raw, fmt.Sprintf("%s.%d.", path, i+1))
		faults = append(faults, wrong...)
		if len(entry) > 0 {
			entries = append(entries, entry)
		}
	}
	sort.SliceStable(entries, func(i, j int) bool { return entries[i].Text(f.Key) < entries[j].Text(f.Key) })
	for i := 1; i < len(entries); i++ {
		if entries[i].Text(f.Key) == entries[i-1].Text(f.Key) {
			faults = append(faults, fault("policy.twice", path, "value", entries[i].Text(f.Key)))
		}
	}
	if len(entries) > f.most() {
		faults = append(faults, fault("policy.too_many", path, "max", fmt.Sprint(f.most())))
	}
	if len(entries) == 0 || len(faults) > 0 {
		return nil, faults
	}
	return entries, nil
}

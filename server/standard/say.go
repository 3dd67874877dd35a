package standard

import (
	"slices"
	"sort"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
)

// SameSay reports whether two places say the same about a family. Saying nothing
// and having no word are the same.
func SameSay(a, b Say) bool {
	if a.Empty() || b.Empty() {
		return a.Empty() && b.Empty()
	}
	return catalog.Same(a.Settings, b.Settings) && len(a.holds()) == len(b.holds()) && catalog.Same(a.holds(), b.holds())
}

// holds are those that say something.
func (s Say) holds() map[string]desired.Hold {
	holds := map[string]desired.Hold{}
	for field, hold := range s.Holds {
		if _, set := s.Settings[field]; set && hold != desired.Standard {
			holds[field] = hold
		}
	}
	return holds
}

// differences lists the fields in which two sets of families differ.
func differences(before, after map[string]Say) []Difference {
	var list []Difference
	for _, family := range catalog.Families {
		was, is := before[family.Name], after[family.Name]
		for _, field := range family.Fields {
			d := Difference{family.Name, field.Name, was.Settings[field.Name], is.Settings[field.Name], was.Holds[field.Name], is.Holds[field.Name]}
			if !catalog.Same(d.Old, d.New) || d.New != nil && d.OldHold != d.NewHold {
				list = append(list, d)
			}
		}
	}
	return list
}

// Differences lists the fields that a draft changes against its base.
func (d Draft) Differences() []Difference {
	before := map[string]Say{}
	for family := range d.Changes {
		before[family] = d.Base[family]
	}
	return differences(before, d.Changes)
}

// Differences lists the fields that a version changed.
func (v Version) Differences() []Difference { return differences(v.Before, v.After) }

// families lists the names of families, ordered.
func families(says map[string]Say) []string {
	names := make([]string, 0, len(says))
	for name := range says {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// merge sets one field of what is said as another place says it; saying nothing
// takes it away.
func (s Say) with(field string, from Say) Say {
	merged := Say{Settings: s.Settings.Clone(), Holds: map[string]desired.Hold{}}
	for name, hold := range s.Holds {
		merged.Holds[name] = hold
	}
	delete(merged.Holds, field)
	value, set := from.Settings[field]
	if !set {
		delete(merged.Settings, field)
		return merged
	}
	merged.Settings[field] = value
	if hold := from.Holds[field]; hold != desired.Standard {
		merged.Holds[field] = hold
	}
	return merged
}

// Masked returns what is said without secrets, as people and logs may read it.
func Masked(says map[string]Say) map[string]Say {
	masked := make(map[string]Say, len(says))
	for name, say := range says {
		if family, ok := catalog.Find(name); ok && family.HasSecrets() {
			say.Settings = mask(family, say.Settings)
		}
		masked[name] = say
	}
	return masked
}

// MaskedValue returns the value of one field without secrets.
func MaskedValue(family, field string, value any) any {
	known, ok := catalog.Find(family)
	if !ok || value == nil || !known.HasSecrets() {
		return value
	}
	return mask(known, catalog.Settings{field: value})[field]
}

func mask(family catalog.Family, settings catalog.Settings) catalog.Settings {
	masked := settings.Clone()
	_ = family.MapSecrets(masked, func(_, _, _ string) (string, error) { return Kept, nil })
	return masked
}

func maskDifferences(list []Difference) []Difference {
	for i := range list {
		list[i].Old, list[i].New = MaskedValue(list[i].Family, list[i].Field, list[i].Old), MaskedValue(list[i].Family, list[i].Field, list[i].New)
	}
	return list
}

func (d Draft) masked() Draft {
	d.Changes, d.Base = Masked(d.Changes), Masked(d.Base)
	return d
}

func (v Version) masked() Version {
	v.Before, v.After = Masked(v.Before), Masked(v.After)
	return v
}

func (e Exception) masked() Exception {
	e.Value = MaskedValue(e.Family, e.Field, e.Value)
	return e
}

// read checks what somebody wants a place to say. Secrets that are Kept are
// those of before.
func read(name string, wish Wish, before Say) (Say, Faults) {
	family, ok := catalog.Find(name)
	if !ok {
		return Say{}, Faults{{Key: "policy.unknown_family", Family: name, Args: map[string]string{"value": name}}}
	}
	var faults Faults
	raw := plain(wish.Settings)
	if family.HasSecrets() {
		faults = keep(family, raw, before.Settings)
	}
	settings, wrong := family.Check(raw)
	for _, fault := range wrong {
		faults = append(faults, Fault{Key: fault.Key, Family: name, Field: fault.Field, Args: fault.Args})
	}
	say := Say{Settings: settings}
	for field, hold := range wish.Holds {
		switch {
		case hold == desired.Standard || settings[field] == nil:
		case hold == desired.Locked || hold == desired.Free:
			if say.Holds == nil {
				say.Holds = map[string]desired.Hold{}
			}
			say.Holds[field] = hold
		default:
			faults = append(faults, Fault{Key: "policy.unknown_hold", Family: name, Field: field, Args: map[string]string{"value": string(hold)}})
		}
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return compare(a.Field, b.Field) })
	return say, faults
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// plain copies values so that nothing of the caller's is changed.
func plain(values map[string]any) map[string]any {
	copied := make(map[string]any, len(values))
	for name, value := range values {
		switch value := value.(type) {
		case []any:
			list := make([]any, len(value))
			for i, item := range value {
				if entry, ok := item.(map[string]any); ok {
					item = plain(entry)
				}
				list[i] = item
			}
			copied[name] = list
		case []map[string]any:
			list := make([]any, len(value))
			for i, entry := range value {
				list[i] = plain(entry)
			}
			copied[name] = list
		case []catalog.Settings:
			list := make([]any, len(value))
			for i, entry := range value {
				list[i] = plain(entry)
			}
			copied[name] = list
		default:
			copied[name] = value
		}
	}
	return copied
}

// keep puts secrets of before in the place of Kept. One that is not known, because
// its entry has another name now, is a fault: nobody should lose a password
// without a word.
func keep(family catalog.Family, raw map[string]any, before catalog.Settings) Faults {
	type at struct{ field, key string }
	known := map[at]string{}
	var faults Faults
	_ = family.MapSecrets(before.Clone(), func(field, key, secret string) (string, error) {
		known[at{field, key}] = secret
		return secret, nil
	})
	_ = family.MapSecrets(raw, func(field, key, secret string) (string, error) {
		if secret != Kept {
			return secret, nil
		}
		secret, found := known[at{field, key}]
		if !found {
			faults = append(faults, Fault{Key: "policy.secret_lost", Family: family.Name, Field: field, Args: map[string]string{"value": key}})
		}
		return secret, nil
	})
	return faults
}

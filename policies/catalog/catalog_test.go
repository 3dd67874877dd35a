package catalog_test

import (
	"slices"
	"testing"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

var platforms = []org.Platform{org.Linux, org.Windows, org.MacOS, org.IPadOS}

func TestEveryFamilySaysWhatEachPlatformCanDo(t *testing.T) {
	names := []string{}
	for _, family := range catalog.Families {
		names = append(names, family.Name)
		if !slices.Contains(catalog.Topics, family.Topic) {
			t.Errorf("%s: topic %q", family.Name, family.Topic)
		}
		if found, ok := catalog.FamilyOfType(family.Type()); !ok || found.Name != family.Name {
			t.Errorf("%s is not found by its type %s", family.Name, family.Type())
		}
		if len(family.Fields) == 0 {
			t.Errorf("%s has nothing to say", family.Name)
		}
		for _, platform := range platforms {
			known(t, family.Name+" on "+string(platform), family.Platforms[platform])
			for _, field := range family.Fields {
				known(t, family.Name+"."+field.Name+" on "+string(platform), family.Ability(field.Name, platform))
			}
		}
		for _, field := range family.Fields {
			wellMade(t, family.Name+"."+field.Name, field)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("families are not ordered by name: %v", names)
	}
}

func TestEveryModeSaysWhatEachPlatformCanDo(t *testing.T) {
	for _, kind := range lease.Kinds {
		if len(catalog.PartsOf(kind)) == 0 {
			t.Errorf("%s takes effect through nothing", kind)
		}
		for _, platform := range platforms {
			known(t, string(kind)+" on "+string(platform), catalog.ModeCoverage[kind][platform])
		}
		// Nothing about Apple's devices was seen on hardware.
		for _, platform := range []org.Platform{org.IPadOS, org.MacOS} {
			if ability := catalog.ModeCoverage[kind][platform]; ability == catalog.Enforced {
				t.Errorf("%s on %s is claimed to be enforced", kind, platform)
			}
		}
	}
}

func known(t *testing.T, what string, ability catalog.Ability) {
	t.Helper()
	if !slices.Contains([]catalog.Ability{catalog.Enforced, catalog.Reported, catalog.NotPossible, catalog.Unverified}, ability) {
		t.Errorf("%s: %q", what, ability)
	}
}

// wellMade holds a field's description against itself.
func wellMade(t *testing.T, name string, field catalog.Field) {
	t.Helper()
	if !slices.Contains([]catalog.Merge{catalog.Strictest, catalog.Union, catalog.Nearest}, field.Merge) {
		t.Errorf("%s: merge rule %q", name, field.Merge)
	}
	if field.Merge == catalog.Union && !field.Lists() {
		t.Errorf("%s: only lists add up", name)
	}
	switch field.Kind {
	case catalog.Flag:
		if field.Merge == catalog.Strictest && field.Stricter != catalog.On && field.Stricter != catalog.Off {
			t.Errorf("%s: which way is stricter?", name)
		}
	case catalog.Number:
		if field.Unit == "" || field.Max <= field.Min {
			t.Errorf("%s: a number without unit or limits", name)
		}
		if field.Merge == catalog.Strictest && field.Stricter != catalog.Less && field.Stricter != catalog.More {
			t.Errorf("%s: which way is stricter?", name)
		}
	case catalog.Choice:
		if len(field.Choices) < 2 || field.Merge == catalog.Strictest && field.Stricter != catalog.Later {
			t.Errorf("%s: choices %v, stricter %q", name, field.Choices, field.Stricter)
		}
	case catalog.Text, catalog.Names:
		if field.Form == "" || field.Merge == catalog.Strictest {
			t.Errorf("%s: a text without a form, or one that is stricter than another", name)
		}
	case catalog.Entries:
		if len(field.Fields) == 0 || !slices.ContainsFunc(field.Fields, func(inner catalog.Field) bool {
			return inner.Name == field.Key && inner.Kind == catalog.Text && inner.Required
		}) {
			t.Errorf("%s: entries need fields, one of them a required text as key", name)
		}
	default:
		t.Errorf("%s: kind %q", name, field.Kind)
	}
}

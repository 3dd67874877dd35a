package presets_test

import (
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/presets"
	"schulwart.org/policies/sheet"
)

var monday = time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)

func sets(t *testing.T) []presets.Set {
	t.Helper()
	all, err := presets.Sets()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEverySetCanBeUsedAsItIs(t *testing.T) {
	for _, set := range sets(t) {
		t.Run(set.Key, func(t *testing.T) {
			if set.Sheet.Place != (sheet.Place{}) || len(set.Sheet.Exceptions) > 0 {
				t.Error("a preset names a place or an exception")
			}
			var policies []desired.Policy
			all := map[string]catalog.Settings{}
			for name, family := range set.Sheet.Families {
				if len(family.Settings) == 0 {
					t.Errorf("%s says nothing", name)
				}
				all[name] = family.Settings
				policies = append(policies, desired.Policy{Place: desired.Place{Level: org.School, ID: "north"}, Family: name, Settings: family.Settings})
			}
			for name, family := range set.Sheet.Families {
				if known, _ := catalog.Find(name); known.Strands != nil {
					if faults := known.Strands(family.Settings, all); len(faults) > 0 {
						t.Errorf("%s would strand a device: %+v", name, faults)
					}
				}
			}
			snapshot := desired.Snapshot{Branch: org.Branch{Authority: "city", School: "north"}, Policies: policies}
			state := desired.For(snapshot, desired.Device{ID: "d", Platform: org.Linux}, monday)
			if len(state.Settings) == 0 {
				t.Error("nothing holds on a device")
			}
			for _, effective := range state.Settings {
				if effective.From[0].Effect != desired.Decides {
					t.Errorf("%s.%s: %s", effective.Family, effective.Field, effective.From[0].Effect)
				}
			}
		})
	}
}

// Each rule has its reason: on its own line, or above it or above the group of
// lines that it stands in.
func TestEveryRuleHasItsReason(t *testing.T) {
	for _, set := range sets(t) {
		reason, above := false, 0
		for number, line := range strings.Split(set.Text, "\n") {
			text := strings.TrimSpace(line)
			depth := len(line) - len(strings.TrimLeft(line, " "))
			switch {
			case text == "":
				reason = false
			case strings.HasPrefix(text, "#"):
				reason, above = true, depth
			case depth == 2 && strings.HasSuffix(text, ":"):
				reason = false
			case depth == 4 && strings.Contains(text, "#"):
				reason, above = true, depth
			case depth == 4 && !(reason && above == depth):
				t.Errorf("%s, line %d: %q without a reason", set.Key, number+1, text)
			}
		}
	}
}

package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

var platforms = []org.Platform{org.Linux, org.Windows, org.MacOS, org.IPadOS}

func TestEveryFamilySaysWhatEachPlatformCanDo(t *testing.T) {
	names := []string{}
	for _, family := range catalog.Families {
		names = append(names, family.Name)
		if family.Type == "" || !strings.HasPrefix(family.Type, "org.schulwart.") && !strings.HasPrefix(family.Type, "com.apple.") {
			t.Errorf("%s: type %q", family.Name, family.Type)
		}
		if !slices.Contains([]catalog.Merge{catalog.Strictest, catalog.Union, catalog.Nearest}, family.Merge) {
			t.Errorf("%s: merge rule %q", family.Name, family.Merge)
		}
		for _, platform := range platforms {
			known(t, family.Name+" on "+string(platform), family.Platforms[platform])
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
		if kind == lease.Exam {
			continue // exams have no board yet
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

func TestWebFiltersAddUp(t *testing.T) {
	filter := rapid.Custom(func(t *rapid.T) catalog.WebFilter {
		return catalog.WebFilter{Deny: rapid.SliceOfN(rapid.SampledFrom([]string{"a.example", "B.example", " c.example", "", "d.example"}), 0, 5).Draw(t, "deny")}
	})
	rapid.Check(t, func(t *rapid.T) {
		filters := rapid.SliceOfN(filter, 0, 4).Draw(t, "filters")
		merged := catalog.MergeWebFilters(filters...)
		if !slices.IsSorted(merged.Deny) || len(slices.Compact(slices.Clone(merged.Deny))) != len(merged.Deny) {
			t.Fatalf("not in order, or doubled: %v", merged.Deny)
		}
		for _, one := range filters {
			for _, host := range one.Deny {
				if host = strings.ToLower(strings.TrimSpace(host)); host != "" && !slices.Contains(merged.Deny, host) {
					t.Fatalf("%s was denied somewhere and is not any more", host)
				}
			}
		}
		mixed := catalog.MergeWebFilters(rapid.Permutation(filters).Draw(t, "mixed")...)
		if !slices.Equal(mixed.Deny, merged.Deny) {
			t.Fatal("the order of places decides")
		}
		if again := catalog.MergeWebFilters(merged, merged); !slices.Equal(again.Deny, merged.Deny) {
			t.Fatal("merging twice says something else")
		}
		if merged.Zero() != (len(merged.Deny) == 0) {
			t.Fatal("Zero does not say whether anything is denied")
		}
	})
}

package org_test

import (
	"testing"

	"pgregory.net/rapid"

	"schulwart.org/policies/org"
)

func TestBranchHolds(t *testing.T) {
	all := org.Branch{}
	city := org.Branch{Authority: "city"}
	school := org.Branch{Authority: "city", School: "school"}
	class := org.Branch{Authority: "city", School: "school", Group: "7b"}
	sister := org.Branch{Authority: "city", School: "sister"}
	foreign := org.Branch{Authority: "county", School: "school"}
	order := []org.Branch{all, city, school, class}
	for i, wide := range order {
		for j, narrow := range order {
			if wide.Holds(narrow) != (i <= j) {
				t.Errorf("%+v holds %+v: %v", wide, narrow, wide.Holds(narrow))
			}
		}
	}
	for _, wide := range []org.Branch{school, class} {
		for _, other := range []org.Branch{sister, foreign} {
			if wide.Holds(other) || other.Holds(wide) {
				t.Errorf("%+v and %+v hold each other", wide, other)
			}
		}
	}
	if city.Holds(foreign) || !all.Holds(foreign) {
		t.Error("an authority holds a foreign school, or the operator does not")
	}
	levels := []org.Level{org.Operator, org.Authority, org.School, org.Group}
	for i, branch := range order {
		if branch.Level() != levels[i] {
			t.Errorf("%+v is of level %s", branch, branch.Level())
		}
	}
}

func TestHoldingIsAnOrder(t *testing.T) {
	name := rapid.SampledFrom([]org.ID{"", "a", "b"})
	branch := rapid.Custom(func(t *rapid.T) org.Branch {
		b := org.Branch{Authority: name.Draw(t, "authority")}
		if b.Authority != "" {
			b.School = name.Draw(t, "school")
		}
		if b.School != "" {
			b.Group = name.Draw(t, "group")
		}
		return b
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := branch.Draw(t, "a"), branch.Draw(t, "b"), branch.Draw(t, "c")
		if !a.Holds(a) {
			t.Fatal("a branch does not hold itself")
		}
		if a.Holds(b) && b.Holds(a) && a != b {
			t.Fatalf("%+v and %+v hold each other", a, b)
		}
		if a.Holds(b) && b.Holds(c) && !a.Holds(c) {
			t.Fatalf("%+v holds %+v holds %+v, but the first not the last", a, b, c)
		}
	})
}

func TestKindsAndPlatforms(t *testing.T) {
	for _, kind := range org.GroupKinds {
		if !kind.Valid() {
			t.Errorf("%s is listed and not valid", kind)
		}
	}
	if org.GroupKind("club").Valid() || org.GroupKind("").Valid() {
		t.Error("a kind that does not exist is valid")
	}
	for platform, agent := range map[org.Platform]bool{org.Linux: true, org.Windows: true, org.MacOS: false, org.IPadOS: false} {
		if platform.Agent() != agent {
			t.Errorf("%s: our own agent: %v", platform, platform.Agent())
		}
	}
}

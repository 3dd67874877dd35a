package lease_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"schulwart.org/policies/lease"
)

func TestMatchHost(t *testing.T) {
	cases := []struct {
		pattern, host string
		want          bool
	}{
		{"geogebra.org", "geogebra.org", true},
		{"geogebra.org", "www.geogebra.org", true},
		{"geogebra.org", "a.b.geogebra.org", true},
		{"geogebra.org", "GeoGebra.ORG.", true},
		{"GeoGebra.org", "geogebra.org", true},
		{"geogebra.org.", "geogebra.org", true},
		{"*.geogebra.org", "geogebra.org", true},
		{".geogebra.org", "www.geogebra.org", true},
		{"=geogebra.org", "geogebra.org", true},
		{"=geogebra.org", "www.geogebra.org", false},
		{"geogebra.org", "notgeogebra.org", false},
		{"geogebra.org", "geogebra.org.evil.example", false},
		{"geogebra.org", "org", false},
		{"www.geogebra.org", "geogebra.org", false},
		{"org", "geogebra.org", true},
		{"", "geogebra.org", false},
		{"*", "geogebra.org", false},
		{".", ".", false},
		{"geogebra.org", "", false},
	}
	for _, c := range cases {
		if got := lease.MatchHost(c.pattern, c.host); got != c.want {
			t.Errorf("%q covers %q: %v, want %v", c.pattern, c.host, got, c.want)
		}
	}
	if lease.MatchAny(nil, "a.example") || !lease.MatchAny([]string{"b.example", "a.example"}, "x.a.example") {
		t.Error("MatchAny is not any of them")
	}
}

// Whatever a name covers ends with that name at a dot.
func TestMatchHostNeverReachesBesideTheName(t *testing.T) {
	name := rapid.StringMatching(`[a-z]{1,4}(\.[a-z]{1,4}){0,2}`)
	rapid.Check(t, func(t *rapid.T) {
		pattern, host := name.Draw(t, "pattern"), name.Draw(t, "host")
		want := host == pattern || strings.HasSuffix(host, "."+pattern)
		if got := lease.MatchHost(pattern, host); got != want {
			t.Fatalf("%q covers %q: %v", pattern, host, got)
		}
		if !lease.MatchHost(pattern, "x."+pattern) || lease.MatchHost(pattern, "x"+pattern) {
			t.Fatalf("%q: the dot does not decide", pattern)
		}
	})
}

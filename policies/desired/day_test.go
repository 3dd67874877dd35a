package desired_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

var update = flag.Bool("update", false, "write the golden manifests anew; read them before you commit them")

// day is one school day as the server remembers it at its end: a planned sites
// mode in the first lesson, which Herr Adler's offline overlaps, eyes front for
// five minutes, and an offline mode that was ended early.
func day() desired.Snapshot {
	sites := grant("sites", lease.Sites, clock(8, 0), clock(8, 45))
	sites.Lease.Rules.Sites = []string{"geogebra.org"}
	later := grant("sites-later", lease.Sites, clock(8, 20), clock(8, 30))
	later.Lease.Rules.Sites, later.Lease.By = []string{"wikipedia.org"}, "Herr Adler"
	eyes := grant("eyes", lease.Screen, clock(8, 25), clock(8, 30))
	ended := grant("offline", lease.Offline, clock(9, 0), clock(9, 45))
	ended.Lease = ended.Lease.End(clock(9, 20))
	return school([]desired.Policy{deny(org.Authority, "city", "games.example")}, sites, later, eyes, ended)
}

// The walk through the day: what the laptop is told and what holds on it. The
// day's leases are all in the manifest from the morning on: a planned mode needs
// no server when it begins.
func TestASchoolDay(t *testing.T) {
	steps := []struct {
		hour, minute int
		manifest     []string // leases that are served
		holds        []string
		next         time.Time
	}{
		{7, 30, []string{"eyes", "offline", "sites", "sites-later"}, nil, clock(8, 30)},
		{8, 0, []string{"eyes", "offline", "sites", "sites-later"}, []string{"sites"}, clock(8, 30)},
		{8, 20, []string{"eyes", "offline", "sites", "sites-later"}, []string{"sites-later"}, clock(8, 30)},
		{8, 25, []string{"eyes", "offline", "sites", "sites-later"}, []string{"eyes", "sites-later"}, clock(8, 30)},
		{8, 30, []string{"eyes", "offline", "sites", "sites-later"}, []string{"sites"}, clock(8, 31)},
		{8, 31, []string{"offline", "sites"}, []string{"sites"}, clock(8, 45)},
		{8, 45, []string{"offline", "sites"}, nil, clock(8, 46)},
		{8, 50, []string{"offline"}, nil, clock(9, 20)},
		{9, 10, []string{"offline"}, []string{"offline"}, clock(9, 20)},
		{9, 20, []string{"offline"}, nil, clock(9, 46)},
		{9, 46, nil, nil, time.Time{}},
		{13, 0, nil, nil, time.Time{}},
	}
	for _, step := range steps {
		at := clock(step.hour, step.minute)
		t.Run(at.Add(time.Hour).Format("15:04"), func(t *testing.T) {
			state := desired.For(day(), laptop, at)
			var served, holds []string
			for _, l := range leasesIn(t, state) {
				served = append(served, l.ID)
			}
			for _, l := range lease.Hold(leasesIn(t, state), at).List() {
				holds = append(holds, l.ID)
			}
			if !slices.Equal(served, step.manifest) {
				t.Errorf("serves %v, want %v", served, step.manifest)
			}
			if !slices.Equal(holds, step.holds) {
				t.Errorf("holds %v, want %v", holds, step.holds)
			}
			if !state.Next.Equal(step.next) {
				t.Errorf("next %s, want %s", state.Next, step.next)
			}
			if got := denied(t, state); len(got) != 1 {
				t.Errorf("the base filter is gone: %v", got)
			}
		})
	}
}

func TestGoldenManifests(t *testing.T) {
	cases := []struct {
		name   string
		device desired.Device
		at     time.Time
	}{
		{"laptop-before-school", laptop, clock(7, 30)},
		{"laptop-eyes-front", laptop, clock(8, 25)},
		{"laptop-ended-early", laptop, clock(9, 30)},
		{"laptop-afternoon", laptop, clock(13, 0)},
		{"tablet-in-class", tablet, clock(8, 25)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got bytes.Buffer
			encoder := json.NewEncoder(&got)
			encoder.SetIndent("", "  ")
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(desired.For(day(), c.device, c.at)); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", c.name+".json")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want, got.Bytes()) {
				t.Errorf("differs from %s; -update writes it anew\n%s", file, got.String())
			}
		})
	}
}

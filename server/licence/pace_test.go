package licence

import (
	"testing"
	"time"

	"schulwart.org/policies/rollout"
)

func TestWhenLicencesRunOut(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name        string
		total, used int
		days        []Day
		want        rollout.Date // empty for never
	}{
		{"one a day, twelve left", 40, 28, []Day{{"2026-09-01", 0}, {"2026-11-20", 20}}, "2026-12-09"},
		{"bought two weeks ago", 30, 20, []Day{{"2026-11-13", 6}, {"2026-11-20", 13}}, "2026-12-07"},
		{"bought yesterday", 30, 20, []Day{{"2026-11-26", 0}}, ""},
		{"none was given for weeks", 30, 20, []Day{{"2026-09-01", 20}}, ""},
		{"some came back", 30, 20, []Day{{"2026-09-01", 25}}, ""},
		{"all are given", 30, 30, []Day{{"2026-09-01", 25}}, ""},
		{"so slow that nobody can tell", 10000, 1, []Day{{"2026-09-01", 0}}, ""},
		{"nothing is known", 30, 2, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runsOut(c.total, c.used, c.days, now)
			if said := rollout.DateOf(got); got.IsZero() != (c.want == "") || c.want != "" && said != c.want {
				t.Errorf("runs out %s, want %s", said, c.want)
			}
		})
	}
}

package rollout_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/rollout"
)

func TestEaster(t *testing.T) {
	for _, want := range []rollout.Date{"1961-04-02", "1981-04-19", "2000-04-23", "2008-03-23", "2011-04-24", "2019-04-21", "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2038-04-25", "2049-04-18", "2076-04-19"} {
		year, _ := time.Parse("2006", string(want[:4]))
		if got := rollout.Easter(year.Year()); got != want {
			t.Errorf("Easter %s is %s", want, got)
		}
	}
}

// The days that the Länder have besides the nine that all have, in 2026, as their
// laws say.
func TestHolidaysOfEachLand(t *testing.T) {
	all := "01-01 04-03 04-06 05-01 05-14 05-25 10-03 12-25 12-26"
	own := map[rollout.Land]string{
		"BB": "04-05 05-24 10-31", "BE": "03-08", "BW": "01-06 06-04 11-01", "BY": "01-06 06-04 11-01", "HB": "10-31", "HE": "06-04", "HH": "10-31",
		"MV": "03-08 10-31", "NI": "10-31", "NW": "06-04 11-01", "RP": "06-04 11-01", "SH": "10-31", "SL": "06-04 08-15 11-01", "SN": "10-31 11-18",
		"ST": "01-06 10-31", "TH": "09-20 10-31",
	}
	if len(own) != 16 || len(rollout.Lander) != 16 {
		t.Fatal("there are sixteen Länder")
	}
	for _, land := range rollout.Lander {
		want := append(strings.Fields(all), strings.Fields(own[land])...)
		slices.Sort(want)
		var got []string
		for _, holiday := range land.Holidays(2026) {
			got = append(got, string(holiday.Date[5:]))
			if found, ok := land.Holiday(holiday.Date); !ok || found != holiday {
				t.Errorf("%s: %s is no holiday when asked for", land, holiday.Date)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has %v, not %v", land, got, want)
		}
	}
}

func TestHolidaysThatCameOrWereForOneYear(t *testing.T) {
	cases := []struct {
		land rollout.Land
		day  rollout.Date
		want bool
	}{
		{"MV", "2022-03-08", false}, {"MV", "2023-03-08", true}, {"BE", "2018-03-08", false}, {"BE", "2019-03-08", true},
		{"BE", "2025-05-08", true}, {"BE", "2026-05-08", false}, {"BE", "2028-06-17", true}, {"TH", "2018-09-20", false},
		{"NI", "2016-10-31", false}, {"BY", "2017-10-31", true}, {"BY", "2018-10-31", false},
		{"SN", "2027-11-17", true}, {"SN", "2023-11-22", true}, {"SN", "2028-11-22", true}, {"SN", "2022-11-16", true}, {"BY", "2026-11-18", false},
		{"", "2026-12-25", true}, {"", "2026-11-01", false},
	}
	for _, c := range cases {
		if _, got := c.land.Holiday(c.day); got != c.want {
			t.Errorf("%s in %q: %v", c.day, c.land, got)
		}
	}
}

func TestSchoolDays(t *testing.T) {
	for day, want := range map[rollout.Date]bool{
		"2026-11-26": true, "2026-11-28": false, "2026-11-29": false, "2026-12-18": true, "2026-12-21": false, "2027-01-01": false, "2027-01-02": false, "2027-01-04": true, "2027-03-08": false, "2027-03-26": false,
	} {
		if got := schwerin.SchoolDay(day); got != want {
			t.Errorf("%s: %v", day, got)
		}
	}
}

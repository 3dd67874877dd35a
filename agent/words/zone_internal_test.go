package words

import (
	"testing"
	"time"
)

// A machine without a zone database must know German summer time all the same.
func TestOwnZoneFileKnowsSummerTime(t *testing.T) {
	loc, err := time.LoadLocationFromTZData("Europe/Berlin", zoneFile(berlin))
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]string{
		time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC):    "10:00",
		time.Date(2026, 7, 15, 9, 0, 0, 0, time.UTC):    "11:00",
		time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC):   "01:59",
		time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC):    "03:00",
		time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC):   "02:00",
		time.Date(2026, 10, 25, 0, 59, 59, 0, time.UTC): "02:59",
	} {
		if got := Clock(at, loc); got != want {
			t.Errorf("%s: got %s, want %s", at, got, want)
		}
	}
}

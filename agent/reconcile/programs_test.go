package reconcile_test

import (
	"maps"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// Versions are told while an examination needs them, and only what changed.
func TestVersionsOfAnExaminationsProgramsAreToldOnce(t *testing.T) {
	d := newExaminee(t)
	d.host.SetVersions(map[string]string{"chromium": "141.0-1", "libreoffice-writer": "4:7.4.7-1", "steam": "1.0"})
	said := func(acknowledge bool) *map[string]string {
		t.Helper()
		r := d.loop.Report()
		if acknowledge {
			d.loop.Told(r)
		}
		return r.Status.StatusItems.Agent.Programs
	}
	if got := said(true); got != nil {
		t.Errorf("without an examination: %v", *got)
	}
	l := d.exam(1, time.Hour, 2*time.Hour, lease.Examination{Page: "https://moodle.example"})
	l.Rules.Apps = []string{"geogebra", "libreoffice-writer"}
	take(t, d.hand(l))
	want := map[string]string{"chromium": "141.0-1", "libreoffice-writer": "4:7.4.7-1"}
	for _, acknowledge := range []bool{false, true} {
		if got := said(acknowledge); got == nil || !maps.Equal(*got, want) {
			t.Fatalf("not acknowledged yet: %v", got)
		}
	}
	if got := said(true); got != nil {
		t.Errorf("said again without need: %v", *got)
	}
	d.host.SetVersions(map[string]string{"chromium": "142.0-1"})
	d.loop.Refresh()
	if due, _ := d.loop.Pending(); !due {
		t.Error("an update is not worth a report")
	}
	if got := said(true); got == nil || !maps.Equal(*got, map[string]string{"chromium": "142.0-1"}) {
		t.Errorf("after an update: %v", got)
	}
	many := d.exam(2, time.Hour, 2*time.Hour, lease.Examination{})
	many.Rules.Apps = nil
	installed := map[string]string{}
	for n := range 2 * ddm.MostPrograms {
		id := "p" + string(rune('a'+n%26)) + string(rune('a'+n/26))
		many.Rules.Apps, installed[id] = append(many.Rules.Apps, id), "1"
	}
	take(t, d.hand(many))
	d.host.SetVersions(installed)
	if got := said(true); got == nil || len(*got) != ddm.MostPrograms {
		t.Errorf("many programs: %v", got)
	}
}

package reconcile

import (
	"maps"
	"slices"

	"schulwart.org/policies/ddm"
)

// examBrowsers show the page of an examination, by the ids of their desktop entries:
// one of them does.
var examBrowsers = []string{"chromium", "chromium-browser", "google-chrome", "firefox-esr", "firefox"}

// programsNow returns the versions of the programs that examinations on the device
// need, and nil if the server has been told so: what does not change is said once in
// the life of a process.
func (l *Loop) programsNow() *map[string]string {
	wanted := l.programsWanted()
	if l.config.Versions == nil || len(wanted) == 0 {
		return nil
	}
	found := l.config.Versions(wanted)
	if l.programs != nil && maps.Equal(found, l.programs) {
		return nil
	}
	return &found
}

func (l *Loop) programsWanted() []string {
	var wanted []string
	for _, one := range l.leases {
		exam := one.Rules.Exam
		if exam == nil {
			continue
		}
		wanted = append(wanted, one.Rules.Apps...)
		if exam.Page != "" {
			wanted = append(wanted, examBrowsers...)
		}
	}
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	return wanted[:min(len(wanted), ddm.MostPrograms)]
}

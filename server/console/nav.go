package console

import (
	"strings"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// place is one entry of the navigation: for whom it is, and which paths belong
// to it.
type place struct {
	key    string
	path   string
	below  []string // further beginnings of paths that belong to it
	needs  may.Action
	school bool       // makes sense only once a school is chosen
	wide   bool       // only for whoever may do it in more than one school
	not    may.Action // not for whoever may do this, because something better is there
}

// places lists the navigation in the order in which it is shown; the first is
// where the person begins. Teachers see three places and no more. Whoever answers
// calls begins at the help desk, whoever looks after schools with those.
var places = []place{
	{key: web.NavHelpdesk, path: web.PathHelpdesk, needs: may.HelpDeskUse, not: may.SchoolCreate},
	{key: web.NavSchools, path: web.PathSchools, below: []string{"/traeger"}, needs: may.SchoolRead, wide: true},
	{key: web.NavHelpdesk, path: web.PathHelpdesk, needs: may.SchoolCreate},
	{key: web.NavSchool, path: web.PathSchool, needs: may.SchoolRead, school: true},
	{key: web.NavDay, path: web.PathDay, below: []string{web.PathRehearsal}, needs: may.Substitute, not: may.SchoolCreate},
	{key: web.NavLessons, path: web.PathLessons, below: []string{web.PathSites}, needs: may.ModeStart, not: may.SchoolCreate},
	{key: web.NavExams, path: web.PathExams, below: []string{web.PathExtra}, needs: may.ExamRead, not: may.SchoolCreate},
	{key: web.NavDevices, path: web.PathDevices, needs: may.DeviceRead, school: true},
	{key: web.NavApps, path: web.PathApps, below: []string{"/verteilungen"}, needs: may.AppRead},
	{key: web.NavPolicies, path: web.PathPolicies, needs: may.PolicyRead},
	{key: web.NavGroups, path: web.PathGroups, needs: may.SchoolRead, school: true},
	{key: web.NavExceptions, path: web.PathExceptions, needs: may.PolicyRead},
	{key: web.NavPeople, path: web.PathPeople, needs: may.StaffRead, school: true},
	{key: web.NavEnrolment, path: web.PathTokens, needs: may.TokenRead, school: true},
	{key: web.NavImport, path: web.PathImport, needs: may.RosterImport, school: true},
	{key: web.NavCalendar, path: web.PathCalendars, needs: may.SchoolWrite},
	{key: web.NavSettings, path: web.PathSettings, needs: may.SchoolWrite, school: true},
	{key: web.NavAudit, path: web.PathAudit, needs: may.AuditRead},
	{key: web.NavOperations, path: web.PathOperations, needs: may.OperationRead},
	{key: web.NavPrograms, path: web.PathPrograms, needs: may.StaffWrite},
	{key: web.NavHelp, path: web.PathHelp, needs: may.AccountOwn},
}

// navigation lists where the person can go.
func navigation(v *visit, path string) []web.NavItem {
	var items []web.NavItem
	longest := 0
	current := -1
	for _, p := range places {
		if !p.open(v) {
			continue
		}
		items = append(items, web.NavItem{Key: p.key, URL: p.path})
		if n := p.match(path); n > longest {
			longest, current = n, len(items)-1
		}
	}
	if current >= 0 {
		items[current].Current = true
	}
	return items
}

func (p place) open(v *visit) bool {
	if p.needs != may.AccountOwn && !may.Anywhere(v.actor, p.needs) {
		return false
	}
	if p.not != "" && may.Anywhere(v.actor, p.not) {
		return false
	}
	if p.wide && !severalSchools(v.actor, p.needs) {
		return false
	}
	return !p.school || v.school != nil
}

// severalSchools reports whether the action is allowed to the person above a
// school, or in more than one.
func severalSchools(who may.Actor, action may.Action) bool {
	var first org.ID
	for _, branch := range may.Branches(who, action) {
		if branch.School == "" || first != "" && branch.School != first {
			return true
		}
		first = branch.School
	}
	return false
}

// match returns how much of the path belongs to the place, 0 for none: "Schule"
// must not light up for the settings that lie below it.
func (p place) match(path string) int {
	longest := 0
	for _, start := range append([]string{p.path}, p.below...) {
		if (path == start || strings.HasPrefix(path, start+"/")) && len(start) > longest {
			longest = len(start)
		}
	}
	return longest
}

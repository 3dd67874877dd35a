// Package sample holds one or more filled-in examples of every page, for the
// gallery and for the tests that draw all of them. Nothing in it is real.
package sample

import (
	"time"

	"github.com/a-h/templ"
	"schulwart.org/web"
)

// Sample is a page with made-up content.
type Sample struct {
	Name  string // as in an address, e.g. "board-running"
	Group string // heading in the gallery
	Draw  func(web.Frame) templ.Component
}

// berlin is the samples' school time.
var berlin = func() *time.Location {
	location, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return time.FixedZone("MEZ", 3600)
	}
	return location
}()

// now is the moment at which all samples were made: a Monday in November, in
// the third lesson.
var now = time.Date(2026, time.November, 16, 10, 3, 20, 0, berlin)

// at is a time of the samples' day.
func at(hour, minute int) time.Time {
	return time.Date(2026, time.November, 16, hour, minute, 0, 0, berlin)
}

func ago(d time.Duration) time.Time { return now.Add(-d) }

// Frame is the frame of all samples before a role is put on.
func Frame(lang, theme string) web.Frame {
	return web.Frame{Lang: lang, Theme: theme, Location: berlin, Now: now, Version: "1.0"}
}

// as puts a role on the frame: who looks, and where they can go.
func as(f web.Frame, name, place, current string, keys ...string) web.Frame {
	f.Person = web.Person{ID: "p1", Name: name, Place: place}
	paths := map[string]string{
		web.NavDay: web.PathDay, web.NavLessons: web.PathLessons, web.NavSites: web.PathSites, web.NavExams: web.PathExams, web.NavHelp: web.PathHelp,
		web.NavSchool: web.PathSchool, web.NavDevices: web.PathDevices, web.NavEnrolment: web.PathTokens, web.NavGroups: web.PathGroups,
		web.NavPeople: web.PathPeople, web.NavImport: web.PathImport, web.NavPolicies: web.PathPolicies, web.NavApps: web.PathApps, web.NavExceptions: web.PathExceptions, web.NavSettings: web.PathSettings, web.NavCalendar: web.PathCalendars, web.NavHelpdesk: web.PathHelpdesk,
		web.NavSchools: web.PathSchools, web.NavOperations: web.PathOperations, web.NavAudit: web.PathAudit, web.NavPrograms: web.PathPrograms,
	}
	for _, key := range keys {
		f.Nav = append(f.Nav, web.NavItem{Key: key, URL: paths[key], Current: key == current})
	}
	return f
}

func teacher(f web.Frame, current string) web.Frame {
	return as(f, "Frau Oert", "Goethe-Gymnasium", current, web.NavDay, web.NavLessons, web.NavExams, web.NavHelp)
}

func admin(f web.Frame, current string) web.Frame {
	return as(f, "Herr Brandt", "Goethe-Gymnasium", current,
		web.NavSchool, web.NavLessons, web.NavDevices, web.NavApps, web.NavPolicies, web.NavGroups, web.NavExceptions, web.NavPeople, web.NavEnrolment, web.NavImport, web.NavCalendar, web.NavSettings, web.NavAudit, web.NavHelp)
}

func helpdesk(f web.Frame) web.Frame {
	return as(f, "Hotline 2", "Landeshauptstadt Musterstadt", web.NavHelpdesk, web.NavHelpdesk, web.NavDevices, web.NavSchools, web.NavHelp)
}

func operator(f web.Frame, current string) web.Frame {
	return as(f, "Frau Lang", "Betreiber", current,
		web.NavSchools, web.NavHelpdesk, web.NavDevices, web.NavPeople, web.NavOperations, web.NavPrograms, web.NavAudit, web.NavHelp)
}

func say(key string, pairs ...any) web.Sentence {
	args := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i].(string)] = pairs[i+1]
	}
	return web.Sentence{Key: key, Args: args}
}

func because(key string, pairs ...any) *web.Sentence {
	s := say(key, pairs...)
	return &s
}

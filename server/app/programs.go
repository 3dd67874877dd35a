package app

import (
	"net/http"
	"strings"

	"schulwart.org/policies/version"
	"schulwart.org/server/api"
	"schulwart.org/server/errs"
	"schulwart.org/web"
)

// withPrograms puts the program interface beside the pages. It stands outside
// their sessions: programs bring a token, and a cookie means nothing to them.
func (a *App) withPrograms(pages http.Handler) http.Handler {
	programs := api.New(api.Deps{
		Log: a.Log, Now: a.Now, Staff: a.Staff, Roster: a.Roster, Standard: a.Standard, Lessons: a.Lessons, Exams: a.Exams, Packages: a.Packages, Rollouts: a.Rollouts, Calendars: a.Calendars, Licences: a.Licences, Shelf: a.Shelf, Presence: presence{a.Presence}, Tokens: a.Enroll, Audit: a.Audit, Sheets: a.Standard,
		Translate: func(lang string, fault *errs.Error) string { return web.Fault(lang, fault.Key, fault.Args) },
		Proxies:   a.Config.Proxy, Version: version.Version,
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			programs.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

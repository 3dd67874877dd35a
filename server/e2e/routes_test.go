package e2e

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/api"
	"schulwart.org/server/app"
	"schulwart.org/server/config"
	"schulwart.org/server/console"
	"schulwart.org/server/enroll"
	"schulwart.org/server/exam"
	"schulwart.org/server/lesson"
	"schulwart.org/server/licence"
	"schulwart.org/server/may"
	"schulwart.org/server/rollout"
	"schulwart.org/server/roster"
	"schulwart.org/server/shelf"
	"schulwart.org/server/staff"
	"schulwart.org/server/standard"
)

// marker is part of every name in the home authority. Nobody of the other
// authority may ever read it.
const marker = "Heimlich"

// route is an address of the console or of the program interface.
type route struct {
	method, pattern string
	needs           may.Action
	public          bool
	program         bool
}

func (r route) String() string { return r.method + " " + r.pattern }

func allRoutes() []route {
	var all []route
	for _, r := range console.Routes() {
		all = append(all, route{r.Method, r.Pattern, r.Needs, r.Public, false})
	}
	for _, r := range api.Routes() {
		all = append(all, route{r.Method, r.Pattern, r.Needs, r.Public, true})
	}
	return all
}

// installation is a whole server with two authorities. Everything that a route
// can name exists in the home authority.
type installation struct {
	t       *testing.T
	app     *app.App
	url     string
	client  *http.Client
	home    roster.School
	abroad  roster.School
	things  map[string]org.ID // by the name of a route's parameter
	file    string            // of the database
	counter int
}

func install(t *testing.T) *installation {
	t.Helper()
	dir := t.TempDir()
	c := &config.Serve{Data: dir, Listen: "127.0.0.1:0", DeviceListen: "127.0.0.1:0", Timezone: "Europe/Berlin", LogLevel: "info", LogFormat: "text"}
	if err := c.Settle(); err != nil {
		t.Fatal(err)
	}
	a, err := app.New(t.Context(), app.Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	i := &installation{
		t: t, app: a, url: "http://" + a.Address().String(), things: map[string]org.ID{}, file: filepath.Join(dir, "schulwart.db"),
		client: &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	i.home, i.abroad = i.school(marker), i.school("Anderswo")
	i.furnish()
	return i
}

func (i *installation) must(err error) {
	i.t.Helper()
	if err != nil {
		i.t.Fatal(err)
	}
}

var operator = may.Actor{ID: "op", Name: "Betrieb", Grants: []may.Grant{{Role: may.Operator}}, Via: "test"}

func (i *installation) school(name string) roster.School {
	i.t.Helper()
	authority, err := i.app.Roster.CreateAuthority(i.t.Context(), operator, name+" Träger", "")
	i.must(err)
	school, err := i.app.Roster.CreateSchool(i.t.Context(), operator, authority.ID, name+" Schule", "")
	i.must(err)
	return school
}

// person makes somebody with a role at home or abroad.
func (i *installation) person(role may.Role, school roster.School, name string) staff.Person {
	i.t.Helper()
	i.counter++
	branch := org.Branch{}
	switch role {
	case may.AuthorityAdmin, may.ReadOnly, may.Technician:
		branch = org.Branch{Authority: school.Authority}
	case may.SchoolAdmin, may.Teacher, may.Trainee:
		branch = school.Branch()
	}
	person, err := i.app.Staff.Create(i.t.Context(), may.System("test", branch), staff.Seed{
		Name: name + " " + string(role), Login: fmt.Sprintf("p%d@example.org", i.counter), Password: "Regenbogen-Fahrrad-42", Grants: []may.Grant{{Role: role, Branch: branch}},
	})
	i.must(err)
	return person
}

func (i *installation) furnish() {
	i.t.Helper()
	ctx, r := i.t.Context(), i.app.Roster
	admin := i.person(may.SchoolAdmin, i.home, marker)
	actor := may.Actor{ID: admin.ID, Name: admin.Display(), Login: admin.Login, Grants: admin.Grants, Via: "test"}
	name, kind := marker+" 7a", org.Class
	group, err := r.CreateGroup(ctx, actor, i.home.ID, roster.GroupUpdate{Name: &name, Kind: &kind})
	i.must(err)
	device, err := r.CreateDevice(ctx, actor, i.home.ID, marker+"-01", marker+"SERIAL", org.Linux)
	i.must(err)
	i.must(r.AddDevices(ctx, actor, group.ID, []org.ID{device.ID}, time.Time{}, time.Time{}))
	list, err := r.SaveSites(ctx, actor, "", i.home.ID, marker+" Mathe", []string{"geogebra.org"}, true)
	i.must(err)
	imp, err := r.BeginImport(ctx, actor, i.home.ID, roster.ImportDevices, marker+".csv", "", []byte("Name\n"+marker+"-02\n"))
	i.must(err)
	mode, err := i.app.Lessons.Start(ctx, actor, lesson.Request{Group: group.ID, Kind: lease.Offline, Minutes: 40, Message: marker})
	i.must(err)
	token, err := i.app.Enroll.CreateToken(ctx, actor, enroll.NewToken{School: i.home.ID, Uses: 3, Note: marker})
	i.must(err)
	_, program, err := i.app.Staff.CreateProgram(ctx, actor, marker, admin.Grants, 3)
	i.must(err)
	city, here := desired.Place{Level: org.Authority, ID: i.home.Authority}, desired.Place{Level: org.School, ID: i.home.ID}
	sticks := map[string]standard.Wish{"usb-storage": {Settings: map[string]any{"access": "read-only"}}}
	published, err := i.app.Standard.Put(ctx, operator, city, standard.NewDraft{Title: marker + " Standard", Families: sticks})
	i.must(err)
	versions, _, err := i.app.Standard.Versions(ctx, operator, standard.VersionFilter{Place: &published.Place.Place})
	i.must(err)
	exception, err := i.app.Standard.Except(ctx, actor, standard.NewException{Place: here, Family: "usb-storage", Field: "access", Value: "allowed", Reason: marker, Until: time.Now().Add(100 * 24 * time.Hour)})
	i.must(err)
	draft, err := i.app.Standard.Begin(ctx, actor, here, standard.NewDraft{Title: marker, Families: map[string]standard.Wish{"webfilter": {Settings: map[string]any{"deny": []any{"spiele.example"}}}}})
	i.must(err)
	written, err := i.app.Exams.Create(ctx, actor, exam.Plan{
		Name: marker + " Mathematik", Group: group.ID, Room: marker, Invigilators: []org.ID{admin.ID}, Starts: time.Now().Add(time.Hour), Ends: time.Now().Add(2 * time.Hour),
		Rules: lease.Rules{Exam: &lease.Examination{Page: "https://moodle.example"}},
	})
	i.must(err)
	given, err := i.app.Exams.Give(ctx, actor, written.ID, marker+".pdf", strings.NewReader(marker))
	i.must(err)
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public, _ := key.Public().(ed25519.PublicKey)
	publisher, err := i.app.Standard.Trust(ctx, operator, i.home.Authority, marker, sheet.WriteKey(public), sheet.Fingerprint(public))
	i.must(err)
	signed, err := sheet.Pack(sheet.Template{Name: "vorlage", Title: marker, Version: 1, Publisher: marker, Sheet: "policies: {webfilter: {deny: [spiele.example]}}"}, key)
	i.must(err)
	template, err := i.app.Standard.TakeIn(ctx, operator, i.home.Authority, signed)
	i.must(err)
	upload, err := i.app.Packages.Begin(ctx, operator, i.home.Authority, marker+".deb", 10, ground.Package{})
	i.must(err)
	shortcut, err := i.app.Packages.WebApp(ctx, operator, i.home.Authority, ground.Package{URL: "https://moodle.example", Title: ground.Text{DE: marker}})
	i.must(err)
	rolled, err := i.app.Rollouts.Create(ctx, operator, rollout.New{Title: marker, Package: shortcut.ID, Level: org.School, Place: i.home.ID, Draft: true})
	i.must(err)
	pool, err := i.app.Licences.Put(ctx, operator, licence.New{School: i.home.ID, App: shortcut.App(), Total: 3, Note: marker})
	i.must(err)
	entry, err := i.app.Shelf.Add(ctx, operator, shelf.New{School: i.home.ID, Package: shortcut.ID, For: shelf.All})
	i.must(err)
	request, err := i.app.Shelf.Ask(ctx, actor, shelf.NewRequest{School: i.home.ID, Title: marker})
	i.must(err)
	planned, err := i.app.Exams.BeginImport(ctx, actor, exam.ImportFile{School: i.home.ID, Name: marker + ".csv", Data: []byte("Datum;Beginn;Dauer;Klasse;Fach\n24.11.2030;8:00;90;" + marker + " 7a;" + marker + "\n")})
	i.must(err)
	i.things = map[string]org.ID{
		"plan":   planned.ID,
		"upload": upload.ID, "packages": shortcut.ID, "package": shortcut.ID, "rollouts": rolled.ID, "rollout": rolled.ID, "app": shortcut.ID,
		"entry": entry.ID, "shelf-entries": entry.ID, "request": request.ID, "app-requests": request.ID, "app-wishes": entry.ID,
		"pool": pool.ID, "licence-pools": pool.ID,
		"exam": written.ID, "exams": written.ID, "file": given.ID, "state": "x",
		"template": template.ID, "templates": template.ID, "publisher": publisher.ID, "template-publishers": publisher.ID,
		"drafts": draft.ID, "draft": draft.ID, "revisions": versions[0].ID, "version": versions[0].ID, "exceptions": exception.ID, "exception": exception.ID,
		"group": group.ID, "groups": group.ID, "device": device.ID, "devices": device.ID, "list": list.ID, "import": imp.ID, "mode": mode.ID, "modes": mode.ID,
		"token": token.ID, "link": org.ID(token.Token), "enrolment-tokens": token.ID, "program": program.ID, "person": admin.ID, "school": i.home.ID, "authority": i.home.Authority, "kind": "offline", "step": "address", "page": "start", "key": "x", "mark": "x",
		"level": org.ID(org.School), "place": i.home.ID, "schools": i.home.ID, "icon": "x", "id": i.home.ID, "family": "webfilter", "revision": versions[0].ID,
	}
}

var parameter = regexp.MustCompile(`:(\w+)|([\w-]+)/\{id\}|\{(\w+)\}`)

// path fills a pattern with the things of the home authority.
func (i *installation) path(r route) string {
	i.t.Helper()
	return parameter.ReplaceAllStringFunc(r.pattern, func(found string) string {
		before, name := "", strings.Trim(found, ":{}")
		if kind, ok := strings.CutSuffix(found, "/{id}"); ok {
			before, name = kind+"/", kind
		}
		thing, known := i.things[name]
		if !known {
			i.t.Fatalf("%s: what is %q? Every parameter needs a thing in this test", r, name)
		}
		return before + string(thing)
	})
}

// bodies are requests that make sense, so that a program's request is refused for
// who asks and not for what it says.
var bodies = map[string]string{
	"POST /api/v1/schools":                          `{"authority":"{authority}","name":"Neu"}`,
	"POST /api/v1/groups":                           `{"school":"{school}","kind":"class","name":"Neu"}`,
	"POST /api/v1/groups/{id}/devices":              `{"devices":["{device}"]}`,
	"POST /api/v1/devices":                          `{"school":"{school}","name":"Neu"}`,
	"PATCH /api/v1/devices/{id}":                    `{"name":"Neu"}`,
	"POST /api/v1/modes":                            `{"target":{"group":"{group}"},"kind":"offline","minutes":10}`,
	"POST /api/v1/modes/{id}/extend":                `{"minutes":5}`,
	"POST /api/v1/modes/{id}/release-code":          `{"device":"{device}"}`,
	"POST /api/v1/enrolment-tokens":                 `{"school":"{school}"}`,
	"POST /api/v1/drafts":                           `{"place":{"level":"school","id":"{school}"},"title":"Neu","says":{}}`,
	"POST /api/v1/drafts/{id}/publish":              `{}`,
	"POST /api/v1/drafts/{id}/approve":              `{}`,
	"PUT /api/v1/policies/{level}/{id}/{family}":    `{"settings":{"deny":["neu.example"]}}`,
	"PUT /api/v1/four-eyes":                         `{"on":true}`,
	"POST /api/v1/policy-sheets/plan":               `{"authority":"{authority}","school":"{school}","files":[]}`,
	"POST /api/v1/policy-sheets/apply":              `{"authority":"{authority}","school":"{school}","files":[]}`,
	"POST /api/v1/exceptions":                       `{"place":{"level":"school","id":"{school}"},"family":"usb-storage","field":"access","value":"allowed","reason":"x","until":"2030-01-01T00:00:00Z"}`,
	"POST /api/v1/exams":                            `{"name":"Neu","target":{"group":"{group}"},"starts_at":"2030-01-01T08:00:00Z","ends_at":"2030-01-01T09:00:00Z","rules":{"page":"https://moodle.example"}}`,
	"POST /api/v1/exams/{id}/extend":                `{"minutes":5}`,
	"POST /api/v1/exams/{id}/collect":               `{}`,
	"POST /api/v1/exams/{id}/handover":              `{"to":"{person}"}`,
	"POST /api/v1/templates":                        `{"authority":"{authority}","package":{}}`,
	"POST /api/v1/templates/{id}/take":              `{"place":{"level":"school","id":"{school}"}}`,
	"POST /api/v1/templates/{id}/decline":           `{"place":{"level":"school","id":"{school}"},"reason":"x"}`,
	"POST /api/v1/template-publishers":              `{"authority":"{authority}","name":"x","key":"x","fingerprint":"x"}`,
	"POST /api/v1/packages":                         `{"authority":"{authority}","file":"x.deb","size":5}`,
	"POST /api/v1/rollouts":                         `{"package":"{package}","target":{"level":"school","id":"{school}"}}`,
	"POST /api/v1/rollouts/preview":                 `{"package":"{package}","target":{"level":"school","id":"{school}"}}`,
	"PUT /api/v1/licence-pools":                     `{"school":"{school}","app":{"kind":"webapp","name":"moodle.example"},"total":3}`,
	"POST /api/v1/shelves/{school}":                 `{"package":"{package}","for":"all"}`,
	"POST /api/v1/app-wishes":                       `{"device":"{device}","entry":"{entry}"}`,
	"POST /api/v1/app-requests":                     `{"school":"{school}","title":"Neu"}`,
	"POST /api/v1/app-requests/{id}/grant":          `{"package":"{package}"}`,
	"POST /api/v1/app-requests/{id}/refuse":         `{"reason":"x"}`,
	"POST /api/v1/licence-pools/preview":            `{"school":"{school}","app":{"kind":"webapp","name":"moodle.example"},"total":3}`,
	"PUT /api/v1/calendars/{authority}":             `{"land":"MV","breaks":[]}`,
	"PUT /api/v1/schools/{id}/calendar":             `{"breaks":[]}`,
	"POST /api/v1/login":                            `{"email":"nobody@example.org","password":"geraten"}`,
	"PUT /api/v1/exams/{id}":                        `{"name":"Neu","target":{"group":"{group}"},"starts_at":"2030-01-01T08:00:00Z","ends_at":"2030-01-01T09:00:00Z","rules":{"page":"https://moodle.example"}}`,
	"POST /api/v1/exams/{id}/copy":                  `{}`,
	"POST /api/v1/exams/{id}/rehearsal":             `{}`,
	"POST /api/v1/exams/{id}/devices/{device}/swap": `{"other":"{device}"}`,
	"POST /api/v1/exam-imports/preview":             `{"school":"{school}","content":"RGF0dW07QmVnaW5uO0RhdWVyO0tsYXNzZTtGYWNoCg=="}`,
	"POST /api/v1/exam-imports/apply":               `{"school":"{school}","content":"RGF0dW07QmVnaW5uO0RhdWVyO0tsYXNzZTtGYWNoCg=="}`,
}

func (i *installation) fill(body string) string {
	for name, thing := range i.things {
		body = strings.ReplaceAll(body, "{"+name+"}", string(thing))
	}
	return body
}

// visit sends one request in a session of its own, because some routes end it.
func (i *installation) visit(who *staff.Person, r route) (status int, location, body string) {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(i.t.Context(), 10*time.Second)
	defer cancel()
	var content io.Reader
	if r.method != http.MethodGet {
		content = strings.NewReader(i.fill(bodies[r.String()]))
	}
	request, err := http.NewRequestWithContext(ctx, r.method, i.url+i.path(r), content)
	i.must(err)
	i.signIn(request, who, r)
	response, err := i.client.Do(request)
	if err != nil {
		i.t.Fatalf("%s: %v", r, err)
	}
	defer response.Body.Close()
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		return response.StatusCode, "", ""
	}
	data, err := io.ReadAll(response.Body)
	i.must(err)
	return response.StatusCode, response.Header.Get("Location"), string(data)
}

func (i *installation) signIn(request *http.Request, who *staff.Person, r route) {
	i.t.Helper()
	if r.method != http.MethodGet {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.program {
		request.Header.Set("Content-Type", "application/json")
	}
	switch {
	case who == nil:
	case r.program:
		token, _, err := i.app.Staff.IssueToken(i.t.Context(), *who)
		i.must(err)
		request.Header.Set("Authorization", "Bearer "+token)
	default:
		sessions := i.app.Sessions
		ctx, err := sessions.Load(i.t.Context(), "")
		i.must(err)
		i.must(sessions.Begin(ctx, staff.SignedIn{Person: *who}, staff.Client{Browser: "test", From: "127.0.0.1"}))
		token, _, err := sessions.Commit(ctx)
		i.must(err)
		request.AddCookie(&http.Cookie{Name: sessions.Cookie.Name, Value: token})
	}
}

func TestEveryRouteSaysWhatItNeeds(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range allRoutes() {
		if seen[r.String()] {
			t.Errorf("%s: twice", r)
		}
		seen[r.String()] = true
		if r.public == (r.needs != "") {
			t.Errorf("%s: is either public or needs an action; here public is %v and the action %q", r, r.public, r.needs)
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d routes: the tables are not all", len(seen))
	}
}

func TestNobodyGetsInWithoutALogin(t *testing.T) {
	i := install(t)
	for _, r := range allRoutes() {
		if r.public {
			continue
		}
		status, location, body := i.visit(nil, r)
		switch {
		case strings.Contains(body, marker):
			t.Errorf("%s: shows names to nobody in particular", r)
		case r.program && status != http.StatusUnauthorized:
			t.Errorf("%s: %d", r, status)
		case !r.program && status != http.StatusUnauthorized && (status != http.StatusSeeOther || !strings.HasPrefix(location, "/anmelden")):
			t.Errorf("%s: %d to %q", r, status, location)
		}
	}
}

func TestPublicPagesNameNobody(t *testing.T) {
	i := install(t)
	i.things["link"] = "no.such.link" // whoever has a real one may let devices into the school, and reads its name
	for _, r := range allRoutes() {
		if !r.public {
			continue
		}
		status, _, body := i.visit(nil, r)
		if strings.Contains(body, marker) {
			t.Errorf("%s: shows names to nobody in particular", r)
		}
		if status == http.StatusInternalServerError {
			t.Errorf("%s: %d", r, status)
		}
	}
}

// Each role comes as far as its actions go: what it may do nowhere is refused,
// what it may do at home is not.
func TestEveryRoleOnEveryRoute(t *testing.T) {
	for _, role := range may.Roles {
		t.Run(string(role), func(t *testing.T) {
			i := install(t)
			person := i.person(role, i.home, marker)
			actor := may.Actor{ID: person.ID, Grants: person.Grants}
			for _, r := range allRoutes() {
				if r.public {
					continue
				}
				status, location, _ := i.visit(&person, r)
				allowed := r.needs == may.AccountOwn || may.Anywhere(actor, r.needs)
				switch {
				case status == http.StatusInternalServerError:
					t.Errorf("%s: %d", r, status)
				case status == http.StatusUnauthorized, strings.HasPrefix(location, "/anmelden"):
					t.Errorf("%s: %d to %q, although signed in", r, status, location)
				case !allowed && status != http.StatusForbidden:
					t.Errorf("%s: %d, and %s may not %s", r, status, role, r.needs)
				}
			}
		})
	}
}

// Somebody of another authority reads no name of home, changes nothing there,
// and is told that it does not exist.
func TestAForeignAuthorityOnEveryRoute(t *testing.T) {
	for _, role := range []may.Role{may.AuthorityAdmin, may.SchoolAdmin, may.Teacher, may.Technician, may.ReadOnly, may.Trainee} {
		t.Run(string(role), func(t *testing.T) {
			i := install(t)
			person := i.person(role, i.abroad, "Fremd")
			before := i.state()
			for _, r := range allRoutes() {
				if r.public {
					continue
				}
				status, location, body := i.visit(&person, r)
				if strings.Contains(body, marker) {
					t.Errorf("%s: %d shows a name of another authority", r, status)
				}
				if !names(r) || status == http.StatusNotFound || status == http.StatusForbidden {
					continue
				}
				// What is refused before anybody looks must look the same for what
				// does not exist.
				nothing, elsewhere, _ := i.nowhere().visit(&person, r)
				if status < 300 || nothing != status || i.masked(location) != i.masked(elsewhere) {
					t.Errorf("%s: %d to %q for a thing of another authority, %d to %q for none", r, status, location, nothing, elsewhere)
				}
			}
			if after := i.state(); after != before {
				t.Errorf("something changed at home:\n%s\nwas\n%s", after, before)
			}
		})
	}
}

// nowhere is the installation with things that do not exist.
func (i *installation) nowhere() *installation {
	other := *i
	other.things = map[string]org.ID{}
	for name, thing := range i.things {
		if len(thing) == 36 {
			thing = org.ID(missing)
		}
		other.things[name] = thing
	}
	return &other
}

const missing = "00000000-0000-7000-8000-000000000000"

func (i *installation) masked(location string) string {
	for _, thing := range i.things {
		if len(thing) == 36 {
			location = strings.ReplaceAll(location, string(thing), missing)
		}
	}
	return location
}

// names reports whether a route names a thing of the home authority.
func names(r route) bool {
	for _, found := range parameter.FindAllString(r.pattern, -1) {
		switch found {
		case ":kind", ":step", ":page", ":key":
		default:
			return true
		}
	}
	return false
}

// state is what the database holds of the home authority, as one text.
func (i *installation) state() string {
	i.t.Helper()
	db, err := sql.Open("sqlite", "file:"+i.file+"?mode=ro")
	i.must(err)
	defer db.Close()
	var all strings.Builder
	for _, table := range []string{
		"devices", "school_groups", "group_devices", "group_staff", "persons", "modes", "leases", "absences", "site_lists", "base_policies", "policy_drafts", "policy_versions", "exceptions", "exams", "exam_staff", "exam_seats", "exam_records", "exam_given", "exam_work", "exam_imports", "exam_columns", "exam_origins", "extra_times", "enrol_tokens", "imports", "programs", "staff_grants",
		"devices", "school_groups", "group_devices", "group_staff", "persons", "modes", "leases", "absences", "site_lists", "base_policies", "policy_drafts", "policy_versions", "exceptions", "template_publishers", "licence_pools", "licences", "app_shelf", "app_wishes", "app_requests", "template_packages", "template_declines", "enrol_tokens", "imports", "programs", "staff_grants",
	} {
		rows, err := db.Query(`SELECT * FROM `+table+` WHERE authority = ? ORDER BY 1, 2, 3`, i.home.Authority)
		i.must(err)
		columns, err := rows.Columns()
		i.must(err)
		for rows.Next() {
			values := make([]any, len(columns))
			for n := range values {
				values[n] = new(any)
			}
			i.must(rows.Scan(values...))
			fmt.Fprintf(&all, "%s:", table)
			for n, value := range values {
				if columns[n] != "used" && columns[n] != "words_of" { // by the clock, and lazily
					fmt.Fprintf(&all, " %v", *value.(*any))
				}
			}
			all.WriteByte('\n')
		}
		i.must(rows.Err())
		i.must(rows.Close())
	}
	return all.String()
}

package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/api"
	"schulwart.org/server/app"
	"schulwart.org/server/audit"
	"schulwart.org/server/enroll"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/ids"
	"schulwart.org/server/keyring"
	"schulwart.org/server/lesson"
	"schulwart.org/server/live"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/staff"
	"schulwart.org/server/standard"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

var update = flag.Bool("update", false, "write golden files anew")

const password = "Regenbogen-Fahrrad-42"

// house is an installation with two authorities, a login for every role in the
// first and a school admin in the second, behind a real HTTP server.
type house struct {
	t       *testing.T
	store   *store.Store
	roster  *roster.Service
	lessons *lesson.Service
	staff   *staff.Service
	server  *httptest.Server
	school  roster.School
	other   roster.School // of the other authority
	class   roster.Group
	devices []roster.Device
	tokens  map[may.Role]string
	foreign string
}

type quiet struct{}

func (quiet) Wake()                                       {}
func (quiet) Publish(org.Branch, ...org.ID)               {}
func (quiet) Prepare(context.Context, lesson.Lease) error { return nil }
func (quiet) Install(context.Context, lesson.Lease) error { return nil }
func (quiet) Remove(context.Context, lesson.Lease) error  { return nil }
func (quiet) Contact(org.ID) lesson.Contact               { return lesson.Contact{} }

func newHouse(t *testing.T, s *store.Store) *house {
	t.Helper()
	ctx := t.Context()
	h := &house{t: t, store: s, tokens: map[may.Role]string{}}
	issuer, err := s.EnsureIssuer(ctx)
	h.must(err)
	ring, err := keyring.Open(ctx, s, issuer, ids.New, time.Now)
	h.must(err)
	enrolment, err := enroll.New(ctx, s, enroll.Options{
		Name: "Schulwart", DeviceURL: "https://devices.example:8443", Issuer: issuer, Now: time.Now,
		LeaseKeys: func(context.Context) ([]lease.Key, error) { return ring.Keys(), nil },
	})
	h.must(err)
	h.staff = staff.New(s, ids.New)
	h.roster = &roster.Service{Store: s, NewID: ids.New, Now: time.Now}
	h.lessons = &lesson.Service{Store: s, Roster: h.roster, Timetable: h.roster, Presence: quiet{}, Changes: quiet{}, Board: &live.Hub{}, Tablets: quiet{}, NewID: ids.New, Now: time.Now}
	exams := &exam.Service{
		Store: s, Roster: h.roster, Leases: app.ExamLeases{Service: h.lessons}, Boards: &live.Hub{}, Schools: app.ExamSchools{Store: s, Zone: time.UTC}, NewID: ids.New, Now: time.Now, BrowserKey: []byte("0123456789abcdef0123456789abcdef"),
		BrowserURL: func(exam org.ID, mark string) string { return "https://schulwart.example" + api.SealedPath(exam, mark) },
	}
	h.server = httptest.NewServer(api.New(api.Deps{
		Now: time.Now, Staff: h.staff, Roster: h.roster, Standard: &standard.Service{Store: s, NewID: ids.New, Now: time.Now}, Lessons: h.lessons, Exams: exams, Presence: quiet{}, Tokens: enrolment,
		Audit:     &audit.Service{Store: s, Now: time.Now},
		Translate: func(lang string, fault *errs.Error) string { return lang + ":" + fault.Key },
	}))
	t.Cleanup(h.server.Close)
	h.furnish(ctx)
	return h
}

func (h *house) furnish(ctx context.Context) {
	h.t.Helper()
	operator := may.Actor{ID: "op", Grants: []may.Grant{{Role: may.Operator}}, Via: "test"}
	for i, into := range []*roster.School{&h.school, &h.other} {
		authority, err := h.roster.CreateAuthority(ctx, operator, fmt.Sprintf("Träger %d", i), "")
		h.must(err)
		*into, err = h.roster.CreateSchool(ctx, operator, authority.ID, fmt.Sprintf("Schule %d", i), "")
		h.must(err)
	}
	name, kind := "7a", org.Class
	var err error
	h.class, err = h.roster.CreateGroup(ctx, operator, h.school.ID, roster.GroupUpdate{Name: &name, Kind: &kind})
	h.must(err)
	for i := range 3 {
		device, err := h.roster.CreateDevice(ctx, operator, h.school.ID, fmt.Sprintf("GYM-%02d", i), "", org.Linux)
		h.must(err)
		h.devices = append(h.devices, device)
		h.must(h.roster.AddDevices(ctx, operator, h.class.ID, []org.ID{device.ID}, time.Time{}, time.Time{}))
	}
	for _, role := range may.Roles {
		h.tokens[role] = h.login(role, string(role)+"@example.org", branchFor(role, h.school.Branch()))
	}
	h.foreign = h.login(may.SchoolAdmin, "foreign@example.org", h.other.Branch())
}

func branchFor(role may.Role, school org.Branch) org.Branch {
	switch role {
	case may.Operator, may.HelpDesk:
		return org.Branch{}
	case may.AuthorityAdmin, may.Technician, may.ReadOnly:
		return org.Branch{Authority: school.Authority}
	}
	return school
}

func (h *house) login(role may.Role, email string, branch org.Branch) string {
	h.t.Helper()
	person, err := h.staff.Create(h.t.Context(), may.System("test", branch), staff.Seed{Name: "Frau Test " + string(role), Login: email, Password: password, Grants: []may.Grant{{Role: role, Branch: branch}}})
	h.must(err)
	token, _, err := h.staff.IssueToken(h.t.Context(), person)
	h.must(err)
	return token
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// ask sends a request and reads the answer.
func (h *house) ask(token, method, path string, in, out any) *http.Response {
	h.t.Helper()
	var content io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		h.must(err)
		content = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(h.t.Context(), method, h.server.URL+path, content)
	h.must(err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	h.must(err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	h.must(err)
	if out != nil {
		if err := json.Unmarshal(data, out); err != nil {
			h.t.Fatalf("%s %s: %d %s: %v", method, path, response.StatusCode, data, err)
		}
	}
	return response
}

type object = map[string]any

func TestAProgramsDay(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		var login struct{ Token string }
		if r := h.ask("", "POST", "/api/v1/login", object{"email": "school_admin@example.org", "password": password}, &login); r.StatusCode != 200 || login.Token == "" {
			t.Fatalf("login: %d", r.StatusCode)
		}
		var me struct {
			Name, Email string
			Roles       []object
		}
		h.ask(login.Token, "GET", "/api/v1/me", nil, &me)
		if me.Email != "school_admin@example.org" || len(me.Roles) != 1 || me.Roles[0]["role"] != "school_admin" {
			t.Errorf("me: %+v", me)
		}
		var groups struct {
			Items []struct {
				ID, Kind, Name string
				School         object
				Devices        int
			}
			Next string
		}
		h.ask(login.Token, "GET", "/api/v1/groups?kind=class", nil, &groups)
		if len(groups.Items) != 1 || groups.Items[0].Devices != 3 || groups.Items[0].School["name"] != "Schule 0" {
			t.Fatalf("groups: %+v", groups)
		}
		var devices struct {
			Items []object
			Next  string
		}
		h.ask(login.Token, "GET", "/api/v1/devices?q=gym&limit=2", nil, &devices)
		if len(devices.Items) != 2 || devices.Next == "" || devices.Items[0]["state"] != "unreachable" {
			t.Errorf("devices: %+v", devices)
		}
		h.ask(login.Token, "GET", "/api/v1/devices?q=gym&limit=2&cursor="+devices.Next, nil, &devices)
		if len(devices.Items) != 1 || devices.Next != "" || devices.Items[0]["name"] != "GYM-02" {
			t.Errorf("second page: %+v", devices)
		}
		h.ask(login.Token, "GET", "/api/v1/devices?state=unreachable&group="+groups.Items[0].ID, nil, &devices)
		if len(devices.Items) != 3 {
			t.Errorf("by state: %+v", devices)
		}
		var token struct{ ID, Token, URL string }
		if r := h.ask(login.Token, "POST", "/api/v1/enrolment-tokens", object{"group": groups.Items[0].ID, "uses": 30, "expires_in": "24h"}, &token); r.StatusCode != 201 || !strings.HasPrefix(token.URL, "https://devices.example:8443/enroll/") {
			t.Errorf("token: %d %+v", r.StatusCode, token)
		}
		var known api.TokenDetail
		if r := h.ask(login.Token, "GET", "/api/v1/enrolment-tokens/"+token.ID, nil, &known); r.StatusCode != 200 || known.URL != token.URL || known.Uses != 30 || known.Devices == nil || len(known.Devices) != 0 {
			t.Errorf("token: %d %+v", r.StatusCode, known)
		}
		var mode struct {
			ID, Kind string
			StartsAt time.Time `json:"starts_at"`
			EndsAt   time.Time `json:"ends_at"`
			Devices  []object
			Ended    bool
		}
		if r := h.ask(login.Token, "POST", "/api/v1/modes", object{"target": object{"group": groups.Items[0].ID}, "kind": "offline", "minutes": 20}, &mode); r.StatusCode != 201 {
			t.Fatalf("mode: %d %+v", r.StatusCode, mode)
		}
		if mode.EndsAt.Sub(mode.StartsAt) != 20*time.Minute {
			t.Errorf("length %v", mode.EndsAt.Sub(mode.StartsAt))
		}
		h.ask(login.Token, "POST", "/api/v1/modes/"+mode.ID+"/extend", object{"minutes": 10}, &mode)
		if mode.EndsAt.Sub(mode.StartsAt) != 30*time.Minute {
			t.Errorf("extended to %v", mode.EndsAt.Sub(mode.StartsAt))
		}
		for range 2 {
			if r := h.ask(login.Token, "DELETE", "/api/v1/modes/"+mode.ID, nil, &mode); r.StatusCode != 200 || !mode.Ended {
				t.Errorf("ending: %d %+v", r.StatusCode, mode)
			}
		}
	})
}

// What holds is told before what lies on the device for later.
func TestADeviceTellsOfTheModeThatHolds(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	admin, device := h.tokens[may.SchoolAdmin], h.devices[0]
	storetest.Enrol(t, h.store, device.Branch(), device.ID)
	target := object{"devices": []org.ID{device.ID}}
	for _, in := range []object{
		{"target": target, "kind": "focus", "apps": []string{"libreoffice"}, "starts_at": time.Now().Add(time.Hour), "minutes": 20},
		{"target": target, "kind": "offline", "minutes": 20},
	} {
		if r := h.ask(admin, "POST", "/api/v1/modes", in, nil); r.StatusCode != http.StatusCreated {
			t.Fatalf("%v: %d", in, r.StatusCode)
		}
	}
	ctx := t.Context()
	lines, err := h.lessons.Leases(ctx, device.Branch(), device.ID)
	h.must(err)
	var said []ddm.LeaseStatus
	for _, line := range lines {
		phase := ddm.LeaseActive
		if line.Lease.Kind == lease.Focus {
			phase = ddm.LeaseWaiting
		}
		h.must(h.lessons.Delivered(ctx, device.Branch(), device.ID, line.Lease.ID, line.Lease.Rev))
		said = append(said, ddm.LeaseStatus{ID: line.Lease.ID.String(), Rev: line.Lease.Rev, Phase: phase, Since: time.Now(), Parts: []ddm.Part{{Name: "network", State: ddm.PartOK}}})
	}
	h.must(h.lessons.Reported(ctx, device.Branch(), device.ID, said))
	var told struct {
		State string
		Modes []object
	}
	h.ask(admin, "GET", "/api/v1/devices/"+device.ID.String(), nil, &told)
	if told.State != "active" || len(told.Modes) != 2 {
		t.Errorf("told %+v", told)
	}
}

func TestFaultsAreProblems(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	admin := h.tokens[may.SchoolAdmin]
	class := object{"group": h.class.ID}
	for name, c := range map[string]struct {
		token, method, path string
		in                  any
		status              int
		key                 string
	}{
		"no token":         {"", "GET", "/api/v1/me", nil, 401, "api.no_token"},
		"a bad token":      {"x.y.z", "GET", "/api/v1/me", nil, 401, "staff.bad_token"},
		"a wrong password": {"", "POST", "/api/v1/login", object{"email": "teacher@example.org", "password": "geraten"}, 401, "staff.bad_login_or_password"},
		"too long":         {admin, "POST", "/api/v1/modes", object{"target": class, "kind": "offline", "minutes": 600}, 422, "mode.too_long"},
		"no length":        {admin, "POST", "/api/v1/modes", object{"target": class, "kind": "offline", "minutes": 0}, 422, "mode.ends_before_start"},
		"no site":          {admin, "POST", "/api/v1/modes", object{"target": class, "kind": "sites", "sites": []string{"geogebra.org", "geogebra"}, "minutes": 10}, 422, "mode.bad_site"},
		"a made-up cursor": {admin, "GET", "/api/v1/devices?cursor=garbage", nil, 422, "api.request"},
		"nobody to come":   {admin, "POST", "/api/v1/enrolment-tokens", object{"school": h.school.ID, "uses": 0}, 422, "token.uses"},
		"two ends":         {admin, "POST", "/api/v1/modes", object{"target": class, "kind": "offline", "minutes": 10, "until": time.Now().Add(time.Hour)}, 422, "mode.two_ends"},
		"unknown kind":     {admin, "POST", "/api/v1/modes", object{"target": class, "kind": "party", "minutes": 10}, 422, "api.request"},
		"unknown field":    {admin, "POST", "/api/v1/modes", object{"target": class, "kind": "offline", "hours": 10}, 422, "api.request"},
		"no target":        {admin, "POST", "/api/v1/modes", object{"target": object{}, "kind": "offline", "minutes": 10}, 422, "mode.no_target"},
		"no JSON":          {admin, "POST", "/api/v1/modes", "text", 422, "api.request"},
		"unknown mode":     {admin, "GET", "/api/v1/modes/none", nil, 404, "mode.not_found"},
		"unknown path":     {admin, "GET", "/api/v1/nothing", nil, 404, "not_found"},
		"another method":   {admin, "PUT", "/api/v1/me", nil, 405, "api.method"},
		"not theirs to do": {h.tokens[may.Teacher], "GET", "/api/v1/devices", nil, 403, "denied"},
		"a bad length":     {admin, "POST", "/api/v1/enrolment-tokens", object{"school": h.school.ID, "expires_in": "bald"}, 422, "api.bad_duration"},
		"no place":         {admin, "POST", "/api/v1/enrolment-tokens", object{"uses": 3}, 422, "token.no_place"},
		"a foreign school": {admin, "POST", "/api/v1/enrolment-tokens", object{"school": h.other.ID}, 404, ""},
		"a foreign device": {h.foreign, "GET", "/api/v1/devices/" + h.devices[0].ID.String(), nil, 404, "not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			var p api.Problem
			r := h.ask(c.token, c.method, c.path, c.in, &p)
			if r.StatusCode != c.status || p.Status != c.status || c.key != "" && p.Key != c.key {
				t.Errorf("%d %+v, want %d %s", r.StatusCode, p, c.status, c.key)
			}
			if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
			if p.Key == "api.request" && c.in != "text" && p.Detail != "de:api.request" {
				t.Errorf("told in nobody's language: %q", p.Detail)
			}
			if p.Instance == "" || p.Detail == "" || p.Title == "" {
				t.Errorf("incomplete: %+v", p)
			}
			if r.StatusCode == 401 && r.Header.Get("WWW-Authenticate") == "" {
				t.Error("401 without WWW-Authenticate")
			}
			if name == "too long" && p.Args["minutes"] != 90.0 {
				t.Errorf("the longest length is not told: %+v", p.Args)
			}
		})
	}
}

func TestTooManyTriesAre429(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	var p api.Problem
	for range 6 {
		r := h.ask("", "POST", "/api/v1/login", object{"email": "teacher@example.org", "password": "geraten"}, &p)
		if p.Status == 429 && r.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	if p.Status != 429 {
		t.Errorf("after six tries: %+v", p)
	}
}

func TestLanguage(t *testing.T) {
	h := newHouse(t, storetest.Open(t))
	for accept, lang := range map[string]string{"": "de", "en": "en", "en-GB,en;q=0.9,de;q=0.8": "en", "de-DE,en": "de", "fr": "de"} {
		request, _ := http.NewRequestWithContext(t.Context(), "GET", h.server.URL+"/api/v1/me", nil)
		request.Header.Set("Accept-Language", accept)
		response, err := http.DefaultClient.Do(request)
		h.must(err)
		var p api.Problem
		h.must(json.NewDecoder(response.Body).Decode(&p))
		response.Body.Close()
		if p.Detail != lang+":api.no_token" {
			t.Errorf("%q is told %q", accept, p.Detail)
		}
	}
}

var inPath = regexp.MustCompile(`\{(\w+)\}`)

// What stands in an address is read from there, in every route.
func TestEveryWordOfAnAddressIsRead(t *testing.T) {
	text, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var described struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name, In string }
		}
	}
	if err := json.Unmarshal(text, &described); err != nil {
		t.Fatal(err)
	}
	for path, methods := range described.Paths {
		for method, operation := range methods {
			read := map[string]bool{}
			for _, parameter := range operation.Parameters {
				read[parameter.Name] = read[parameter.Name] || parameter.In == "path"
			}
			for _, word := range inPath.FindAllStringSubmatch(path, -1) {
				if !read[word[1]] {
					t.Errorf("%s %s: %s is not read", strings.ToUpper(method), path, word[1])
				}
			}
		}
	}
}

// The description is compared with a golden file, so that the diff of a change
// shows what changed for programs.
func TestOpenAPI(t *testing.T) {
	got, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	const golden = "testdata/openapi.json"
	if *update {
		if err := os.WriteFile(golden, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pretty.Bytes(), want) {
		t.Error("the program interface changed: read the difference, then run go test ./server/api -update")
	}
	for _, word := range []string{"http://", "https://"} {
		if bytes.Contains(got, []byte(word)) {
			t.Errorf("the description names a host: %s", word)
		}
	}
	h := newHouse(t, storetest.Open(t))
	var served object
	if r := h.ask("", "GET", "/api/openapi.json", nil, &served); r.StatusCode != 200 || served["openapi"] != "3.1.0" {
		t.Errorf("served: %d %v", r.StatusCode, served["openapi"])
	}
	for _, path := range []string{"/docs", "/api/docs", "/schemas/Problem.json"} {
		if r := h.ask("", "GET", path, nil, nil); r.StatusCode != 404 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/api"
	"schulwart.org/server/app"
	"schulwart.org/server/config"
	"schulwart.org/server/enroll"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/staff"
)

const password = "Regenbogen-Fahrrad-42"

// The people of the house.
const (
	oert      = "oert@gym.example" // teaches 7b
	blum      = "blum@gym.example" // teaches nobody
	schoolAdm = "admin@gym.example"
)

// boss acts for the tests where nobody is signed in.
var boss = may.Actor{ID: "system:e2e", Name: "Test", Grants: []may.Grant{{Role: may.Operator}}, Via: "cli"}

// house is a whole installation in this process: one school with a class and a
// set, and three people. It can be stopped and started again on its data.
type house struct {
	t      testing.TB
	config *config.Serve
	app    *app.App
	// clock, if set, is what the server looks at.
	clock func() time.Time
	// before changes what was put together, before anything runs.
	before func(*app.App)

	school org.Branch
	class  org.ID // 7b
	set    org.ID // Koffer B
	alone  org.ID // 8a, without devices
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, config: settings(t, t.TempDir(), freePort(t), freePort(t))}
	h.open()
	h.furnish(h.app)
	t.Cleanup(h.close)
	return h
}

func settings(t testing.TB, data, people, devices string) *config.Serve {
	t.Helper()
	c := &config.Serve{Data: data, Listen: people, DeviceListen: devices, Timezone: "Europe/Berlin"}
	if err := c.Settle(); err != nil {
		t.Fatal(err)
	}
	return c
}

// freePort returns an address that is free now; the house keeps it over restarts.
func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// open starts the installation on its data.
func (h *house) open() {
	h.t.Helper()
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(h.t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	a, err := app.New(ctx, app.Options{Config: h.config, Log: log, Now: h.clock})
	if err != nil {
		h.t.Fatal(err)
	}
	if h.before != nil {
		h.before(a)
	}
	if err := a.Start(ctx); err != nil {
		h.t.Fatal(err)
	}
	h.app = a
}

// close stops it in good order; twice is harmless.
func (h *house) close() {
	h.t.Helper()
	if h.app == nil {
		return
	}
	if err := h.app.Close(); err != nil {
		h.t.Error(err)
	}
	h.app = nil
}

// furnish plants the school; it works on any open installation that is empty.
func (h *house) furnish(a *app.App) {
	h.t.Helper()
	ctx := context.Background()
	authority := made(a.Roster.CreateAuthority(ctx, boss, "Stadt Musterhausen", "Europe/Berlin"))(h.t)
	school := made(a.Roster.CreateSchool(ctx, boss, authority.ID, "Goethe-Gymnasium", "GYM"))(h.t)
	h.school = school.Branch()
	group := func(name string, kind org.GroupKind) org.ID {
		return made(a.Roster.CreateGroup(ctx, boss, school.ID, roster.GroupUpdate{Name: &name, Kind: &kind}))(h.t).ID
	}
	h.class, h.set, h.alone = group("7b", org.Class), group("Koffer B", org.Set), group("8a", org.Class)
	person := func(name, login string, role may.Role) org.ID {
		seed := staff.Seed{Name: name, Login: login, Password: password, Grants: []may.Grant{{Role: role, Branch: h.school}}}
		return made(a.Staff.Create(ctx, may.System("e2e", org.Branch{}), seed))(h.t).ID
	}
	teacher := person("Frau Anna Oert", oert, may.Teacher)
	person("Herr Jan Blum", blum, may.Teacher)
	person("Frau Mia Kern", schoolAdm, may.SchoolAdmin)
	for _, class := range []org.ID{h.class, h.alone} {
		must(h.t, a.Roster.AddTeacher(ctx, boss, class, teacher))
	}
}

// link makes an enrolment link for a group, or for the school where it is empty.
func (h *house) link(group org.ID, uses int) string { return linkOf(h.t, h.app, h.school, group, uses) }

func linkOf(t testing.TB, a *app.App, school org.Branch, group org.ID, uses int) string {
	t.Helper()
	wanted := enroll.NewToken{Group: group, Uses: uses, For: time.Hour}
	if group == "" {
		wanted.School = school.School
	}
	return made(a.Enroll.CreateToken(context.Background(), boss, wanted))(t).URL
}

// person finds the actor behind a login, for what programs cannot ask for.
func (h *house) person(login string) may.Actor {
	h.t.Helper()
	ctx := context.Background()
	found := made(h.app.Store.FindLogin(ctx, login))(h.t)
	return made(h.app.Staff.Actor(ctx, found.ID, "127.0.0.1"))(h.t)
}

// program is somebody who uses the program interface.
type program struct {
	t      testing.TB
	base   string
	token  string
	client *http.Client
}

// as signs a person in at the program interface.
func (h *house) as(login string) *program {
	h.t.Helper()
	return signIn(h.t, h.config.PublicURL, http.DefaultClient, login)
}

func signIn(t testing.TB, base string, client *http.Client, login string) *program {
	t.Helper()
	p := &program{t: t, base: base, client: client}
	var said struct{ Token string }
	p.want(http.StatusOK, "POST", "/api/v1/login", map[string]string{"email": login, "password": password}, &said)
	p.token = said.Token
	return p
}

// do asks and returns the status; into may be nil.
func (p *program) do(method, path string, body, into any) (int, string) {
	p.t.Helper()
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(made(json.Marshal(body))(p.t))
	}
	request := made(http.NewRequest(method, p.base+path, content))(p.t)
	request.Header.Set("Content-Type", "application/json")
	if p.token != "" {
		request.Header.Set("Authorization", "Bearer "+p.token)
	}
	response := made(p.client.Do(request))(p.t)
	defer response.Body.Close()
	text := made(io.ReadAll(response.Body))(p.t)
	if into != nil && response.StatusCode < 300 {
		must(p.t, json.Unmarshal(text, into))
	}
	return response.StatusCode, string(text)
}

func (p *program) want(status int, method, path string, body, into any) {
	p.t.Helper()
	if got, text := p.do(method, path, body, into); got != status {
		p.t.Fatalf("%s %s: %d, want %d: %s", method, path, got, status, text)
	}
}

// order is a mode as a program asks for it.
type order map[string]any

// in targets a group.
func in(group org.ID) map[string]any { return map[string]any{"group": group} }

// soon is an end in seconds, as until wants it.
func soon(d time.Duration) time.Time { return time.Now().Add(d).UTC().Truncate(time.Second) }

func (p *program) start(o order) api.Mode {
	p.t.Helper()
	var m api.Mode
	p.want(http.StatusCreated, "POST", "/api/v1/modes", o, &m)
	return m
}

func (p *program) mode(id org.ID) api.Mode {
	p.t.Helper()
	var m api.Mode
	p.want(http.StatusOK, "GET", "/api/v1/modes/"+id.String(), nil, &m)
	return m
}

// end ends a mode, for all or for the devices given.
func (p *program) end(id org.ID, devices ...org.ID) api.Mode {
	p.t.Helper()
	query := "?"
	for _, device := range devices {
		query += "device=" + device.String() + "&"
	}
	var m api.Mode
	p.want(http.StatusOK, "DELETE", "/api/v1/modes/"+id.String()+query, nil, &m)
	return m
}

// reaches waits until every device of the mode, and as many as given, is in the
// state.
func (p *program) reaches(id org.ID, state lesson.State, n int) api.Mode {
	p.t.Helper()
	var last api.Mode
	await(p.t, fmt.Sprintf("%d devices %s", n, state), func() bool {
		last = p.mode(id)
		return len(last.Devices) == n && len(in_(last, state)) == n
	}, func() any { return last.Devices })
	return last
}

// is returns the state of one device in a mode, empty if it has no part in it.
func (p *program) is(id, device org.ID) lesson.State {
	p.t.Helper()
	for _, d := range p.mode(id).Devices {
		if d.ID == device {
			return d.State
		}
	}
	return ""
}

// comes waits until one device is in the state.
func (p *program) comes(id, device org.ID, state lesson.State) {
	p.t.Helper()
	await(p.t, string(state), func() bool { return p.is(id, device) == state }, func() any { return p.mode(id).Devices })
}

func in_(m api.Mode, state lesson.State) []api.ModeDevice {
	var found []api.ModeDevice
	for _, d := range m.Devices {
		if d.State == state {
			found = append(found, d)
		}
	}
	return found
}

// patience is how long a test waits for something that must come; a loaded
// machine needs more than an idle one.
const patience = 30 * time.Second

// await waits for a condition. now, if given, says what there is instead.
func await(t testing.TB, what string, is func() bool, now ...func() any) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().Before(end) {
			continue
		}
		instead := ""
		for _, say := range now {
			instead += fmt.Sprintf("\nnow: %+v", say())
		}
		t.Fatalf("waited in vain for: %s%s", what, instead)
	}
}

// stays fails if a condition does not hold all the time.
func stays(t testing.TB, what string, for_ time.Duration, is func() bool) {
	t.Helper()
	for end := time.Now().Add(for_); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if !is() {
			t.Fatalf("no longer: %s", what)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// made passes a value on, or ends the test.
func made[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func plainLink(link string) string {
	plain, _, _ := strings.Cut(link, "#")
	return plain
}

func (h *house) database() string { return filepath.Join(h.config.Data, "schulwart.db") }

package console_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/api"
	"schulwart.org/server/app"
	"schulwart.org/server/audit"
	"schulwart.org/server/backup"
	"schulwart.org/server/board"
	"schulwart.org/server/calendar"
	"schulwart.org/server/console"
	"schulwart.org/server/declare"
	"schulwart.org/server/enroll"
	"schulwart.org/server/exam"
	"schulwart.org/server/ids"
	"schulwart.org/server/keyring"
	"schulwart.org/server/lesson"
	"schulwart.org/server/licence"
	"schulwart.org/server/live"
	"schulwart.org/server/mail"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
	"schulwart.org/server/rollout"
	"schulwart.org/server/roster"
	"schulwart.org/server/shelf"
	"schulwart.org/server/staff"
	"schulwart.org/server/standard"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
	"schulwart.org/web"
)

// monday is ten o'clock on the next Monday, in the third lesson of the bell plan
// below. It lies ahead, because sessions expire by the real clock.
var monday = func() time.Time {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	day := time.Now().In(zone).AddDate(0, 0, 1)
	for day.Weekday() != time.Monday {
		day = day.AddDate(0, 0, 1)
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 10, 0, 0, 0, zone).UTC()
}()

const password = "Regenbogen-Fahrrad-42"

// house is a whole installation without devices: real rooms on SQLite, the
// console behind a real HTTP server.
type house struct {
	t        *testing.T
	store    *store.Store
	staff    *staff.Service
	roster   *roster.Service
	lessons  *lesson.Service
	live     *live.Hub
	presence *presence
	server   *httptest.Server
	deps     console.Deps
	keys     *keyring.Ring

	school  org.Branch
	class   org.ID // 7b, with six devices
	set     org.ID // Koffer B, with two
	devices []org.ID
	clock   clock
}

// clock stands still unless a test moves it, or lets it run.
type clock struct {
	mu    sync.Mutex
	at    time.Time
	since time.Time // when it began to run; zero while it stands
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		return c.at
	}
	return c.at.Add(time.Since(c.since))
}

func (c *clock) run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Now()
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// presence says of every device that it is in contact, unless a test says no.
type presence struct {
	mu   sync.Mutex
	gone map[org.ID]time.Time
	now  func() time.Time
}

func (p *presence) Contact(enrolment org.ID) lesson.Contact {
	p.mu.Lock()
	defer p.mu.Unlock()
	if since, gone := p.gone[enrolment]; gone {
		return lesson.Contact{Seen: since}
	}
	return lesson.Contact{Connected: true, Seen: p.now()}
}

type quiet struct{}

func (quiet) Wake()                                       {}
func (quiet) Prepare(context.Context, lesson.Lease) error { return nil }
func (quiet) Install(context.Context, lesson.Lease) error { return nil }
func (quiet) Remove(context.Context, lesson.Lease) error  { return nil }
func (quiet) Nudge(...org.ID)                             {}
func (quiet) Settle(context.Context, org.Branch) error    { return nil }
func (quiet) Leave(context.Context, may.Actor, org.ID) (time.Time, error) {
	return time.Time{}, nil
}
func (quiet) Delivered(context.Context, org.Branch, org.ID, org.ID, int) error { return nil }
func (quiet) Installation(context.Context) (console.Installation, error) {
	return console.Installation{Database: "sqlite", Free: -1, Since: monday}, nil
}

func newHouse(t *testing.T) *house {
	t.Helper()
	ctx := context.Background()
	h := &house{t: t, store: storetest.Open(t), live: &live.Hub{}, clock: clock{at: monday}}
	now := h.clock.now
	h.presence = &presence{gone: map[org.ID]time.Time{}, now: now}
	issuer, err := h.store.EnsureIssuer(ctx)
	must(t, err)
	ring, err := keyring.Open(ctx, h.store, issuer, ids.New, now)
	must(t, err)
	enrolment, err := enroll.New(ctx, h.store, enroll.Options{
		Name: "Schulwart", DeviceURL: "https://devices.example:8443", Issuer: issuer, Now: now,
		LeaseKeys: func(context.Context) ([]lease.Key, error) { return ring.Keys(), nil },
	})
	must(t, err)
	h.staff = staff.New(h.store, ids.New)
	h.staff.Now = now
	h.roster = &roster.Service{Store: h.store, NewID: ids.New, Now: now}
	h.lessons = &lesson.Service{
		Store: h.store, Roster: h.roster, Timetable: h.roster, Presence: h.presence, Changes: quiet{}, Board: h.live, Tablets: quiet{}, NewID: ids.New, Now: now,
	}
	apps := &packages.Service{Store: h.store, NewID: ids.New, Now: now, Quota: packages.Quota}
	licences := &licence.Service{Store: h.store, Changes: quiet{}, NewID: ids.New, Now: now}
	rollouts := &rollout.Service{Store: h.store, Catalogue: app.Catalogue{Service: apps}, Licences: licences, Changes: quiet{}, NewID: ids.New, Now: now}
	why := &declare.Service{Issuer: issuer, Store: h.store, Signer: ring, Settler: quiet{}, Deliveries: quiet{}, Nudger: quiet{}, Log: slog.New(slog.DiscardHandler), Now: now}
	h.keys = ring
	workKey, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(t, err)
	exams := &exam.Service{
		WorkKey: workKey,
		Store:   h.store, Roster: h.roster, Leases: app.ExamLeases{Service: h.lessons}, Boards: h.live, Schools: app.ExamSchools{Store: h.store, Zone: time.UTC}, NewID: ids.New, Now: now, BrowserKey: []byte("0123456789abcdef0123456789abcdef"),
		BrowserURL: func(exam org.ID, mark string) string { return "https://schulwart.example" + api.SealedPath(exam, mark) },
	}
	h.deps = console.Deps{
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), Now: now,
		Sessions: staff.NewSessions(h.store, false, now), Staff: h.staff, Roster: h.roster, Standard: &standard.Service{Store: h.store, NewID: ids.New, Now: now}, Lessons: h.lessons,
		Exams: exams, Packages: apps, Rollouts: rollouts, Calendars: &calendar.Service{Store: h.store, Tables: app.Tables{}, Changes: quiet{}}, Licences: licences, Shelf: &shelf.Service{Store: h.store, Catalogue: app.Catalogue{Service: apps}, Licences: licences, Changes: quiet{}, NewID: ids.New, Now: now}, Presence: h.presence, Live: h.live,
		Board:  &board.Service{Store: h.store, Lessons: h.lessons, Desired: why, Presence: h.presence, Now: now},
		Enroll: enrolment, Audit: &audit.Service{Store: h.store, Now: now, Folder: t.TempDir()},
		Backup: &backup.Service{Store: h.store, KeyFile: filepath.Join(t.TempDir(), "key"), Now: now},
		Mail:   &mail.Service{Store: h.store, Now: now}, Enrolments: quiet{}, Operations: quiet{}, Keys: ring, Atomically: h.store.Atomically,
		LinkKey: []byte("0123456789abcdef0123456789abcdef"), PublicURL: "https://schulwart.example", Version: "test",
	}
	h.furnish()
	h.server = httptest.NewServer(console.New(h.deps))
	t.Cleanup(h.server.Close)
	return h
}

// furnish plants a school with a class of six devices, a set of two and its
// people.
func (h *house) furnish() {
	ctx := context.Background()
	boss := may.Actor{ID: "system:test", Name: "Test", Grants: []may.Grant{{Role: may.Operator}}, Via: "cli"}
	authority, err := h.roster.CreateAuthority(ctx, boss, "Stadt Musterhausen", "Europe/Berlin")
	must(h.t, err)
	school, err := h.roster.CreateSchool(ctx, boss, authority.ID, "Goethe-Gymnasium", "GYM")
	must(h.t, err)
	h.school = school.Branch()
	bells := []roster.Bell{{From: 8 * 60, Until: 8*60 + 45}, {From: 8*60 + 50, Until: 9*60 + 35}, {From: 9*60 + 50, Until: 10*60 + 35}, {From: 10*60 + 40, Until: 11*60 + 25}}
	_, err = h.roster.UpdateSchool(ctx, boss, school.ID, roster.SchoolUpdate{Bells: &bells})
	must(h.t, err)
	h.class = h.group(boss, "7b", org.Class, "204")
	h.set = h.group(boss, "Koffer B", org.Set, "")
	for i := range 8 {
		device := h.device(boss, fmt.Sprintf("GYM-%04d", i+1), i)
		group := h.class
		if i >= 6 {
			group = h.set
		}
		must(h.t, h.roster.AddDevices(ctx, boss, group, []org.ID{device}, time.Time{}, time.Time{}))
		h.devices = append(h.devices, device)
	}
	at := func(role may.Role, branch org.Branch) []may.Grant { return []may.Grant{{Role: role, Branch: branch}} }
	h.person("Frau Anna Oert", "oert@gym.example", at(may.Teacher, h.school))
	h.person("Herr Jan Blum", "blum@gym.example", at(may.Teacher, h.school))
	h.person("Frau Mia Kern", "admin@gym.example", at(may.SchoolAdmin, h.school))
	h.person("Herr Ole Stein", "hotline@example.org", at(may.HelpDesk, org.Branch{}))
	h.person("Frau Eva Rath", "betrieb@example.org", at(may.Operator, org.Branch{}))
	h.teaches("oert@gym.example", h.class)
}

func (h *house) group(boss may.Actor, name string, kind org.GroupKind, room string) org.ID {
	group, err := h.roster.CreateGroup(context.Background(), boss, h.school.School, roster.GroupUpdate{Name: &name, Kind: &kind, Room: &room})
	must(h.t, err)
	return group.ID
}

// device plants a device that is enrolled already.
func (h *house) device(boss may.Actor, name string, n int) org.ID {
	device, err := h.roster.CreateDevice(context.Background(), boss, h.school.School, name, fmt.Sprintf("SN%05d", n), org.Linux)
	must(h.t, err)
	storetest.Exec(h.t, h.store, `INSERT INTO enrolments (authority, id, device, school, udid, state, created, changed) VALUES ($1, $2, $3, $4, $5, 'enrolled', 1, 1)`,
		h.school.Authority, enrolmentOf(device.ID), device.ID, h.school.School, "udid-"+device.ID.String())
	return device.ID
}

func enrolmentOf(device org.ID) org.ID { return org.ID("e-" + device.String()) }

func (h *house) person(name, login string, grants []may.Grant) staff.Person {
	person, err := h.staff.Create(context.Background(), may.System("test", org.Branch{}), staff.Seed{Name: name, Login: login, Password: password, Grants: grants})
	must(h.t, err)
	return person
}

func (h *house) teaches(login string, group org.ID) {
	person, err := h.store.FindLogin(context.Background(), login)
	must(h.t, err)
	boss := may.Actor{ID: "system:test", Grants: []may.Grant{{Role: may.Operator}}}
	must(h.t, h.roster.AddTeacher(context.Background(), boss, group, person.ID))
}

// readBack lets devices fetch and confirm everything that they were sent.
func (h *house) readBack(devices ...org.ID) {
	h.t.Helper()
	ctx := context.Background()
	for _, device := range devices {
		lines, err := h.lessons.Leases(ctx, h.school, device)
		must(h.t, err)
		var said []ddm.LeaseStatus
		for _, line := range lines {
			must(h.t, h.lessons.Delivered(ctx, h.school, device, line.Lease.ID, line.Lease.Rev))
			phase := ddm.LeaseActive
			switch now := h.clock.now(); {
			case now.Before(line.Lease.Starts):
				phase = ddm.LeaseWaiting
			case !now.Before(line.Lease.Ends):
				phase = ddm.LeaseEnded
			}
			said = append(said, ddm.LeaseStatus{ID: line.Lease.ID.String(), Rev: line.Lease.Rev, Phase: phase, Since: h.clock.now(), Parts: []ddm.Part{{Name: "network", State: ddm.PartOK}}})
		}
		must(h.t, h.lessons.Reported(ctx, h.school, device, said))
	}
}

// browser is somebody at the console.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

// answer is what came back at the end of all redirects.
type answer struct {
	status int
	path   string
	body   string
	header http.Header
}

func (h *house) browser() *browser {
	jar, err := cookiejar.New(nil)
	must(h.t, err)
	return &browser{h.t, h.server.URL, &http.Client{Jar: jar}}
}

// as signs somebody in.
func (h *house) as(login string) *browser {
	h.t.Helper()
	b := h.browser()
	if a := b.post(web.PathLogin, "email", login, "password", password); a.status != http.StatusOK || a.path == web.PathLogin {
		h.t.Fatalf("signing in as %s: %d at %s", login, a.status, a.path)
	}
	return b
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	request, err := http.NewRequest(http.MethodGet, b.base+path, nil)
	must(b.t, err)
	return b.do(request)
}

func (b *browser) post(path string, pairs ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	request, err := http.NewRequest(http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	must(b.t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(request)
}

func (b *browser) do(request *http.Request) answer {
	b.t.Helper()
	request.Header.Set("Accept-Language", "de")
	response, err := b.http.Do(request)
	must(b.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(b.t, err)
	return answer{response.StatusCode, response.Request.URL.RequestURI(), string(body), response.Header}
}

func (a answer) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("%s (%d): %q is not on the page", a.path, a.status, text)
		}
	}
}

func (a answer) lacks(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			t.Errorf("%s (%d): %q is on the page", a.path, a.status, text)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

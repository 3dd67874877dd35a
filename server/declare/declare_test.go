package declare

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
)

var (
	bell  = time.Date(2026, 11, 23, 8, 50, 0, 0, time.UTC)
	north = org.Branch{Authority: "city", School: "north"}
	south = org.Branch{Authority: "city", School: "south"}
	ctx   = context.Background()
)

// memory is a store with two schools, and everybody else whom the room talks to.
type memory struct {
	mu        sync.Mutex
	now       time.Time
	marks     []Mark
	seq       int64
	ground    map[org.ID]Ground
	granted   map[org.ID][]desired.Granted
	nudged    []org.ID
	settled   []org.ID
	delivered []string
	loads     int
	broken    map[org.ID]error // schools that cannot be loaded
	noDrop    error
	key       lease.SigningKey

	signatures int
}

func room(t *testing.T) (*Service, *memory) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{
		now: bell, key: lease.SigningKey{ID: "2026-1", Private: private}, granted: map[org.ID][]desired.Granted{}, broken: map[org.ID]error{},
		ground: map[org.ID]Ground{
			"north": {Name: "Gymnasium Nord", Devices: []desired.Device{laptop("n1", "7b"), laptop("n2", "7b"), laptop("n3", "8a"), {ID: "t1", Enrolment: "e-t1", Platform: org.IPadOS, Schema: 1}}},
			"south": {Name: "Grundschule Süd", Devices: []desired.Device{laptop("s1")}},
		},
	}
	return m.service(), m
}

// service makes the room as a process does when it starts: nothing in memory.
func (m *memory) service() *Service {
	return &Service{
		Issuer: "schulwart.example", Store: m, Signer: m, Settler: m, Deliveries: m, Nudger: m, Profiles: Profiles{"https://devices.example", m, m},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: m.Now,
	}
}

func deny(place desired.Place, hosts ...string) desired.Policy {
	return desired.Policy{Place: place, Family: catalog.WebFilterFamily.Name, Settings: catalog.Settings{"deny": hosts}}
}

func laptop(id string, groups ...org.ID) desired.Device {
	return desired.Device{ID: org.ID(id), Enrolment: org.ID("e-" + id), Platform: org.Linux, Schema: 1, Groups: groups}
}

func (m *memory) Now() time.Time { m.mu.Lock(); defer m.mu.Unlock(); return m.now }

func (m *memory) after(d time.Duration) { m.mu.Lock(); defer m.mu.Unlock(); m.now = m.now.Add(d) }

func (m *memory) mark(branch org.Branch, what What) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq++
	m.marks = append(m.marks, Mark{Seq: m.seq, Branch: branch, What: what})
}

// grant gives a device of north a lease of 45 minutes, and leaves the mark.
func (m *memory) grant(device string, rev int) {
	l := lease.Lease{Issuer: "schulwart.example", Subject: org.ID("e-" + device), ID: "l-" + device, Rev: rev, NotBefore: bell, Expires: bell.Add(45 * time.Minute), Kind: lease.Offline, By: "Frau Oert"}
	m.mu.Lock()
	leases := slices.DeleteFunc(m.granted["north"], func(g desired.Granted) bool { return g.Lease.ID == l.ID })
	m.granted["north"] = append(leases, desired.Granted{Device: org.ID(device), Lease: l, Until: l.Expires.Add(time.Minute)})
	m.mu.Unlock()
	m.mark(north, LeasesOnly)
}

func (m *memory) woken() []org.ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	woken := m.nudged
	m.nudged = nil
	slices.Sort(woken)
	return woken
}

func (m *memory) left() int { m.mu.Lock(); defer m.mu.Unlock(); return len(m.marks) }

func (m *memory) Marks(_ context.Context, after int64, n int) ([]Mark, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	behind := slices.DeleteFunc(slices.Clone(m.marks), func(mark Mark) bool { return mark.Seq <= after })
	return behind[:min(n, len(behind))], nil
}

func (m *memory) DropMarks(_ context.Context, seqs []int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.noDrop != nil {
		return m.noDrop
	}
	m.marks = slices.DeleteFunc(m.marks, func(mark Mark) bool { return slices.Contains(seqs, mark.Seq) })
	return nil
}

func (m *memory) Schools(_ context.Context, authority org.ID) ([]org.Branch, error) {
	if authority != "" && authority != "city" {
		return nil, nil
	}
	return []org.Branch{north, south}, nil
}

func (m *memory) Ground(_ context.Context, school org.Branch) (Ground, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loads++
	ground := m.ground[school.School]
	ground.Devices = slices.Clone(ground.Devices)
	return ground, m.broken[school.School]
}

func (m *memory) Granted(_ context.Context, school org.Branch, at time.Time) ([]desired.Granted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var granted []desired.Granted
	for _, g := range m.granted[school.School] {
		if g.Until.After(at) {
			granted = append(granted, g)
		}
	}
	return granted, nil
}

func (m *memory) Announcements() []string            { return nil }
func (m *memory) KeyID() string                      { return m.key.ID }
func (m *memory) Sign(l lease.Lease) (string, error) { return m.key.Sign(l) }
func (m *memory) Settle(_ context.Context, school org.Branch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settled = append(m.settled, school.School)
	return nil
}

func (m *memory) Delivered(_ context.Context, _ org.Branch, device, id org.ID, rev int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.delivered = append(m.delivered, device.String()+" "+id.String()+" "+string(rune('0'+rev)))
	return nil
}

func (m *memory) Nudge(enrolments ...org.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nudged = append(m.nudged, enrolments...)
}

func token(t *testing.T, s *Service, school org.Branch, device string) string {
	t.Helper()
	tokens, err := s.Tokens(ctx, Place{school, org.ID(device)})
	if err != nil {
		t.Fatal(err)
	}
	return tokens.DeclarationsToken
}

// asked lets every device of north ask once, as in the morning.
func asked(t *testing.T) (*Service, *memory) {
	t.Helper()
	s, m := room(t)
	for _, device := range []string{"n1", "n2", "n3", "t1"} {
		token(t, s, north, device)
	}
	return s, m
}

func TestOnlyDevicesWhoseAnswerDiffersAreWoken(t *testing.T) {
	s, m := asked(t)
	before := token(t, s, north, "n1")
	m.grant("n1", 1)
	m.grant("n3", 1)
	if err := s.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if got := m.woken(); !slices.Equal(got, []org.ID{"e-n1", "e-n3"}) {
		t.Errorf("woken %v", got)
	}
	if m.left() != 0 {
		t.Errorf("%d marks are left", m.left())
	}
	if token(t, s, north, "n1") == before {
		t.Error("the token is the same as before")
	}
	if m.loads != 1 || len(m.settled) != 0 {
		t.Errorf("a mode loads the school %d times and settles %v", m.loads, m.settled)
	}
	m.mark(north, LeasesOnly)
	if err := s.Drain(ctx); err != nil || len(m.woken()) != 0 {
		t.Error("a mark without a difference wakes somebody")
	}
	m.grant("n1", 2)
	if err := s.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if got := m.woken(); !slices.Equal(got, []org.ID{"e-n1"}) {
		t.Errorf("a new revision woke %v", got)
	}
}

func TestAMarkOfAnAuthorityReachesItsSchools(t *testing.T) {
	s, m := asked(t)
	token(t, s, south, "s1")
	for _, school := range []org.ID{"north", "south"} {
		ground := m.ground[school]
		ground.Policies = []desired.Policy{deny(desired.Place{Level: org.Authority, ID: "city"}, "games.example")}
		m.ground[school] = ground
	}
	m.mark(org.Branch{Authority: "city"}, Everything)
	m.mark(org.Branch{Authority: "county"}, Everything)
	if err := s.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if got := m.woken(); !slices.Equal(got, []org.ID{"e-n1", "e-n2", "e-n3", "e-s1", "e-t1"}) {
		t.Errorf("woken %v", got)
	}
	if !slices.Equal(m.settled, []org.ID{"north", "south"}) || m.left() != 0 {
		t.Errorf("settled %v, %d marks left", m.settled, m.left())
	}
}

func TestManyMarksOfASchoolAreOneRound(t *testing.T) {
	s, m := asked(t)
	for range 1200 { // more than one batch
		m.mark(north, LeasesOnly)
	}
	m.mark(north, Everything)
	loads := m.loads
	if err := s.Drain(ctx); err != nil || m.left() != 0 {
		t.Fatalf("%v, %d marks left", err, m.left())
	}
	if m.loads-loads > 3 || len(m.settled) != 1 {
		t.Errorf("loaded %d times, settled %d times", m.loads-loads, len(m.settled))
	}
}

// A process that dies after waking devices and before dropping the marks does it
// all again.
func TestACrashBetweenWakingAndDroppingIsHarmless(t *testing.T) {
	s, m := asked(t)
	m.grant("n1", 1)
	m.noDrop = errors.New("killed")
	if err := s.Drain(ctx); !errors.Is(err, m.noDrop) {
		t.Fatalf("%v", err)
	}
	if got := m.woken(); !slices.Equal(got, []org.ID{"e-n1"}) {
		t.Fatalf("woken %v", got)
	}
	after := token(t, s, north, "n1")

	m.noDrop = nil
	restarted := m.service()
	if err := restarted.Drain(ctx); err != nil || m.left() != 0 {
		t.Fatalf("%v, %d marks left", err, m.left())
	}
	if got := token(t, restarted, north, "n1"); got != after {
		t.Error("the same rows give another token after a restart: every device would come for nothing")
	}
	if got := m.woken(); !slices.Contains(got, "e-n1") {
		t.Errorf("woken after the restart: %v", got)
	}
}

func TestOneBrokenSchoolHoldsUpNoOther(t *testing.T) {
	s, m := asked(t)
	token(t, s, south, "s1")
	m.broken["south"] = errors.New("row without a name")
	m.mark(south, Everything)
	m.grant("n2", 1)
	if err := s.Drain(ctx); !errors.Is(err, m.broken["south"]) {
		t.Fatalf("%v", err)
	}
	if got := m.woken(); !slices.Equal(got, []org.ID{"e-n2"}) {
		t.Errorf("woken %v", got)
	}
	if m.left() != 1 {
		t.Errorf("%d marks left, want that of the broken school", m.left())
	}
	delete(m.broken, "south")
	if err := s.Drain(ctx); err != nil || m.left() != 0 {
		t.Errorf("mended, and still %v, %d marks", err, m.left())
	}
}

// Seen while reading: marks are read in order and 500 at a time, so 500 marks of
// one broken school were all that anybody ever read.
func TestFiveHundredMarksOfABrokenSchoolHoldUpNobody(t *testing.T) {
	s, m := room(t)
	if _, err := s.Tokens(ctx, Place{School: north, Device: "n1"}); err != nil {
		t.Fatal(err)
	}
	m.broken["south"] = errors.New("row without a name")
	for range 2*marksAtOnce + 1 {
		m.mark(south, Everything)
		m.mark(south, LeasesOnly)
	}
	m.grant("n1", 1)
	if err := s.Drain(ctx); !errors.Is(err, m.broken["south"]) {
		t.Errorf("said %v", err)
	}
	if woken := m.woken(); !slices.Equal(woken, []org.ID{"e-n1"}) {
		t.Errorf("woke %v behind the marks of the broken school", woken)
	}
	if left := m.left(); left == 0 || left > 10 {
		t.Errorf("%d marks are left of the broken school: it needs one, and must not gather them", left)
	}
	loads := m.loads
	if err := s.Drain(ctx); err == nil || m.loads > loads+1 {
		t.Errorf("one round loaded the broken school %d times and said %v", m.loads-loads, err)
	}
	delete(m.broken, "south")
	if err := s.Drain(ctx); err != nil || m.left() != 0 {
		t.Errorf("mended: %v, %d marks left", err, m.left())
	}
	if woken := m.woken(); !slices.Equal(woken, []org.ID{"e-s1"}) {
		t.Errorf("woke %v when the school was mended", woken)
	}
}

// What an authority changed is kept only as long as one of its own schools
// could not be reached.
func TestABrokenSchoolKeepsNoMarksOfOtherAuthorities(t *testing.T) {
	s, m := room(t)
	m.broken["south"] = errors.New("row without a name")
	m.mark(org.Branch{Authority: "village"}, Everything)
	m.mark(org.Branch{Authority: "city"}, Everything)
	if err := s.Drain(ctx); err == nil {
		t.Error("nothing was said of the broken school")
	}
	if len(m.marks) != 1 || m.marks[0].Branch.Authority != "city" {
		t.Errorf("left: %v", m.marks)
	}
}

func TestLeasesAreSignedOnTheirWayOut(t *testing.T) {
	s, m := asked(t)
	m.grant("n1", 1)
	if err := s.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	at := Place{north, "n1"}
	manifest, err := s.Manifest(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	for class, items := range manifest.Items() {
		for _, item := range items {
			got, err := s.Declaration(ctx, at, class, item.Identifier)
			if err != nil || got.ServerToken != item.ServerToken {
				t.Errorf("%s: %v, token %s, advertised %s", item.Identifier, err, got.ServerToken, item.ServerToken)
			}
		}
	}
	got, err := s.Declaration(ctx, at, ddm.Configuration, desired.LeasePrefix+"l-n1")
	if err != nil {
		t.Fatal(err)
	}
	var payload desired.LeasePayload
	if err := json.Unmarshal(got.Payload, &payload); err != nil {
		t.Fatal(err)
	}
	opened, err := lease.Open(payload.JWS, []lease.Key{m.key.Public()}, "e-n1", bell)
	if err != nil || opened.ID != "l-n1" || opened.Kind != lease.Offline {
		t.Errorf("%+v, %v", opened, err)
	}
	if _, err := lease.Open(payload.JWS, []lease.Key{m.key.Public()}, "e-n2", bell); !errors.Is(err, lease.ErrSubject) {
		t.Errorf("another device could use it: %v", err)
	}
	if !slices.Contains(m.delivered, "n1 l-n1 1") {
		t.Errorf("deliveries: %v", m.delivered)
	}
}

func TestADeviceGetsNothingOfAnother(t *testing.T) {
	s, m := asked(t)
	m.grant("n1", 1)
	if err := s.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Declaration(ctx, Place{north, "n2"}, ddm.Configuration, desired.LeasePrefix+"l-n1"); !errs.Is(err, errs.NotFound) {
		t.Errorf("%v", err)
	}
	if _, err := s.Declaration(ctx, Place{north, "n1"}, ddm.Management, desired.LeasePrefix+"l-n1"); !errs.Is(err, errs.NotFound) {
		t.Errorf("under a class that is not its own: %v", err)
	}
	if _, err := s.Tokens(ctx, Place{south, "n1"}); !errs.Is(err, errs.NotFound) {
		t.Errorf("a device in a school that is not its own: %v", err)
	}
	if len(m.delivered) != 0 {
		t.Errorf("deliveries: %v", m.delivered)
	}
}

func TestEqualDevicesShareOneAnswer(t *testing.T) {
	s, m := asked(t)
	m.grant("n3", 1)
	if err := s.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	answers := s.school(north).answers
	if answers["n1"] != answers["n2"] {
		t.Error("two laptops of one class, and two copies in memory")
	}
	if answers["n3"] == answers["n1"] {
		t.Error("devices with different answers share one")
	}
}

func TestADeviceOfItsOwnPolicyDoesNotShare(t *testing.T) {
	s, m := room(t)
	ground := m.ground["north"]
	ground.Policies = []desired.Policy{deny(desired.Place{Level: org.Device, ID: "n2"}, "games.example")}
	m.ground["north"] = ground
	if token(t, s, north, "n1") == token(t, s, north, "n2") {
		t.Error("a policy of one device reached its neighbour, or nobody")
	}
	m.ground["north"] = Ground{Name: ground.Name, Devices: ground.Devices}
	m.mark(north, Everything)
	if err := s.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if token(t, s, north, "n1") != token(t, s, north, "n2") {
		t.Error("the policy is gone, and its effect is not")
	}
	if got := m.woken(); !slices.Equal(got, []org.ID{"e-n2"}) {
		t.Errorf("woken %v", got)
	}
}

func TestADeviceThatWasJustEnrolledIsFound(t *testing.T) {
	s, m := asked(t)
	ground := m.ground["north"]
	ground.Devices = append(slices.Clone(ground.Devices), laptop("n9", "7b"))
	m.ground["north"] = ground
	if got := token(t, s, north, "n9"); got != token(t, s, north, "n1") {
		t.Error("enrolled a moment ago, and not like its class")
	}
	if _, err := s.Why(ctx, Place{north, "n9"}); err != nil {
		t.Errorf("why: %v", err)
	}
}

// An end by the clock changes the answer without any mark, and wakes nobody:
// devices have clocks too.
func TestTheClockEndsALeaseWithoutWakingAnybody(t *testing.T) {
	s, m := asked(t)
	bare := token(t, s, north, "n1")
	m.grant("n1", 1)
	if err := s.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	m.woken()
	state, err := s.Why(ctx, Place{north, "n1"})
	if err != nil || len(state.Why) != 1 || state.Why[0].Key != "mode.offline" || state.Why[0].Args["by"] != "Frau Oert" {
		t.Errorf("why: %+v, %v", state.Why, err)
	}
	m.after(45 * time.Minute)
	s.tick(ctx)
	if token(t, s, north, "n1") == bare {
		t.Error("the lease left the manifest at its very end: a clock that is slow would keep it")
	}
	m.after(2 * time.Minute)
	s.tick(ctx)
	if token(t, s, north, "n1") != bare {
		t.Error("an ended lease stays in the manifest")
	}
	if got := m.woken(); len(got) != 0 {
		t.Errorf("woken by the clock: %v", got)
	}
}

func TestRunActsAfterAWakeUp(t *testing.T) {
	s, m := asked(t)
	running, stop := context.WithCancel(ctx)
	finished := make(chan struct{})
	go func() { s.Run(running); close(finished) }()
	defer func() { stop(); <-finished }()
	m.grant("n2", 1)
	s.Wake()
	deadline := time.Now().Add(5 * time.Second)
	for m.left() > 0 || !slices.Contains(m.woken(), "e-n2") {
		if time.Now().After(deadline) {
			t.Fatal("nobody was woken")
		}
		if m.left() == 0 {
			m.grant("n2", int(m.seq)+1)
			s.Wake()
		}
		time.Sleep(time.Millisecond)
	}
}

func (m *memory) Seal(purpose string, parts ...string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(purpose+strings.Join(parts, "/"))))
}

func (m *memory) Sealed(code, purpose string, parts ...string) bool {
	return code == m.Seal(purpose, parts...)
}

func (m *memory) SignProfile(_ context.Context, profile []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.signatures++
	return append([]byte("signed "), profile...), nil
}

// addressOf fetches the profile's declaration as the device does.
func addressOf(t *testing.T, s *Service, device org.ID) (string, ProfileAddress) {
	t.Helper()
	declaration, err := s.Declaration(ctx, Place{north, device}, ddm.Configuration, desired.ProfilePrefix+"webfilter")
	if err != nil {
		t.Fatal(err)
	}
	var payload struct{ ProfileURL string }
	if err := json.Unmarshal(declaration.Payload, &payload); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(strings.TrimPrefix(payload.ProfileURL, "https://devices.example"+ProfilePath), "/")
	if len(parts) != 5 {
		t.Fatalf("the address is %q", payload.ProfileURL)
	}
	version, err := url.PathUnescape(parts[3])
	if err != nil {
		t.Fatal(err)
	}
	return payload.ProfileURL, ProfileAddress{School: org.Branch{Authority: org.ID(parts[0]), School: org.ID(parts[1])}, Identifier: parts[2], Version: version, Seal: parts[4]}
}

func (m *memory) filter(hosts ...string) {
	m.mu.Lock()
	ground := m.ground["north"]
	ground.Policies = []desired.Policy{deny(desired.Place{Level: org.School, ID: "north"}, hosts...)}
	m.ground["north"] = ground
	m.mu.Unlock()
	m.mark(north, Everything)
}

func TestAProfileIsServedAtAnAddressThatFollowsItsContent(t *testing.T) {
	s, m := room(t)
	m.filter("games.example")
	before, err := s.Manifest(ctx, Place{north, "t1"})
	if err != nil {
		t.Fatal(err)
	}
	link, address := addressOf(t, s, "t1")
	for range 3 {
		data, err := s.Profile(ctx, address)
		if err != nil || !strings.Contains(string(data), "games.example") || !strings.HasPrefix(string(data), "signed ") {
			t.Fatalf("served %q, %v", data, err)
		}
	}
	if m.signatures != 1 {
		t.Errorf("signed %d times", m.signatures)
	}

	fresh := m.service() // the process starts anew
	if again, _ := addressOf(t, fresh, "t1"); again != link {
		t.Errorf("equal content has another address: %s, %s", again, link)
	}
	after, err := fresh.Manifest(ctx, Place{north, "t1"})
	if err != nil || after.DeclarationsToken != before.DeclarationsToken {
		t.Errorf("the address is part of the token (%v)", err)
	}
	if data, err := fresh.Profile(ctx, address); err != nil || !strings.Contains(string(data), "games.example") {
		t.Errorf("after a restart: %q, %v", data, err)
	}

	m.filter("other.example")
	changed := m.service()
	if other, _ := addressOf(t, changed, "t1"); other == link {
		t.Error("other content has the same address")
	}
	if _, err := changed.Profile(ctx, address); errs.KindOf(err) != errs.NotFound {
		t.Errorf("what was replaced is still served: %v", err)
	}
}

func TestWhoGuessesAnAddressCostsNothing(t *testing.T) {
	s, m := room(t)
	m.filter("games.example")
	_, address := addressOf(t, s, "t1")
	fresh := m.service()
	loads := m.loads
	for name, change := range map[string]func(*ProfileAddress){
		"another school":         func(a *ProfileAddress) { a.School = south },
		"another profile":        func(a *ProfileAddress) { a.Identifier = desired.ProfilePrefix + "accounts" },
		"another version":        func(a *ProfileAddress) { a.Version = "x" },
		"another seal":           func(a *ProfileAddress) { a.Seal = "x" },
		"a lease, not a profile": func(a *ProfileAddress) { a.Identifier = desired.LeasePrefix + "l-n1" },
	} {
		wrong := address
		change(&wrong)
		if _, err := fresh.Profile(ctx, wrong); errs.KindOf(err) != errs.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if m.loads != loads {
		t.Errorf("guesses loaded schools %d times", m.loads-loads)
	}
}

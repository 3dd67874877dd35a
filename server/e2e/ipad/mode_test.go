package ipad_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/app"
	"schulwart.org/server/config"
	"schulwart.org/server/e2e/ipad"
	"schulwart.org/server/enroll"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
)

// installation is the whole server, with a class and a clock that can be moved.
type installation struct {
	*app.App
	t       *testing.T
	teacher may.Actor
	class   org.ID

	mu    sync.Mutex
	later time.Duration
}

func (i *installation) now() time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return time.Now().Add(i.later)
}

func (i *installation) move(by time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.later += by
}

func install(t *testing.T) *installation {
	t.Helper()
	ctx := context.Background()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().String()
	_ = free.Close()
	settings := &config.Serve{Data: t.TempDir(), Listen: "127.0.0.1:0", DeviceListen: port, Timezone: "Europe/Berlin"}
	if err := settings.Settle(); err != nil {
		t.Fatal(err)
	}
	i := &installation{t: t}
	if i.App, err = app.New(ctx, app.Options{Config: settings, Log: slog.New(slog.DiscardHandler), Now: i.now}); err != nil {
		t.Fatal(err)
	}
	if err := i.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close() })
	operator := may.Actor{ID: "op", Name: "Betrieb", Via: "cli", Grants: []may.Grant{{Role: may.Operator}}}
	authority, err := i.Roster.CreateAuthority(ctx, operator, "Stadt Musterhausen", "Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	school, err := i.Roster.CreateSchool(ctx, operator, authority.ID, "Grundschule am Wald", "GSW")
	if err != nil {
		t.Fatal(err)
	}
	name, kind := "4b", org.Class
	group, err := i.Roster.CreateGroup(ctx, operator, school.ID, roster.GroupUpdate{Name: &name, Kind: &kind})
	if err != nil {
		t.Fatal(err)
	}
	i.class = group.ID
	i.teacher = may.Actor{ID: "t1", Name: "Frau Oert", Via: "console", Grants: []may.Grant{{Role: may.SchoolAdmin, Branch: school.Branch()}}}
	return i
}

func (i *installation) enrol(supervised bool) *ipad.IPad {
	i.t.Helper()
	ctx := context.Background()
	token, err := i.Enroll.CreateToken(ctx, i.teacher, enroll.NewToken{Group: i.class, For: time.Hour})
	if err != nil {
		i.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(i.Enroll.CAPEM()))
	d := &ipad.IPad{
		UDID: "00008020-000000000001", Serial: "DMPX0001", Name: "iPad 1", Supervised: supervised, Now: i.now, Authority: ipad.Trust(i.Enroll.CA()),
		Client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, Timeout: 30 * time.Second},
	}
	if err := d.Enrol(ctx, link(token.URL)); err != nil {
		i.t.Fatal(err)
	}
	i.push(d)
	return d
}

// push stands for Apple's push service.
func (i *installation) push(d *ipad.IPad) {
	i.t.Helper()
	if err := d.Connect(context.Background()); err != nil {
		i.t.Fatal(err)
	}
}

func (i *installation) start(kind lease.Kind, sites ...string) lesson.Mode {
	i.t.Helper()
	mode, err := i.Lessons.Start(context.Background(), i.teacher, lesson.Request{Group: i.class, Kind: kind, Minutes: 45, Sites: sites})
	if err != nil {
		i.t.Fatal(err)
	}
	return mode
}

// line returns what the board says of the only device.
func (i *installation) line(mode lesson.Mode) lesson.DeviceMode {
	i.t.Helper()
	_, lines, err := i.Lessons.Find(context.Background(), i.teacher, mode.ID)
	if err != nil || len(lines) != 1 {
		i.t.Fatalf("%d lines, %v", len(lines), err)
	}
	return lines[0]
}

func TestAModeReachesAnIPadAndLeavesByItself(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	mode := i.start(lease.Sites, "geogebra.org")
	if line := i.line(mode); line.State == lesson.Active {
		t.Fatal("active before the device said so")
	}
	i.push(d)
	line := i.line(mode)
	name := "org.schulwart.mode." + line.Lease.ID.String()
	profile, ok := d.Profile(name)
	if !ok || profile.RemovalDate == nil || !profile.RemovalDate.Equal(mode.Ends) {
		t.Fatalf("installed %+v until %v, the mode ends %v", profile.PayloadIdentifier, profile.RemovalDate, mode.Ends)
	}
	if line.State != lesson.Active {
		t.Fatalf("the board says %s %+v", line.State, line.Reason)
	}
	longer, err := i.Lessons.Extend(context.Background(), i.teacher, mode.ID, 10)
	if err != nil {
		t.Fatal(err)
	}
	i.push(d)
	if profile, _ := d.Profile(name); !profile.RemovalDate.Equal(longer.Ends) {
		t.Fatalf("ten minutes more did not arrive: %v", profile.RemovalDate)
	}
	i.move(longer.Ends.Sub(i.now()) + time.Second) // and the server is not asked
	if _, ok := d.Profile(name); ok {
		t.Fatal("the mode outlived its end")
	}
}

func TestAModeOnAnIPadIsEndedEarly(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	mode := i.start(lease.Sites, "geogebra.org")
	i.push(d)
	name := "org.schulwart.mode." + i.line(mode).Lease.ID.String()
	if _, ok := d.Profile(name); !ok {
		t.Fatal("never installed")
	}
	if _, err := i.Lessons.End(context.Background(), i.teacher, mode.ID); err != nil {
		t.Fatal(err)
	}
	i.push(d)
	if _, ok := d.Profile(name); ok {
		t.Fatal("still installed")
	}
	if line := i.line(mode); line.State != lesson.Ended {
		t.Fatalf("the board says %s %+v", line.State, line.Reason)
	}
}

func TestWhatAnUnsupervisedIPadCannotDoIsSaid(t *testing.T) {
	i := install(t)
	d := i.enrol(false)
	mode := i.start(lease.Offline)
	i.push(d)
	line := i.line(mode)
	if line.State != lesson.Deviating || !strings.Contains(line.Reason.Key, "not_possible") {
		t.Fatalf("the board says %s %+v", line.State, line.Reason)
	}
	if got := strings.Join(d.Handled(), " "); strings.Contains(got, "InstallProfile") {
		t.Fatalf("handled %s", got)
	}
}

func TestASupervisedIPadTakesEveryKind(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	for _, kind := range []lease.Kind{lease.Offline, lease.Screen} {
		mode, err := i.Lessons.Start(context.Background(), i.teacher, lesson.Request{Group: i.class, Kind: kind, Minutes: 10})
		if err != nil {
			t.Fatal(err)
		}
		i.push(d)
		line := i.line(mode)
		if _, ok := d.Profile("org.schulwart.mode." + line.Lease.ID.String()); !ok || line.State != lesson.Active {
			t.Fatalf("%s: the board says %s %+v", kind, line.State, line.Reason)
		}
	}
}

func TestAModeThatALockedIPadMissedNeverComesLate(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	mode := i.start(lease.Sites, "geogebra.org")
	i.move(mode.Ends.Sub(i.now()) + time.Minute) // the iPad slept through the lesson
	i.push(d)
	if got := strings.Join(d.Handled(), " "); strings.Contains(got, "InstallProfile") {
		t.Fatalf("handled %s after the mode's end", got)
	}
}

// Package gatewaytest starts the device listener over TLS with real rooms on a
// real store, for tests. Only what a device should have is made up.
package gatewaytest

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/checkin"
	"schulwart.org/server/command"
	"schulwart.org/server/enroll"
	"schulwart.org/server/errs"
	"schulwart.org/server/gateway"
	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// Rig is a running device listener.
type Rig struct {
	*gateway.Gateway
	URL      string
	Store    *store.Store
	School   org.Branch
	Class    org.ID
	Admin    may.Actor
	Presence *checkin.Presence

	t testing.TB

	mu       sync.Mutex
	later    time.Duration // how far the clock was moved
	Reports  []ddm.StatusReport
	Woken    []org.ID
	Counts   map[string]int
	Set      []ddm.Declaration // what every device should have
	streamed []org.ID
}

// Start starts a listener on a store that holds one school with one class.
func Start(t testing.TB, s *store.Store) *Rig {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Rig{t: t, Store: s, URL: "https://" + listener.Addr().String(), Counts: map[string]int{}}
	r.School, r.Class = storetest.School(t, s)
	r.Admin = may.Actor{ID: "admin", Name: "Frau Oert", Via: "console", Grants: []may.Grant{{Role: may.SchoolAdmin, Branch: r.School}}}
	r.Set = []ddm.Declaration{ddm.New(ddm.TypeOrganization, "org.schulwart.organization", map[string]string{"Name": "Schule"})}
	log := slog.New(slog.NewTextHandler(writer{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	enrolment, err := enroll.New(context.Background(), s, enroll.Options{
		Name: "Musterhausen", DeviceURL: r.URL, Issuer: "schulwart:test", Now: r.Now,
		LeaseKeys: func(context.Context) ([]lease.Key, error) { return []lease.Key{{ID: "k1", Public: public}}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Presence = checkin.NewPresence(s, r.Now)
	commands := &command.Service{Store: s, Nudger: nudger{r}, Log: log, Now: r.Now}
	r.Gateway = &gateway.Gateway{
		CheckIn:  &checkin.Service{Store: s, Presence: r.Presence, Reports: reports{r}, Synchronizer: synchronizer{commands}, Log: log, Now: r.Now},
		Commands: commands, Enroll: enrolment, Declarations: declarations{r}, Stream: stream{r}, Counters: counters{r},
		Console: "https://console.example", Log: log, Now: r.Now,
	}
	commands.Outcomes = []command.Outcomes{outcomes{r}}
	server := gateway.Server(r.Handler(), enrolment.ServerCertificate, log)
	go func() { _ = server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() { _ = server.Close() })
	return r
}

// Now is the server's clock.
func (r *Rig) Now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.later)
}

// Later moves the server's clock.
func (r *Rig) Later(by time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.later += by
}

// Token makes an enrolment token for the class.
func (r *Rig) Token(uses int, serials ...string) enroll.Token {
	r.t.Helper()
	token, err := r.Enroll.CreateToken(context.Background(), r.Admin, enroll.NewToken{Group: r.Class, Uses: uses, For: 24 * time.Hour, Serials: serials})
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

// Client returns a client that trusts the installation's authority, and shows the
// certificate if one is given.
func (r *Rig) Client(certificate ...tls.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(r.Enroll.CAPEM()))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certificate, Time: r.Now}, MaxIdleConnsPerHost: 4}
	r.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Counted returns how often something was counted.
func (r *Rig) Counted(what string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Counts[what]
}

// Said returns the reports that were passed on.
func (r *Rig) Said() []ddm.StatusReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]ddm.StatusReport(nil), r.Reports...)
}

// Streamed returns the enrolments whose streams were taken over.
func (r *Rig) Streamed() []org.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]org.ID(nil), r.streamed...)
}

type (
	nudger       struct{ *Rig }
	reports      struct{ *Rig }
	counters     struct{ *Rig }
	declarations struct{ *Rig }
	stream       struct{ *Rig }
	synchronizer struct{ *command.Service }
	outcomes     struct{ *Rig }
	writer       struct{ testing.TB }
)

func (w writer) Write(line []byte) (int, error) {
	w.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}

func (n nudger) Nudge(enrolments ...org.ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Woken = append(n.Woken, enrolments...)
}

func (o outcomes) Finished(ctx context.Context, authority, device org.ID, requestType, _ string, result mdm.Result) error {
	return o.CheckIn.Finished(ctx, authority, device, requestType, result)
}

func (r reports) Reported(_ context.Context, _ checkin.Enrolment, report ddm.StatusReport) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Rig.Reports = append(r.Rig.Reports, report)
	return nil
}

func (c counters) Count(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Counts[what]++
}

// Synchronize tells Apple devices alone: our agent comes by itself.
func (s synchronizer) Synchronize(ctx context.Context, e checkin.Enrolment) error {
	if e.Platform.Agent() {
		return nil
	}
	_, err := s.Service.Synchronize(ctx, e.Authority, e.Device)
	return err
}

func (s stream) Serve(w http.ResponseWriter, _ *http.Request, enrolment org.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streamed = append(s.streamed, enrolment)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (d declarations) Tokens(context.Context, checkin.Enrolment) (ddm.Tokens, error) {
	return ddm.Tokens{DeclarationsToken: ddm.ManifestOf(d.Set).DeclarationsToken, Timestamp: time.Unix(1, 0).UTC()}, nil
}

func (d declarations) Manifest(context.Context, checkin.Enrolment) (ddm.Manifest, error) {
	return ddm.ManifestOf(d.Set), nil
}

func (d declarations) Declaration(_ context.Context, _ checkin.Enrolment, class ddm.Class, id string) (ddm.Declaration, error) {
	for _, known := range d.Set {
		if known.Identifier == id && ddm.ClassOf(known.Type) == class {
			return known, nil
		}
	}
	return ddm.Declaration{}, errs.E(errs.NotFound, "declaration.not_found")
}

// Profile serves no profile: those come from declare (server/e2e).
func (declarations) Profile(context.Context, org.Branch, string, string, string) ([]byte, error) {
	return nil, errs.E(errs.NotFound, "declaration.not_found")
}

// Package remotetest is a small server that speaks the wire of ours, for tests
// of the agent: it enrols, serves declarations, takes reports and nudges. It is
// no school: what devices get is what the test says.
package remotetest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
)

// Issuer signs the leases.
const Issuer = "https://schule.example"

// Server is one authority with any number of devices. Its exported fields are
// set before the first request, or under Do.
type Server struct {
	*httptest.Server
	t testing.TB

	mu    sync.Mutex
	ca    *x509.Certificate
	caKey *ecdsa.PrivateKey
	Key   lease.SigningKey
	Life  time.Duration // of certificates
	Shift time.Duration // of the server's clock, as its Date header tells it
	// Quiet lets answers to reports say when no commands wait, as newer servers do.
	Quiet   bool
	devices map[string]*Device
	// Answer, if set, may answer a request itself; it then returns true.
	Answer func(w http.ResponseWriter, r *http.Request) bool
}

// Device is what the server knows of one.
type Device struct {
	UDID      string
	Messages  []mdm.CheckIn
	Reports   []ddm.StatusReport
	Results   []mdm.Result
	Commands  []mdm.Command
	Set       []ddm.Declaration
	Renewals  int
	Fetched   []string
	Streaming bool
	nudge     chan string
}

// New starts a server with its own authority.
func New(t testing.TB) *Server {
	s := &Server{t: t, Life: 365 * 24 * time.Hour, devices: map[string]*Device{}}
	s.Key = lease.SigningKey{ID: "k1", Private: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
	s.caKey = key(t)
	s.ca = s.certificate(&x509.Certificate{
		Subject: pkix.Name{CommonName: "Test authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * 365 * time.Hour),
	}, nil, &s.caKey.PublicKey)
	serverKey := key(t)
	leaf := s.certificate(&x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, s.ca, &serverKey.PublicKey)
	pool := x509.NewCertPool()
	pool.AddCert(s.ca)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.Server.TLS = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, s.ca.Raw}, PrivateKey: serverKey}},
		ClientAuth:   tls.RequestClientCert, NextProtos: []string{"http/1.1"},
	}
	s.Server.Config.ErrorLog = nil
	s.Server.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// Close ends every stream and the server.
func (s *Server) Close() {
	s.Server.CloseClientConnections()
	s.Server.Close()
}

// Link is the enrolment link.
func (s *Server) Link() string {
	sum := sha256.Sum256(s.ca.Raw)
	return s.URL + "/enroll/token#fp=" + hex.EncodeToString(sum[:])
}

// Do runs f while no request is answered.
func (s *Server) Do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Look returns a copy of what the server knows of a device, and whether it does.
func (s *Server) Look(udid string) (Device, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.devices[udid]
	if !ok {
		return Device{}, false
	}
	return *d, true
}

// UDIDs lists the devices that spoke.
func (s *Server) UDIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for udid := range s.devices {
		all = append(all, udid)
	}
	return all
}

// Give sets what a device should have, and nudges it.
func (s *Server) Give(udid string, leases ...lease.Lease) {
	var set []ddm.Declaration
	for _, l := range leases {
		set = append(set, s.Lease(l))
	}
	s.GiveSet(udid, set...)
}

// Lease returns the declaration of a signed lease.
func (s *Server) Lease(l lease.Lease) ddm.Declaration {
	jws, err := s.Key.Sign(l)
	if err != nil {
		s.t.Fatal(err)
	}
	return ddm.New(lease.DeclarationType, "org.schulwart.lease."+l.ID, map[string]any{"kid": s.Key.ID, "claims": l, "jws": jws})
}

// GiveSet sets declarations beside a base filter and the activation.
func (s *Server) GiveSet(udid string, declarations ...ddm.Declaration) {
	set := append([]ddm.Declaration{ddm.New(catalog.WebFilterType, "org.schulwart.webfilter", catalog.WebFilter{Deny: []string{"bad.example"}})}, declarations...)
	var ids []string
	for _, d := range set {
		ids = append(ids, d.Identifier)
	}
	set = append(set, ddm.Activate("org.schulwart.activation", ids))
	s.Do(func() { s.device(udid).Set = set })
	s.Nudge(udid)
}

// NewLease returns a lease for a device that runs from now on.
func NewLease(udid, id string, kind lease.Kind, lasting time.Duration) lease.Lease {
	now := time.Now().UTC().Truncate(time.Second)
	return lease.Lease{Issuer: Issuer, Subject: org.ID(udid), ID: id, Rev: 1, Kind: kind, By: "Frau Oert", NotBefore: now, Expires: now.Add(lasting), Rules: lease.Rules{Sites: []string{"geogebra.org"}}}
}

// Nudge wakes a device that holds a stream.
func (s *Server) Nudge(udid string) { s.send(udid, "data: nudge\n\n") }

// Bye ends a device's stream in good order.
func (s *Server) Bye(udid string) { s.send(udid, "event: bye\ndata: restart\n\n") }

func (s *Server) send(udid, line string) {
	s.mu.Lock()
	nudge := s.device(udid).nudge
	s.mu.Unlock()
	select {
	case nudge <- line:
	default:
	}
}

func (s *Server) device(udid string) *Device {
	d, ok := s.devices[udid]
	if !ok {
		d = &Device{UDID: udid, nudge: make(chan string, 4)}
		s.devices[udid] = d
	}
	return d
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	answer := s.Answer
	w.Header().Set("Date", time.Now().Add(s.Shift).UTC().Format(http.TimeFormat))
	s.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	switch {
	case r.URL.Path == "/healthz":
	case strings.HasPrefix(r.URL.Path, "/enroll/"):
		s.invite(w)
	case strings.HasPrefix(r.URL.Path, "/.well-known/est/"):
		s.est(w, r)
	case len(r.TLS.PeerCertificates) == 0:
		w.Header().Set(mdm.RefusalHeader, mdm.RefusedNoCertificate)
		w.WriteHeader(http.StatusBadRequest)
	case r.URL.Path == "/stream":
		s.stream(w, r)
	case r.URL.Path == "/mdm":
		s.mdm(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *Server) invite(w http.ResponseWriter) {
	writeJSON(w, map[string]any{
		"name": "Schule am Park", "device_url": s.URL, "ca": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.ca.Raw})),
		"issuer": Issuer, "lease_keys": []lease.Key{s.Key.Public()}, "bootstrap": "once", "group": "g1", "topic": mdm.AgentTopic,
	})
}

func (s *Server) est(w http.ResponseWriter, r *http.Request) {
	reenroll := strings.HasSuffix(r.URL.Path, "/simplereenroll")
	if user, password, _ := r.BasicAuth(); !reenroll && (user != "token" || password != "once") {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if reenroll && len(r.TLS.PeerCertificates) == 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	body, _ := io.ReadAll(r.Body)
	der, err := base64.StdEncoding.DecodeString(string(body))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil || request.CheckSignature() != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if reenroll {
		s.device(r.TLS.PeerCertificates[0].Subject.CommonName).Renewals++
	}
	leaf := s.certificate(&x509.Certificate{
		Subject: request.Subject, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(s.Life), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, s.ca, request.PublicKey)
	bundle, err := pkcs7.DegenerateCertificate(append(append([]byte(nil), leaf.Raw...), s.ca.Raw...))
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/pkcs7-mime; smime-type=certs-only")
	_, _ = io.WriteString(w, base64.StdEncoding.EncodeToString(bundle))
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	udid := r.TLS.PeerCertificates[0].Subject.CommonName
	s.mu.Lock()
	d := s.device(udid)
	// The newest stream is the device's: an older one may be dead without knowing.
	nudge := make(chan string, 4)
	d.Streaming, d.nudge = true, nudge
	s.mu.Unlock()
	defer s.Do(func() { d.Streaming = d.Streaming && d.nudge != nudge })
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Schulwart-Poll", "1")
	w.Header().Set("Schulwart-Heartbeat", "300")
	_, _ = io.WriteString(w, "data: nudge\n\n")
	w.(http.Flusher).Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case line := <-nudge:
			_, _ = io.WriteString(w, line)
			w.(http.Flusher).Flush()
			if strings.HasPrefix(line, "event: bye") {
				return
			}
		}
	}
}

func (s *Server) mdm(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	udid := r.TLS.PeerCertificates[0].Subject.CommonName
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.device(udid)
	if message, err := mdm.ParseCheckIn(body); err == nil {
		s.checkIn(w, d, message)
		return
	}
	result, err := mdm.ParseResult(body)
	if err != nil || result.UDID != udid {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	d.Results = append(d.Results, result)
	if len(d.Commands) == 0 {
		return
	}
	command := d.Commands[0]
	d.Commands = d.Commands[1:]
	data, err := mdm.Encode(command)
	if err != nil {
		s.t.Error(err)
	}
	_, _ = w.Write(data)
}

func (s *Server) checkIn(w http.ResponseWriter, d *Device, message mdm.CheckIn) {
	d.Messages = append(d.Messages, message)
	if message.MessageType != mdm.DeclarativeManagement {
		return
	}
	d.Fetched = append(d.Fetched, message.Endpoint)
	manifest := ddm.ManifestOf(d.Set)
	switch message.Endpoint {
	case mdm.EndpointTokens:
		writeJSON(w, ddm.SyncTokens{SyncTokens: ddm.Tokens{DeclarationsToken: manifest.DeclarationsToken, Timestamp: time.Now()}})
	case mdm.EndpointItems:
		writeJSON(w, manifest)
	case mdm.EndpointStatus:
		report, err := ddm.ParseStatus(message.Data)
		if err != nil {
			s.t.Errorf("report cannot be read: %v", err)
		}
		d.Reports = append(d.Reports, report)
		if s.Quiet && len(d.Commands) == 0 {
			w.Header().Set(mdm.CommandsHeader, mdm.NoCommands)
		}
	default:
		for _, declaration := range d.Set {
			if message.Endpoint == fmt.Sprintf("declaration/%s/%s", ddm.ClassOf(declaration.Type), declaration.Identifier) {
				writeJSON(w, declaration)
				return
			}
		}
		w.WriteHeader(http.StatusNotFound)
	}
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func key(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (s *Server) certificate(template, parent *x509.Certificate, public any) *x509.Certificate {
	template.SerialNumber, _ = rand.Int(rand.Reader, big.NewInt(1<<62))
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, s.caKey)
	if err != nil {
		s.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		s.t.Fatal(err)
	}
	return certificate
}

// Await fails the test if the condition does not come true in time.
func Await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Known returns what the server knows of a device; only under Do.
func (s *Server) Known(udid string) *Device { return s.device(udid) }

// Forget drops what a device told so far; only under Do.
func (s *Server) Forget(udid string) {
	d := s.device(udid)
	d.Messages, d.Reports, d.Results, d.Fetched = nil, nil, nil, nil
}

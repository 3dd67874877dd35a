// Command seed makes a machine believe that it was enrolled, and lays leases
// into its memory as a server would have sent them. The test of the package runs
// it in a container that reaches no server; it ships with nothing.
package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/lease"
)

const (
	issuer = "https://schulwart.test"
	// keyFile keeps the test's own signing key beside the state, so that a later
	// lease is believed too.
	keyFile = "test-signing.key"
)

// usage: seed STATE [KIND SECONDS], or: seed serve ADDRESS
func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 2 && args[0] == "serve" {
		return serve(args[1])
	}
	if len(args) != 1 && len(args) != 3 {
		return errors.New("usage: seed STATE [KIND SECONDS]")
	}
	state := args[0]
	files, err := host.OpenDir(state)
	if err != nil {
		return err
	}
	key, err := signingKey(filepath.Join(state, keyFile))
	if err != nil {
		return err
	}
	id, err := identity.Peek(files)
	if errors.Is(err, identity.ErrNone) {
		if err := enrol(files, state, key); err != nil {
			return err
		}
		id, err = identity.Peek(files)
	}
	if err != nil {
		return err
	}
	m, err := memory.Open(files)
	if err != nil {
		return err
	}
	if err := m.Believe(id.Trusted()); err != nil || len(args) == 1 {
		return err
	}
	if err := trustClock(m, host.NewClock(state).Read()); err != nil {
		return err
	}
	seconds, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	jws, err := key.Sign(lease.Lease{
		Issuer: issuer, Subject: id.Subject(), ID: "lease-" + strconv.FormatInt(now.UnixNano(), 36), Rev: 1, NotBefore: now, Expires: now.Add(time.Duration(seconds) * time.Second),
		Kind: lease.Kind(args[1]), By: "Frau Oert", Rules: lease.Rules{Sites: []string{"geogebra.org"}, Apps: []string{"org.geogebra.GeoGebra"}, Exam: examination(args[1])},
	})
	if err != nil {
		return err
	}
	return m.Update(func(s *memory.State) { s.Leases = append(s.Leases, memory.Kept{JWS: jws, Received: now}) })
}

// examination is what an examination says beyond sites and programs: what a
// container has nothing of stays open.
func examination(kind string) *lease.Examination {
	if lease.Kind(kind) != lease.Exam {
		return nil
	}
	return &lease.Examination{Title: "Mathematik", USB: true, Printing: true, Capture: true, Virtual: true, Resume: true}
}

// trustClock makes the wall clock count as confirmed by the server.
func trustClock(m *memory.Memory, now host.Reading) error {
	clock, _ := m.Clock().At(now).Confirmed(now.Wall)
	m.SetClock(clock)
	return m.Checkpoint()
}

// serve is a web site of the world outside.
func serve(address string) error {
	server := &http.Server{Addr: address, ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "the world")
	})}
	return server.ListenAndServe()
}

func signingKey(path string) (lease.SigningKey, error) {
	if data, err := os.ReadFile(path); err == nil {
		return lease.SigningKey{ID: "test", Private: data}, nil
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return lease.SigningKey{}, err
	}
	return lease.SigningKey{ID: "test", Private: private}, os.WriteFile(path, private, 0o600)
}

// enrol writes what an enrolment leaves behind: a certificate of an authority of
// its own, and who is believed.
func enrol(files host.Files, state string, signing lease.SigningKey) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "E-container"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	enrolment, err := json.Marshal(identity.Enrolment{
		UDID: "container", School: "Probeschule", DeviceURL: "https://192.0.2.1:8443", CA: string(chain), Issuer: issuer, Topic: "org.schulwart.test", LeaseKeys: []lease.Key{signing.Public()},
		PushMagic: "magic", PushToken: []byte("token"), Secret: []byte("a secret of thirty-two bytes....."), Hardware: identity.FingerprintOf(host.NewMachine(state).Hardware()), Announced: true,
	})
	if err != nil {
		return err
	}
	if err := files.Write("identity.pem", append(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), chain...)); err != nil {
		return err
	}
	return files.Write("enrolment.json", enrolment)
}

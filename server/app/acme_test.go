package app_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"

	"schulwart.org/scripts/need"
	"schulwart.org/server/setup"
)

const (
	pebble   = "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.3"
	acmeName = "mdm.schule.example"
)

// A real ACME authority (RFC 8555) proves the name, issues the certificate that
// the set-up asked for, and issues the next before the first runs out; people
// are served by each.
func TestACertificateFromAnAuthorityIsServedAndRenewed(t *testing.T) {
	const root = "SCHULWART_TEST_ACME_PEBBLE"
	program := os.Getenv(root)
	if program == "" {
		// Who an ACME authority is believed to be is read once per process.
		certificate, key := files(t, "localhost")
		again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		again.Env = append(os.Environ(), root+"="+need.Module(t, pebble), "SSL_CERT_FILE="+certificate, "SCHULWART_TEST_ACME_KEY="+key)
		said, err := again.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		return
	}
	people := freePort(t)
	authority := startPebble(t, program, os.Getenv("SSL_CERT_FILE"), os.Getenv("SCHULWART_TEST_ACME_KEY"), people)

	c := bare(t.TempDir())
	a := opened(t, c)
	save(t, a, setup.StepAddress, setup.Forms{Address: setup.Address{PublicURL: "https://" + acmeName, DeviceURL: "https://" + acmeName + ":8443"}})
	save(t, a, setup.StepCertificate, setup.Forms{Certificate: setup.Certificate{Way: setup.ACME, ACMEEmail: "technik@schule.example"}})
	shut(t, a)

	c = bare(c.Data)
	c.Listen, c.ACMEURL = people, "https://localhost:"+port(authority.directory)+"/dir"
	a = opened(t, c)
	if err := a.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer shut(t, a)

	roots := authority.roots(t)
	first := served(t, people, roots)
	deadline := time.Now().Add(2 * time.Minute)
	for {
		next := served(t, people, roots)
		if next.SerialNumber.Cmp(first.SerialNumber) != 0 {
			if !next.NotAfter.After(first.NotAfter) {
				t.Errorf("the next certificate ends at %v, the first at %v", next.NotAfter, first.NotAfter)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still the certificate that ends at %v", first.NotAfter)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// served asks for a page as a browser does, and returns the certificate that it
// came with.
func served(t *testing.T, address string, roots *x509.CertPool) *x509.Certificate {
	t.Helper()
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
	response, err := client.Get("https://" + acmeName + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the page answers %d", response.StatusCode)
	}
	return response.TLS.PeerCertificates[0]
}

type acmeAuthority struct{ directory, management string }

// startPebble runs Let's Encrypt's authority for tests. It asks for proof at the
// address of people, and its certificates last for seconds.
func startPebble(t *testing.T, program, certificate, key, people string) acmeAuthority {
	t.Helper()
	a := acmeAuthority{freePort(t), freePort(t)}
	_, tlsPort, _ := net.SplitHostPort(people)
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": a.directory, "managementListenAddress": a.management, "certificate": certificate, "privateKey": key,
		"httpPort": 1, "tlsPort": json.Number(tlsPort), "retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles": map[string]any{"default": map[string]any{"description": "seconds", "validityPeriod": 36}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pebble.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(program, "-config", file, "-dnsserver", namesFor(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the authority said:\n%s", said.String())
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", a.directory)
		if err == nil {
			_ = conn.Close()
			return a
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// roots returns whom the authority's certificates come from.
func (a acmeAuthority) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	response, err := http.Get(fmt.Sprintf("https://localhost:%s/roots/0", port(a.management)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(data) {
		t.Fatalf("no root in %q, %v", data, err)
	}
	return pool
}

// namesFor answers that the installation's name is this machine.
func namesFor(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // as Pebble asks
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: listener, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		answer := new(dns.Msg).SetReply(question)
		if q := question.Question[0]; q.Qtype == dns.TypeA && q.Name == acmeName+"." {
			answer.Answer = append(answer.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1)})
		}
		_ = w.WriteMsg(answer)
	})}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = server.Shutdown() })
	return listener.Addr().String()
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

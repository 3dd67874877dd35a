package gateway_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/smallstep/pkcs7"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
	"schulwart.org/server/enroll"
	"schulwart.org/server/gateway/gatewaytest"
)

// laptop speaks as our agent does: EST, then Apple's messages over mutual TLS.
type laptop struct {
	t      *testing.T
	rig    *gatewaytest.Rig
	udid   string
	serial string
	key    *ecdsa.PrivateKey
	cert   []byte
	client *http.Client
}

func newLaptop(t *testing.T, r *gatewaytest.Rig, n int) *laptop {
	t.Helper()
	l := &laptop{t: t, rig: r, udid: fmt.Sprintf("6a1f-%04d", n), serial: fmt.Sprintf("PF%06d", n), client: r.Client()}
	l.key = newKey(t)
	return l
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// invited opens the link as an agent does.
func (l *laptop) invited(token enroll.Token) (enroll.Invitation, int) {
	l.t.Helper()
	request, _ := http.NewRequest(http.MethodGet, l.rig.URL+"/enroll/"+token.Token, nil)
	request.Header.Set("Accept", "application/json")
	status, _, body := l.do(request)
	var invitation enroll.Invitation
	if status == http.StatusOK {
		if err := json.Unmarshal(body, &invitation); err != nil {
			l.t.Fatal(err)
		}
	}
	return invitation, status
}

func (l *laptop) request() string {
	l.t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: l.udid, SerialNumber: l.serial}}, l.key)
	if err != nil {
		l.t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// certified asks EST for a certificate; the status is that of the answer.
func (l *laptop) certified(bootstrap string) int {
	l.t.Helper()
	request, _ := http.NewRequest(http.MethodPost, l.rig.URL+"/.well-known/est/simpleenroll", strings.NewReader(l.request()))
	request.Header.Set("Content-Type", "application/pkcs10")
	request.SetBasicAuth("token", bootstrap)
	return l.took(request)
}

// renewed asks for the next certificate with a new key.
func (l *laptop) renewed() int {
	l.t.Helper()
	before := l.key
	l.key = newKey(l.t)
	request, _ := http.NewRequest(http.MethodPost, l.rig.URL+"/.well-known/est/simplereenroll", strings.NewReader(l.request()))
	status := l.took(request)
	if status != http.StatusOK {
		l.key = before
	}
	return status
}

func (l *laptop) took(request *http.Request) int {
	l.t.Helper()
	status, _, body := l.do(request)
	if status != http.StatusOK {
		return status
	}
	der, err := base64.StdEncoding.DecodeString(string(body))
	if err != nil {
		l.t.Fatal(err)
	}
	bundle, err := pkcs7.Parse(der)
	if err != nil || len(bundle.Certificates) != 1 {
		l.t.Fatalf("got %v", err)
	}
	l.cert = bundle.Certificates[0].Raw
	l.client = l.rig.Client(tls.Certificate{Certificate: [][]byte{l.cert}, PrivateKey: l.key})
	return status
}

// enrol goes the whole way.
func (l *laptop) enrol(token enroll.Token) *laptop {
	l.t.Helper()
	invitation, status := l.invited(token)
	if status != http.StatusOK {
		l.t.Fatalf("invited: %d", status)
	}
	if status := l.certified(invitation.Bootstrap); status != http.StatusOK {
		l.t.Fatalf("certified: %d", status)
	}
	l.announce()
	return l
}

func (l *laptop) announce() {
	l.t.Helper()
	l.expect(http.StatusOK, "", l.authenticate())
	l.expect(http.StatusOK, "", mdm.CheckIn{MessageType: mdm.TokenUpdate, PushMagic: "m", Token: []byte("t"), UnlockToken: []byte("geheim")})
}

func (l *laptop) authenticate() mdm.CheckIn {
	return mdm.CheckIn{MessageType: mdm.Authenticate, DeviceName: "laptop-" + l.udid, ModelName: "ThinkPad L13", ProductName: "linux", OSVersion: "Debian 12", SerialNumber: l.serial}
}

func (l *laptop) say(message mdm.CheckIn) (int, http.Header, []byte) {
	l.t.Helper()
	message.UDID = l.udid
	if message.MessageType != mdm.DeclarativeManagement {
		message.Topic = mdm.AgentTopic
	}
	return l.put(message)
}

func (l *laptop) put(message any) (int, http.Header, []byte) {
	l.t.Helper()
	body, err := mdm.Encode(message)
	if err != nil {
		l.t.Fatal(err)
	}
	request, _ := http.NewRequest(http.MethodPut, l.rig.URL+"/mdm", bytes.NewReader(body))
	return l.do(request)
}

func (l *laptop) expect(status int, reason string, message mdm.CheckIn) []byte {
	l.t.Helper()
	got, header, body := l.say(message)
	if got != status || header.Get(mdm.RefusalHeader) != reason {
		l.t.Fatalf("%s %s: %d %q %s, want %d %q", message.MessageType, message.Endpoint, got, header.Get(mdm.RefusalHeader), body, status, reason)
	}
	return body
}

func (l *laptop) ask(endpoint string, data []byte) mdm.CheckIn {
	return mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Endpoint: endpoint, Data: data}
}

func (l *laptop) report(report ddm.StatusReport) mdm.CheckIn {
	data, err := json.Marshal(report)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.ask(mdm.EndpointStatus, data)
}

func (l *laptop) do(request *http.Request) (int, http.Header, []byte) {
	l.t.Helper()
	response, err := l.client.Do(request)
	if err != nil {
		l.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return response.StatusCode, response.Header, body
}

func (l *laptop) hash() string { return enroll.Fingerprint(l.cert) }

var ctx = context.Background()

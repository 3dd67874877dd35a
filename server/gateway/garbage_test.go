package gateway_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/store/storetest"
)

func ids(text string) org.ID { return org.ID(text) }

func parse(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// selfSigned makes a certificate that claims to be of an enrolment of ours.
func selfSigned(t *testing.T, key *ecdsa.PrivateKey, enrolment, authority string) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		URIs:        []*url.URL{{Scheme: "urn", Opaque: "schulwart:enrolment:" + enrolment}, {Scheme: "urn", Opaque: "schulwart:authority:" + authority}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func squeezed(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(text))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestGarbageAtEveryEndpoint(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	before := everything(t, l)
	deep := []byte(`<plist version="1.0">` + strings.Repeat("<array>", 100_000))
	self := []byte("bplist00\xa1\x00\x08" + strings.Repeat("\x00", 6) + "\x01\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0a")
	status := func(data string) []byte {
		body, err := mdm.Encode(mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: l.udid}, Endpoint: mdm.EndpointStatus, Data: []byte(data)})
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	endpoint := func(name string) []byte {
		body, err := mdm.Encode(mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: l.udid}, Endpoint: name})
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	for name, test := range map[string]struct {
		method, path string
		body         []byte
		header       http.Header
		status       int
	}{
		"nothing":               {"PUT", "/mdm", nil, nil, 400},
		"text":                  {"PUT", "/mdm", []byte("hello"), nil, 400},
		"zeros":                 {"PUT", "/checkin", make([]byte, 1000), nil, 400},
		"a deep list":           {"PUT", "/mdm", deep, nil, 400},
		"a list of itself":      {"PUT", "/mdm", self, nil, 400},
		"too much":              {"PUT", "/mdm", make([]byte, 5<<20), nil, 400},
		"squeezed":              {"PUT", "/mdm", squeezed(t, "x"), http.Header{"Content-Encoding": {"gzip"}}, 400},
		"status of nothing":     {"PUT", "/mdm", status(""), nil, 400},
		"status of a list":      {"PUT", "/mdm", status("[]"), nil, 400},
		"status of wrong types": {"PUT", "/mdm", status(`{"StatusItems":{"org.schulwart":{"leases":7}}}`), nil, 400},
		"no endpoint":           {"PUT", "/mdm", endpoint("hello"), nil, 400},
		"no declaration":        {"PUT", "/mdm", endpoint("declaration/"), nil, 400},
		"path upwards":          {"PUT", "/mdm", endpoint("declaration/../../etc"), nil, 404},
		"a class of none":       {"PUT", "/mdm", endpoint("declaration/secret/x"), nil, 404},
		"EST without password":  {"POST", "/.well-known/est/simpleenroll", []byte("AAAA"), nil, 403},
		"EST of garbage":        {"POST", "/.well-known/est/simplereenroll", []byte("!!!!"), nil, 400},
		"EST of zeros":          {"POST", "/.well-known/est/simplereenroll", []byte("AAAA"), nil, 400},
		"EST too much":          {"POST", "/.well-known/est/simplereenroll", make([]byte, 1<<20), nil, 400},
		"SCEP of nothing":       {"POST", "/scep?operation=PKIOperation", nil, nil, 400},
		"SCEP of garbage":       {"POST", "/scep?operation=PKIOperation", bytes.Repeat([]byte{0x30, 0x80}, 500), nil, 400},
		"SCEP of no operation":  {"GET", "/scep?operation=GetNextCACert", nil, nil, 400},
		"SCEP in the address":   {"GET", "/scep?operation=PKIOperation&message=AAAA", nil, nil, 400},
		"a link of garbage":     {"GET", "/enroll/%00%ff?signed=0", nil, nil, 404},
		"a profile of nobody":   {"GET", "/profile/a/b/c/d/e", nil, nil, 404},
		"a profile upwards":     {"GET", "/profile/a/b/..%2F..%2Fetc/d/e", nil, nil, 404},
		"half an address":       {"GET", "/profile/a/b", nil, nil, 404},
		"elsewhere":             {"GET", "/etc/passwd", nil, nil, 404},
		"another method":        {"DELETE", "/mdm", nil, nil, 405},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequest(test.method, r.URL+test.path, bytes.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			for key, values := range test.header {
				request.Header[key] = values
			}
			got, _, body := l.do(request)
			if got != test.status {
				t.Errorf("answered %d %s", got, body)
			}
		})
	}
	l.expect(http.StatusOK, "", l.ask(mdm.EndpointTokens, nil))
	if after := everything(t, l); after != before {
		t.Errorf("something was harmed:\n%s\n%s", before, after)
	}
}

// everything counts the rows that garbage must not touch.
func everything(t *testing.T, l *laptop) string {
	t.Helper()
	var counts []string
	for _, table := range []string{"devices", "enrolments", "certificates", "device_states", "device_events", "commands", "enrolled_keys", "audit", "marks"} {
		counts = append(counts, table+" "+storetest.Ask(t, l.rig.Store, `SELECT COUNT(*) FROM `+table))
	}
	return strings.Join(counts, ", ")
}

func TestARequestOfFullSizeInPiecesIsBounded(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	request, _ := http.NewRequest(http.MethodPut, r.URL+"/mdm", struct{ *strings.Reader }{strings.NewReader(strings.Repeat("x", 6<<20))})
	request.ContentLength = -1
	response, err := l.client.Do(request)
	if err == nil {
		defer response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Fatalf("answered %s", response.Status)
		}
	}
}

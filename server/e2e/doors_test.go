package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // a look at the house's database

	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/api"
	"schulwart.org/server/console"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
	"schulwart.org/web"
)

// laptop is an identity without an agent behind it, to say at the device door
// what no agent of ours would.
type laptop struct {
	t      testing.TB
	h      *house
	id     *identity.Identity
	fake   *host.Fake
	client *http.Client
}

func (h *house) laptop(serial string) *laptop {
	h.t.Helper()
	fake := host.NewFake(time.Now())
	hardware := fake.Hardware()
	hardware.Serial, hardware.MachineID, hardware.ProductUUID = serial, "m-"+serial, "u-"+serial
	fake.SetHardware(hardware)
	link := made(identity.ParseLink(h.link(h.class, 1)))(h.t)
	id := made(identity.Enrol(context.Background(), fake.Files, fake, link))(h.t)
	l := &laptop{t: h.t, h: h, id: id, fake: fake}
	l.client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: id.TLS(time.Now)}}
	l.want(http.StatusOK, "", l.authenticate(serial))
	l.want(http.StatusOK, "", mdm.CheckIn{MessageType: mdm.TokenUpdate, Enrollment: mdm.Enrollment{UDID: id.UDID}, Topic: id.Topic, PushMagic: id.PushMagic, Token: id.PushToken, UnlockToken: id.Secret})
	return l
}

func (l *laptop) authenticate(serial string) mdm.CheckIn {
	return mdm.CheckIn{MessageType: mdm.Authenticate, Enrollment: mdm.Enrollment{UDID: l.id.UDID}, Topic: l.id.Topic, DeviceName: "NB-1", SerialNumber: serial}
}

func (l *laptop) tokens() mdm.CheckIn {
	return mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: l.id.UDID}, Endpoint: mdm.EndpointTokens}
}

func (l *laptop) say(message any) (status int, reason string) {
	l.t.Helper()
	body := made(mdm.Encode(message))(l.t)
	request := made(http.NewRequest(http.MethodPut, l.id.DeviceURL+"/mdm", bytes.NewReader(body)))(l.t)
	response := made(l.client.Do(request))(l.t)
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Header.Get(mdm.RefusalHeader)
}

func (l *laptop) want(status int, reason string, message any) {
	l.t.Helper()
	if got, why := l.say(message); got != status || why != reason {
		l.t.Fatalf("answered %d %q, want %d %q", got, why, status, reason)
	}
}

func TestACloneAndARetiredDeviceAreRefused(t *testing.T) {
	h := newHouse(t)
	l := h.laptop("PF000001")
	l.want(http.StatusOK, "", l.tokens())
	l.want(http.StatusBadRequest, mdm.RefusedClone, l.authenticate("PF999999"))
	l.want(http.StatusOK, "", l.tokens()) // the original goes on

	// A copied disk notices by itself, discards its key and asks for an enrolment.
	moved := l.fake.Hardware()
	moved.Serial, moved.MachineID, moved.ProductUUID = "PF000002", "m-2", "u-2"
	l.fake.SetHardware(moved)
	if _, err := identity.Open(l.fake.Files, l.fake); err == nil {
		t.Error("a copy on other hardware goes on with the key")
	}

	admin := h.person(schoolAdm)
	device := h.deviceOf("PF000001")
	made(h.app.Roster.RetireDevice(context.Background(), admin, device))(t)
	if until := made(h.app.Leave(context.Background(), admin, device))(t); !until.IsZero() {
		t.Errorf("nothing holds on it, and it may speak until %s", until)
	}
	if status, reason := l.say(l.tokens()); status != http.StatusBadRequest || reason != mdm.RefusedRevoked && reason != mdm.RefusedLeft {
		t.Errorf("a retired device is answered %d %q", status, reason)
	}
}

// The whole server behind a TLS proxy: what the named proxy says of a device's
// certificate is believed, the same from anybody else is not.
func TestOnlyTheNamedProxySpeaksForDevices(t *testing.T) {
	h := &house{t: t, config: settings(t, t.TempDir(), freePort(t), freePort(t))}
	h.config.Proxy, h.config.DeviceHeader = []string{"127.0.0.2"}, "X-Client-Cert"
	h.open()
	t.Cleanup(h.close)
	h.furnish(h.app)
	l := h.laptop("PF000001")
	own, err := l.id.TLS(time.Now).GetClientCertificate(&tls.CertificateRequestInfo{})
	must(t, err)
	header := url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate[0]})))

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(h.app.Enroll.CAPEM()))
	ask := func(from string, with http.Header) (int, string) {
		t.Helper()
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		transport := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: roots}}
		defer transport.CloseIdleConnections()
		request := made(http.NewRequest(http.MethodPut, l.id.DeviceURL+"/mdm", bytes.NewReader(made(mdm.Encode(l.tokens()))(t))))(t)
		for name, values := range with {
			request.Header[name] = values
		}
		response := made((&http.Client{Transport: transport}).Do(request))(t)
		defer response.Body.Close()
		return response.StatusCode, response.Header.Get(mdm.RefusalHeader)
	}
	for name, test := range map[string]struct {
		from   string
		with   http.Header
		status int
		reason string
	}{
		"the proxy":                    {"127.0.0.2", http.Header{"X-Client-Cert": {header}}, http.StatusOK, ""},
		"the proxy, of nobody":         {"127.0.0.2", nil, http.StatusBadRequest, mdm.RefusedNoCertificate},
		"the proxy, garbage":           {"127.0.0.2", http.Header{"X-Client-Cert": {"%ZZ"}}, http.StatusBadRequest, mdm.RefusedUnknown},
		"somebody else":                {"127.0.0.1", http.Header{"X-Client-Cert": {header}}, http.StatusBadRequest, mdm.RefusedNoCertificate},
		"somebody who names the proxy": {"127.0.0.1", http.Header{"X-Client-Cert": {header}, "X-Forwarded-For": {"127.0.0.2"}, "X-Real-Ip": {"127.0.0.2"}}, http.StatusBadRequest, mdm.RefusedNoCertificate},
		"by another header":            {"127.0.0.2", http.Header{"X-Ssl-Cert": {header}}, http.StatusBadRequest, mdm.RefusedNoCertificate},
	} {
		if status, reason := ask(test.from, test.with); status != test.status || reason != test.reason {
			t.Errorf("%s: %d %q", name, status, reason)
		}
	}
	// A device that comes directly is known by its own certificate, whatever it
	// says of others in a header.
	l.want(http.StatusOK, "", l.tokens())
}

func TestTroubleWithTheStoreIs503(t *testing.T) {
	h := newHouse(t)
	l := h.laptop("PF000001")
	program, device := h.as(schoolAdm), h.deviceOf("PF000001")
	db := made(sql.Open("sqlite", h.database()))(t)
	defer db.Close()
	for _, table := range []string{"enrolments", "certificates", "devices", "school_groups"} {
		made(db.Exec(`ALTER TABLE ` + table + ` RENAME TO gone_` + table))(t)
	}
	h.app.Checkin.Forget(h.school.Authority, device)
	if status, reason := l.say(l.tokens()); status != http.StatusServiceUnavailable || reason != "" {
		t.Errorf("a device is answered %d %q", status, reason)
	}
	if status, _ := program.do("GET", "/api/v1/devices", nil, nil); status < 500 {
		t.Errorf("a program is answered %d", status)
	}
	for _, table := range []string{"enrolments", "certificates", "devices", "school_groups"} {
		made(db.Exec(`ALTER TABLE gone_` + table + ` RENAME TO ` + table))(t)
	}
	await(t, "everything to be well again", func() bool { status, _ := l.say(l.tokens()); return status == http.StatusOK })
}

// garbage is what nobody should send.
var garbage = map[string][]byte{
	"nothing": nil, "text": []byte("hello"), "zeros": make([]byte, 4000), "a broken form": []byte("%zz=%&&=;\x00"),
	"half an object": []byte(`{"target":{"group":`), "a list": []byte(`[[[[]]]]`), "another type": []byte(`{"email":7,"kind":{},"minutes":"x","until":[],"target":[]}`),
	"a large number": []byte(`{"minutes":1e999,"uses":-9223372036854775808,"expires_in":"99999999999h"}`), "deep": []byte(strings.Repeat("[", 100_000)),
	"a plist": []byte(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><plist><dict><key>MessageType</key><integer>&a;</integer></dict></plist>`),
}

// strange takes the place of what a route has as a placeholder.
var strange = []string{"x", "%00", "..%2f..%2fetc", "%F0%9F%92%A9", strings.Repeat("a", 3000)}

var placeholder = regexp.MustCompile(`[:*][A-Za-z]+|\{[A-Za-z]+\}`)

type knock struct{ method, pattern string }

// ask knocks with one kind of garbage and returns the status.
func (k knock) ask(t testing.TB, client *http.Client, base string, body []byte, kind, word string, head http.Header) int {
	t.Helper()
	path := placeholder.ReplaceAllStringFunc(k.pattern, func(string) string { return word })
	if k.method == http.MethodGet {
		path += "?q=%00%ff&cursor=%F0&kind=x&limit=-1&device=" + word
		body = nil
	}
	request, err := http.NewRequest(k.method, base+path, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	for name, values := range head {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", kind)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	response, err := client.Do(request.WithContext(ctx))
	if err != nil {
		t.Errorf("%s %.80s: no answer: %v", k.method, path, err)
		return 0
	}
	// A stream has no end; its head is enough.
	defer response.Body.Close()
	return response.StatusCode
}

func TestGarbageAtEveryEndpointOfPeople(t *testing.T) {
	h := newHouse(t)
	// Who may do everything gets furthest inside.
	const everything = "betrieb@example.org"
	made(h.app.Staff.Create(context.Background(), may.System("e2e", org.Branch{}), staff.Seed{Name: "Frau Eva Rath", Login: everything, Password: password, Grants: boss.Grants}))(t)
	operator := h.as(everything)
	bearer := http.Header{"Authorization": {"Bearer " + operator.token}}
	jar := made(cookiejar.New(nil))(t)
	person := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response := made(person.PostForm(h.config.PublicURL+web.PathLogin, url.Values{"email": {everything}, "password": {password}}))(t)
	response.Body.Close()
	if response = made(person.Get(h.config.PublicURL + web.PathDevices))(t); response.StatusCode != http.StatusOK {
		t.Fatalf("signed in, the list of devices answers %s", response.Status)
	}
	response.Body.Close()
	stranger := &http.Client{CheckRedirect: person.CheckRedirect}

	asked := 0
	try := func(k knock, client *http.Client, kind string, head http.Header) {
		n := 0
		for name, body := range garbage {
			word := strange[n%len(strange)]
			n++
			asked++
			if status := k.ask(t, client, h.config.PublicURL, body, kind, word, head); status >= 500 {
				t.Errorf("%s %s with %s and %.20s: %d", k.method, k.pattern, name, word, status)
			}
			if k.method == http.MethodGet && n == len(strange) {
				break
			}
		}
	}
	for _, route := range console.Routes() {
		if strings.Contains(route.Pattern, web.PathLogout) {
			continue // the person would be gone for what follows
		}
		k := knock{route.Method, route.Pattern}
		try(k, person, "application/x-www-form-urlencoded", http.Header{"Sec-Fetch-Site": {"same-origin"}})
		try(k, stranger, "multipart/form-data; boundary=x", nil)
	}
	for _, route := range api.Routes() {
		k := knock{route.Method, route.Pattern}
		try(k, stranger, "application/json", bearer)
		try(k, stranger, "application/json", http.Header{"Authorization": {"Bearer a.b.c"}})
	}
	t.Logf("%d requests", asked)
	var me map[string]any
	operator.want(http.StatusOK, "GET", "/api/v1/me", nil, &me)
}

func TestGarbageAtEveryEndpointOfDevices(t *testing.T) {
	h := newHouse(t)
	l := h.laptop("PF000001")
	naked := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} //nolint:gosec // what a scanner does
	doors := []knock{
		{"PUT", "/mdm"}, {"PUT", "/checkin"}, {"GET", "/enroll/{token}"}, {"GET", "/.well-known/est/cacerts"}, {"POST", "/.well-known/est/simpleenroll"},
		{"POST", "/.well-known/est/simplereenroll"}, {"GET", "/scep"}, {"POST", "/scep"}, {"POST", "/scep?operation=PKIOperation"}, {"GET", "/healthz"},
		{"DELETE", "/mdm"}, {"POST", "/stream"}, {"GET", "/{nowhere}"}, {"PUT", "/mdm/{more}"},
	}
	heads := []http.Header{nil, {"Mdm-Signature": {"AAAA"}}, {"Authorization": {"Basic eDp5"}}, {"Content-Encoding": {"gzip"}}, {"Accept": {"application/json"}}}
	for _, k := range doors {
		for who, client := range map[string]*http.Client{"a device": l.client, "a stranger": naked} {
			n := 0
			for name, body := range garbage {
				head := heads[n%len(heads)].Clone()
				if head == nil {
					head = http.Header{}
				}
				word := strange[n%len(strange)]
				n++
				status := k.ask(t, client, l.id.DeviceURL, body, "application/octet-stream", word, head)
				if status >= 500 || status == http.StatusUnauthorized {
					t.Errorf("%s at %s %s with %s, %v: %d", who, k.method, k.pattern, name, head, status)
				}
			}
		}
	}
	// A stranger gets no stream, and no 401 either.
	if status := (knock{"GET", "/stream"}).ask(t, naked, l.id.DeviceURL, nil, "text/plain", "x", http.Header{}); status != http.StatusBadRequest && status != http.StatusForbidden {
		t.Errorf("a stranger's stream: %d", status)
	}
	l.want(http.StatusOK, "", l.tokens())
}

package gateway_test

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
	"schulwart.org/server/command"
	"schulwart.org/server/enroll"
	"schulwart.org/server/gateway/gatewaytest"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func start(t *testing.T) *gatewaytest.Rig {
	t.Helper()
	return gatewaytest.Start(t, storetest.Open(t))
}

func TestAnAgentEnrolsAndReports(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		r := gatewaytest.Start(t, s)
		l := newLaptop(t, r, 1)
		invitation, _ := l.invited(r.Token(1))
		if invitation.Name != "Grundschule am Wald" || invitation.Group != "4b" || invitation.DeviceURL != r.URL || invitation.Topic != mdm.AgentTopic || invitation.Zone != "Europe/Berlin" || len(invitation.LeaseKeys) != 1 || invitation.Issuer == "" {
			t.Fatalf("invited to %+v", invitation)
		}
		if l.certified(invitation.Bootstrap) != http.StatusOK {
			t.Fatal("no certificate")
		}
		l.expect(http.StatusBadRequest, mdm.RefusedAnew, l.ask(mdm.EndpointTokens, nil))
		l.announce()
		var tokens ddm.SyncTokens
		if err := json.Unmarshal(l.expect(http.StatusOK, "", l.ask(mdm.EndpointTokens, nil)), &tokens); err != nil || tokens.SyncTokens.DeclarationsToken == "" {
			t.Fatalf("tokens %+v, %v", tokens, err)
		}
		l.expect(http.StatusOK, "", l.ask("declaration/management/org.schulwart.organization", nil))
		l.expect(http.StatusNotFound, "", l.ask("declaration/management/org.schulwart.nothing", nil))
		battery := 71
		report := ddm.StatusReport{StatusItems: ddm.StatusItems{Agent: &ddm.AgentItems{
			Schema: 1, Version: "0.1.0", Sent: r.Now(), Leases: []ddm.LeaseStatus{}, Facts: &ddm.Facts{Platform: "linux", Serial: l.serial, Battery: &battery, Model: "ThinkPad L13 Gen 2"},
			Events: []ddm.Event{{ID: "e1", At: r.Now(), Key: "tampered"}, {ID: "e1", At: r.Now(), Key: "tampered"}},
		}}}
		l.expect(http.StatusOK, "", l.report(report))
		l.expect(http.StatusOK, "", l.report(report))
		for what, want := range map[string]string{
			`SELECT COUNT(*) FROM devices WHERE platform = 'linux' AND name = 'laptop-6a1f-0001' AND model = 'ThinkPad L13 Gen 2'`: "1",
			`SELECT COUNT(*) FROM device_states WHERE agent = '0.1.0' AND schema_no = 1 AND facts LIKE '%"battery":71%'`:           "1",
			`SELECT COUNT(*) FROM device_events`:                                      "1",
			`SELECT COUNT(*) FROM group_devices`:                                      "1",
			`SELECT COUNT(*) FROM marks WHERE device <> ''`:                           "2",
			`SELECT COUNT(*) FROM enrolments WHERE unlock_sealed NOT LIKE '%geheim%'`: "1",
			`SELECT COUNT(*) FROM audit WHERE target_kind = 'device'`:                 "1",
		} {
			if got := storetest.Ask(t, s, what); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		enrolment := storetest.Ask(t, s, `SELECT id FROM enrolments`)
		secret, err := s.ReleaseSecret(ctx, r.School.Authority, ids(enrolment))
		if err != nil || string(secret) != "geheim" {
			t.Errorf("escrowed %q, %v", secret, err)
		}
		if len(r.Said()) < 2 {
			t.Error("reports were not passed on")
		}
	})
}

func TestTheCertificateSaysForWhomItWasMade(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	cert := parse(t, l.cert)
	if cert.Subject.CommonName != l.udid || len(cert.ExtKeyUsage) != 1 || cert.URIs[0].String() != "urn:schulwart:enrolment:"+storetest.Ask(t, r.Store, `SELECT id FROM enrolments`) {
		t.Fatalf("CN %s, %v", cert.Subject.CommonName, cert.URIs)
	}
	if life := cert.NotAfter.Sub(r.Now()); life < enroll.DeviceFor-time.Hour || life > enroll.DeviceFor {
		t.Fatalf("lives %s", life)
	}
}

func TestTheSameKeyIsNoFurtherUse(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		r := gatewaytest.Start(t, s)
		token := r.Token(1)
		l := newLaptop(t, r, 1)
		first, _ := l.invited(token)
		for range 3 {
			if status := l.certified(first.Bootstrap); status != http.StatusOK {
				t.Fatalf("answer got lost, asked again: %d", status)
			}
		}
		hash := l.hash()
		second, status := l.invited(token)
		if status != http.StatusOK {
			t.Fatalf("a used-up link no longer opens for the device that used it: %d", status)
		}
		if status := l.certified(second.Bootstrap); status != http.StatusOK || l.hash() != hash {
			t.Fatalf("asked with a second invitation: %d", status)
		}
		if uses := storetest.Ask(t, s, `SELECT uses FROM enrol_tokens`); uses != "1" {
			t.Fatalf("%s uses", uses)
		}
		other := newLaptop(t, r, 2)
		if status := other.certified(second.Bootstrap); status != http.StatusForbidden {
			t.Fatalf("another key with a used password: %d", status)
		}
		third, _ := other.invited(token)
		if status := other.certified(third.Bootstrap); status != http.StatusForbidden {
			t.Fatalf("another key by a used-up token: %d", status)
		}
	})
}

func TestTokensThatLetNobodyIn(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1)
	revoked := r.Token(1)
	invitation, _ := l.invited(revoked)
	if err := r.Enroll.Revoke(ctx, r.Admin, revoked.ID); err != nil {
		t.Fatal(err)
	}
	if status := l.certified(invitation.Bootstrap); status != http.StatusForbidden {
		t.Errorf("a password made before its token was revoked: %d", status)
	}
	expiring := r.Token(1)
	late, _ := l.invited(expiring)
	r.Later(61 * time.Minute)
	if status := l.certified(late.Bootstrap); status != http.StatusForbidden {
		t.Errorf("a password after its hour: %d", status)
	}
	r.Later(24 * time.Hour)
	for name, test := range map[string]struct {
		token  enroll.Token
		status int
	}{
		"revoked": {revoked, http.StatusForbidden},
		"expired": {expiring, http.StatusForbidden},
		"forged":  {enroll.Token{Token: forged(expiring.Token)}, http.StatusNotFound},
		"garbage": {enroll.Token{Token: "x"}, http.StatusNotFound},
	} {
		if _, status := l.invited(test.token); status != test.status {
			t.Errorf("%s: %d, want %d", name, status, test.status)
		}
	}
	if status := l.certified("AAAA"); status != http.StatusForbidden {
		t.Errorf("a made-up password: %d", status)
	}
	if got := storetest.Ask(t, r.Store, `SELECT COUNT(*) FROM enrolments`); got != "0" {
		t.Errorf("%s came in", got)
	}
}

func forged(token string) string {
	parts := strings.Split(token, ".")
	body, _ := base64.RawURLEncoding.DecodeString(parts[1])
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(body), `"exp":`, `"exp":9`, 1)))
	return strings.Join(parts, ".")
}

func TestACloneIsRefusedAndTheOriginalGoesOn(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	clone := *l
	clone.serial = "PF999999"
	clone.expect(http.StatusBadRequest, mdm.RefusedClone, clone.authenticate())
	facts := ddm.StatusReport{StatusItems: ddm.StatusItems{Agent: &ddm.AgentItems{Facts: &ddm.Facts{Serial: clone.serial}}}}
	clone.expect(http.StatusBadRequest, mdm.RefusedClone, clone.report(facts))
	clone.udid = "another"
	clone.expect(http.StatusBadRequest, mdm.RefusedClone, clone.ask(mdm.EndpointTokens, nil))
	l.expect(http.StatusOK, "", l.ask(mdm.EndpointTokens, nil))
	if got := storetest.Ask(t, r.Store, `SELECT COUNT(*) FROM device_events WHERE key = 'clone'`); got != "1" {
		t.Errorf("%s notes at the device", got)
	}
	if got := storetest.Ask(t, r.Store, `SELECT COUNT(*) FROM devices WHERE serial = 'PF000001'`); got != "1" {
		t.Error("the original changed")
	}
}

func TestMachinesWithoutASerialNumberAreNotTakenForEachOther(t *testing.T) {
	r := start(t)
	token := r.Token(2)
	for n := range 2 {
		l := newLaptop(t, r, n)
		l.serial = "To Be Filled By O.E.M."
		l.enrol(token)
	}
	if got := storetest.Ask(t, r.Store, `SELECT COUNT(*) FROM devices WHERE serial = ''`); got != "2" {
		t.Fatalf("%s devices", got)
	}
}

func TestRenewal(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	old := *l
	if status := l.renewed(); status != http.StatusOK {
		t.Fatalf("renewed: %d", status)
	}
	l.expect(http.StatusOK, "", l.ask(mdm.EndpointTokens, nil))
	old.expect(http.StatusOK, "", old.ask(mdm.EndpointTokens, nil)) // the answer may have got lost
	r.Later(enroll.DeviceFor + 24*time.Hour)
	l.expect(http.StatusBadRequest, mdm.RefusedExpired, l.ask(mdm.EndpointTokens, nil))
	l.expect(http.StatusBadRequest, mdm.RefusedExpired, l.authenticate())
	r.Later(200 * 24 * time.Hour)
	if status := l.renewed(); status != http.StatusOK {
		t.Fatalf("after a dark summer: %d", status)
	}
	l.expect(http.StatusOK, "", l.ask(mdm.EndpointTokens, nil))
	r.Later(2*enroll.DeviceFor + 24*time.Hour)
	if status := l.renewed(); status != http.StatusBadRequest {
		t.Fatalf("after more than a year: %d", status)
	}
}

func TestARetiredDeviceIsRefusedAndCannotRenew(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	l.expect(http.StatusOK, "", l.ask(mdm.EndpointTokens, nil))
	storetest.Exec(t, r.Store, `UPDATE devices SET retired = 1`)
	r.CheckIn.Forget(r.School.Authority, ids(storetest.Ask(t, r.Store, `SELECT id FROM devices`)))
	l.expect(http.StatusBadRequest, mdm.RefusedRevoked, l.ask(mdm.EndpointTokens, nil))
	r.Later(enroll.DeviceFor + time.Hour)
	if status := l.renewed(); status != http.StatusBadRequest {
		t.Fatalf("renewed: %d", status)
	}
}

// A database restored from a backup knows the enrolment, but not the certificate
// that was renewed afterwards.
func TestARestoredBackupKnowsCertificatesThatWereRenewedAfterIt(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	if l.renewed() != http.StatusOK {
		t.Fatal("not renewed")
	}
	storetest.Exec(t, r.Store, `DELETE FROM certificates WHERE hash = $1`, l.hash())
	l.expect(http.StatusOK, "", l.ask(mdm.EndpointTokens, nil))
	if got := storetest.Ask(t, r.Store, `SELECT COUNT(*) FROM certificates WHERE hash = $1`, l.hash()); got != "1" {
		t.Fatal("it was not noted")
	}
}

func TestStrangersAreRefusedNeverWith401(t *testing.T) {
	r, elsewhere := start(t), start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	foreign := newLaptop(t, elsewhere, 1).enrol(elsewhere.Token(1))
	foreign.rig = r
	foreign.client = r.Client(tls.Certificate{Certificate: [][]byte{foreign.cert}, PrivateKey: foreign.key})
	foreign.expect(http.StatusBadRequest, mdm.RefusedUnknown, foreign.ask(mdm.EndpointTokens, nil))
	nobody := newLaptop(t, r, 2)
	nobody.expect(http.StatusBadRequest, mdm.RefusedNoCertificate, nobody.ask(mdm.EndpointTokens, nil))
	own := newLaptop(t, r, 3)
	own.cert = selfSigned(t, own.key, storetest.Ask(t, r.Store, `SELECT id FROM enrolments`), r.School.Authority.String())
	own.client = r.Client(tls.Certificate{Certificate: [][]byte{own.cert}, PrivateKey: own.key})
	own.udid = l.udid
	own.expect(http.StatusBadRequest, mdm.RefusedUnknown, own.ask(mdm.EndpointTokens, nil))
}

func TestTheStreamIsHandedOver(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	request, _ := http.NewRequest(http.MethodGet, r.URL+"/stream", nil)
	if status, _, _ := l.do(request); status != http.StatusOK || len(r.Streamed()) != 1 {
		t.Fatalf("answered %d, handed over %v", status, r.Streamed())
	}
	l.expect(http.StatusOK, "", mdm.CheckIn{MessageType: mdm.CheckOut})
	if status, header, _ := l.do(request); status != http.StatusBadRequest || header.Get(mdm.RefusalHeader) != mdm.RefusedLeft {
		t.Fatalf("after leaving: %d", status)
	}
}

func TestBrowsersAreLedOn(t *testing.T) {
	r := start(t)
	token := r.Token(1)
	for agent, want := range map[string]int{
		"Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0":              http.StatusSeeOther,
		"Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) Safari/604.1": http.StatusOK,
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605": http.StatusOK,
		"curl/8.5.0": http.StatusOK, // no browser: there is nobody to lead on
	} {
		request, _ := http.NewRequest(http.MethodGet, r.URL+"/enroll/"+token.Token, nil)
		request.Header.Set("User-Agent", agent)
		response, err := r.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d", agent, response.StatusCode)
		}
		if want == http.StatusSeeOther && response.Header.Get("Location") != "https://console.example/aufnehmen/"+token.Token {
			t.Errorf("led to %s", response.Header.Get("Location"))
		}
	}
}

func TestAProxySpeaksForDevicesFromItsOwnAddressOnly(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	r.Proxy.Header = "X-Client-Cert"
	body, err := mdm.Encode(mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: l.udid}, Endpoint: mdm.EndpointTokens})
	if err != nil {
		t.Fatal(err)
	}
	pem := url.PathEscape("-----BEGIN CERTIFICATE-----\n" + base64.StdEncoding.EncodeToString(l.cert) + "\n-----END CERTIFICATE-----\n")
	ask := func(value string) int {
		request, _ := http.NewRequest(http.MethodPut, r.URL+"/mdm", strings.NewReader(string(body)))
		request.Header.Set("X-Client-Cert", value)
		response, err := r.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	if status := ask(pem); status != http.StatusBadRequest {
		t.Errorf("from an address that nobody named: %d", status)
	}
	r.Proxy.From = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, test := range map[string]struct {
		value  string
		status int
	}{
		"escaped PEM": {pem, http.StatusOK},
		"DER":         {":" + base64.StdEncoding.EncodeToString(l.cert) + ":", http.StatusOK},
		"one line":    {"-----BEGIN CERTIFICATE----- " + base64.StdEncoding.EncodeToString(l.cert) + " -----END CERTIFICATE-----", http.StatusOK},
		"garbage":     {"x", http.StatusBadRequest},
	} {
		if status := ask(test.value); status != test.status {
			t.Errorf("%s: %d", name, status)
		}
	}
}

func TestTroubleOfOurOwnIs503(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	storetest.Exec(t, r.Store, `ALTER TABLE device_states RENAME TO gone`)
	status, header, _ := l.say(l.report(ddm.StatusReport{}))
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Fatalf("answered %d", status)
	}
	storetest.Exec(t, r.Store, `ALTER TABLE certificates RENAME TO lost`)
	r.CheckIn.Forget(r.School.Authority, ids(storetest.Ask(t, r.Store, `SELECT id FROM devices`)))
	if status, _, _ := l.say(l.ask(mdm.EndpointTokens, nil)); status != http.StatusServiceUnavailable {
		t.Fatalf("answered %d", status)
	}
}

func TestUsersOfADeviceAreDeclined(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	l.expect(http.StatusGone, "", mdm.CheckIn{MessageType: mdm.UserAuthenticate, Enrollment: mdm.Enrollment{UserID: "U"}})
	l.expect(http.StatusOK, "", mdm.CheckIn{MessageType: mdm.SetBootstrapToken, BootstrapToken: []byte("escrow")})
	if body := l.expect(http.StatusOK, "", mdm.CheckIn{MessageType: mdm.GetBootstrapToken}); !strings.Contains(string(body), base64.StdEncoding.EncodeToString([]byte("escrow"))) {
		t.Fatalf("got %s", body)
	}
	l.expect(http.StatusBadRequest, "", mdm.CheckIn{MessageType: mdm.GetToken, TokenServiceType: "com.apple.maid"})
}

func TestPresenceIsFlushedInBatches(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	l.expect(http.StatusOK, "", l.ask(mdm.EndpointTokens, nil))
	storetest.Exec(t, r.Store, `UPDATE device_states SET last_seen = 1`)
	if err := r.Presence.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if got := storetest.Ask(t, r.Store, `SELECT COUNT(*) FROM device_states WHERE last_seen > 1`); got != "1" {
		t.Error("nobody was seen")
	}
	if got := storetest.Ask(t, r.Store, `SELECT SUM(n) FROM contacts`); got == "" || got == "0" {
		t.Errorf("%s contacts", got)
	}
	connected, _ := r.Presence.Since(ids(storetest.Ask(t, r.Store, `SELECT id FROM devices`)))
	if !connected {
		t.Error("not in contact")
	}
	r.Later(time.Hour)
	if connected, _ := r.Presence.Since(ids(storetest.Ask(t, r.Store, `SELECT id FROM devices`))); connected {
		t.Error("in contact after an hour of silence")
	}
}

// An agent that has just reported need not ask whether commands wait, if it is
// told that none do. It must never be told so while one waits.
func TestAnAgentHearsWhetherCommandsWait(t *testing.T) {
	r := start(t)
	l := newLaptop(t, r, 1).enrol(r.Token(1))
	report := l.report(ddm.StatusReport{})
	status, head, _ := l.say(report)
	if status != http.StatusOK || head.Get(mdm.CommandsHeader) != mdm.NoCommands {
		t.Errorf("%d, %q with an empty queue", status, head.Get(mdm.CommandsHeader))
	}
	e, err := r.Store.EnrolmentByCertificate(ctx, l.hash())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Commands.Enqueue(ctx, command.Order{Authority: e.Authority, Device: e.Device, Command: mdm.DeviceInformation()}); err != nil {
		t.Fatal(err)
	}
	if _, head, _ := l.say(report); head.Get(mdm.CommandsHeader) != "" {
		t.Errorf("said %q while a command waits", head.Get(mdm.CommandsHeader))
	}
}

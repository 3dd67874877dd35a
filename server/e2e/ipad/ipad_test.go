package ipad_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/scripts/need"
	"schulwart.org/server/command"
	"schulwart.org/server/e2e/ipad"
	"schulwart.org/server/errs"
	"schulwart.org/server/gateway/gatewaytest"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func link(url string) string {
	plain, _, _ := strings.Cut(url, "#")
	return plain
}

// fresh returns an iPad whose clock is the server's plus what ahead says.
func fresh(r *gatewaytest.Rig, n int) *ipad.IPad {
	return &ipad.IPad{
		UDID: fmt.Sprintf("00008020-%012d", n), Serial: fmt.Sprintf("DMPX%04d", n), Name: fmt.Sprint("iPad ", n), Supervised: true,
		Client: r.Client(), Now: r.Now, Authority: ipad.Trust(r.Enroll.CA()),
	}
}

func enrolled(t *testing.T, r *gatewaytest.Rig, n int) *ipad.IPad {
	t.Helper()
	d := fresh(r, n)
	if err := d.Enrol(context.Background(), link(r.Token(1).URL)); err != nil {
		t.Fatal(err)
	}
	return d
}

func deviceOf(t *testing.T, r *gatewaytest.Rig, d *ipad.IPad) org.ID {
	t.Helper()
	return org.ID(storetest.Ask(t, r.Store, `SELECT id FROM devices WHERE serial = $1`, d.Serial))
}

func send(t *testing.T, r *gatewaytest.Rig, d *ipad.IPad, c mdm.Command, expires time.Time) {
	t.Helper()
	if _, err := r.Commands.Send(context.Background(), command.Order{Authority: r.School.Authority, Device: deviceOf(t, r, d), Command: c, Expires: expires}); err != nil {
		t.Fatal(err)
	}
}

func modeProfile(t *testing.T, r *gatewaytest.Rig, id string, until time.Time) mdm.Command {
	t.Helper()
	p := mdm.NewProfile(id, "Internet aus")
	until = until.UTC().Truncate(time.Second)
	p.RemovalDate = &until
	p.Add("com.apple.webcontent-filter", "web", mdm.Payload{"FilterType": "BuiltIn"})
	data, err := mdm.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := r.Enroll.SignProfile(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	return mdm.InstallProfile(signed)
}

func TestTwentyIPadsOverHTTPS(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		r := gatewaytest.Start(t, s)
		token := r.Token(20)
		devices := make([]*ipad.IPad, 20)
		faults := make([]error, len(devices))
		var all sync.WaitGroup
		for i := range devices {
			devices[i] = fresh(r, i)
			all.Go(func() { faults[i] = devices[i].Enrol(ctx, link(token.URL)) })
		}
		all.Wait()
		if err := errors.Join(faults...); err != nil {
			t.Fatal(err)
		}
		for what, want := range map[string]string{
			`SELECT COUNT(*) FROM devices WHERE platform = 'ipados'`:        "20",
			`SELECT COUNT(*) FROM enrolments WHERE state = 'enrolled'`:      "20",
			`SELECT COUNT(*) FROM group_devices WHERE source = 'enrolment'`: "20",
			`SELECT uses FROM enrol_tokens`:                                 "20",
		} {
			if got := storetest.Ask(t, s, what); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		if _, uses, err := r.Enroll.Token(ctx, r.Admin, token.ID); err != nil || len(uses) != 20 || uses[0].Serial == "" {
			t.Errorf("listed %d uses, %v", len(uses), err)
		}
		if err := fresh(r, 99).Enrol(ctx, link(token.URL)); err == nil {
			t.Error("a twenty-first came by a token for twenty")
		}
		end := r.Now().Add(45 * time.Minute)
		for _, d := range devices {
			send(t, r, d, modeProfile(t, r, "org.schulwart.mode.1", end), end)
			send(t, r, d, mdm.DeviceInformation(), time.Time{})
		}
		for i, d := range devices {
			all.Go(func() { faults[i] = d.Connect(ctx) })
		}
		all.Wait()
		if err := errors.Join(faults...); err != nil {
			t.Fatal(err)
		}
		for _, d := range devices {
			if got := strings.Join(d.Handled(), " "); got != "DeviceInformation DeclarativeManagement InstallProfile" {
				t.Errorf("%s handled %s", d.Name, got)
			}
			if _, ok := d.Profile("org.schulwart.mode.1"); !ok || d.Tokens() == "" {
				t.Errorf("%s has no mode, or no declarations", d.Name)
			}
		}
		if got := storetest.Ask(t, s, `SELECT COUNT(*) FROM enrolments WHERE supervised = TRUE`); got != "20" {
			t.Errorf("%s are known to be supervised", got)
		}
		r.Later(46 * time.Minute)
		for _, d := range devices {
			if _, ok := d.Profile("org.schulwart.mode.1"); ok {
				t.Errorf("%s still has its mode after its end", d.Name)
			}
		}
	})
}

func TestALockedIPadIsAskedAgainLater(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	ctx := context.Background()
	d := enrolled(t, r, 1)
	if err := d.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	d.Lock(true)
	send(t, r, d, modeProfile(t, r, "org.schulwart.mode.1", r.Now().Add(time.Hour)), r.Now().Add(time.Hour))
	send(t, r, d, mdm.ProfileList(), time.Time{})
	if err := d.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(d.Handled(), " "); got != "DeviceInformation DeclarativeManagement InstallProfile ProfileList" {
		t.Fatalf("in one session: %s", got)
	}
	d.Lock(false)
	if err := d.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Profile("org.schulwart.mode.1"); !ok {
		t.Fatal("the mode never came")
	}
}

func TestCheckOutEndsEverything(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	ctx := context.Background()
	d := enrolled(t, r, 1)
	send(t, r, d, mdm.ProfileList(), time.Time{})
	if err := d.CheckOut(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.Connect(ctx); err != nil || len(d.Handled()) != 0 {
		t.Fatalf("handled %v after leaving, %v", d.Handled(), err)
	}
	_, err := r.Commands.Enqueue(ctx, command.Order{Authority: r.School.Authority, Device: deviceOf(t, r, d), Command: mdm.ProfileList()})
	if !errs.Is(err, errs.Conflict) {
		t.Fatalf("who queued was told: %v", err)
	}
	if err := d.Synchronize(ctx); !refused(err, mdm.RefusedLeft) {
		t.Fatalf("declarations after leaving: %v", err)
	}
}

func refused(err error, reason string) bool {
	var r ipad.Refused
	return errors.As(err, &r) && r.Status == http.StatusBadRequest && r.Reason == reason
}

func TestReenrolmentKeepsTheDeviceAndItsGroups(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		r := gatewaytest.Start(t, s)
		ctx := context.Background()
		first := enrolled(t, r, 1)
		device := deviceOf(t, r, first)
		send(t, r, first, mdm.ProfileList(), time.Time{})
		again := fresh(r, 1)
		again.UDID, again.Serial = first.UDID, strings.ToLower(first.Serial)
		if err := again.Enrol(ctx, link(r.Token(1).URL)); err != nil {
			t.Fatal(err)
		}
		if got := deviceOf(t, r, first); got != device || storetest.Ask(t, s, `SELECT COUNT(*) FROM devices`) != "1" {
			t.Fatalf("device %s became %s", device, got)
		}
		if err := again.Connect(ctx); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(again.Handled(), " "); got != "DeviceInformation DeclarativeManagement" {
			t.Fatalf("after enrolling anew: %s (the old queue must be gone, declarations sent again)", got)
		}
		if err := first.Connect(ctx); !refused(err, mdm.RefusedRevoked) {
			t.Fatalf("the former key: %v", err)
		}
	})
}

func TestAuthenticateClearsTheQueueInMidSession(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	ctx := context.Background()
	d := enrolled(t, r, 1)
	send(t, r, d, mdm.ProfileList(), time.Time{})
	d.Name = "renamed" // the same message within the same second would be a replay
	if err := d.Authenticate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.Connect(ctx); err != nil || len(d.Handled()) != 0 {
		t.Fatalf("between Authenticate and TokenUpdate: %v, %v", d.Handled(), err)
	}
	if err := d.TokenUpdate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.Connect(ctx); err != nil || strings.Join(d.Handled(), " ") != "DeviceInformation DeclarativeManagement" {
		t.Fatalf("afterwards: %v, %v", d.Handled(), err)
	}
}

func TestASecondDeviceCannotUseAChallenge(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	ctx := context.Background()
	token := r.Token(5)
	response, err := r.Client().Get(link(token.URL) + "?signed=0")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body bytes.Buffer
	_, _ = body.ReadFrom(response.Body)
	// Both get the same profile, as when one passes it on.
	same := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-apple-aspen-config")
		_, _ = w.Write(body.Bytes())
	})
	address := serve(t, same)
	if err := fresh(r, 1).InstallEnrolment(ctx, address); err != nil {
		t.Fatal(err)
	}
	if err := fresh(r, 2).InstallEnrolment(ctx, address); !errors.Is(err, ipad.ErrSCEP) {
		t.Fatalf("the second: %v", err)
	}
	if got := storetest.Ask(t, r.Store, `SELECT uses FROM enrol_tokens`); got != "1" {
		t.Fatalf("%s uses", got)
	}
}

func TestSignaturesAreChecked(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	ctx := context.Background()
	d, other := enrolled(t, r, 1), enrolled(t, r, 2)
	body, err := mdm.Encode(mdm.Result{Enrollment: mdm.Enrollment{UDID: d.UDID}, Status: mdm.Idle})
	if err != nil {
		t.Fatal(err)
	}
	signature, err := d.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	stranger := fresh(r, 3)
	for name, test := range map[string]struct {
		body      []byte
		signature string
		reason    string
	}{
		"fits":                 {body, signature, ""},
		"replayed":             {body, signature, ""},
		"none":                 {body, "", mdm.RefusedNoCertificate},
		"of another body":      {append(bytes.Clone(body), '\n'), signature, mdm.RefusedUnknown},
		"no base64":            {body, "%%%", mdm.RefusedUnknown},
		"no CMS":               {body, "AAAA", mdm.RefusedUnknown},
		"of another device":    {body, mustSign(t, other, body), mdm.RefusedClone},
		"by a foreign device":  {body, mustSign(t, strangerFrom(t, stranger), body), mdm.RefusedUnknown},
		"garbage, well signed": {[]byte("garbage"), mustSign(t, d, []byte("garbage")), mdm.RefusedMessage},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.PutSigned(ctx, d.ServerURL(), test.body, test.signature)
			if test.reason == "" && err != nil || test.reason != "" && !refused(err, test.reason) {
				t.Fatalf("answered %v", err)
			}
		})
	}
}

func TestAReplayChangesNothing(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		r := gatewaytest.Start(t, s)
		ctx := context.Background()
		d := fresh(r, 1)
		if err := d.InstallEnrolment(ctx, link(r.Token(1).URL)); err != nil {
			t.Fatal(err)
		}
		first, err := mdm.Encode(mdm.CheckIn{MessageType: mdm.Authenticate, Enrollment: mdm.Enrollment{UDID: d.UDID}, Topic: "com.apple.mgmt.x", SerialNumber: d.Serial})
		if err != nil {
			t.Fatal(err)
		}
		signature := mustSign(t, d, first)
		say := func() {
			t.Helper()
			if _, err := d.PutSigned(ctx, d.ServerURL(), first, signature); err != nil {
				t.Fatal(err)
			}
		}
		say()
		if err := d.TokenUpdate(ctx); err != nil {
			t.Fatal(err)
		}
		say() // heard by somebody at the proxy, and sent again
		if got := storetest.Ask(t, s, `SELECT state FROM enrolments`); got != "enrolled" {
			t.Fatalf("the device is %s", got)
		}
		if err := d.Connect(ctx); err != nil || len(d.Handled()) != 2 {
			t.Fatalf("handled %v, %v", d.Handled(), err)
		}
	})
}

func TestALinkOfOneSchoolDoesNotCarryOffTheDevicesOfAnother(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		r := gatewaytest.Start(t, s)
		ctx := context.Background()
		mine := enrolled(t, r, 1)
		storetest.Exec(t, s, `INSERT INTO schools (authority, id, name, created) VALUES ($1, 'other', 'Realschule', 1)`, r.School.Authority)
		storetest.Exec(t, s, `UPDATE devices SET school = 'other'`)
		thief := fresh(r, 2)
		thief.Serial = mine.Serial
		if err := thief.Enrol(ctx, link(r.Token(1).URL)); err != nil {
			t.Fatal(err)
		}
		if got := storetest.Ask(t, s, `SELECT COUNT(*) FROM devices`); got != "2" {
			t.Fatalf("%s devices", got)
		}
		if err := mine.Connect(ctx); err != nil {
			t.Fatalf("the original: %v", err)
		}
		if err := mine.CheckOut(ctx); err != nil {
			t.Fatal(err)
		}
		if err := thief.CheckOut(ctx); err != nil {
			t.Fatal(err)
		}
		moved := fresh(r, 3)
		moved.Serial = mine.Serial
		if err := moved.Enrol(ctx, link(r.Token(1).URL)); err != nil {
			t.Fatal(err)
		}
		if got := storetest.Ask(t, s, `SELECT COUNT(*) FROM devices`); got != "2" {
			t.Fatalf("%s devices after it moved in good order", got)
		}
	})
}

// strangerFrom enrols the device in another installation.
func strangerFrom(t *testing.T, d *ipad.IPad) *ipad.IPad {
	t.Helper()
	elsewhere := gatewaytest.Start(t, storetest.Open(t))
	d.Client = elsewhere.Client()
	if err := d.Enrol(context.Background(), link(elsewhere.Token(1).URL)); err != nil {
		t.Fatal(err)
	}
	return d
}

func mustSign(t *testing.T, d *ipad.IPad, body []byte) string {
	t.Helper()
	signature, err := d.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func TestASignatureOpensNoStream(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	d := enrolled(t, r, 1)
	request, err := http.NewRequest(http.MethodGet, r.URL+"/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Mdm-Signature", mustSign(t, d, nil))
	response, err := r.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadRequest || len(r.Streamed()) != 0 {
		t.Fatalf("answered %s", response.Status)
	}
}

func TestTheSameDeviceMayUseMutualTLS(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	d := enrolled(t, r, 1)
	cert, key := d.Certificate()
	d.Client = r.Client(tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key})
	body, err := mdm.Encode(mdm.Result{Enrollment: mdm.Enrollment{UDID: d.UDID}, Status: mdm.Idle})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.PutSigned(context.Background(), d.ServerURL(), body, ""); err != nil {
		t.Fatal(err)
	}
}

func TestATokenForOtherSerialNumbers(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	token := r.Token(5, "DMPX0001", "DMPX0002")
	if err := fresh(r, 3).Enrol(context.Background(), link(token.URL)); !refused(err, mdm.RefusedSerial) {
		t.Fatalf("a machine that is not on the list: %v", err)
	}
	if err := fresh(r, 2).Enrol(context.Background(), link(token.URL)); err != nil {
		t.Fatal(err)
	}
}

// The signature must hold for others than ourselves.
func TestOpenSSLBelievesTheProfile(t *testing.T) {
	openssl := need.Tool(t, "openssl")
	r := gatewaytest.Start(t, storetest.Open(t))
	signed, err := r.Enroll.Profile(context.Background(), r.Token(1).Token, true)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "profile"), signed)
	write(t, filepath.Join(dir, "ca.pem"), []byte(r.Enroll.CAPEM()))
	out, err := exec.Command(openssl, "cms", "-verify", "-inform", "DER", "-in", filepath.Join(dir, "profile"), "-CAfile", filepath.Join(dir, "ca.pem"), "-out", filepath.Join(dir, "out")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

package ipad_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"

	"schulwart.org/policies/mdm"
	"schulwart.org/scripts/need"
	"schulwart.org/server/e2e/ipad"
	"schulwart.org/server/gateway/gatewaytest"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

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

// A profile that was handed out is good for one device, whatever became of the
// process that made it.
func TestAChallengeSurvivesARestart(t *testing.T) {
	s := storetest.Open(t)
	before := gatewaytest.Start(t, s)
	ctx := context.Background()
	response, err := before.Client().Get(link(before.Token(5).URL) + "?signed=0")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var profile bytes.Buffer
	_, _ = profile.ReadFrom(response.Body)
	install := func(after *gatewaytest.Rig, n int) error {
		// The rig is started at another address each time, a server is not.
		body := bytes.ReplaceAll(profile.Bytes(), []byte(before.URL), []byte(after.URL))
		address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-apple-aspen-config")
			_, _ = w.Write(body)
		}))
		return fresh(after, n).InstallEnrolment(ctx, address)
	}
	if err := install(gatewaytest.Start(t, s), 1); err != nil {
		t.Fatalf("after a restart: %v", err)
	}
	if err := install(gatewaytest.Start(t, s), 2); !errors.Is(err, ipad.ErrSCEP) {
		t.Fatalf("used before a restart, and after it again: %v", err)
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

package setup_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/setup"
	"schulwart.org/server/store/storetest"
)

// neighbours are the rooms beside the set-up.
type neighbours struct {
	first []setup.First
	mail  setup.Mail
	lock  string
	plan  setup.Backup
	fault error
}

func (n *neighbours) Any(context.Context) (bool, error) { return len(n.first) > 0, nil }
func (n *neighbours) Begin(_ context.Context, permit may.Permit, first setup.First) error {
	if !permit.Valid() {
		return errors.New("no permit")
	}
	n.first = append(n.first, first)
	return nil
}
func (n *neighbours) Save(_ context.Context, m setup.Mail) error { n.mail = m; return nil }
func (n *neighbours) Try(context.Context, setup.Mail) error      { return n.fault }
func (n *neighbours) SetLock(_ context.Context, _ may.Actor, lock string) error {
	n.lock = lock
	return nil
}

func (n *neighbours) SetPlan(form setup.Backup) { n.plan = form }

type house struct {
	*setup.Service
	t    *testing.T
	near *neighbours
	at   time.Time
}

func build(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, near: &neighbours{}, at: time.Now()}
	h.Service = &setup.Service{
		Store: storetest.Open(t), People: h.near, Mailer: h.near, Backups: h.near, Instance: "this very process", Data: t.TempDir(),
		Now: func() time.Time { return h.at },
		Resolve: func(_ context.Context, host string) ([]string, error) {
			switch host {
			case "here.schule.example", "127.0.0.1":
				return []string{"127.0.0.1"}, nil
			case "mdm.schule.de":
				return []string{"198.51.100.7", "192.168.1.2"}, nil
			case "inside.schule.de":
				return []string{"192.168.1.2"}, nil
			}
			return nil, fmt.Errorf("lookup %s: no such host", host)
		},
	}
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// enter goes through the printed link.
func (h *house) enter() may.Actor {
	h.t.Helper()
	link, err := h.Link(h.t.Context())
	h.must(err)
	key, err := h.Enter(h.t.Context(), link)
	h.must(err)
	actor, err := h.Actor(h.t.Context(), key, "127.0.0.1")
	h.must(err)
	return actor
}

func fault(err error) string {
	if f := errs.Find(err); f != nil {
		return f.Key
	}
	return fmt.Sprint(err)
}

// told writes checks as "key state mend".
func told(checks []setup.Check) string {
	var lines []string
	for _, c := range checks {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", c.Key, c.State, c.Mend)))
	}
	return strings.Join(lines, ", ")
}

func TestTheLinkWorksOnce(t *testing.T) {
	ctx, h := t.Context(), build(t)
	link, err := h.Link(ctx)
	h.must(err)
	if _, err := h.Enter(ctx, "geraten"); fault(err) != "setup.bad_link" {
		t.Errorf("a guess: %v", err)
	}
	if _, err := h.Enter(ctx, ""); fault(err) != "setup.bad_link" {
		t.Errorf("nothing: %v", err)
	}
	key, err := h.Enter(ctx, link)
	h.must(err)
	if _, err := h.Enter(ctx, link); fault(err) != "setup.bad_link" {
		t.Errorf("twice: %v", err)
	}
	actor, err := h.Actor(ctx, key, "192.0.2.1")
	h.must(err)
	if _, err := h.Status(ctx, may.Actor{ID: "t", Grants: []may.Grant{{Role: may.Teacher}}}); !errs.Is(err, errs.Denied) {
		t.Errorf("a teacher reads the set-up: %v", err)
	}
	// The browser is lost: a restart prints another link, and the old key goes on
	// until the new one is used.
	again, err := h.Link(ctx)
	h.must(err)
	if again == link || again == "" {
		t.Error("the same link twice")
	}
	_, err = h.Save(ctx, actor, setup.StepFirst, setup.Forms{First: setup.First{Authority: "Musterstadt"}})
	h.must(err)
	if link, err := h.Link(ctx); err != nil || link != "" {
		t.Errorf("a link although somebody has a login: %q %v", link, err)
	}
	_, err = h.Save(ctx, actor, setup.StepDone, setup.Forms{})
	h.must(err)
	if _, err := h.Actor(ctx, key, ""); fault(err) != "setup.bad_link" {
		t.Errorf("the key works after the end: %v", err)
	}
	if _, err := h.Enter(ctx, again); fault(err) != "setup.bad_link" {
		t.Errorf("the second link works after the end: %v", err)
	}
}

func TestStepsCanBeLeftAndResumed(t *testing.T) {
	ctx, h := t.Context(), build(t)
	actor := h.enter()
	status, err := h.Status(ctx, actor)
	h.must(err)
	if status.Next != setup.StepAddress || status.Done {
		t.Errorf("at first: %+v", status)
	}
	if _, err := h.Save(ctx, actor, setup.StepDone, setup.Forms{}); fault(err) != "setup.nobody_yet" {
		t.Errorf("done without anybody: %v", err)
	}
	for _, step := range []setup.Step{setup.StepFirst, setup.StepDone} {
		if err := h.Skip(ctx, actor, step); fault(err) != "setup.cannot_skip" {
			t.Errorf("%s was skipped: %v", step, err)
		}
	}
	_, err = h.Save(ctx, actor, setup.StepAddress, setup.Forms{Address: setup.Address{PublicURL: "https://here.schule.example/", DeviceURL: "https://here.schule.example:8443"}})
	h.must(err)
	h.must(h.Skip(ctx, actor, setup.StepListeners))
	h.must(h.Skip(ctx, actor, setup.StepMail))
	// A new process goes on where the old one was.
	other := *h.Service
	status, err = other.Status(ctx, actor)
	h.must(err)
	if status.Next != setup.StepCertificate || status.States[setup.StepAddress] != setup.OK || status.States[setup.StepMail] != setup.Skipped || status.Forms.Address.PublicURL != "https://here.schule.example" {
		t.Errorf("resumed: %+v", status)
	}
}

func TestAddresses(t *testing.T) {
	ctx, h := t.Context(), build(t)
	actor := h.enter()
	for name, c := range map[string]struct{ public, device, told string }{
		"both here":    {"https://here.schule.example", "https://here.schule.example:8443", "address.name ok, address.here ok, address.name ok, address.here ok"},
		"behind":       {"https://mdm.schule.de", "https://mdm.schule.de:8443", "address.name ok, address.elsewhere ok, address.name ok, address.elsewhere ok"},
		"no such name": {"https://nirgends.schule.example", "https://here.schule.example:8443", "address.name failed dns_missing, address.name ok, address.here ok"},
		"no address":   {"schulwart", "https://here.schule.example:8443", "address.form failed setup_bad_url"},
		"plain":        {"http://here.schule.example", "https://here.schule.example:8443", "address.form failed setup_not_https"},
		"plain device": {"https://here.schule.example", "http://127.0.0.1:8443", "address.form failed setup_not_https"},
		"the same":     {"https://here.schule.example", "https://here.schule.example/", "address.form failed setup_same_url"},
	} {
		checks, err := h.Check(ctx, actor, setup.StepAddress, setup.Forms{Address: setup.Address{PublicURL: c.public, DeviceURL: c.device}})
		h.must(err)
		if told(checks) != c.told {
			t.Errorf("%s: %s", name, told(checks))
		}
	}
	if _, err := h.Save(ctx, actor, setup.StepAddress, setup.Forms{Address: setup.Address{PublicURL: "x", DeviceURL: "y"}}); fault(err) != "setup.bad_url" {
		t.Errorf("nonsense was kept: %v", err)
	}
}

// door is a TLS server that answers as some process.
func door(t *testing.T, instance string) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != setup.InstancePath {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, instance)
	}))
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return server, pool
}

func TestBothDoorsAreKnockedAt(t *testing.T) {
	ctx, h := t.Context(), build(t)
	actor := h.enter()
	mine, trusted := door(t, h.Instance)
	device, deviceRoots := door(t, h.Instance)
	stranger, _ := door(t, "somebody else")
	silent := httptest.NewTLSServer(http.NotFoundHandler()) // speaks to devices only
	t.Cleanup(silent.Close)
	deviceRoots.AddCert(silent.Certificate())
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	gone := strings.Replace(closed.URL, "http://", "https://", 1)
	for name, c := range map[string]struct {
		public, device string
		roots          *x509.CertPool
		told           string
	}{
		"all well":               {mine.URL, device.URL, trusted, "listeners.reached ok, listeners.reached ok"},
		"a silent device door":   {mine.URL, silent.URL, trusted, "listeners.reached ok, listeners.reached ok"},
		"a silent console":       {silent.URL, device.URL, trusted, "listeners.reached failed door_of_another, listeners.reached ok"},
		"self-signed":            {mine.URL, device.URL, x509.NewCertPool(), "listeners.trust failed certificate_self_signed, listeners.reached ok, listeners.reached ok"},
		"another process":        {stranger.URL, device.URL, trusted, "listeners.reached failed door_of_another, listeners.reached ok"},
		"nobody there":           {gone, device.URL, trusted, "listeners.reached failed door_refused, listeners.reached ok"},
		"a proxy opens the TLS":  {mine.URL, stranger.URL, trusted, "listeners.reached ok, listeners.device_trust failed device_tls_broken"},
		"the device door closed": {mine.URL, gone, trusted, "listeners.reached ok, listeners.reached failed door_refused"},
	} {
		h.Roots = c.roots
		h.DeviceRoots = func() *x509.CertPool { return deviceRoots }
		if c.device == stranger.URL {
			h.DeviceRoots = func() *x509.CertPool { return x509.NewCertPool() }
		}
		_, err := h.Save(ctx, actor, setup.StepAddress, setup.Forms{Address: setup.Address{PublicURL: c.public, DeviceURL: c.device}})
		h.must(err)
		checks, err := h.Save(ctx, actor, setup.StepListeners, setup.Forms{})
		h.must(err)
		if told(checks) != c.told {
			t.Errorf("%s: %s %+v", name, told(checks), checks)
		}
	}
}

// certificate writes a certificate and its key, signed by an authority of its
// own.
func certificate(t *testing.T, host string, until time.Time) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	make := func(template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	rootKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rootTemplate := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(9, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	root := make(rootTemplate, rootTemplate, rootKey, rootKey)
	leaf := make(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: until}, root, key, rootKey)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: leaf.Raw}, keyFile: {Type: "EC PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AddCert(root)
	return certFile, keyFile, roots
}

func TestOwnCertificateFiles(t *testing.T) {
	ctx, h := t.Context(), build(t)
	actor := h.enter()
	_, err := h.Save(ctx, actor, setup.StepAddress, setup.Forms{Address: setup.Address{PublicURL: "https://mdm.schule.de", DeviceURL: "https://mdm.schule.de:8443"}})
	h.must(err)
	for name, c := range map[string]struct {
		host  string
		days  int
		known bool
		told  string
	}{
		"fine":         {"mdm.schule.de", 200, true, "certificate.read ok, certificate.host ok, certificate.dates ok, certificate.chain ok"},
		"another host": {"www.schule.de", 200, true, "certificate.read ok, certificate.host failed certificate_other_host, certificate.dates ok, certificate.chain ok"},
		"expired":      {"mdm.schule.de", -1, true, "certificate.read ok, certificate.host ok, certificate.dates failed certificate_expired, certificate.chain ok"},
		"ends soon":    {"mdm.schule.de", 10, true, "certificate.read ok, certificate.host ok, certificate.dates failed certificate_ends_soon, certificate.chain ok"},
		"half a chain": {"mdm.schule.de", 200, false, "certificate.read ok, certificate.host ok, certificate.dates ok, certificate.chain failed certificate_chain"},
	} {
		cert, key, roots := certificate(t, c.host, time.Now().AddDate(0, 0, c.days))
		if h.Roots = roots; !c.known {
			h.Roots = x509.NewCertPool()
		}
		checks, err := h.Check(ctx, actor, setup.StepCertificate, setup.Forms{Certificate: setup.Certificate{Way: setup.OwnFiles, CertFile: cert, KeyFile: key}})
		h.must(err)
		if told(checks) != c.told {
			t.Errorf("%s: %s", name, told(checks))
		}
	}
	checks, err := h.Check(ctx, actor, setup.StepCertificate, setup.Forms{Certificate: setup.Certificate{Way: setup.OwnFiles, CertFile: "/nicht/da", KeyFile: "/nicht/da"}})
	h.must(err)
	if told(checks) != "certificate.read failed certificate_files" {
		t.Errorf("no files: %s", told(checks))
	}
}

func TestACMEAndProxy(t *testing.T) {
	ctx, h := t.Context(), build(t)
	actor := h.enter()
	for name, c := range map[string]struct{ public, told string }{
		"public":       {"https://mdm.schule.de", "certificate.acme_name ok, certificate.acme_dns ok"},
		"inside":       {"https://inside.schule.de", "certificate.acme_name ok, certificate.acme_dns failed acme_needs_public_address"},
		"another port": {"https://mdm.schule.de:8080", "certificate.acme_name ok, certificate.acme_port failed acme_needs_443"},
		"no name":      {"https://127.0.0.1", "certificate.acme_name failed acme_needs_public_name"},
		"local":        {"https://schulwart.local", "certificate.acme_name failed acme_needs_public_name"},
	} {
		_, err := h.Save(ctx, actor, setup.StepAddress, setup.Forms{Address: setup.Address{PublicURL: c.public, DeviceURL: "https://d.schule.example:8443"}})
		h.must(err)
		checks, err := h.Check(ctx, actor, setup.StepCertificate, setup.Forms{Certificate: setup.Certificate{Way: setup.ACME}})
		h.must(err)
		if told(checks) != c.told {
			t.Errorf("%s: %s", name, told(checks))
		}
	}
	for proxy, want := range map[string]string{"10.0.0.5": "<nil>", "10.0.0.0/24": "<nil>", "der da": "setup.bad_proxy"} {
		if _, err := h.Save(ctx, actor, setup.StepCertificate, setup.Forms{Certificate: setup.Certificate{Way: setup.Proxy, Proxy: proxy}}); fault(err) != want {
			t.Errorf("%s: %v", proxy, err)
		}
	}
}

func TestMailAndBackup(t *testing.T) {
	ctx, h := t.Context(), build(t)
	actor := h.enter()
	h.near.fault = errs.E(errs.Unavailable, "mail.login").Because(errors.New("535 bad"))
	checks, err := h.Save(ctx, actor, setup.StepMail, setup.Forms{Mail: setup.Mail{Host: "mail.schule.example", Port: 587, Password: "geheim", To: "a@b.example"}})
	h.must(err)
	if told(checks) != "mail.sent failed mail_login" || !strings.Contains(checks[0].Detail, "535 bad") {
		t.Errorf("mail: %+v", checks)
	}
	status, err := h.Status(ctx, actor)
	h.must(err)
	if status.States[setup.StepMail] != setup.Failed || status.Forms.Mail.Password != "" || status.Forms.Mail.Host == "" {
		t.Errorf("kept: %+v", status.Forms.Mail)
	}
	identity, err := age.GenerateX25519Identity()
	h.must(err)
	folder := filepath.Join(t.TempDir(), "sicherung")
	checks, err = h.Save(ctx, actor, setup.StepBackup, setup.Forms{Backup: setup.Backup{Directory: folder, Recipient: identity.Recipient().String(), Hour: 2}})
	h.must(err)
	if !strings.HasPrefix(told(checks), "backup.write ok") || h.near.lock != identity.Recipient().String() || h.near.plan.Directory != folder || h.near.plan.Hour != 2 {
		t.Errorf("backup: %s, locked to %q", told(checks), h.near.lock)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*")); len(left) != 0 {
		t.Errorf("the trial left %q", left)
	}
	blocked := filepath.Join(t.TempDir(), "datei")
	h.must(os.WriteFile(blocked, nil, 0o600))
	checks, err = h.Check(ctx, actor, setup.StepBackup, setup.Forms{Backup: setup.Backup{Directory: filepath.Join(blocked, "x"), Recipient: identity.Recipient().String()}})
	h.must(err)
	if told(checks) != "backup.write failed backup_folder" {
		t.Errorf("a folder that cannot be: %s", told(checks))
	}
	for name, b := range map[string]setup.Backup{"setup.directory_not_absolute": {Directory: "hier"}, "setup.bad_hour": {Directory: folder, Hour: 24}, "backup.bad_recipient": {Directory: folder, Recipient: "age1nichts"}} {
		if _, err := h.Save(ctx, actor, setup.StepBackup, setup.Forms{Backup: b}); fault(err) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all, err := h.All(ctx, actor); err != nil || len(all) == 0 {
		t.Errorf("all checks again: %+v %v", all, err)
	}
}

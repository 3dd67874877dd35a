package app_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"schulwart.org/server/app"
	"schulwart.org/server/backup"
	"schulwart.org/server/config"
	"schulwart.org/server/may"
	"schulwart.org/server/setup"
)

var operator = may.Actor{ID: "op", Name: "Betrieb", Via: "console", Grants: []may.Grant{{Role: may.Operator}}}

// opened is an installation on its data that serves nobody yet.
func opened(t *testing.T, c *config.Serve) *app.App {
	t.Helper()
	if err := c.Settle(); err != nil {
		t.Fatal(err)
	}
	a, err := app.New(context.Background(), app.Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func shut(t *testing.T, a *app.App) {
	t.Helper()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func bare(data string) *config.Serve {
	return &config.Serve{Data: data, Listen: "127.0.0.1:0", DeviceListen: "127.0.0.1:0", Timezone: "Europe/Berlin"}
}

func save(t *testing.T, a *app.App, step setup.Step, forms setup.Forms) {
	t.Helper()
	if _, err := a.Setup.Save(context.Background(), operator, step, forms); err != nil {
		t.Fatal(err)
	}
}

// files writes a certificate that signed itself, with its key.
func files(t *testing.T, host string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

func TestWhatWasChosenAtTheSetUpIsTakenOverAtTheStart(t *testing.T) {
	data, folder := t.TempDir(), t.TempDir()
	certificate, key := files(t, "mdm.schule.example")
	a := opened(t, bare(data))
	recipient, _, err := backup.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	save(t, a, setup.StepAddress, setup.Forms{Address: setup.Address{PublicURL: "https://mdm.schule.example", DeviceURL: "https://mdm.schule.example:8443"}})
	save(t, a, setup.StepCertificate, setup.Forms{Certificate: setup.Certificate{Way: setup.OwnFiles, CertFile: certificate, KeyFile: key}})
	save(t, a, setup.StepBackup, setup.Forms{Backup: setup.Backup{Directory: folder, Recipient: recipient, Hour: 4}})
	shut(t, a)

	a = opened(t, bare(data))
	c := a.Config
	if c.PublicURL != "https://mdm.schule.example" || c.DeviceURL != "https://mdm.schule.example:8443" || c.BackupDir != folder || c.Certificate != certificate || c.PrivateKey != key || !c.TLS() {
		t.Errorf("taken over: %+v", c)
	}
	if plan := a.Backup.Plan(); plan.Dir != folder || plan.Hour != 4 {
		t.Errorf("backups: %+v", plan)
	}
	shut(t, a)

	// Flags, environment and file win over what was chosen.
	named := bare(data)
	named.PublicURL, named.BackupDir, named.Proxy = "https://other.schule.example", t.TempDir(), []string{"10.0.0.5"}
	wanted := *named
	a = opened(t, named)
	defer shut(t, a)
	c = a.Config
	if c.PublicURL != wanted.PublicURL || c.BackupDir != wanted.BackupDir || c.DeviceURL != "https://mdm.schule.example:8443" {
		t.Errorf("named: %+v", c)
	}
	if c.Certificate != "" || len(c.Proxy) != 1 || c.Proxy[0] != "10.0.0.5" {
		t.Errorf("a proxy was named, and the certificate is %q behind %v", c.Certificate, c.Proxy)
	}
}

// Folder and hour of backups are in force at once; addresses and certificate
// wait for a restart, and the set-up says so.
func TestWhatTheSetUpChoosesIsInForceOrSaysThatItWaits(t *testing.T) {
	ctx, folder := context.Background(), t.TempDir()
	recipient, _, err := backup.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	waiting := func(a *app.App) []setup.Step {
		t.Helper()
		status, err := a.Setup.Status(ctx, operator)
		if err != nil {
			t.Fatal(err)
		}
		return status.Restart
	}
	chosen := setup.Forms{Backup: setup.Backup{Directory: folder, Recipient: recipient, Hour: 22}}
	data := t.TempDir()
	a := opened(t, bare(data))
	if plan := a.Backup.Plan(); plan.Hour != 2 || len(waiting(a)) != 0 {
		t.Fatalf("at first: %+v, waiting %v", plan, waiting(a))
	}
	save(t, a, setup.StepBackup, chosen)
	last, err := a.Backup.Run(ctx, operator)
	if plan := a.Backup.Plan(); err != nil || plan.Dir != folder || plan.Hour != 22 || len(waiting(a)) != 0 {
		t.Errorf("chosen: %+v, waiting %v, %v", plan, waiting(a), err)
	}
	if _, err := os.Stat(filepath.Join(folder, last.File)); err != nil {
		t.Error(err)
	}
	save(t, a, setup.StepAddress, setup.Forms{Address: setup.Address{PublicURL: "https://mdm.schule.example", DeviceURL: "https://mdm.schule.example:8443"}})
	save(t, a, setup.StepCertificate, setup.Forms{Certificate: setup.Certificate{Way: setup.ACME}})
	if got := waiting(a); len(got) != 2 || got[0] != setup.StepAddress || got[1] != setup.StepCertificate {
		t.Errorf("waiting for a restart: %v", got)
	}
	shut(t, a)
	a = opened(t, bare(data))
	if got := waiting(a); len(got) != 0 {
		t.Errorf("after the restart: %v", got)
	}
	shut(t, a)

	// What was named is in force whatever is chosen, and no restart changes that.
	named, hour := bare(t.TempDir()), 5
	named.BackupDir, named.BackupHour, named.PublicURL = t.TempDir(), &hour, "https://named.schule.example"
	wanted := named.BackupDir
	a = opened(t, named)
	defer shut(t, a)
	save(t, a, setup.StepBackup, chosen)
	save(t, a, setup.StepAddress, setup.Forms{Address: setup.Address{PublicURL: "https://mdm.schule.example", DeviceURL: a.Config.DeviceURL}})
	if plan := a.Backup.Plan(); plan.Dir != wanted || plan.Hour != 5 || len(waiting(a)) != 0 {
		t.Errorf("named: %+v, waiting %v", plan, waiting(a))
	}
}

func TestTheOtherWaysOfACertificateAreTakenOver(t *testing.T) {
	for way, test := range map[setup.Way]struct {
		form setup.Certificate
		is   func(*config.Serve) bool
	}{
		setup.ACME:       {setup.Certificate{Way: setup.ACME}, func(c *config.Serve) bool { return c.ACME && c.TLS() }},
		setup.Proxy:      {setup.Certificate{Way: setup.Proxy, Proxy: "10.0.0.0/24"}, func(c *config.Serve) bool { return len(c.Proxies()) == 1 && !c.TLS() }},
		setup.SelfSigned: {setup.Certificate{Way: setup.SelfSigned}, func(c *config.Serve) bool { return !c.TLS() && len(c.Proxy) == 0 }},
	} {
		t.Run(string(way), func(t *testing.T) {
			data := t.TempDir()
			a := opened(t, bare(data))
			save(t, a, setup.StepAddress, setup.Forms{Address: setup.Address{PublicURL: "https://mdm.schule.example", DeviceURL: "https://mdm.schule.example:8443"}})
			save(t, a, setup.StepCertificate, setup.Forms{Certificate: test.form})
			shut(t, a)
			a = opened(t, bare(data))
			defer shut(t, a)
			if !test.is(a.Config) {
				t.Errorf("taken over: %+v", a.Config)
			}
		})
	}
}

// Certificate files that went missing must not keep the server from starting
// silently otherwise: it says which file.
func TestAChosenFileThatWentMissingIsNamedAtTheStart(t *testing.T) {
	data := t.TempDir()
	certificate, key := files(t, "mdm.schule.example")
	a := opened(t, bare(data))
	save(t, a, setup.StepAddress, setup.Forms{Address: setup.Address{PublicURL: "https://mdm.schule.example", DeviceURL: "https://mdm.schule.example:8443"}})
	save(t, a, setup.StepCertificate, setup.Forms{Certificate: setup.Certificate{Way: setup.OwnFiles, CertFile: certificate, KeyFile: key}})
	shut(t, a)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	c := bare(data)
	if err := c.Settle(); err != nil {
		t.Fatal(err)
	}
	_, err := app.New(context.Background(), app.Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), key) {
		t.Fatalf("started with %v", err)
	}
}

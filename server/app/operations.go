package app

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"io"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/version"
	"schulwart.org/server/console"
	"schulwart.org/server/may"
)

// Installation answers for the process, for the operations page.
func (a *App) Installation(ctx context.Context) (console.Installation, error) {
	in := console.Installation{Database: a.Store.Kind(), Free: free(a.Config.Data), Connected: a.Streams.Count(), Since: a.started}
	in.Polling = max(0, a.Presence.Count()-in.Connected)
	var err error
	if in.Size, err = a.Store.Size(ctx); err != nil {
		return in, err
	}
	if in.Queue, err = a.Store.WaitingCommands(ctx); err != nil {
		return in, err
	}
	versions, err := a.Store.AgentVersions(ctx)
	if err != nil {
		return in, err
	}
	for _, v := range versions {
		in.Versions = append(in.Versions, console.AgentVersion{Version: v.Version, Platform: string(v.Platform), Devices: v.Devices, Old: v.Version != version.Version})
	}
	in.Certificates, err = a.certificates()
	return in, err
}

func (a *App) certificates() ([]console.Certificate, error) {
	authority, err := x509.ParseCertificate(a.Enroll.CA())
	if err != nil {
		return nil, err
	}
	listener, err := a.Enroll.ServerCertificate(nil)
	if err != nil {
		return nil, err
	}
	list := []console.Certificate{
		{Name: "authority", Subject: authority.Subject.CommonName, NotAfter: authority.NotAfter},
		{Name: "devices", Subject: listener.Leaf.Subject.CommonName, NotAfter: listener.Leaf.NotAfter, Auto: true},
	}
	if a.Config.Certificate == "" {
		return list, nil
	}
	own, err := ownFiles(a.Config.Certificate, a.Config.PrivateKey)
	if err != nil {
		return list, nil // told at the start, and the former one is in use
	}
	if pair, err := own.GetCertificate(nil); err == nil {
		if leaf, err := x509.ParseCertificate(pair.Certificate[0]); err == nil {
			list = append(list, console.Certificate{Name: "console", Subject: leaf.Subject.CommonName, NotAfter: leaf.NotAfter})
		}
	}
	return list, nil
}

// Leave ends what a retired device and we have with each other. While a mode may
// still hold on it, it waits for the device to read back the end, at the latest
// until the mode ends by itself; until says so, zero if it ended at once.
func (a *App) Leave(ctx context.Context, actor may.Actor, device org.ID) (until time.Time, err error) {
	sheet, err := a.Store.Sheet(ctx, device)
	if err != nil {
		return time.Time{}, err
	}
	permit, err := may.Do(actor, may.DeviceWrite, sheet.Branch)
	if err != nil {
		return time.Time{}, err
	}
	if until, err = a.Store.Leaving(ctx, sheet.Branch.Authority, device, a.Now()); err != nil || !until.IsZero() {
		return until, err
	}
	return time.Time{}, a.part(ctx, permit, device)
}

func (a *App) part(ctx context.Context, permit may.Permit, device org.ID) error {
	authority := permit.Branch().Authority
	if err := a.Store.EndEnrolments(ctx, permit, authority, device); err != nil {
		return err
	}
	a.Checkin.Forget(authority, device)
	a.Declare.Wake()
	return nil
}

// Part ends the enrolments of devices that were retired in mid-mode and have
// read back its end, or whose mode is over by itself. A job calls it.
func (a *App) Part(ctx context.Context) error {
	gone, err := a.Store.GoneDevices(ctx, a.Now(), 500)
	if err != nil {
		return err
	}
	for _, g := range gone {
		if err := a.part(ctx, may.System("retire", g.Branch), g.Device); err != nil {
			return err
		}
	}
	return nil
}

// secretKey returns a key of the installation by its purpose, 32 bytes that stay
// the same; the first time it makes one.
func (a *App) secretKey(ctx context.Context, purpose string) ([]byte, error) {
	key, err := a.Store.Secret(ctx, purpose)
	if err != nil || len(key) > 0 {
		return key, err
	}
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return a.Store.EnsureSecret(ctx, purpose, key)
}

// greet tells the operator at the terminal where to go: to the set-up while
// nobody has a login, else to the console.
func (a *App) greet(ctx context.Context, out io.Writer) error {
	token, err := a.Setup.Link(ctx)
	if err != nil {
		return err
	}
	address := a.Config.PublicURL
	if token != "" {
		fmt.Fprintf(out, "First set-up, with this link, once:\n\n    %s/einrichten/address?token=%s\n\n", address, token)
		return nil
	}
	_, err = fmt.Fprintf(out, "Console: %s\n", strings.TrimSuffix(address, "/"))
	return err
}

// Package device puts one managed device together: its identity, its memory, the
// loop that keeps it as it should be and the session with its server. The agent
// runs one, the simulator many; the parts are the same.
package device

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/facts"
	"schulwart.org/agent/handin"
	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/memory"
	"schulwart.org/agent/packages"
	"schulwart.org/agent/peers"
	"schulwart.org/agent/reconcile"
	"schulwart.org/agent/remote"
	"schulwart.org/agent/words"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/version"
)

// Options are what a device is made of.
type Options struct {
	Files    host.Files
	Clock    host.Clock
	Machine  host.Machine
	Identity *identity.Identity
	Drivers  []enforce.Driver
	Lang     words.Lang
	Log      *slog.Logger

	// Box, Folders and Sessions are for what is handed in of examinations; without
	// folders nothing is.
	Box      host.Box
	Folders  host.Folders
	Sessions host.Desktops

	// Apps is what the system can do about packages, Shelf where their files lie;
	// without it nothing that is rolled out is brought.
	Apps  packages.System
	Shelf host.Store
	// Alone says that files come from the server only, and go to nobody.
	Alone bool

	// The rest is for simulated devices.
	Simulated bool
	Rest      time.Duration
	Cut       func() bool
	// Doubts, if set, may refuse a server's time.
	Doubts func(server, now time.Time) bool
}

// Device is one managed device. Nothing happens before Run.
type Device struct {
	loop    *reconcile.Loop
	session *remote.Session
	drivers []enforce.Driver
	keeper  *handin.Keeper // nil where nothing is handed in

	packages *packages.Keeper // nil where nothing is rolled out to
}

// New reads what the device remembers.
func New(o Options) (*Device, error) {
	remembered, err := memory.Open(o.Files)
	if err != nil {
		return nil, err
	}
	if err := remembered.Believe(o.Identity.Trusted()); err != nil && !host.IsFull(err) {
		return nil, err
	}
	d := &Device{drivers: o.Drivers}
	d.loop = reconcile.New(reconcile.Config{
		Memory: remembered, Clock: o.Clock, Drivers: o.Drivers, Secret: o.Identity.Secret, Version: version.Version,
		Speech: speech(o.Lang, o.Identity.Zone), About: facts.New(o.Machine, o.Identity).About, Versions: o.Machine.Versions,
		Simulated: o.Simulated, Rest: o.Rest, Log: o.Log, Woken: func() { d.session.Woken() },
		Linked: func() bool { return d.session.Link() != remote.LinkNone }, Ticked: func() { d.keeper.Poke(); d.packages.Poke() },
		Packages: func() []ddm.PackageStatus { return d.packages.Statuses() },
	})
	var carriers []remote.Carrier
	if o.Folders != nil {
		d.keeper = handin.New(handin.Options{
			Memory: remembered, Loop: d.loop, Box: o.Box, Folders: o.Folders, Desktops: o.Sessions, Free: func() int64 { return o.Machine.Condition().DiskFree }, Log: o.Log,
		})
		carriers = append(carriers, carrier{d.keeper})
	}
	if o.Apps != nil {
		var neighbours packages.Neighbours
		if !o.Alone {
			neighbours = peers.New(o.Identity, d.loop.Now)
		}
		d.packages = packages.New(packages.Options{
			Wanted: d.loop.Packages, Announce: d.loop.Announce, Busy: func() bool { return !d.Free(0) }, Now: d.loop.Now, Clock: o.Clock,
			Store: o.Shelf, System: o.Apps, Free: func() int64 { return o.Machine.Condition().DiskFree }, Log: o.Log, Neighbours: neighbours,
		})
		carriers = append(carriers, bearer{d.packages})
	}
	d.session = remote.New(remote.Config{
		Identity: o.Identity, Device: doubting{d.loop, o.Doubts}, Clock: o.Clock, Machine: o.Machine, Log: o.Log, Cut: o.Cut,
		Proven: func(at netip.AddrPort) { proven(o.Drivers, at) }, Carriers: carriers,
	})
	return d, nil
}

// bearer lets a keeper of packages speak with the server.
type bearer struct{ *packages.Keeper }

// Carry is the keeper's.
func (b bearer) Carry(ctx context.Context, door remote.Door) error { return b.Keeper.Carry(ctx, door) }

// carrier lets a keeper speak with the server.
type carrier struct{ *handin.Keeper }

// Carry is the keeper's.
func (c carrier) Carry(ctx context.Context, door remote.Door) error { return c.Keeper.Carry(ctx, door) }

// proven tells the drivers that keep a way to the server open where it is.
func proven(drivers []enforce.Driver, at netip.AddrPort) {
	for _, driver := range drivers {
		if keeper, ok := driver.(interface{ Proven(netip.AddrPort) }); ok {
			go keeper.Proven(at) // it may be in the midst of its work
		}
	}
}

func speech(lang words.Lang, zone string) reconcile.Speech {
	s := reconcile.Speech{Lang: lang}
	if loc, err := time.LoadLocation(zone); err == nil && zone != "" && zone != "Europe/Berlin" {
		s.Zone = loc
	}
	return s
}

// Stored returns what a device without running agent shows: what is remembered,
// and nothing that was read back.
func Stored(files host.Files, clock host.Clock, id *identity.Identity, lang words.Lang) (reconcile.Status, error) {
	remembered, err := memory.Open(files)
	if err != nil {
		return reconcile.Status{}, err
	}
	loop := reconcile.New(reconcile.Config{Memory: remembered, Clock: clock, Speech: speech(lang, id.Zone), Version: version.Version, ReadOnly: true})
	status := loop.Status()
	status.Running, status.Agrees, status.Link = false, false, string(remote.LinkNone)
	return status, nil
}

// Run keeps the device until the context ends. What is in force stays so.
func (d *Device) Run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { d.loop.Run(ctx) })
	both.Go(func() { d.session.Run(ctx) })
	if d.keeper != nil {
		both.Go(func() { d.keeper.Run(ctx) })
	}
	if d.packages != nil {
		both.Go(func() { d.packages.Run(ctx) })
	}
	both.Wait()
	_ = Close(d.drivers)
}

// Close ends what drivers keep open, for an orderly stop; nothing is released.
func Close(drivers []enforce.Driver) error {
	var faults []error
	for _, driver := range drivers {
		if closer, ok := driver.(io.Closer); ok {
			faults = append(faults, closer.Close())
		}
	}
	return errors.Join(faults...)
}

// Settled reports whether every driver has read back what holds now.
func (d *Device) Settled() bool { return d.loop.Settled() }

// Alive reports whether the loop turns.
func (d *Device) Alive() bool { return d.loop.Alive() }

// Status returns what holds on the device now.
func (d *Device) Status() reconcile.Status {
	status := d.loop.Status()
	status.Link = string(d.session.Link())
	if reason := d.session.Refused(); reason != "" {
		status.Faults = append(status.Faults, ddm.Reason{Code: "refused." + reason})
	}
	return status
}

// Free reports whether no mode holds, nor begins within the time.
func (d *Device) Free(within time.Duration) bool {
	status := d.loop.Status()
	for _, l := range status.Leases {
		if l.From.Before(status.Time.Add(within)) {
			return false
		}
	}
	return true
}

// Release tries a release code.
func (d *Device) Release(code, lease string) reconcile.Outcome { return d.loop.Release(code, lease) }

// Hand raises the pupil's hand in an examination, or takes it down.
func (d *Device) Hand(up bool) reconcile.Outcome { return d.loop.Hand(up) }

// Sync asks the server now.
func (d *Device) Sync() { d.session.Nudge() }

// Poke lets the loop look at its clock.
func (d *Device) Poke() { d.loop.Poke() }

// Now returns the time that the device believes.
func (d *Device) Now() time.Time { return d.loop.Now() }

// Renewed says that what was installed has proved itself.
func (d *Device) Renewed() { d.packages.Poke() }

// Woken says that the network may be another one.
func (d *Device) Woken() { d.session.Woken() }

// CheckOut says goodbye to the server.
func (d *Device) CheckOut(ctx context.Context) error { return d.session.CheckOut(ctx) }

// doubting is a device that may refuse the server's time.
type doubting struct {
	*reconcile.Loop
	doubts func(server, now time.Time) bool
}

// Confirm takes the server's time unless it is doubted.
func (d doubting) Confirm(at time.Time) {
	if d.doubts != nil && d.doubts(at, d.Now()) {
		return
	}
	d.Loop.Confirm(at)
}

package app

import (
	"context"
	"io"
	"net/netip"

	"schulwart.org/policies/agentfile"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/checkin"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
	"schulwart.org/server/peers"
	rollouts "schulwart.org/server/rollout"
)

// Catalogue tells rollouts of packages. It is exported for the tests of doors.
type Catalogue struct{ *packages.Service }

// Package finds a package that the actor sees.
func (c Catalogue) Package(ctx context.Context, actor may.Actor, id org.ID) (rollout.Package, org.ID, error) {
	pack, err := c.Service.Find(ctx, actor, id)
	return pack.Package, pack.Authority, err
}

// traffic tells rollouts from where sites had a file.
type traffic struct{ *peers.Service }

func (t traffic) Sites(ctx context.Context, branch org.Branch, sha256 string) ([]rollouts.Site, error) {
	shares, err := t.Shares(ctx, branch, sha256)
	sites := make([]rollouts.Site, len(shares))
	for i, s := range shares {
		sites[i] = rollouts.Site{School: s.School, Name: s.Name, Devices: s.Devices, FromServer: s.FromServer, FromPeers: s.FromPeers, Liars: s.Liars, Single: s.Site == ""}
	}
	return sites, err
}

// OfAuthority lists what an authority can have, by name, the latest first.
func (c Catalogue) OfAuthority(ctx context.Context, authority org.ID) ([]rollout.Package, error) {
	list, err := c.Store.ListApps(ctx, []org.ID{"", authority})
	packs := make([]rollout.Package, len(list))
	for i, pack := range list {
		packs[i] = pack.Package
	}
	return packs, err
}

// files hands devices the files that they are offered, and no other.
type files struct{ app *App }

// Open opens a file that the device is offered.
func (s files) Open(ctx context.Context, e checkin.Enrolment, sha256 string) (io.ReadSeeker, error) {
	if _, err := s.offered(ctx, e, sha256); err != nil {
		return nil, err
	}
	return s.app.Packages.Open(ctx, e.Authority, sha256)
}

// wished is how far a pick is, as a rollout.
var wished = rollouts.Rollout{Status: rollout.Status{State: rollout.Running}}

// Way says from whom the device has a file that it is offered.
func (s files) Way(ctx context.Context, e checkin.Enrolment, sha256 string, from netip.Addr, ask rollout.Ask) (rollout.Way, error) {
	offered, err := s.offered(ctx, e, sha256)
	if err != nil {
		return rollout.Way{}, err
	}
	r, err := s.app.Store.FindRollout(ctx, offered.Rollout)
	if errs.Is(err, errs.NotFound) {
		// What was picked for one device is no rollout: it goes on, by no line of its own.
		r, err = wished, nil
	}
	if err != nil {
		return rollout.Way{}, err
	}
	device := peers.Device{Branch: e.Branch(), ID: e.Device, Enrolment: e.ID, From: from}
	way, err := s.app.Peers.Way(ctx, device, peers.File{SHA256: sha256, Size: offered.Size, Line: r.Plan.Line, State: r.Status.State, Changed: r.Changed}, ask)
	if err == nil && ask.Sums && way.Share {
		way.Sums, err = s.app.Packages.Sums(ctx, e.Authority, sha256)
	}
	return way, err
}

func (s files) offered(ctx context.Context, e checkin.Enrolment, sha256 string) (rollout.Declared, error) {
	offered, is, err := s.app.Declare.Offered(ctx, place(e), sha256)
	if err == nil && !is {
		err = errs.E(errs.NotFound, "package.not_found")
	}
	return offered, err
}

// agentKeys are those of this build. A broken one refuses nothing here: devices look
// again, by keys of their own.
func agentKeys() []agentfile.Key {
	keys, err := agentfile.Keys(agentfile.Trusted)
	if err != nil {
		return nil
	}
	return keys
}

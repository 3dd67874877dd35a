// Package peers says from whom a device has a package's file: one device of a site
// fetches it from the server, the others have it from each other. It keeps who of a
// site holds how much and shares the site's line out; it neither moves bytes nor
// decides who is offered what.
//
// A site is a school and the line through which its devices reach the server: the
// public address that they share, for IPv6 its /64. Where the server sees a device
// under the device's own address there is no such line between, as with a server in
// the town's network, and the school is the site. Kept is a hash, never the address.
package peers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// How long things hold, and how many there are of them.
const (
	leadTime   = 30 * time.Second // a lead that does not ask again within it is replaced
	fresh      = 45 * time.Second // a device that loads and said nothing for longer is not named
	keepTime   = 30 * time.Minute // a whole file is kept so long before its holder asks again
	keepAfter  = 24 * time.Hour   // of a rollout that was taken back
	mostWhole  = 8                // devices of a site that keep a whole file for others
	mostPeers  = 4                // named at a time
	mostLies   = 2                // others found out about a device before nobody is sent there
	againAfter = 10 * time.Second
	mostNamed  = 100 // peers that one question may complain of
)

// Device is who asks.
type Device struct {
	org.Branch
	ID        org.ID
	Enrolment org.ID
	From      netip.Addr // as the server sees it
}

// File is what it asks for.
type File struct {
	SHA256  string
	Size    int64
	Line    rollout.Line
	State   rollout.State // of the rollout that brings it
	Changed time.Time     // when that state began
}

// over reports whether nobody needs the file any more.
func (f File) over(now time.Time) bool {
	switch f.State {
	case rollout.Running, rollout.Waiting:
		return false
	case rollout.RolledBack: // devices go back to the version before, and there is no end to it
		return now.Sub(f.Changed) > keepAfter
	}
	return true
}

// Holder is a device with a file, or on its way to it.
type Holder struct {
	Device     org.ID
	Enrolment  org.ID
	School     org.ID
	Site       string
	Net        string
	Address    string
	Have       int64
	Last       rollout.Source
	FromServer int64 // of a meeting: since the last one; else all
	FromPeers  int64
	Lied       int
	Seen       time.Time
}

// Meeting is a device's word on itself, with what the room wants to know then.
type Meeting struct {
	Authority org.ID
	SHA256    string
	Holder    Holder
	Lied      []org.ID // enrolments that gave out wrong bytes
	// Decide says what the device leads until Until, unless another one does, empty
	// for nothing, and whether it gives the file out from now on. It may be asked
	// twice. Word is that of the site, if it has none yet.
	Decide func(others []Holder) (lane string, gives bool)
	Until  time.Time
	Word   string
	// Loading is since when devices count that fetch from the server.
	Loading time.Time
	// Since is when a holder must have been heard of to be listed.
	Since time.Time
}

// Met is what came of it.
type Met struct {
	Lead    bool
	Word    string
	Holders []Holder // others of the site with the file, the latest heard first
	Loading int      // other devices of the site that fetch from the server, whatever file
}

// Share is what the devices of a site had of a file from where.
type Share struct {
	School     org.ID
	Name       string // of the school
	Site       string // empty for devices that are each the only one behind their line
	Devices    int
	FromServer int64
	FromPeers  int64
	Liars      int // devices that gave out wrong bytes
}

// Store keeps holders.
type Store interface {
	// Meet keeps a device's word and answers, in one transaction.
	Meet(ctx context.Context, m Meeting) (Met, error)
	// Shares lists the sites that had a file, those with most devices first.
	Shares(ctx context.Context, branch org.Branch, sha256 string) ([]Share, error)
}

// Service is the room.
type Service struct {
	Store Store
	NewID func() org.ID
	Now   func() time.Time
}

// Way answers a device that wants a file, has a part of it, or gives it out.
func (s *Service) Way(ctx context.Context, device Device, file File, ask rollout.Ask) (rollout.Way, error) {
	now := s.Now()
	site := siteOf(device, ask.Net)
	whole := ask.Have >= file.Size
	share := !file.Line.Alone && !file.over(now)
	me := Holder{
		Device: device.ID, Enrolment: device.Enrolment, School: device.School, Site: site, Net: clip(ask.Net), Have: min(max(ask.Have, 0), file.Size), Last: ask.Last,
		FromServer: max(ask.FromServer, 0), FromPeers: max(ask.FromPeers, 0), Seen: now,
	}
	if share && reachable(ask.At, device.From) {
		me.Address = ask.At
	}
	meeting := Meeting{
		Authority: device.Authority, SHA256: file.SHA256, Holder: me, Lied: ask.Lied[:min(len(ask.Lied), mostNamed)], Until: now.Add(leadTime), Word: s.NewID().String(),
		Loading: now.Add(-leadTime), Since: now.Add(-keepTime - 5*time.Minute),
	}
	if whole {
		meeting.Holder.Last = ""
	}
	meeting.Decide = func(others []Holder) (string, bool) {
		switch {
		case !share:
			return "", false
		case whole:
			return "", keeping(others, file.Size, now) > 0
		}
		return lane(me, ask.Silent, others), true
	}
	met, err := s.Store.Meet(ctx, meeting)
	if err != nil {
		return rollout.Way{}, err
	}
	way := rollout.Way{Lead: met.Lead || !share, Share: share, Again: int(againAfter / time.Second)}
	if rate := int64(file.Line.Rate) * 1000; rate > 0 {
		way.Rate = max(rate/int64(met.Loading+1), 1000)
	}
	if share {
		way.Word = met.Word
		if whole {
			way.Keep = keeping(met.Holders, file.Size, now)
		} else {
			way.Peers = choose(met.Holders, me, ask.Silent, file.Size, now)
		}
	}
	return way, nil
}

// Shares says what the sites of a branch had of a file from where.
func (s *Service) Shares(ctx context.Context, branch org.Branch, sha256 string) ([]Share, error) {
	if sha256 == "" {
		return nil, nil
	}
	list, err := s.Store.Shares(ctx, branch, sha256)
	return together(list), err
}

// together makes one of the devices of a school that are each alone behind a line,
// most of them at home: nobody needs to see whose line that is.
func together(list []Share) []Share {
	var sites []Share
	single := map[org.ID]int{}
	for _, share := range list {
		at, is := single[share.School]
		switch {
		case share.Devices > 1:
			sites = append(sites, share)
		case is:
			s := &sites[at]
			s.Devices, s.FromServer, s.FromPeers, s.Liars = s.Devices+1, s.FromServer+share.FromServer, s.FromPeers+share.FromPeers, s.Liars+share.Liars
		default:
			share.Site, single[share.School] = "", len(sites)
			sites = append(sites, share)
		}
	}
	return sites
}

// keeping says how many seconds a device keeps the whole file: a few of a site do.
func keeping(others []Holder, size int64, now time.Time) int {
	whole := 0
	for _, h := range others {
		if h.Have >= size && h.Address != "" && now.Sub(h.Seen) < keepTime {
			whole++
		}
	}
	if whole >= mostWhole {
		return 0
	}
	return int(keepTime / time.Second)
}

// choose names some that have more than the device, first those of its own
// network; which ones is left to chance, so that not all ask the same.
func choose(holders []Holder, me Holder, silent []org.ID, size int64, now time.Time) []rollout.Peer {
	fit := slices.DeleteFunc(slices.Clone(holders), func(h Holder) bool {
		old := now.Sub(h.Seen) > fresh && h.Have < size
		// Who leads has nothing yet, and will; it is worth asking.
		nothing := h.Have <= me.Have && h.Last != rollout.FromServer
		return old || nothing || h.Address == "" || h.Lied >= mostLies || slices.Contains(silent, h.Enrolment)
	})
	rand.Shuffle(len(fit), func(i, j int) { fit[i], fit[j] = fit[j], fit[i] })
	slices.SortStableFunc(fit, func(a, b Holder) int { return cmp.Compare(use(b, me), use(a, me)) })
	var peers []rollout.Peer
	for _, h := range fit[:min(len(fit), mostPeers)] {
		peers = append(peers, rollout.Peer{ID: h.Enrolment, At: h.Address, Have: h.Have})
	}
	return peers
}

// use weighs a holder for a device: the own network comes first, then who has
// something now.
func use(h, me Holder) int {
	use := 0
	if h.Net == me.Net {
		use += 2
	}
	if h.Have > me.Have {
		use++
	}
	return use
}

// lane is what a device may lead: its site, or its own network where those of other
// networks do not answer it.
func lane(me Holder, silent []org.ID, others []Holder) string {
	if slices.ContainsFunc(others, func(h Holder) bool { return h.Net != me.Net && slices.Contains(silent, h.Enrolment) }) {
		return me.Site + " " + me.Net
	}
	return me.Site
}

func clip(text string) string { return strings.ToValidUTF8(text[:min(len(text), 64)], "") }

// siteOf names the site of a device by a short hash, from which no address can be
// told.
func siteOf(device Device, own string) string {
	line := ""
	if inside, err := netip.ParsePrefix(own); err != nil || !inside.Contains(device.From) {
		bits := 32
		if device.From.Is6() {
			bits = 64
		}
		if outside, err := device.From.Prefix(bits); err == nil {
			line = outside.String()
		}
	}
	sum := sha256.Sum256([]byte("site\x00" + device.School.String() + "\x00" + line))
	return hex.EncodeToString(sum[:4])
}

// reachable reports whether others may be sent to an address that a device named:
// one within a network, and on this very machine only if the device is there.
func reachable(at string, from netip.Addr) bool {
	address, err := netip.ParseAddrPort(at)
	if err != nil || address.Port() < 1024 || address.Addr().Zone() != "" {
		return false
	}
	addr := address.Addr().Unmap()
	if addr.IsLoopback() {
		return from.IsLoopback()
	}
	return addr.IsPrivate() || addr == from || addr.Is6() && addr.IsGlobalUnicast()
}

package linux

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/gate"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
)

// slack is by how much the remaining time in the system may differ from what is
// wanted before it counts as a difference.
const slack = 3 * time.Second

// NetworkOptions are what the network driver learns at set-up.
type NetworkOptions struct {
	// Server is where the management server is reached: "host:port", one or more.
	// It stays reachable whatever holds.
	Server []string
	// Pages is the same of the pages that pupils read. Under the name of the server
	// they lie where the server proved to be, under an address they are known; under
	// a name of their own they pass the gate with the allowed sites, and nothing is
	// opened for them where nothing at all passes: name service could lie.
	Pages []string
	// Pins are addresses at which the server last proved to be (Proven). They are used
	// before any name can be resolved, so that a start in mid-mode finds it.
	Pins []netip.Addr
	// Pinned is told, in a goroutine of its own, when they change.
	Pinned func([]netip.Addr)
	// Clock is the machine's; only its elapsed time is used. Nil for the system's.
	Clock host.Clock
	Log   *slog.Logger
}

// Network enforces how far the network goes: packet rules in the kernel, and a
// gate in this process that decides by name.
//
// What a mode closes ends in the kernel, at its time, with or without this
// process. While the process is dead within a mode, everything that would have
// to be decided is refused. The base filter is different: it lapses
// host.FilterLapse after its gate died, since a filter without anybody to decide
// would be no network at all, for ever. That is so for its allow list too, which
// otherwise has no end.
//
// The kernel's timeouts stand still while the machine sleeps. With the process
// alive that is set right at once; without it, a closed network lasts longer by
// the sleep, or until the sweep. The base filter looks at this machine's own
// programs; what virtual machines and containers with a network of their own send
// passes it, but never a mode.
type Network struct {
	net      host.Network
	opts     NetworkOptions
	resolver *gate.Resolver // for the server's own names

	mu      sync.Mutex
	gate    *gate.Gate
	sockets host.GateSockets
	want    want
	known   bool // want is what the system was told, by us
	servers servers
	beat    *time.Timer
	closed  bool
}

// want is Rules' network part in a form that can be compared and kept.
type want struct {
	reach enforce.Reach
	allow []string
	deny  []string
	base  []string
	end   time.Duration // elapsed time at which reach is over
}

func (w want) zero() bool { return w.reach == enforce.Open && !w.filters() }

// filters reports whether anything holds without an end.
func (w want) filters() bool { return len(w.deny) > 0 || len(w.base) > 0 }

func (w want) same(other want) bool {
	return w.reach == other.reach && slices.Equal(w.allow, other.allow) && slices.Equal(w.deny, other.deny) && slices.Equal(w.base, other.base) &&
		(w.end-other.end).Abs() < slack
}

var _ enforce.Driver = (*Network)(nil)

// NewNetwork returns the driver. Nothing is touched before Set.
func NewNetwork(net host.Network, opts NetworkOptions) *Network {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Clock == nil {
		opts.Clock = host.NewClock("")
	}
	n := &Network{net: net, opts: opts, resolver: gate.NewResolver(net)}
	n.servers.learn(opts.Server, opts.Pages, opts.Pins)
	return n
}

// Part is the network.
func (n *Network) Part() catalog.Part { return catalog.Network }

// Set makes the rules so.
func (n *Network) Set(ctx context.Context, rules enforce.Rules) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	wanted := n.wanted(rules.Network)
	n.refreshServers(ctx, !wanted.zero())
	if n.known && wanted.same(n.want) && n.stands(wanted) {
		return nil
	}
	if wanted.zero() {
		return n.takeBack()
	}
	if err := n.openGate(); err != nil {
		return err
	}
	former := n.want
	// The gate changes first: what packet rules lead to it must be judged anew.
	n.gate.Set(wanted.gate())
	if err := n.net.SetWall(n.wall(wanted)); err != nil {
		if n.known {
			n.gate.Set(former.gate())
		}
		return fmt.Errorf("setting network: %w", err)
	}
	n.want, n.known = wanted, true
	n.cut(wanted)
	n.keepBeating(wanted.filters())
	return nil
}

func (n *Network) wanted(rules enforce.Network) want {
	w := want{reach: rules.Reach, deny: slices.Clone(rules.Deny), base: slices.Clone(rules.Base)}
	slices.Sort(w.deny)
	slices.Sort(w.base)
	if rules.Reach != enforce.Open && rules.Release <= 0 {
		w.reach = enforce.Open // its time is over
	}
	if w.reach != enforce.Open {
		w.end = n.elapsed() + rules.Release
	}
	if w.reach == enforce.Only {
		w.allow = slices.Clone(rules.Allow)
		slices.Sort(w.allow)
	}
	return w
}

func (w want) gate() gate.Rules {
	return gate.Rules{Reach: w.reach, Allow: w.allow, Deny: w.deny, Base: w.base, Ends: w.end}
}

func (n *Network) wall(w want) host.Wall {
	wall := host.Wall{
		Filter: w.filters(), Strict: len(w.base) > 0, Servers: n.servers.addrs(), Sought: n.servers.sought(), Resolvers: gate.KnownResolvers,
		NamesPort: n.sockets.NamesPort, WebPort: n.sockets.WebPort,
	}
	if w.reach != enforce.Open {
		wall.Closed, wall.Web = max(w.end-n.elapsed(), time.Millisecond), w.reach == enforce.Only
	}
	if names := n.net.NameServers(); names.Stub {
		wall.StubUser = &names.StubUser
	}
	return wall
}

// stands reports whether what is wanted is what the system shows.
func (n *Network) stands(w want) bool {
	state, err := n.net.ReadWall()
	return err == nil && n.difference(w, state) == ""
}

// takeBack removes everything, also what a former process left.
func (n *Network) takeBack() error {
	if n.gate != nil {
		// What went through the gate ends with a reset, after which browsers
		// connect anew. The gate stays, should one come late.
		n.gate.Set(gate.Rules{})
		n.gate.Drop()
	}
	if err := n.net.SetWall(host.Wall{}); err != nil {
		return fmt.Errorf("taking back network: %w", err)
	}
	n.want, n.known = want{}, true
	n.keepBeating(false)
	return nil
}

func (n *Network) openGate() error {
	if n.gate != nil {
		return nil
	}
	sockets, err := n.net.OpenGate()
	if err != nil {
		return fmt.Errorf("setting network: %w", err)
	}
	n.sockets = sockets
	n.gate = gate.New(n.net, sockets, n.elapsed, n.servers.names(), n.opts.Log)
	return nil
}

// cut ends connections from before a mode, so that an open download or a socket
// does not outlive it. What goes through the gate the gate has judged.
func (n *Network) cut(w want) {
	if w.reach == enforce.Open && len(w.base) == 0 {
		return
	}
	spared := append(n.servers.addrs(), n.servers.sought()...)
	_, err := n.net.Cut(func(local, remote netip.AddrPort) bool {
		return slices.Contains(spared, remote) || n.gate.Carries(local)
	})
	if err != nil {
		// The packet rules end them with their next packet.
		n.opts.Log.Warn("connections could not be cut", "error", err)
	}
}

// keepBeating renews the filter three times within its lapse, or stops doing so.
func (n *Network) keepBeating(on bool) {
	if n.beat != nil {
		n.beat.Stop()
		n.beat = nil
	}
	if !on || n.closed {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(host.FilterLapse/3, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.beat != timer {
			return
		}
		if err := n.net.Beat(); err != nil {
			n.opts.Log.Warn("filter could not be renewed", "error", err)
		}
		timer.Reset(host.FilterLapse / 3)
	})
	n.beat = timer
}

func (n *Network) elapsed() time.Duration { return n.opts.Clock.Read().Elapsed }

// Check reads back from the system.
func (n *Network) Check(context.Context) enforce.Reading {
	n.mu.Lock()
	defer n.mu.Unlock()
	state, err := n.net.ReadWall()
	if err != nil {
		return deviating("network.unread", "error", err.Error())
	}
	if difference := n.difference(n.want, state); difference != "" {
		return deviating(difference)
	}
	return asWanted()
}

// difference names how the system differs from what is wanted; empty if it does
// not.
func (n *Network) difference(w want, state host.WallState) string {
	if w.zero() {
		if state.Present {
			return "network.left-over"
		}
		return ""
	}
	left := w.end - n.elapsed()
	switch {
	case !state.Present:
		return "network.rules-gone"
	case !state.Intact:
		return "network.rules-changed"
	case w.reach != enforce.Open && left > slack && (state.Closed-left).Abs() > slack:
		return "network.end-changed"
	case w.reach == enforce.Open && state.Closed > 0:
		return "network.left-over"
	case w.filters() && state.Filter <= 0:
		return "network.filter-lapsed"
	}
	return ""
}

// Watch receives when somebody changed the packet rules, so that the loop can
// look at once.
func (n *Network) Watch(ctx context.Context) (<-chan struct{}, error) { return n.net.Watch(ctx) }

// Close ends the gate, for an orderly stop of the agent. A running mode stays in
// the kernel, closed, until its end; the base filter lapses at once.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	n.keepBeating(false)
	n.servers.stop()
	var err error
	if n.gate != nil {
		if n.want.reach == enforce.Open && n.known && !n.want.zero() {
			err = n.net.SetWall(host.Wall{})
		}
		n.gate.Close()
	}
	return err
}

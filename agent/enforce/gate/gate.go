// Package gate is what packet rules lead names and web connections through: a
// name server that answers only for what may be reached, and a check of the name
// that a connection asks for, in the TLS hello or the HTTP head. Addresses say
// little, since many sites share one; names decide. It opens nothing encrypted,
// writes nothing down and knows no packet rules.
package gate

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/lease"
)

// System is what the gate needs of the machine.
type System interface {
	// Dial connects past the packet rules.
	Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)
	// Original returns where a redirected connection was meant to go.
	Original(conn net.Conn) (netip.AddrPort, bool)
	// Local reports whether an address is the machine's own.
	Local(addr netip.Addr) bool
	// NameServers are those of the system.
	NameServers() host.NameServers
	// TimeServers are names that answer whatever the rules say.
	TimeServers() []string
	// Admit tells the packet rules which addresses an allowed name has.
	Admit(addrs []netip.Addr, lasting time.Duration) error
}

// Rules is what may pass.
type Rules struct {
	Reach enforce.Reach
	Allow []string // host patterns, with Only
	Deny  []string // host patterns, whatever the reach
	// Base are the only host patterns that ever pass, while Open too; empty for no
	// such limit.
	Base []string
	// Ends is the elapsed time of the machine at which Reach is over and only
	// Deny remains. The packet rules end at the same instant, without us.
	Ends time.Duration
}

// Limits keep the gate small, whatever a program does to it.
const (
	maxPassages   = 2048             // connections at the same time
	maxUndecided  = 256              // of these, without a name yet
	maxHello      = 32 << 10         // bytes read in search of a name
	helloPatience = 10 * time.Second // for the whole hello, against trickling
	silence       = 2 * time.Second  // after which an open gate passes on what does not speak first
)

// Gate decides by name. All methods are safe for concurrent use.
type Gate struct {
	system  System
	elapsed func() time.Duration
	servers []string // names that always pass
	log     *slog.Logger

	rules   atomic.Pointer[Rules]
	base    atomic.Pointer[Rules] // what holds while no mode does, if that is not open
	sockets host.GateSockets
	names   *names
	plain   *plain
	closing context.Context
	close   context.CancelFunc

	patience  time.Duration // helloPatience, less in tests
	undecided chan struct{}
	mu        sync.Mutex
	passages  map[*passage]struct{}
}

// New returns a gate that listens on the sockets, which it owns from now on, and
// lets everything pass until Set. Servers are host names that always pass.
// Elapsed is the machine's time since its start.
func New(system System, sockets host.GateSockets, elapsed func() time.Duration, servers []string, log *slog.Logger) *Gate {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	g := &Gate{
		system: system, elapsed: elapsed, servers: servers, log: log, sockets: sockets, patience: helloPatience,
		undecided: make(chan struct{}, maxUndecided), passages: map[*passage]struct{}{},
	}
	g.closing, g.close = context.WithCancel(context.Background())
	g.rules.Store(&Rules{})
	g.names = newNames(g)
	g.plain = newPlain(g)
	g.names.serve(sockets)
	for _, listener := range sockets.Web {
		go g.accept(listener)
	}
	return g
}

// Set swaps the rules. Connections that they do not allow end at once; all
// others go on undisturbed.
func (g *Gate) Set(rules Rules) {
	g.base.Store(nil)
	if len(rules.Base) > 0 {
		g.base.Store(&Rules{Reach: enforce.Only, Allow: rules.Base, Deny: rules.Deny})
	}
	g.rules.Store(&rules)
	reach, _ := g.reach()
	g.mu.Lock()
	var over []*passage
	for p := range g.passages {
		switch {
		case !p.decided:
		case !g.passes(p.name):
			over = append(over, p)
		case p.trusting && reach == enforce.Only:
			go p.verify()
		}
	}
	g.mu.Unlock()
	for _, p := range over {
		p.reset()
	}
}

// Drop cuts every connection that goes through the gate. It is called before the
// redirects are taken away for good: with the last of them the kernel stops
// translating addresses, and such connections would hang instead of ending.
func (g *Gate) Drop() {
	g.mu.Lock()
	over := make([]*passage, 0, len(g.passages))
	for p := range g.passages {
		over = append(over, p)
	}
	g.mu.Unlock()
	for _, p := range over {
		p.reset()
	}
}

// Close ends everything at once.
func (g *Gate) Close() {
	g.close()
	g.sockets.Close()
	g.names.close()
	_ = g.plain.server.Close()
	g.Drop()
}

// Carries reports whether a program's connection, named by its own end, goes
// through the gate.
func (g *Gate) Carries(local netip.AddrPort) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for p := range g.passages {
		if p.peer == local {
			return true
		}
	}
	return false
}

// reach is how far the network goes at this instant.
func (g *Gate) reach() (enforce.Reach, *Rules) {
	rules := g.rules.Load()
	if rules.Reach != enforce.Open && g.elapsed() < rules.Ends {
		return rules.Reach, rules
	}
	if base := g.base.Load(); base != nil {
		return base.Reach, base
	}
	return enforce.Open, rules
}

// passes reports whether connections to a name may pass. The empty name stands
// for connections that name none.
func (g *Gate) passes(name string) bool {
	reach, rules := g.reach()
	switch {
	case name != "" && lease.MatchAny(g.servers, name):
		return true
	case reach == enforce.Never:
		return false
	case reach == enforce.Only:
		return name != "" && lease.MatchAny(rules.Allow, name) && !lease.MatchAny(rules.Deny, name)
	case len(rules.Deny) == 0:
		return true
	}
	return name == "" || !lease.MatchAny(rules.Deny, name) && !isResolver(name)
}

// resolves reports whether a name may be asked for: what passes, and time.
func (g *Gate) resolves(name string) bool {
	return g.passes(name) || lease.MatchAny(g.names.times(), name)
}

// filtering reports whether there is anything to keep from anybody.
func (g *Gate) filtering() bool {
	reach, rules := g.reach()
	return reach != enforce.Open || len(rules.Deny) > 0
}

func (g *Gate) add(p *passage) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.passages) >= maxPassages || g.closing.Err() != nil {
		return false
	}
	g.passages[p] = struct{}{}
	return true
}

func (g *Gate) remove(p *passage) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.passages, p)
}

// decide notes under which name a passage goes and reports whether it may. Both
// happen under the lock that Set takes, so that no passage slips between.
func (g *Gate) decide(p *passage, name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.passes(name) {
		return false
	}
	reach, _ := g.reach()
	p.name, p.decided, p.trusting = name, true, reach == enforce.Open
	return true
}

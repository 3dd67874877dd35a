package linux

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"schulwart.org/agent/enforce"
)

// How often the server's addresses are looked up, at the least and at the most.
const (
	serverSoonest  = 30 * time.Second
	serverLatest   = 10 * time.Minute
	serverPatience = time.Second // for the first answer, when nothing is known
	serverMost     = 16          // addresses kept
)

// servers knows under which addresses the management server is reached. An
// address that was good once is kept while there is room: name servers lie, and
// being cut off from the server is worse than a spare way to it.
type servers struct {
	hosts   []serverHost
	found   []netip.Addr // of all hosts with names, newest first
	timer   *time.Timer
	stopped bool
}

type serverHost struct {
	name string     // empty for an address
	addr netip.Addr // invalid for a name
	port uint16
}

func (s *servers) learn(texts []string, pins []netip.Addr) {
	for _, text := range texts {
		name, portText, err := net.SplitHostPort(text)
		if err != nil {
			name, portText = text, "443"
		}
		port, err := strconv.ParseUint(portText, 10, 16)
		if err != nil {
			continue
		}
		one := serverHost{name: name, port: uint16(port)}
		if addr, err := netip.ParseAddr(name); err == nil {
			one = serverHost{addr: addr.Unmap(), port: uint16(port)}
		}
		s.hosts = append(s.hosts, one)
	}
	for _, pin := range pins {
		s.found = append(s.found, pin.Unmap())
	}
}

// names are the server's host names. Only they themselves pass, not what lies
// below them.
func (s *servers) names() []string {
	var names []string
	for _, one := range s.hosts {
		if one.name != "" {
			names = append(names, "="+one.name)
		}
	}
	return names
}

// addrs are the addresses with ports that stay reachable, in a stable order.
func (s *servers) addrs() []netip.AddrPort {
	var addrs []netip.AddrPort
	add := func(addr netip.Addr, port uint16) {
		if one := netip.AddrPortFrom(addr, port); addr.IsValid() && !slices.Contains(addrs, one) {
			addrs = append(addrs, one)
		}
	}
	for _, one := range s.hosts {
		if one.name == "" {
			add(one.addr, one.port)
			continue
		}
		for _, addr := range s.found {
			add(addr, one.port)
		}
	}
	slices.SortFunc(addrs, netip.AddrPort.Compare)
	return addrs
}

// merge puts what was found now first and reports whether that is news.
func (s *servers) merge(now []netip.Addr) bool {
	former := slices.Clone(s.found)
	merged := slices.Clone(now)
	for _, addr := range s.found {
		if !slices.Contains(merged, addr) {
			merged = append(merged, addr)
		}
	}
	s.found = merged[:min(len(merged), serverMost)]
	slices.SortFunc(former, netip.Addr.Compare)
	sorted := slices.Clone(s.found)
	slices.SortFunc(sorted, netip.Addr.Compare)
	return !slices.Equal(former, sorted)
}

func (s *servers) stop() {
	s.stopped = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

// refreshServers sees to it that addresses are looked up now and then. Only when
// none is known at all does it wait a moment for the first. The caller holds the
// lock.
func (n *Network) refreshServers(ctx context.Context) {
	if len(n.servers.names()) == 0 || n.servers.stopped || n.servers.timer != nil {
		return
	}
	next := time.Duration(0)
	if len(n.servers.found) == 0 {
		ctx, cancel := context.WithTimeout(ctx, serverPatience)
		defer cancel()
		found, _ := n.lookupServers(ctx)
		n.tellPins(n.servers.merge(found))
		next = serverSoonest
	}
	n.servers.timer = time.AfterFunc(next, n.refresh)
}

// refresh looks the server up and lets the packet rules know if it moved.
func (n *Network) refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	found, ttl := n.lookupServers(ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.servers.stopped {
		return
	}
	moved := n.servers.merge(found)
	n.tellPins(moved)
	if moved && n.known && !n.want.zero() && (n.want.reach == enforce.Open || n.want.end > n.elapsed()) {
		if err := n.net.SetWall(n.wall(n.want)); err != nil {
			n.opts.Log.Warn("the server's address could not be put into the packet rules", "error", err)
		}
	}
	next := min(max(ttl, serverSoonest), serverLatest)
	if len(found) == 0 {
		next = 5 * time.Second
	}
	n.servers.timer.Reset(next)
}

func (n *Network) lookupServers(ctx context.Context) ([]netip.Addr, time.Duration) {
	var all []netip.Addr
	shortest := serverLatest
	for _, one := range n.servers.hosts {
		if one.name == "" {
			continue
		}
		found, ttl, err := n.gate.Lookup(ctx, one.name)
		if err != nil {
			continue
		}
		all = append(all, found...)
		shortest = min(shortest, ttl)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all), shortest
}

func (n *Network) tellPins(moved bool) {
	if moved && n.opts.Pinned != nil {
		go n.opts.Pinned(slices.Clone(n.servers.found))
	}
}

package linux

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"strings"
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

// servers knows under which addresses the management server is reached. What
// name service says is for root's programs alone, so that the agent can look
// whether the server is there: on a pupil's own hotspot, any address could be
// named. Only where the server proved itself everybody passes. Such an address is
// kept while there is room: name servers lie, and being cut off from the server is
// worse than a spare way to it.
type servers struct {
	hosts    []serverHost
	found    []netip.Addr // of all hosts with names, newest first
	proven   []netip.Addr // those at which the server showed its certificate, newest first
	timer    *time.Timer
	failures int
	stopped  bool
}

type serverHost struct {
	name string     // empty for an address
	addr netip.Addr // invalid for a name
	port uint16
	page bool // pages for people, not the server of the device
}

func (s *servers) learn(devices, pages []string, pins []netip.Addr) {
	for i, text := range append(slices.Clone(devices), pages...) {
		name, portText, err := net.SplitHostPort(text)
		if err != nil {
			name, portText = text, "443"
		}
		port, err := strconv.ParseUint(portText, 10, 16)
		if err != nil {
			continue
		}
		one := serverHost{name: strings.ToLower(name), port: uint16(port), page: i >= len(devices)}
		if addr, err := netip.ParseAddr(name); err == nil {
			one.name, one.addr = "", addr.Unmap()
		}
		s.hosts = append(s.hosts, one)
	}
	for _, pin := range pins {
		s.proven = append(s.proven, pin.Unmap())
	}
}

// names are the server's host names. Only they themselves pass, not what lies
// below them.
func (s *servers) names() []string {
	var names []string
	for _, one := range s.hosts {
		if name := "=" + one.name; one.name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// addrs are the addresses with ports that stay reachable for everybody, in a
// stable order.
func (s *servers) addrs() []netip.AddrPort {
	return s.with(s.proven, true)
}

// sought are those that root's programs may try.
func (s *servers) sought() []netip.AddrPort { return s.with(s.found, false) }

// with joins the addresses of names with their ports.
func (s *servers) with(named []netip.Addr, fixed bool) []netip.AddrPort {
	var addrs []netip.AddrPort
	add := func(addr netip.Addr, port uint16) {
		if one := netip.AddrPortFrom(addr, port); addr.IsValid() && !slices.Contains(addrs, one) {
			addrs = append(addrs, one)
		}
	}
	for _, one := range s.hosts {
		if one.name == "" {
			if fixed {
				add(one.addr, one.port)
			}
			continue
		}
		if one.page && (!fixed || !s.isDevices(one.name)) {
			continue
		}
		for _, addr := range named {
			add(addr, one.port)
		}
	}
	sort.Slice(addrs, func(i, j int) bool { return addrs[i].Compare(addrs[j]) < 0 })
	return addrs
}

// areNamed reports whether a server has to be looked up.
func (s *servers) areNamed() bool {
	return slices.ContainsFunc(s.hosts, func(one serverHost) bool { return one.name != "" && !one.page })
}

// isDevices reports whether the device speaks with its server under the name.
func (s *servers) isDevices(name string) bool {
	return slices.ContainsFunc(s.hosts, func(one serverHost) bool { return !one.page && one.name == name })
}

// byAddress orders addresses. One sort for all types is twenty kilobytes smaller
// than one for each.
func byAddress(addrs []netip.Addr) {
	sort.Slice(addrs, func(i, j int) bool { return addrs[i].Compare(addrs[j]) < 0 })
}

// merge puts what is new first into a list, and reports whether it was news.
func merge(list *[]netip.Addr, now []netip.Addr) bool {
	former := slices.Clone(*list)
	merged := slices.Clone(now)
	for _, addr := range *list {
		if !slices.Contains(merged, addr) {
			merged = append(merged, addr)
		}
	}
	*list = merged[:min(len(merged), serverMost)]
	byAddress(former)
	ordered := slices.Clone(*list)
	byAddress(ordered)
	return !slices.Equal(former, ordered)
}

func (s *servers) stop() {
	s.stopped = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

// refreshServers sees to it that addresses are looked up now and then, from the
// first Set on. Only when they are needed and none is known at all does it wait a
// moment for the first. The caller holds the lock.
func (n *Network) refreshServers(ctx context.Context, needed bool) {
	if !n.servers.areNamed() || n.servers.stopped {
		return
	}
	if needed && len(n.servers.found)+len(n.servers.proven) == 0 {
		ctx, cancel := context.WithTimeout(ctx, serverPatience)
		defer cancel()
		found, _ := n.lookupServers(ctx)
		merge(&n.servers.found, found)
	}
	if n.servers.timer == nil {
		n.servers.timer = time.AfterFunc(0, n.refresh)
	}
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
	if merge(&n.servers.found, found) {
		n.moved()
	}
	n.servers.timer.Reset(n.servers.pause(len(found) > 0, ttl))
}

// Proven takes the address to which a connection of the agent stands on which the
// server showed a certificate of the device's own authority.
func (n *Network) Proven(at netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	named := slices.ContainsFunc(n.servers.hosts, func(one serverHost) bool { return one.name != "" && !one.page && one.port == at.Port() })
	if n.servers.stopped || !named || !merge(&n.servers.proven, []netip.Addr{at.Addr().Unmap().WithZone("")}) {
		return
	}
	if n.opts.Pinned != nil {
		go n.opts.Pinned(slices.Clone(n.servers.proven))
	}
	n.moved()
}

// moved puts the server's addresses into the packet rules, if any stand. The
// caller holds the lock.
func (n *Network) moved() {
	if n.known && !n.want.zero() && (n.want.reach == enforce.Open || n.want.end > n.elapsed()) {
		if err := n.net.SetWall(n.wall(n.want)); err != nil {
			n.opts.Log.Warn("the server's address could not be put into the packet rules", "error", err)
		}
	}
}

// pause is how long a look-up lasts, or how long to wait after one that failed:
// longer each time, since a device can be without network for weeks.
func (s *servers) pause(found bool, ttl time.Duration) time.Duration {
	if found {
		s.failures = 0
		return min(max(ttl, serverSoonest), serverLatest)
	}
	s.failures = min(s.failures+1, 6)
	return 2 * time.Second << s.failures
}

func (n *Network) lookupServers(ctx context.Context) ([]netip.Addr, time.Duration) {
	var all []netip.Addr
	shortest := serverLatest
	for _, one := range n.servers.hosts {
		if one.name == "" || one.page {
			continue
		}
		found, ttl, err := n.resolver.Lookup(ctx, one.name)
		if err != nil {
			continue
		}
		all = append(all, found...)
		shortest = min(shortest, ttl)
	}
	byAddress(all)
	return slices.Compact(all), shortest
}

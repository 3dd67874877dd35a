package host

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// ErrNoNetwork is answered on systems whose packet rules we cannot set.
var ErrNoNetwork = errors.New("host: packet rules are not supported on this system")

// Network is the door to packet rules, name servers and the sockets of the gate
// through which names and web traffic are led.
type Network interface {
	// SetWall makes the packet rules so, in one step: no packet ever meets half
	// of them. The zero value takes everything back, also what a former process
	// left. Rules of others are not touched. After an error the former rules hold.
	SetWall(wall Wall) error
	// ReadWall reads back from the system what stands.
	ReadWall() (WallState, error)
	// Admit lets connections to these addresses reach the gate while the wall is
	// closed with Web, for the given time.
	Admit(addrs []netip.Addr, lasting time.Duration) error
	// Beat says that the gate is alive; without it the Filter lapses after
	// FilterLapse.
	Beat() error
	// Watch receives, soon after somebody changed what SetWall did; also once
	// after SetWall itself. The channel is closed when the context ends or the
	// system stops telling.
	Watch(ctx context.Context) (<-chan struct{}, error)
	// Cut ends established TCP connections to other machines at once, but for
	// those that keep spares, the gate's own and those to spared servers. It
	// returns how many it ended.
	Cut(keep func(local, remote netip.AddrPort) bool) (int, error)

	// NameServers are those that the system was given.
	NameServers() NameServers
	// TimeServers are the host names from which the system takes the time.
	TimeServers() []string
	// OpenGate returns the sockets on which the gate is reached by redirected
	// connections, on loopback only.
	OpenGate() (GateSockets, error)
	// Dial connects past the wall. No program of a pupil can do that.
	Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)
	// Original returns where a redirected connection was meant to go.
	Original(conn net.Conn) (netip.AddrPort, bool)
	// Local reports whether an address is one of this machine's own.
	Local(addr netip.Addr) bool
}

// FilterLapse is how long the base filter stands without a sign of life from
// its gate. Then the system opens: a device without its agent must not be a
// device without network. A closed wall is different: it stays closed.
const FilterLapse = 20 * time.Second

// Wall is the packet rules of a device, in neutral terms.
type Wall struct {
	// Closed is how long nothing passes but what is named here; the system ends
	// it by itself, with or without us. Zero means no mode.
	Closed time.Duration
	// Web leads web ports, and every TCP port of admitted addresses, to the gate
	// while Closed, instead of refusing them.
	Web bool
	// Filter leads names and web ports to the gate while not Closed, and refuses
	// the ways around it (QUIC, DNS over TLS, known DNS over HTTPS).
	Filter bool
	// Strict refuses, while Filter stands and the wall is not Closed, whatever does
	// not go through the gate, as Closed with Web does. It ends with the Filter.
	Strict bool
	// Servers stay reachable over TCP, whatever happens.
	Servers []netip.AddrPort
	// Sought stay reachable over TCP for programs of root only: where name service
	// says that the server is. Whoever answers names could say so of any address.
	Sought []netip.AddrPort
	// Resolvers are addresses that answer names over HTTPS.
	Resolvers []netip.Addr
	// NamesPort and WebPort are the gate's, on loopback.
	NamesPort, WebPort uint16
	// StubUser is who may ask name servers past the gate, because the gate can
	// only ask it: the user of a local name server of unknown upstreams. Nil for
	// nobody.
	StubUser *uint32
}

// Zero reports whether the wall does nothing.
func (w Wall) Zero() bool { return w.Closed <= 0 && !w.Filter }

// WallState is what was read back.
type WallState struct {
	// Present is whether any rule of ours stands.
	Present bool
	// Intact is whether every rule stands exactly as SetWall left it.
	Intact bool
	// Closed is how long the wall remains closed.
	Closed time.Duration
	// Filter is how long the filter stands without a further Beat.
	Filter time.Duration
}

// NameServers are the servers that the system asks for names. Stubs on loopback
// (systemd-resolved, dnsmasq) are replaced by what is behind them where the
// system says so; otherwise Stub is set and StubUser is the stub's user id.
type NameServers struct {
	Servers  []netip.AddrPort
	Stub     bool
	StubUser uint32
}

// GateSockets are the listening sockets of the gate. All lists may be empty, on
// systems without sockets (simulated devices).
type GateSockets struct {
	Packets []net.PacketConn // names over UDP
	Names   []net.Listener   // names over TCP
	Web     []net.Listener
	// The ports are the same on IPv4 and IPv6.
	NamesPort, WebPort uint16
}

// Close closes all.
func (s GateSockets) Close() {
	for _, socket := range s.Packets {
		_ = socket.Close()
	}
	for _, socket := range append(s.Names, s.Web...) {
		_ = socket.Close()
	}
}

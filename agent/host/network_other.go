//go:build !linux

package host

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// SystemNetwork is the network of this machine; on this system nothing of it
// can be set.
type SystemNetwork struct{}

// NewNetwork returns the network of this machine.
func NewNetwork() *SystemNetwork { return &SystemNetwork{} }

// Close does nothing.
func (*SystemNetwork) Close() {}

// SetWall takes back nothing, successfully, and sets nothing.
func (*SystemNetwork) SetWall(wall Wall) error {
	if wall.Zero() {
		return nil
	}
	return ErrNoNetwork
}

// ReadWall reads that nothing stands.
func (*SystemNetwork) ReadWall() (WallState, error) { return WallState{}, nil }

// Admit is not supported.
func (*SystemNetwork) Admit([]netip.Addr, time.Duration) error { return ErrNoNetwork }

// Beat is not supported.
func (*SystemNetwork) Beat() error { return ErrNoNetwork }

// Watch is not supported.
func (*SystemNetwork) Watch(context.Context) (<-chan struct{}, error) { return nil, ErrNoNetwork }

// Cut is not supported.
func (*SystemNetwork) Cut(func(local, remote netip.AddrPort) bool) (int, error) {
	return 0, ErrNoNetwork
}

// NameServers knows none.
func (*SystemNetwork) NameServers() NameServers { return NameServers{} }

// TimeServers knows none.
func (*SystemNetwork) TimeServers() []string { return nil }

// OpenGate is not supported.
func (*SystemNetwork) OpenGate() (GateSockets, error) { return GateSockets{}, ErrNoNetwork }

// Dial is not supported.
func (*SystemNetwork) Dial(context.Context, string, netip.AddrPort) (net.Conn, error) {
	return nil, ErrNoNetwork
}

// Original knows nothing.
func (*SystemNetwork) Original(net.Conn) (netip.AddrPort, bool) { return netip.AddrPort{}, false }

// Local knows loopback.
func (*SystemNetwork) Local(addr netip.Addr) bool { return addr.IsLoopback() }

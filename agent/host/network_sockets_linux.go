package host

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The gate listens on ports that only root can take: when the agent is dead, no
// program of a pupil can sit down in its place.
const (
	gatePortFirst = 700
	gatePortLast  = 1000
)

// OpenGate listens on loopback, IPv4 and, where there is one, IPv6.
func (n *SystemNetwork) OpenGate() (GateSockets, error) {
	families := []string{"127.0.0.1"}
	if probe, err := net.Listen("tcp", "[::1]:0"); err == nil {
		_ = probe.Close()
		families = append(families, "::1")
	}
	for range 50 {
		sockets, err := openGate(families)
		if err == nil {
			return sockets, nil
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			return GateSockets{}, fmt.Errorf("opening the gate: %w", err)
		}
	}
	return GateSockets{}, fmt.Errorf("opening the gate: %w", unix.EADDRINUSE)
}

func openGate(families []string) (sockets GateSockets, err error) {
	defer func() {
		if err != nil {
			sockets.Close()
		}
	}()
	first := gatePortFirst + rand.N(gatePortLast-gatePortFirst)
	sockets.NamesPort, sockets.WebPort = uint16(first), uint16(first+1)
	for _, addr := range families {
		packets, err := net.ListenPacket("udp", netip.AddrPortFrom(netip.MustParseAddr(addr), sockets.NamesPort).String())
		if err != nil {
			return sockets, err
		}
		sockets.Packets = append(sockets.Packets, packets)
		names, err := net.Listen("tcp", netip.AddrPortFrom(netip.MustParseAddr(addr), sockets.NamesPort).String())
		if err != nil {
			return sockets, err
		}
		sockets.Names = append(sockets.Names, names)
		web, err := net.Listen("tcp", netip.AddrPortFrom(netip.MustParseAddr(addr), sockets.WebPort).String())
		if err != nil {
			return sockets, err
		}
		sockets.Web = append(sockets.Web, web)
	}
	return sockets, nil
}

var pastTheWall = net.Dialer{
	Timeout:   10 * time.Second,
	KeepAlive: 60 * time.Second,
	Control: func(_, _ string, raw syscall.RawConn) error {
		var fault error
		if err := raw.Control(func(fd uintptr) {
			fault = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, gateMark)
		}); err != nil {
			return err
		}
		return fault
	},
}

// Dial connects with the gate's mark.
func (n *SystemNetwork) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	return pastTheWall.DialContext(ctx, network, to.String())
}

// Original asks the connection tracking for the destination before the redirect
// (SO_ORIGINAL_DST, 80 in both families).
func (n *SystemNetwork) Original(conn net.Conn) (netip.AddrPort, bool) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return netip.AddrPort{}, false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, false
	}
	local, ok := tcp.LocalAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	var meant netip.AddrPort
	var fault error
	err = raw.Control(func(fd uintptr) {
		if local.IP.To4() != nil {
			meant, fault = original4(int(fd))
		} else {
			meant, fault = original6(int(fd))
		}
	})
	if err != nil || fault != nil {
		return netip.AddrPort{}, false
	}
	return meant, meant != local.AddrPort()
}

func original4(fd int) (netip.AddrPort, error) {
	const soOriginalDst = 80
	// The answer is a sockaddr_in; this structure has room for its 16 bytes.
	answer, err := unix.GetsockoptIPv6Mreq(fd, unix.SOL_IP, soOriginalDst)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(answer.Multiaddr[4:8])), binary.BigEndian.Uint16(answer.Multiaddr[2:4])), nil
}

func original6(fd int) (netip.AddrPort, error) {
	const ip6tSoOriginalDst = 80
	answer, err := unix.GetsockoptIPv6MTUInfo(fd, unix.SOL_IPV6, ip6tSoOriginalDst)
	if err != nil {
		return netip.AddrPort{}, err
	}
	var port [2]byte
	binary.NativeEndian.PutUint16(port[:], answer.Addr.Port)
	return netip.AddrPortFrom(netip.AddrFrom16(answer.Addr.Addr), binary.BigEndian.Uint16(port[:])), nil
}

// ownAddresses remembers this machine's addresses for a moment.
type ownAddresses struct {
	mu    sync.Mutex
	at    time.Time
	addrs map[netip.Addr]bool
}

// Local reports whether an address is loopback or one of this machine's own.
func (n *SystemNetwork) Local(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if addr.IsLoopback() || addr.IsUnspecified() {
		return true
	}
	n.owned.mu.Lock()
	defer n.owned.mu.Unlock()
	if time.Since(n.owned.at) > 2*time.Second {
		n.owned.at, n.owned.addrs = time.Now(), map[netip.Addr]bool{}
		found, _ := net.InterfaceAddrs()
		for _, one := range found {
			if prefix, err := netip.ParsePrefix(one.String()); err == nil {
				n.owned.addrs[prefix.Addr().Unmap()] = true
			}
		}
	}
	return n.owned.addrs[addr]
}

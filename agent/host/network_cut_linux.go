package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Of linux/inet_diag.h and linux/sock_diag.h.
const (
	sockDiagByFamily = 20
	sockDestroy      = 21
	diagRequestSize  = 56
	diagMessageSize  = 72
	diagIDOffset     = 8 // of inet_diag_sockid in request
	diagMsgIDOffset  = 4 // and in message
	diagIDSize       = 48
	diagAttrMark     = 15
)

// tcpAlive are the states of connections that could still carry something: all
// but TIME_WAIT, CLOSE, LISTEN.
const tcpAlive = 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<8 | 1<<9 | 1<<11

func asOpError(err error, target **netlink.OpError) bool { return errors.As(err, target) }

type socket struct {
	family        byte
	id            []byte
	local, remote netip.AddrPort
	mark          uint32
	user          uint32
}

// Cut destroys the sockets, as ss -K does: programs see a reset at once. Where
// the kernel cannot (CONFIG_INET_DIAG_DESTROY), the packet rules end a
// connection with its next packet, and ErrNoNetwork tells so.
func (n *SystemNetwork) Cut(keep func(local, remote netip.AddrPort) bool) (int, error) {
	conn, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return 0, fmt.Errorf("opening netlink: %w", err)
	}
	defer conn.Close()
	cut := 0
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		sockets, err := list(conn, family, unix.IPPROTO_TCP, tcpAlive)
		if err != nil {
			return cut, fmt.Errorf("listing connections: %w", err)
		}
		for _, s := range sockets {
			if s.mark == gateMark || n.Local(s.remote.Addr()) || keep(s.local, s.remote) {
				continue
			}
			switch err := destroy(conn, s); {
			case err == nil:
				cut++
			case errors.Is(err, unix.EOPNOTSUPP):
				return cut, fmt.Errorf("cutting connections: %w", ErrNoNetwork)
			}
			// Any other answer: the connection ended by itself meanwhile.
		}
	}
	return cut, nil
}

func request(family, protocol byte, states uint32) []byte {
	data := make([]byte, diagRequestSize)
	data[0], data[1] = family, protocol
	binary.NativeEndian.PutUint32(data[4:], states)
	return data
}

func list(conn *netlink.Conn, family, protocol byte, states uint32) ([]socket, error) {
	messages, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: sockDiagByFamily, Flags: netlink.Request | netlink.Dump},
		Data:   request(family, protocol, states),
	})
	if err != nil {
		return nil, err
	}
	sockets := make([]socket, 0, len(messages))
	for _, message := range messages {
		if s, ok := parseSocket(message.Data); ok {
			sockets = append(sockets, s)
		}
	}
	return sockets, nil
}

func parseSocket(data []byte) (socket, bool) {
	if len(data) < diagMessageSize {
		return socket{}, false
	}
	id := data[diagMsgIDOffset : diagMsgIDOffset+diagIDSize]
	s := socket{family: data[0], id: id, user: binary.NativeEndian.Uint32(data[64:])}
	s.local = address(s.family, id[4:20], id[0:2])
	s.remote = address(s.family, id[20:36], id[2:4])
	attrs, err := netlink.NewAttributeDecoder(data[diagMessageSize:])
	if err != nil {
		return s, true
	}
	for attrs.Next() {
		if attrs.Type() == diagAttrMark {
			s.mark = attrs.Uint32()
		}
	}
	return s, true
}

func address(family byte, addr, port []byte) netip.AddrPort {
	if family == unix.AF_INET {
		addr = addr[:4]
	}
	ip, _ := netip.AddrFromSlice(addr)
	// A socket for both families shows IPv4 as mapped.
	return netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(port))
}

func destroy(conn *netlink.Conn, s socket) error {
	data := request(s.family, unix.IPPROTO_TCP, tcpAlive)
	copy(data[diagIDOffset:], s.id)
	_, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: sockDestroy, Flags: netlink.Request | netlink.Acknowledge},
		Data:   data,
	})
	return err
}

// userOf returns who listens on a UDP address of this machine.
func userOf(at netip.AddrPort) (uint32, bool) {
	conn, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return 0, false
	}
	defer conn.Close()
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		// An unconnected UDP socket is in the state that TCP calls CLOSE.
		sockets, err := list(conn, family, unix.IPPROTO_UDP, 1<<7)
		if err != nil {
			continue
		}
		for _, s := range sockets {
			if s.local.Port() == at.Port() && (s.local.Addr() == at.Addr() || s.local.Addr().IsUnspecified()) {
				return s.user, true
			}
		}
	}
	return 0, false
}

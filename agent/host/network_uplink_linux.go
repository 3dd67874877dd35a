package host

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Uplink receives when the way out is back after it was gone: the cable is in
// again, another wireless network was joined, an address was given. It listens
// to the kernel's news of links, addresses and routes (rtnetlink(7)); what is
// renewed without having been gone is no news.
func Uplink(ctx context.Context) (<-chan struct{}, error) {
	const groups = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV6_ROUTE
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Groups: groups})
	if err != nil {
		return nil, fmt.Errorf("listening for links: %w", err)
	}
	u := begun()
	back := make(chan struct{}, 1)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	go func() {
		defer close(back)
		defer stop()
		defer conn.Close()
		for {
			messages, err := conn.Receive()
			if err != nil && (ctx.Err() != nil || !isOverrun(err)) {
				return
			}
			for _, message := range messages {
				if !u.hear(uint16(message.Header.Type), message.Data) {
					continue
				}
				select {
				case back <- struct{}{}:
				default:
				}
			}
		}
	}()
	return back, nil
}

// uplink remembers what of the way out is gone: an address or a route, and
// which links have no carrier.
type uplink struct {
	gone bool
	down map[int32]bool // by index
}

// begun is what is known before the first word: which links have no carrier, and
// whether there is no way out at all, as when a device started without any.
func begun() uplink {
	u := uplink{gone: !wayOut(), down: map[int32]bool{}}
	links, _ := net.Interfaces()
	for _, link := range links {
		if link.Flags&(net.FlagLoopback|net.FlagRunning) == 0 {
			u.down[int32(link.Index)] = true //nolint:gosec // it is one
		}
	}
	return u
}

// wayOut reports whether a default route is there: a line with a destination and
// a mask of nothing in proc_net(5)'s tables.
func wayOut() bool {
	v4, _ := os.ReadFile("/proc/thread-self/net/route")
	for line := range strings.Lines(string(v4)) {
		if f := strings.Fields(line); len(f) > 7 && f[1] == "00000000" && f[7] == "00000000" {
			return true
		}
	}
	v6, _ := os.ReadFile("/proc/thread-self/net/ipv6_route")
	for line := range strings.Lines(string(v6)) {
		if f := strings.Fields(line); len(f) > 9 && strings.Trim(f[0]+f[1], "0") == "" && f[9] != "lo" {
			return true
		}
	}
	return false
}

// hear takes one message, and reports whether it says that the way is back.
func (u *uplink) hear(kind uint16, data []byte) bool {
	switch kind {
	case unix.RTM_NEWLINK:
		// struct ifinfomsg: family, type, index, flags.
		if len(data) < unix.SizeofIfInfomsg {
			return false
		}
		index, flags := int32(binary.NativeEndian.Uint32(data[4:8])), binary.NativeEndian.Uint32(data[8:12]) //nolint:gosec // it is one
		if flags&unix.IFF_LOOPBACK != 0 {
			return false
		}
		return u.carrier(index, flags&unix.IFF_LOWER_UP != 0)
	case unix.RTM_DELLINK:
		if len(data) >= unix.SizeofIfInfomsg {
			delete(u.down, int32(binary.NativeEndian.Uint32(data[4:8]))) //nolint:gosec // it is one
		}
	case unix.RTM_DELROUTE, unix.RTM_NEWROUTE:
		// struct rtmsg: family, length of the destination; none is the way out.
		if len(data) < unix.SizeofRtMsg || data[1] != 0 {
			return false
		}
		return u.turn(kind == unix.RTM_NEWROUTE)
	case unix.RTM_DELADDR:
		u.gone = true
	}
	return false
}

// carrier notes whether a link has a carrier. Routes may outlive its loss, so
// that its return is all that is told.
func (u *uplink) carrier(index int32, has bool) (back bool) {
	if has {
		back = u.down[index]
		delete(u.down, index)
		return back
	}
	u.down[index], u.gone = true, true
	return false
}

func (u *uplink) turn(back bool) bool {
	was := u.gone
	u.gone = !back
	return back && was
}

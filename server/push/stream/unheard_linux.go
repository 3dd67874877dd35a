package stream

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// unheard is how long a nudge may go without the device's machine confirming
// it before the connection counts as lost. It costs no traffic: the question is
// asked only when something was sent.
const unheard = 20 * time.Second

// loseUnheard makes the kernel drop a connection whose data nobody confirms
// (TCP_USER_TIMEOUT, RFC 5482): a pulled cable says no goodbye.
func loseUnheard(conn net.Conn) {
	plain, ok := plainOf(conn).(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unheard/time.Millisecond))
	})
	_ = plain.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: Heartbeat, Interval: 15 * time.Second, Count: 3})
}

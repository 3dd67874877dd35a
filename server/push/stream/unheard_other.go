//go:build !linux

package stream

import "net"

// loseUnheard does nothing here: the heartbeat finds a lost connection.
func loseUnheard(net.Conn) {}

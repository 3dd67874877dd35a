package gate

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"schulwart.org/agent/host"
)

// Bounds of connections that ask for names.
const (
	maxTCP      = 64 // at the same time
	maxQueries  = 64 // on each
	tcpPatience = 5 * time.Second
)

func (n *names) serve(sockets host.GateSockets) {
	n.sockets = sockets
	for _, packets := range sockets.Packets {
		go n.servePackets(packets)
	}
	for _, listener := range sockets.Names {
		go n.serveConnections(listener)
	}
}

func (n *names) close() {
	for _, packets := range n.sockets.Packets {
		_ = packets.Close()
	}
	for _, listener := range n.sockets.Names {
		_ = listener.Close()
	}
}

func (n *names) servePackets(packets net.PacketConn) {
	buffer := make([]byte, 4096)
	for {
		size, from, err := packets.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) || n.gate.closing.Err() != nil {
			return
		}
		if err != nil {
			// Such as the word that an earlier answer found nobody.
			continue
		}
		query := append([]byte(nil), buffer[:size]...)
		go func() {
			if answer := n.reply(query, true); answer != nil {
				_, _ = packets.WriteTo(answer, from)
			}
		}()
	}
}

func (n *names) serveConnections(listener net.Listener) {
	free := make(chan struct{}, maxTCP)
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) || n.gate.closing.Err() != nil {
			return
		}
		if err != nil {
			// Too many open files: whoever waits is served when one closes.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		select {
		case free <- struct{}{}:
			go func() {
				defer func() { <-free }()
				defer conn.Close()
				n.serveConnection(conn)
			}()
		default:
			_ = conn.Close()
		}
	}
}

func (n *names) serveConnection(conn net.Conn) {
	for range maxQueries {
		_ = conn.SetDeadline(time.Now().Add(tcpPatience))
		query, err := readMessage(conn)
		if err != nil {
			return
		}
		answer := n.reply(query, false)
		_ = conn.SetDeadline(time.Now().Add(tcpPatience))
		if answer == nil || writeMessage(conn, answer) != nil {
			return
		}
	}
}

// readMessage reads one message of a connection (RFC 1035, section 4.2.2).
func readMessage(from io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	data := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(from, data)
	return data, err
}

func writeMessage(to io.Writer, data []byte) error {
	_, err := to.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(data))), data...))
	return err
}

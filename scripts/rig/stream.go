package rig

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"time"
)

// Stream is a connection that stays open.
type Stream struct {
	conn   net.Conn
	reader *bufio.Reader
}

// Open connects to a site, sends a request for a path ("/download", "/socket")
// and reads the head of the answer.
func (w *World) Open(ns *Namespace, host, path string, ask Ask) (*Stream, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	raw, err := ns.Dial(ctx, net.JoinHostPort(host, "443"), ask)
	if err != nil {
		return nil, err
	}
	_ = raw.SetDeadline(time.Now().Add(Patience))
	conn := tls.Client(raw, &tls.Config{RootCAs: w.CA.Pool, ServerName: host})
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host); err != nil {
		_ = raw.Close()
		return nil, err
	}
	s := &Stream{conn: conn, reader: bufio.NewReader(conn)}
	for {
		line, err := s.reader.ReadString('\n')
		if err != nil {
			_ = raw.Close()
			return nil, err
		}
		if line == "\r\n" {
			_ = raw.SetDeadline(time.Time{})
			return s, nil
		}
	}
}

// UntilCut reads until the connection ends or the patience does, and says when.
func (s *Stream) UntilCut() Answer {
	start := time.Now()
	_ = s.conn.SetReadDeadline(start.Add(Patience))
	_, err := io.Copy(io.Discard, s.reader)
	if err == nil {
		err = io.EOF
	}
	return Answer{Outcome: outcome(err), Took: time.Since(start), Err: err}
}

// Echo sends a line and waits until it comes back.
func (s *Stream) Echo() error {
	_ = s.conn.SetDeadline(time.Now().Add(Patience))
	if _, err := io.WriteString(s.conn, "hello\n"); err != nil {
		return err
	}
	line, err := s.reader.ReadString('\n')
	if err == nil && line != "hello\n" {
		err = fmt.Errorf("echo was %q", line)
	}
	return err
}

// Flowing reads a little, to see that a download still runs.
func (s *Stream) Flowing() error {
	_ = s.conn.SetReadDeadline(time.Now().Add(Patience))
	_, err := io.CopyN(io.Discard, s.reader, 64<<10)
	return err
}

// Close ends the connection.
func (s *Stream) Close() { _ = s.conn.Close() }

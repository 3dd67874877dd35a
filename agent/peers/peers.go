// Package peers lets devices of one site have files from each other: it gives out
// by hash what was offered here, over mutual TLS and to nobody but devices of the
// same authority that know the word, and fetches the same way. Which device to ask
// says the server; nothing is searched for and nothing announced. Whether a file is
// given out, and what of it is right, is decided elsewhere.
package peers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"schulwart.org/agent/identity"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// Bounds, so that a device that helps others stays a device for lessons.
const (
	usualPort     = 7447
	mostTransfers = 6  // at a time
	mostCallers   = 64 // connections at a time
	readStep      = 64 << 10
	dialTime      = 3 * time.Second
	pieceTime     = 20 * time.Second // for a chunk: slower than 50 kB a second is no help
)

// wordHeader carries the word by which devices of a site know each other.
const wordHeader = "Schulwart-Word"

// ErrLater says that a peer lives but has not got so far yet, or has its hands full.
var ErrLater = errors.New("peers: not yet")

// Site is this device among those of its site. Its methods are safe for concurrent
// use.
type Site struct {
	id     *identity.Identity
	now    func() time.Time
	client *http.Client
	places chan struct{}
	calls  atomic.Int32

	mu       sync.Mutex
	offers   map[string]offer // by hash
	server   *http.Server     // nil while nothing is offered
	listener net.Listener
	addr     netip.Addr // on which it listens
}

type offer struct {
	word string
	read func(from int64, most int) ([]byte, error)
}

// New returns a site at which nothing is offered. now is the time at which
// certificates are judged.
func New(id *identity.Identity, now func() time.Time) *Site {
	s := &Site{id: id, now: now, places: make(chan struct{}, mostTransfers), offers: map[string]offer{}}
	s.client = &http.Client{Transport: &http.Transport{DialTLSContext: s.dial, IdleConnTimeout: 4 * time.Second, MaxIdleConnsPerHost: 1, DisableCompression: true, ResponseHeaderTimeout: 5 * time.Second}}
	return s
}

// whereabouts is the key of a context that says where a peer is.
type whereabouts struct{}

// dial connects to the enrolment that stands in the place of a host: so a
// connection is used again for that device only.
func (s *Site) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	id, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	at, _ := ctx.Value(whereabouts{}).(string)
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, network, at)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, s.id.ToPeer(s.now, org.ID(id)))
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return conn, nil
}

// Piece fetches bytes of a file from a peer: all that were asked for, or a fault,
// ErrLater if it has them not yet.
func (s *Site) Piece(ctx context.Context, peer rollout.Peer, hash, word string, from int64, most int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, whereabouts{}, peer.At), pieceTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, (&url.URL{Scheme: "https", Host: peer.ID.String(), Path: rollout.PathOf(hash)}).String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set(wordHeader, word)
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, from+int64(most)-1))
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusPartialContent:
	case http.StatusServiceUnavailable:
		return nil, ErrLater
	default:
		return nil, fmt.Errorf("peers: it answers %d", response.StatusCode)
	}
	piece := make([]byte, most)
	if _, err := io.ReadFull(response.Body, piece); err != nil {
		return nil, fmt.Errorf("reading a piece of a peer: %w", err)
	}
	return piece, nil
}

// Offer gives a file out to whoever knows the word, as far as it can be read, until
// Withdraw; offered again, it replaces. It returns where it is had from, and this
// device's network.
func (s *Site) Offer(hash, word string, read func(from int64, most int) ([]byte, error)) (at, network string, err error) {
	here, err := s.here()
	if err != nil {
		return "", "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil && s.addr != here.Addr() {
		s.close() // it is in another network now
	}
	if s.server == nil {
		if err := s.listen(here.Addr()); err != nil {
			return "", "", err
		}
	}
	s.offers[hash] = offer{word, read}
	return s.listener.Addr().String(), here.Masked().String(), nil
}

// Withdraw gives a file out no more. With the last one the device stops listening.
func (s *Site) Withdraw(hash string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.offers, hash)
	if len(s.offers) == 0 {
		s.close()
	}
}

// Close stops listening.
func (s *Site) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.offers)
	s.close()
	s.client.CloseIdleConnections()
}

func (s *Site) close() {
	if s.server != nil {
		_ = s.server.Close()
		s.server, s.listener = nil, nil
	}
}

// Network returns the network in which the device reaches its server, empty where
// that cannot be told.
func (s *Site) Network() string {
	here, err := s.here()
	if err != nil {
		return ""
	}
	return here.Masked().String()
}

// here returns the address from which the device reaches its server, with the
// length of its network's prefix. Nothing is sent for it.
func (s *Site) here() (netip.Prefix, error) {
	server, err := url.Parse(s.id.DeviceURL)
	if err != nil {
		return netip.Prefix{}, err
	}
	port := server.Port()
	if port == "" {
		port = "443"
	}
	way, err := net.Dial("udp", net.JoinHostPort(server.Hostname(), port))
	if err != nil {
		return netip.Prefix{}, err
	}
	own := way.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	_ = way.Close()
	all, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Prefix{}, err
	}
	for _, one := range all {
		if prefix, err := netip.ParsePrefix(one.String()); err == nil && prefix.Addr() == own {
			return prefix, nil
		}
	}
	return netip.PrefixFrom(own, own.BitLen()), nil
}

// listen opens the usual port, or any other where that is taken; with the lock held.
func (s *Site) listen(addr netip.Addr) error {
	listener, err := net.Listen("tcp", netip.AddrPortFrom(addr, usualPort).String())
	if err != nil {
		listener, err = net.Listen("tcp", netip.AddrPortFrom(addr, 0).String())
	}
	if err != nil {
		return fmt.Errorf("listening for other devices: %w", err)
	}
	server := &http.Server{
		Handler: http.HandlerFunc(s.give), TLSConfig: s.id.ForPeers(s.now), TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
		ReadHeaderTimeout: 5 * time.Second, WriteTimeout: pieceTime, IdleTimeout: 5 * time.Second, MaxHeaderBytes: 4 << 10,
		ErrorLog: log.New(io.Discard, "", 0), // strangers at the door are no news
		ConnState: func(conn net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				if s.calls.Add(1) > mostCallers {
					_ = conn.Close()
				}
			case http.StateClosed, http.StateHijacked:
				s.calls.Add(-1)
			}
		},
	}
	s.server, s.listener, s.addr = server, listener, addr
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return nil
}

// give answers another device.
func (s *Site) give(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	var file offer
	for hash, one := range s.offers {
		if r.URL.Path == rollout.PathOf(hash) {
			file = one
		}
	}
	s.mu.Unlock()
	if file.read == nil || r.Method != http.MethodGet || file.word == "" || r.Header.Get(wordHeader) != file.word {
		http.NotFound(w, r)
		return
	}
	from, to, ok := span(r.Header.Get("Range"))
	if !ok {
		http.Error(w, "", http.StatusRequestedRangeNotSatisfiable)
		return
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		http.Error(w, "", http.StatusServiceUnavailable)
		return
	}
	// The last byte first: what is not there yet is not begun.
	if last, err := file.read(to, 1); err != nil || len(last) == 0 {
		http.Error(w, "", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Length", strconv.FormatInt(to-from+1, 10))
	w.WriteHeader(http.StatusPartialContent)
	for from <= to {
		part, err := file.read(from, int(min(readStep, to-from+1)))
		if err != nil || len(part) == 0 {
			return // the other side sees that it is too short
		}
		if _, err := w.Write(part); err != nil {
			return
		}
		from += int64(len(part))
	}
}

// span reads a range of bytes that lies within a chunk's length.
func span(header string) (from, to int64, ok bool) {
	first, last, found := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	from, err := strconv.ParseInt(first, 10, 64)
	to, other := strconv.ParseInt(last, 10, 64)
	return from, to, found && err == nil && other == nil && from >= 0 && to >= from && to-from < rollout.Chunk
}

package rig

import (
	"bytes"
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
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// Outcome is what came of trying to reach something.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Refused Outcome = "refused"     // at once, by RST on connecting or by an ICMP message
	Reset   Outcome = "reset"       // connected, then cut
	Timeout Outcome = "timeout"     // nobody said anything
	NoName  Outcome = "dns-refused" // the name service said no
	Other   Outcome = "other"       // Err says what
)

// Blocked reports whether it was refused without making anybody wait.
func (o Outcome) Blocked() bool { return o == Refused || o == Reset || o == NoName }

// Answer is what a device got.
type Answer struct {
	Outcome Outcome
	Took    time.Duration
	Body    string
	Addrs   []netip.Addr // of Resolve
	// Extended is the extended DNS error (RFC 8914) of Resolve, or -1.
	Extended int
	Err      error
}

func (a Answer) String() string {
	return fmt.Sprintf("%s in %v (%v)", a.Outcome, a.Took.Round(time.Millisecond), a.Err)
}

// Patience is how long a device waits before it calls something a timeout.
const Patience = 5 * time.Second

var discard = log.New(io.Discard, "", 0)

// Ask is how a device asks for something.
type Ask struct {
	// Family is "4" or "6"; empty for whichever works.
	Family string
	// SNI is sent instead of the URL's host; "-" sends none. The certificate is
	// not checked then.
	SNI string
	// Addr is connected to instead of what the name service says.
	Addr netip.Addr
	// HTTP3 asks over QUIC.
	HTTP3 bool
	// Hidden asks for the name in an encrypted hello.
	Hidden bool
	// Body is posted, as DNS over HTTPS wants it.
	Body []byte
}

// Get fetches a page as that machine would: with its name server, its routes, its
// packet rules, and the world's authority.
func (w *World) Get(ns *Namespace, address string) Answer { return w.Ask(ns, address, Ask{}) }

// Ask is Get with choices.
func (w *World) Ask(ns *Namespace, address string, ask Ask) Answer {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	start := time.Now()
	body, err := w.fetch(ctx, ns, address, ask)
	return Answer{Outcome: outcome(err), Took: time.Since(start), Body: body, Err: err, Extended: -1}
}

func (w *World) fetch(ctx context.Context, ns *Namespace, address string, ask Ask) (string, error) {
	target, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	if ask.Body != nil {
		request, err = http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(ask.Body))
		if err != nil {
			return "", err
		}
		request.Header.Set("Content-Type", "application/dns-message")
	}
	settings := &tls.Config{RootCAs: w.CA.Pool, ServerName: target.Hostname()}
	if ask.SNI != "" {
		settings = &tls.Config{ServerName: strings.TrimPrefix(ask.SNI, "-"), InsecureSkipVerify: true} //nolint:gosec // a pupil who lies about the name
	}
	if ask.Hidden {
		settings.EncryptedClientHelloConfigList = w.CA.EncryptedHello()
	}
	var transport http.RoundTripper
	if ask.HTTP3 {
		h3 := &http3.Transport{TLSClientConfig: settings, Dial: func(ctx context.Context, addr string, tlsConf *tls.Config, conf *quic.Config) (*quic.Conn, error) {
			return ns.dialQUIC(ctx, addr, ask, tlsConf, conf)
		}}
		defer h3.Close()
		transport = h3
	} else {
		h1 := &http.Transport{TLSClientConfig: settings, DisableKeepAlives: true, DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			return ns.Dial(ctx, addr, ask)
		}}
		defer h1.CloseIdleConnections()
		transport = h1
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return string(body), err
}

// Dial connects from that machine to host:port over TCP, by its own name server.
func (ns *Namespace) Dial(ctx context.Context, address string, ask Ask) (net.Conn, error) {
	targets, err := ns.targets(address, ask)
	if err != nil {
		return nil, err
	}
	for _, target := range targets {
		var conn net.Conn
		err = ns.In(func() (err error) {
			conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", target.String())
			return err
		})
		if err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func (ns *Namespace) dialQUIC(ctx context.Context, address string, ask Ask, settings *tls.Config, conf *quic.Config) (*quic.Conn, error) {
	targets, err := ns.targets(address, ask)
	if err != nil {
		return nil, err
	}
	var socket *net.UDPConn
	err = ns.In(func() (err error) {
		// Connected, so that the kernel tells of a refusal.
		socket, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(targets[0]))
		return err
	})
	if err != nil {
		return nil, err
	}
	conn, err := quic.DialEarly(ctx, connected{socket, socket}, socket.RemoteAddr(), settings, conf)
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	context.AfterFunc(conn.Context(), func() { _ = socket.Close() })
	return conn, nil
}

// connected lets quic-go write to a connected socket. It hides everything else
// that a UDP socket can do, so that quic-go writes through WriteTo.
type connected struct {
	net.PacketConn
	conn net.Conn
}

func (c connected) WriteTo(b []byte, _ net.Addr) (int, error) { return c.conn.Write(b) }

func (ns *Namespace) targets(address string, ask Ask) ([]netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := net.LookupPort("tcp", portText)
	if err != nil {
		return nil, err
	}
	addrs := []netip.Addr{ask.Addr}
	if !ask.Addr.IsValid() {
		if addr, err := netip.ParseAddr(host); err == nil {
			addrs = []netip.Addr{addr}
		} else if addrs, err = ns.lookup(host, ask.Family); err != nil {
			return nil, err
		}
	}
	var targets []netip.AddrPort
	for _, addr := range addrs {
		targets = append(targets, netip.AddrPortFrom(addr, uint16(port)))
	}
	return targets, nil
}

func (ns *Namespace) lookup(host, family string) ([]netip.Addr, error) {
	var addrs []netip.Addr
	for _, kind := range []struct {
		family string
		qtype  uint16
	}{{"4", dns.TypeA}, {"6", dns.TypeAAAA}} {
		if family != "" && family != kind.family {
			continue
		}
		answer := ns.Query(host, kind.qtype, "udp", netip.AddrPortFrom(ns.Resolver, 53))
		if answer.Outcome != OK {
			return nil, answer.Err
		}
		addrs = append(addrs, answer.Addrs...)
	}
	if len(addrs) == 0 {
		return nil, noName{"no address"}
	}
	return addrs, nil
}

// Resolve asks the machine's name server for the addresses of a name.
func (ns *Namespace) Resolve(name string) Answer {
	return ns.Query(name, dns.TypeA, "udp", netip.AddrPortFrom(ns.Resolver, 53))
}

// Query asks a name server over "udp", "tcp" or, without checking its
// certificate, "tcp-tls".
func (ns *Namespace) Query(name string, qtype uint16, network string, server netip.AddrPort) Answer {
	start := time.Now()
	message, err := ns.exchange(name, qtype, network, server)
	answer := Answer{Outcome: outcome(err), Took: time.Since(start), Err: err, Extended: -1}
	if message == nil {
		return answer
	}
	answer.Body = message.String()
	for _, rr := range message.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			addr, _ := netip.AddrFromSlice(rr.A)
			answer.Addrs = append(answer.Addrs, addr.Unmap())
		case *dns.AAAA:
			addr, _ := netip.AddrFromSlice(rr.AAAA)
			answer.Addrs = append(answer.Addrs, addr)
		}
	}
	if opt := message.IsEdns0(); opt != nil {
		for _, option := range opt.Option {
			if ede, ok := option.(*dns.EDNS0_EDE); ok {
				answer.Extended = int(ede.InfoCode)
			}
		}
	}
	if message.Rcode != dns.RcodeSuccess {
		answer.Outcome, answer.Err = NoName, noName{dns.RcodeToString[message.Rcode]}
	}
	return answer
}

func (ns *Namespace) exchange(name string, qtype uint16, network string, server netip.AddrPort) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	base := strings.TrimSuffix(network, "-tls")
	var conn net.Conn
	err := ns.In(func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, base, server.String())
		return err
	})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if base != network {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // only whether it answers matters
	}
	query := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
	query.SetEdns0(1232, false)
	client := &dns.Client{Net: base, Timeout: Patience}
	message, _, err := client.ExchangeWithConn(query, &dns.Conn{Conn: conn})
	return message, err
}

// AskTime asks an NTP server for the time.
func (ns *Namespace) AskTime(server netip.Addr) Answer {
	start := time.Now()
	err := ns.packet(netip.AddrPortFrom(server, 123), append([]byte{4<<3 | 3}, make([]byte, 47)...))
	return Answer{Outcome: outcome(err), Took: time.Since(start), Err: err}
}

// Poke sends one UDP packet and waits for a word back: any answer is OK, a
// refusal is Refused, silence is Timeout.
func (ns *Namespace) Poke(to netip.AddrPort) Answer {
	start := time.Now()
	err := ns.packet(to, make([]byte, 1200))
	return Answer{Outcome: outcome(err), Took: time.Since(start), Err: err, Extended: -1}
}

func (ns *Namespace) packet(to netip.AddrPort, content []byte) error {
	var conn net.Conn
	err := ns.In(func() (err error) {
		conn, err = net.Dial("udp", to.String())
		return err
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(Patience))
	if _, err := conn.Write(content); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1500))
	return err
}

type noName struct{ what string }

func (e noName) Error() string { return "name service: " + e.what }

func outcome(err error) Outcome {
	var no noName
	var timeout net.Error
	switch {
	case err == nil:
		return OK
	case errors.As(err, &no):
		return NoName
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return Refused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.ECONNABORTED), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Reset
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	}
	return Other
}

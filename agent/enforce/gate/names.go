package gate

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
)

var errNoAddress = errors.New("gate: the name has no address")

const (
	maxAsking  = 256 // questions under way
	maxTCP     = 64  // connections that ask for names
	timesFresh = time.Minute
)

// names is the name server of the gate.
type names struct {
	gate    *Gate
	up      *Resolver
	servers []*dns.Server
	asking  chan struct{}

	mu        sync.Mutex
	timeNames []string
	timesAt   time.Time
}

func newNames(g *Gate) *names {
	return &names{gate: g, up: NewResolver(g.system), asking: make(chan struct{}, maxAsking)}
}

func (n *names) serve(sockets host.GateSockets) {
	for _, packets := range sockets.Packets {
		n.servers = append(n.servers, &dns.Server{PacketConn: packets, Handler: n})
	}
	for _, listener := range sockets.Names {
		limited := &limited{Listener: listener, free: make(chan struct{}, maxTCP)}
		n.servers = append(n.servers, &dns.Server{Listener: limited, Handler: n, ReadTimeout: 5 * time.Second, MaxTCPQueries: 64})
	}
	for _, server := range n.servers {
		go func() { _ = server.ActivateAndServe() }()
	}
}

func (n *names) close() {
	for _, server := range n.servers {
		_ = server.Shutdown()
	}
}

// times are the names of time servers, read now and then.
func (n *names) times() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.timesAt) > timesFresh {
		n.timeNames, n.timesAt = n.gate.system.TimeServers(), time.Now()
	}
	return n.timeNames
}

// ServeDNS answers one query.
func (n *names) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	select {
	case n.asking <- struct{}{}:
		defer func() { <-n.asking }()
	default:
		_ = w.WriteMsg(new(dns.Msg).SetRcode(query, dns.RcodeServerFailure))
		return
	}
	ctx, cancel := context.WithTimeout(n.gate.closing, 5*time.Second)
	defer cancel()
	answer := n.answer(ctx, query)
	size := dns.MaxMsgSize
	if _, udp := w.LocalAddr().(*net.UDPAddr); udp {
		size = dns.MinMsgSize
		if opt := query.IsEdns0(); opt != nil {
			size = max(size, min(int(opt.UDPSize()), 1232))
		}
	}
	answer.Truncate(size)
	_ = w.WriteMsg(answer)
}

func (n *names) answer(ctx context.Context, query *dns.Msg) *dns.Msg {
	if query.Opcode != dns.OpcodeQuery {
		return new(dns.Msg).SetRcode(query, dns.RcodeNotImplemented)
	}
	if len(query.Question) != 1 || query.Question[0].Qclass != dns.ClassINET {
		return new(dns.Msg).SetRcode(query, dns.RcodeRefused)
	}
	question := query.Question[0]
	name := strings.TrimSuffix(dns.CanonicalName(question.Name), ".")
	switch {
	case name == "localhost" || strings.HasSuffix(name, ".localhost"):
		return localhost(query) // RFC 6761
	case !n.gate.resolves(name):
		return refusal(query)
	case n.gate.filtering() && withheld(question.Qtype):
		return edns(new(dns.Msg).SetReply(query), query)
	}
	got, err := n.up.ask(ctx, question, query.CheckingDisabled, wantsSignatures(query))
	if err != nil {
		return edns(new(dns.Msg).SetRcode(query, dns.RcodeServerFailure), query)
	}
	if reach, _ := n.gate.reach(); reach == enforce.Only && n.gate.passes(name) {
		n.admit(addresses(got))
	}
	return edns(reply(query, got), query)
}

// withheld are types that carry keys for an encrypted hello and offers of HTTP/3
// (RFC 9460), and the question for everything at once (RFC 8482). Without them
// browsers ask openly, over TCP.
func withheld(kind uint16) bool {
	return kind == dns.TypeHTTPS || kind == dns.TypeSVCB || kind == dns.TypeANY
}

// refusal says that there is no such name, and why (RFC 8914, code 15). There is
// no SOA with it: nobody shall remember it beyond the mode (RFC 2308).
func refusal(query *dns.Msg) *dns.Msg {
	answer := edns(new(dns.Msg).SetRcode(query, dns.RcodeNameError), query)
	if opt := answer.IsEdns0(); opt != nil {
		opt.Option = append(opt.Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeBlocked})
	}
	return answer
}

func localhost(query *dns.Msg) *dns.Msg {
	answer := new(dns.Msg).SetReply(query)
	question := query.Question[0]
	header := dns.RR_Header{Name: question.Name, Rrtype: question.Qtype, Class: dns.ClassINET, Ttl: 60}
	switch question.Qtype {
	case dns.TypeA:
		answer.Answer = []dns.RR{&dns.A{Hdr: header, A: net.IPv4(127, 0, 0, 1)}}
	case dns.TypeAAAA:
		answer.Answer = []dns.RR{&dns.AAAA{Hdr: header, AAAA: net.IPv6loopback}}
	}
	return edns(answer, query)
}

func reply(query, got *dns.Msg) *dns.Msg {
	answer := got.Copy()
	answer.Id = query.Id
	answer.Question = query.Question
	answer.Response, answer.RecursionAvailable = true, true
	answer.RecursionDesired = query.RecursionDesired
	answer.Extra = nil
	answer.Compress = true
	for _, rr := range got.Extra {
		if _, opt := rr.(*dns.OPT); !opt {
			answer.Extra = append(answer.Extra, dns.Copy(rr))
		}
	}
	return answer
}

func edns(answer, query *dns.Msg) *dns.Msg {
	answer.RecursionAvailable = true
	if opt := query.IsEdns0(); opt != nil && answer.IsEdns0() == nil {
		answer.SetEdns0(1232, opt.Do())
	}
	return answer
}

func wantsSignatures(query *dns.Msg) bool {
	opt := query.IsEdns0()
	return opt != nil && opt.Do()
}

// admit lets the addresses of an answer be connected to on all ports. It happens
// before the answer is given, so that no program is quicker.
func (n *names) admit(addrs []netip.Addr, lasting time.Duration) {
	if len(addrs) == 0 {
		return
	}
	if err := n.gate.system.Admit(addrs, min(max(lasting, time.Minute), time.Hour)); err != nil {
		n.gate.log.Warn("addresses could not be admitted", "error", err)
	}
}

// addresses returns those of an answer, and the shortest time to live.
func addresses(message *dns.Msg) ([]netip.Addr, time.Duration) {
	var addrs []netip.Addr
	ttl := uint32(3600)
	for _, rr := range message.Answer {
		var bytes net.IP
		switch rr := rr.(type) {
		case *dns.A:
			bytes = rr.A
		case *dns.AAAA:
			bytes = rr.AAAA
		}
		ttl = min(ttl, rr.Header().Ttl)
		if addr, ok := netip.AddrFromSlice(bytes); ok {
			addrs = append(addrs, addr.Unmap())
		}
	}
	return addrs, time.Duration(ttl) * time.Second
}

// limited accepts only so many connections at the same time.
type limited struct {
	net.Listener
	free chan struct{}
}

// Accept turns away what is too much.
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.free <- struct{}{}:
			return &counted{Conn: conn, done: sync.OnceFunc(func() { <-l.free })}, nil
		default:
			_ = conn.Close()
		}
	}
}

type counted struct {
	net.Conn
	done func()
}

// Close gives the place free.
func (c *counted) Close() error {
	c.done()
	return c.Conn.Close()
}

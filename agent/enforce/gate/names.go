package gate

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
)

var errNoAddress = errors.New("gate: the name has no address")

const (
	maxAsking  = 256 // questions under way
	timesFresh = time.Minute
)

// names is the name server of the gate.
type names struct {
	gate    *Gate
	up      *Resolver
	asking  chan struct{}
	sockets host.GateSockets

	mu        sync.Mutex
	timeNames []string
	timesAt   time.Time
}

func newNames(g *Gate) *names {
	return &names{gate: g, up: NewResolver(g.system), asking: make(chan struct{}, maxAsking)}
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

// reply answers one query, at once where too many are under way. It returns nil
// for what asks nothing.
func (n *names) reply(data []byte, packet bool) []byte {
	query, ok, fault := readQuery(data)
	if !ok {
		return nil
	}
	size := maxMessage
	if packet {
		size = packetSize(query)
	}
	if fault != nil {
		return packed(respond(query, dnsmessage.RCodeFormatError), size)
	}
	select {
	case n.asking <- struct{}{}:
		defer func() { <-n.asking }()
	default:
		return packed(respond(query, dnsmessage.RCodeServerFailure), size)
	}
	ctx, cancel := context.WithTimeout(n.gate.closing, 5*time.Second)
	defer cancel()
	return packed(n.answer(ctx, query), size)
}

func (n *names) answer(ctx context.Context, query *dnsmessage.Message) *dnsmessage.Message {
	if query.OpCode != opQuery {
		return respond(query, dnsmessage.RCodeNotImplemented)
	}
	if len(query.Questions) != 1 || query.Questions[0].Class != dnsmessage.ClassINET {
		return respond(query, dnsmessage.RCodeRefused)
	}
	question := query.Questions[0]
	name := plainName(question.Name)
	switch {
	case name == "localhost" || strings.HasSuffix(name, ".localhost"):
		return localhost(query) // RFC 6761
	case !n.gate.resolves(name):
		return refusal(query)
	case n.gate.filtering() && withheld(question.Type):
		return respond(query, dnsmessage.RCodeSuccess)
	}
	got, err := n.up.ask(ctx, question, query.CheckingDisabled, wantsSignatures(query))
	if err != nil {
		return respond(query, dnsmessage.RCodeServerFailure)
	}
	if reach, _ := n.gate.reach(); reach == enforce.Only && n.gate.passes(name) {
		n.admit(addresses(got))
	}
	return passOn(query, got)
}

// withheld are types that carry keys for an encrypted hello and offers of HTTP/3
// (RFC 9460), and the question for everything at once (RFC 8482). Without them
// browsers ask openly, over TCP.
func withheld(kind dnsmessage.Type) bool {
	return kind == dnsmessage.TypeHTTPS || kind == dnsmessage.TypeSVCB || kind == dnsmessage.TypeALL
}

// refusal says that there is no such name, and why (RFC 8914, code 15). There is
// no SOA with it: nobody shall remember it beyond the mode (RFC 2308).
func refusal(query *dnsmessage.Message) *dnsmessage.Message {
	const extendedError, blocked = 15, 15
	answer := respond(query, dnsmessage.RCodeNameError)
	if _, opt := options(answer); opt != nil {
		opt.Options = append(opt.Options, dnsmessage.Option{Code: extendedError, Data: []byte{0, blocked}})
	}
	return answer
}

func localhost(query *dnsmessage.Message) *dnsmessage.Message {
	answer := respond(query, dnsmessage.RCodeSuccess)
	question := query.Questions[0]
	resource := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: dnsmessage.ClassINET, TTL: 60}}
	switch question.Type {
	case dnsmessage.TypeA:
		resource.Body = &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}
	case dnsmessage.TypeAAAA:
		resource.Body = &dnsmessage.AAAAResource{AAAA: netip.IPv6Loopback().As16()}
	default:
		return answer
	}
	answer.Answers = []dnsmessage.Resource{resource}
	return answer
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

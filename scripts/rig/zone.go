package rig

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Where names are served. KnownDoH is an address that the world knows for DNS
// over HTTPS, under KnownDoHName; the same answers come over DoT there and at
// the internet's name server.
const (
	nameServer   = "203.0.113.53"
	nameServer6  = "2001:db8:1::53"
	KnownDoHName = "dns.google"
	knownDoH     = "8.8.8.8"
	knownDoH6    = "2001:4860:4860::8888"
)

// The addresses of the name servers.
var (
	NameServer  = netip.MustParseAddr(nameServer)
	NameServer6 = netip.MustParseAddr(nameServer6)
	KnownDoH    = netip.MustParseAddr(knownDoH)
	KnownDoH6   = netip.MustParseAddr(knownDoH6)
)

// Zone is the zone data of the internet.
type Zone struct {
	mu    sync.Mutex
	names map[string]record
	asked map[string]int
	mute  bool
	ech   []byte
}

type record struct {
	ttl   uint32
	addrs []netip.Addr
}

// Set gives a name its addresses. Without addresses the name is gone.
func (z *Zone) Set(name string, ttl time.Duration, addrs ...netip.Addr) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if len(addrs) == 0 {
		delete(z.names, dns.CanonicalName(name))
		return
	}
	z.names[dns.CanonicalName(name)] = record{uint32(ttl / time.Second), addrs}
}

// Asked returns how often the internet was asked for a name.
func (z *Zone) Asked(name string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked[dns.CanonicalName(name)]
}

// Mute makes every name server of the internet silent, or lets them speak.
func (z *Zone) Mute(mute bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.mute = mute
}

// ServeDNS answers from the zone with authority.
func (z *Zone) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	if answer := z.answer(query); answer != nil {
		_ = w.WriteMsg(answer)
	}
}

func (z *Zone) answer(query *dns.Msg) *dns.Msg {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.mute || len(query.Question) != 1 {
		return nil
	}
	answer := new(dns.Msg).SetReply(query)
	answer.Authoritative = true
	question := query.Question[0]
	name := dns.CanonicalName(question.Name)
	z.asked[name]++
	found, ok := z.names[name]
	if !ok {
		answer.Rcode = dns.RcodeNameError
		return answer
	}
	header := dns.RR_Header{Name: question.Name, Rrtype: question.Qtype, Class: dns.ClassINET, Ttl: found.ttl}
	for _, addr := range found.addrs {
		switch {
		case question.Qtype == dns.TypeA && addr.Is4():
			answer.Answer = append(answer.Answer, &dns.A{Hdr: header, A: addr.AsSlice()})
		case question.Qtype == dns.TypeAAAA && addr.Is6():
			answer.Answer = append(answer.Answer, &dns.AAAA{Hdr: header, AAAA: addr.AsSlice()})
		}
	}
	if question.Qtype == dns.TypeHTTPS && name != dns.CanonicalName(ServerName) {
		// Every site offers HTTP/3 and an encrypted hello, as large hosts do.
		rr := &dns.HTTPS{SVCB: dns.SVCB{Hdr: header, Priority: 1, Target: "."}}
		rr.Value = []dns.SVCBKeyValue{&dns.SVCBAlpn{Alpn: []string{"h3", "h2"}}, &dns.SVCBECHConfig{ECH: z.ech}}
		answer.Answer = append(answer.Answer, rr)
	}
	return answer
}

// dnsOverHTTPS answers RFC 8484 requests from the zone.
func (z *Zone) dnsOverHTTPS(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	query := new(dns.Msg)
	if err != nil || query.Unpack(body) != nil {
		http.Error(w, "bad query", http.StatusBadRequest)
		return
	}
	answer := z.answer(query)
	if answer == nil {
		http.Error(w, "mute", http.StatusServiceUnavailable)
		return
	}
	packed, err := answer.Pack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/dns-message")
	_, _ = w.Write(packed)
}

// forwarder is the school's router as a name server.
type forwarder struct{ inside *Namespace }

func (f forwarder) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	network := strings.TrimSuffix(w.LocalAddr().Network(), "4")
	var conn net.Conn
	err := f.inside.In(func() (err error) {
		conn, err = net.DialTimeout(network, net.JoinHostPort(nameServer, "53"), 2*time.Second)
		return err
	})
	if err != nil {
		return
	}
	defer conn.Close()
	client := &dns.Client{Net: network, Timeout: 2 * time.Second}
	answer, _, err := client.ExchangeWithConn(query, &dns.Conn{Conn: conn})
	if err == nil {
		_ = w.WriteMsg(answer)
	}
}

// serveDNS answers on UDP and TCP port 53 of an address.
func serveDNS(t testing.TB, ns *Namespace, addr string, handler dns.Handler) {
	t.Helper()
	packets := ns.ListenPacket(t, net.JoinHostPort(addr, "53"))
	listener := ns.Listen(t, net.JoinHostPort(addr, "53"))
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: handler}, {Listener: listener, Handler: handler}} {
		go func() { _ = server.ActivateAndServe() }()
	}
}

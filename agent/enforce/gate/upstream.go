package gate

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

var errNoServer = errors.New("gate: the system has no name server")

const (
	maxCached    = 2048
	cacheLongest = 5 * time.Minute
	serversFresh = time.Second
	nextServer   = 700 * time.Millisecond // after which the next server is asked too
)

// Resolver asks the name servers that the system was given, past the packet
// rules, and remembers. It asks for any name; what may be asked for the gate
// decides.
type Resolver struct {
	system System

	mu        sync.Mutex
	cache     map[cacheKey]cached
	servers   []netip.AddrPort
	serversAt time.Time
}

type cacheKey struct {
	name     string
	kind     uint16
	cd, sigs bool
}

type cached struct {
	message *dns.Msg
	at      time.Time
	until   time.Time
}

// NewResolver returns one that remembers nothing yet.
func NewResolver(system System) *Resolver {
	return &Resolver{system: system, cache: map[cacheKey]cached{}}
}

// ask returns an answer of any kind that a server stands by: success, or no such
// name. The message is the caller's own.
func (u *Resolver) ask(ctx context.Context, question dns.Question, cd, sigs bool) (*dns.Msg, error) {
	key := cacheKey{dns.CanonicalName(question.Name), question.Qtype, cd, sigs}
	if found := u.remembered(key); found != nil {
		return found, nil
	}
	servers := u.current()
	if len(servers) == 0 {
		return nil, errNoServer
	}
	query := &dns.Msg{Question: []dns.Question{question}}
	query.Id = dns.Id()
	query.RecursionDesired, query.CheckingDisabled = true, cd
	query.SetEdns0(1232, sigs)
	got, err := u.race(ctx, query, servers)
	if err != nil {
		return nil, err
	}
	u.remember(key, got)
	return got.Copy(), nil
}

// race asks one server after the other, without waiting long for any.
func (u *Resolver) race(ctx context.Context, query *dns.Msg, servers []netip.AddrPort) (*dns.Msg, error) {
	type result struct {
		message *dns.Msg
		err     error
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	results := make(chan result, len(servers))
	open := 0
	start := func() {
		server := servers[0]
		servers = servers[1:]
		open++
		own := query.Copy()
		own.Id = dns.Id()
		go func() {
			message, err := u.exchange(ctx, own, server)
			results <- result{message, err}
		}()
	}
	start()
	var faults []error
	for {
		timer := time.NewTimer(nextServer)
		select {
		case r := <-results:
			timer.Stop()
			open--
			if r.err == nil {
				return r.message, nil
			}
			faults = append(faults, r.err)
			if len(servers) > 0 {
				start()
			} else if open == 0 {
				return nil, errors.Join(faults...)
			}
		case <-timer.C:
			if len(servers) > 0 {
				start()
			}
		case <-ctx.Done():
			timer.Stop()
			return nil, errors.Join(append(faults, ctx.Err())...)
		}
	}
}

// exchange asks one server, over TCP where the answer does not fit a packet.
func (u *Resolver) exchange(ctx context.Context, query *dns.Msg, server netip.AddrPort) (*dns.Msg, error) {
	for _, network := range []string{"udp", "tcp"} {
		got, err := u.once(ctx, query, network, server)
		if err != nil {
			return nil, err
		}
		if got.Truncated && network == "udp" {
			continue
		}
		if got.Rcode != dns.RcodeSuccess && got.Rcode != dns.RcodeNameError {
			return nil, errors.New("gate: name server says " + dns.RcodeToString[got.Rcode])
		}
		return got, nil
	}
	return nil, errors.New("gate: name server truncates over TCP")
}

func (u *Resolver) once(ctx context.Context, query *dns.Msg, network string, server netip.AddrPort) (*dns.Msg, error) {
	conn, err := u.system.Dial(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	client := &dns.Client{Net: network, UDPSize: 1232, Timeout: 4 * time.Second}
	got, _, err := client.ExchangeWithConn(query, &dns.Conn{Conn: conn, UDPSize: 1232})
	if err != nil {
		return nil, err
	}
	if !sameQuestion(got, query) {
		return nil, errors.New("gate: name server answers another question")
	}
	return got, nil
}

func sameQuestion(got, query *dns.Msg) bool {
	return len(got.Question) == 1 && got.Question[0].Qtype == query.Question[0].Qtype &&
		strings.EqualFold(got.Question[0].Name, query.Question[0].Name)
}

// current are the system's servers, looked up again now and then: a device moves
// from one network to another.
func (u *Resolver) current() []netip.AddrPort {
	u.mu.Lock()
	defer u.mu.Unlock()
	if time.Since(u.serversAt) > serversFresh {
		u.serversAt = time.Now()
		servers := u.system.NameServers().Servers
		if !equalServers(servers, u.servers) {
			// Another network may know other addresses.
			clear(u.cache)
		}
		u.servers = servers
	}
	return append([]netip.AddrPort(nil), u.servers...)
}

func equalServers(a, b []netip.AddrPort) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// remembered returns a cached answer with the time that it has left to live.
func (u *Resolver) remembered(key cacheKey) *dns.Msg {
	u.mu.Lock()
	defer u.mu.Unlock()
	found, ok := u.cache[key]
	now := time.Now()
	if !ok || !now.Before(found.until) {
		return nil
	}
	message := found.message.Copy()
	age := uint32(now.Sub(found.at) / time.Second)
	for _, section := range [][]dns.RR{message.Answer, message.Ns, message.Extra} {
		for _, rr := range section {
			if _, opt := rr.(*dns.OPT); !opt {
				rr.Header().Ttl -= min(age, rr.Header().Ttl)
			}
		}
	}
	return message
}

// remember keeps answers with addresses or other content, never that there is
// none: such answers are rare, and wrong for a while after a network changes.
func (u *Resolver) remember(key cacheKey, message *dns.Msg) {
	if message.Rcode != dns.RcodeSuccess || len(message.Answer) == 0 {
		return
	}
	ttl := cacheLongest
	for _, rr := range message.Answer {
		ttl = min(ttl, time.Duration(rr.Header().Ttl)*time.Second)
	}
	if ttl <= 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for old := range u.cache {
		if len(u.cache) < maxCached {
			break
		}
		delete(u.cache, old)
	}
	now := time.Now()
	u.cache[key] = cached{message.Copy(), now, now.Add(ttl)}
}

// Lookup returns both kinds of addresses of a name, and how long they may be
// relied on.
func (u *Resolver) Lookup(ctx context.Context, name string) ([]netip.Addr, time.Duration, error) {
	type result struct {
		addrs []netip.Addr
		ttl   time.Duration
		err   error
	}
	results := make(chan result, 2)
	for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA} {
		go func() {
			got, err := u.ask(ctx, dns.Question{Name: dns.Fqdn(name), Qtype: kind, Qclass: dns.ClassINET}, false, false)
			if err != nil {
				results <- result{err: err}
				return
			}
			addrs, ttl := addresses(got)
			results <- result{addrs: addrs, ttl: ttl}
		}()
	}
	one, two := <-results, <-results
	addrs := append(one.addrs, two.addrs...)
	if len(addrs) == 0 {
		return nil, 0, errors.Join(errNoAddress, one.err, two.err)
	}
	ttl := time.Hour
	for _, r := range []result{one, two} {
		if len(r.addrs) > 0 {
			ttl = min(ttl, r.ttl)
		}
	}
	return addrs, ttl, nil
}

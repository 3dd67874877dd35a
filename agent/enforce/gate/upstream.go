package gate

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

var errNoServer = errors.New("gate: the system has no name server")

const (
	maxCached    = 2048
	cacheLongest = 5 * time.Minute
	serversFresh = time.Second
	nextServer   = 700 * time.Millisecond // after which the next server is asked too
	serverTime   = 4 * time.Second        // for one server's answer
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
	kind     dnsmessage.Type
	cd, sigs bool
}

type cached struct {
	message []byte // as it came, which is a tenth of what it takes in pieces
	at      time.Time
	until   time.Time
}

// NewResolver returns one that remembers nothing yet.
func NewResolver(system System) *Resolver {
	return &Resolver{system: system, cache: map[cacheKey]cached{}}
}

// ask returns an answer of any kind that a server stands by: success, or no such
// name. The message is the caller's own.
func (u *Resolver) ask(ctx context.Context, question dnsmessage.Question, cd, sigs bool) (*dnsmessage.Message, error) {
	key := cacheKey{plainName(question.Name), question.Type, cd, sigs}
	if found := u.remembered(key); found != nil {
		return found, nil
	}
	servers := u.current()
	if len(servers) == 0 {
		return nil, errNoServer
	}
	query := dnsmessage.Message{Header: dnsmessage.Header{RecursionDesired: true, CheckingDisabled: cd}, Questions: []dnsmessage.Question{question}}
	withOptions(&query, sigs)
	got, err := u.race(ctx, query, servers)
	if err != nil {
		return nil, err
	}
	u.remember(key, got)
	return got.message, nil
}

// got is an answer in pieces and as it came.
type got struct {
	message *dnsmessage.Message
	data    []byte
}

// race asks one server after the other, without waiting long for any.
func (u *Resolver) race(ctx context.Context, query dnsmessage.Message, servers []netip.AddrPort) (got, error) {
	type result struct {
		got got
		err error
	}
	ctx, cancel := context.WithTimeout(ctx, serverTime)
	defer cancel()
	results := make(chan result, len(servers))
	open := 0
	start := func() {
		server := servers[0]
		servers = servers[1:]
		open++
		own := query
		own.ID = uint16(rand.Uint32())
		go func() {
			got, err := u.exchange(ctx, own, server)
			results <- result{got, err}
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
				return r.got, nil
			}
			faults = append(faults, r.err)
			if len(servers) > 0 {
				start()
			} else if open == 0 {
				return got{}, errors.Join(faults...)
			}
		case <-timer.C:
			if len(servers) > 0 {
				start()
			}
		case <-ctx.Done():
			timer.Stop()
			return got{}, errors.Join(append(faults, ctx.Err())...)
		}
	}
}

// exchange asks one server, over TCP where the answer does not fit a packet.
func (u *Resolver) exchange(ctx context.Context, query dnsmessage.Message, server netip.AddrPort) (got, error) {
	asked, err := query.Pack()
	if err != nil {
		return got{}, err
	}
	for _, network := range []string{"udp", "tcp"} {
		answer, err := u.once(ctx, asked, &query, network, server)
		if err != nil {
			return got{}, err
		}
		if answer.message.Truncated && network == "udp" {
			continue
		}
		code := answer.message.RCode
		if header, _ := options(answer.message); header != nil {
			code = header.ExtendedRCode(code)
		}
		if code != dnsmessage.RCodeSuccess && code != dnsmessage.RCodeNameError {
			return got{}, errors.New("gate: name server says " + code.String())
		}
		return answer, nil
	}
	return got{}, errors.New("gate: name server truncates over TCP")
}

func (u *Resolver) once(ctx context.Context, asked []byte, query *dnsmessage.Message, network string, server netip.AddrPort) (got, error) {
	conn, err := u.system.Dial(ctx, network, server)
	if err != nil {
		return got{}, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(serverTime))
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if network == "tcp" {
		if err := writeMessage(conn, asked); err != nil {
			return got{}, err
		}
		data, err := readMessage(conn)
		if err != nil {
			return got{}, err
		}
		answer, ok := answerTo(query, data)
		if !ok {
			return got{}, errors.New("gate: name server answers another question")
		}
		return answer, nil
	}
	if _, err := conn.Write(asked); err != nil {
		return got{}, err
	}
	return awaitPacket(conn, query)
}

// awaitPacket reads until the answer comes; what answers another question may be
// a late or a forged one.
func awaitPacket(conn net.Conn, query *dnsmessage.Message) (got, error) {
	buffer := make([]byte, 4096)
	for {
		size, err := conn.Read(buffer)
		if err != nil {
			return got{}, err
		}
		if answer, ok := answerTo(query, buffer[:size]); ok {
			return got{answer.message, append([]byte(nil), answer.data...)}, nil
		}
	}
}

// answerTo reads what answers the query.
func answerTo(query *dnsmessage.Message, data []byte) (got, bool) {
	answer := new(dnsmessage.Message)
	if answer.Unpack(data) != nil || !answer.Response || answer.ID != query.ID || !sameQuestion(answer, query) {
		return got{}, false
	}
	return got{answer, data}, true
}

func sameQuestion(answer, query *dnsmessage.Message) bool {
	return len(answer.Questions) == 1 && answer.Questions[0].Type == query.Questions[0].Type &&
		plainName(answer.Questions[0].Name) == plainName(query.Questions[0].Name)
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
func (u *Resolver) remembered(key cacheKey) *dnsmessage.Message {
	u.mu.Lock()
	found, ok := u.cache[key]
	u.mu.Unlock()
	now := time.Now()
	message := new(dnsmessage.Message)
	if !ok || !now.Before(found.until) || message.Unpack(found.message) != nil {
		return nil
	}
	age := uint32(now.Sub(found.at) / time.Second)
	for _, section := range [][]dnsmessage.Resource{message.Answers, message.Authorities, message.Additionals} {
		for i := range section {
			if header := &section[i].Header; header.Type != dnsmessage.TypeOPT {
				header.TTL -= min(age, header.TTL)
			}
		}
	}
	return message
}

// remember keeps answers with addresses or other content, never that there is
// none: such answers are rare, and wrong for a while after a network changes.
func (u *Resolver) remember(key cacheKey, answer got) {
	if answer.message.RCode != dnsmessage.RCodeSuccess || len(answer.message.Answers) == 0 {
		return
	}
	ttl := cacheLongest
	for _, resource := range answer.message.Answers {
		ttl = min(ttl, time.Duration(resource.Header.TTL)*time.Second)
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
	u.cache[key] = cached{answer.data, now, now.Add(ttl)}
}

// Lookup returns both kinds of addresses of a name, and how long they may be
// relied on.
func (u *Resolver) Lookup(ctx context.Context, name string) ([]netip.Addr, time.Duration, error) {
	type result struct {
		addrs []netip.Addr
		ttl   time.Duration
		err   error
	}
	full, err := dnsmessage.NewName(strings.TrimSuffix(name, ".") + ".")
	if err != nil {
		return nil, 0, errors.Join(errNoAddress, err)
	}
	results := make(chan result, 2)
	for _, kind := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA} {
		go func() {
			got, err := u.ask(ctx, dnsmessage.Question{Name: full, Type: kind, Class: dnsmessage.ClassINET}, false, false)
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

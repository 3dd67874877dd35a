package gate

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
)

// street is a machine on loopback: names have invented addresses, connections to
// them reach test servers. Redirects are pretended; all else is real sockets.
type street struct {
	mu       sync.Mutex
	zone     map[string][]netip.Addr
	doors    map[netip.Addr]string // where an invented address is in truth
	meant    netip.AddrPort
	asked    []string
	dialed   []netip.Addr
	admitted []netip.Addr
	resolver netip.AddrPort
}

var (
	goodAddr = netip.MustParseAddr("203.0.113.1")
	badAddr  = netip.MustParseAddr("203.0.113.2")
)

func newStreet(t *testing.T) *street {
	t.Helper()
	s := &street{doors: map[netip.Addr]string{}, zone: map[string][]netip.Addr{
		"good.example.": {goodAddr}, "bad.example.": {badAddr}, "server.example.": {netip.MustParseAddr("203.0.113.3")}, "ntp.example.": {badAddr},
	}}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(s.answer)}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = packets.Close() })
	s.resolver = packets.LocalAddr().(*net.UDPAddr).AddrPort()
	return s
}

func (s *street) answer(w dns.ResponseWriter, query *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	question := query.Question[0]
	s.asked = append(s.asked, question.Name)
	answer := new(dns.Msg).SetReply(query)
	addrs, ok := s.zone[dns.CanonicalName(question.Name)]
	if !ok {
		answer.Rcode = dns.RcodeNameError
	}
	for _, addr := range addrs {
		if addr.Is4() == (question.Qtype == dns.TypeA) {
			rr, _ := dns.NewRR(fmt.Sprintf("%s 60 IN %s %s", question.Name, dns.TypeToString[question.Qtype], addr))
			answer.Answer = append(answer.Answer, rr)
		}
	}
	_ = w.WriteMsg(answer)
}

func (s *street) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	s.mu.Lock()
	door, ok := s.doors[to.Addr()]
	if to != s.resolver {
		s.dialed = append(s.dialed, to.Addr())
	}
	s.mu.Unlock()
	if !ok && to != s.resolver {
		return nil, errors.New("nobody lives there")
	}
	if to == s.resolver {
		door = to.String()
	}
	return (&net.Dialer{}).DialContext(ctx, network, door)
}

func (s *street) Original(net.Conn) (netip.AddrPort, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.meant, s.meant.IsValid()
}

func (s *street) Local(addr netip.Addr) bool { return addr.IsLoopback() }

func (s *street) NameServers() host.NameServers {
	return host.NameServers{Servers: []netip.AddrPort{s.resolver}}
}

func (s *street) TimeServers() []string { return []string{"ntp.example"} }

func (s *street) Admit(addrs []netip.Addr, _ time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.admitted = append(s.admitted, addrs...)
	return nil
}

func (s *street) aim(at netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meant = at
}

func (s *street) dials() []netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]netip.Addr(nil), s.dialed...)
}

// open returns a gate on free ports, and where it is.
func (s *street) open(t *testing.T, rules Rules) (g *Gate, web, names string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g = New(s, host.GateSockets{Web: []net.Listener{listener}, Packets: []net.PacketConn{packets}}, func() time.Duration { return 0 }, []string{"=server.example"}, nil)
	g.patience = 300 * time.Millisecond
	g.Set(rules)
	t.Cleanup(g.Close)
	return g, listener.Addr().String(), packets.LocalAddr().String()
}

var onlyGood = Rules{Reach: enforce.Only, Allow: []string{"good.example"}, Ends: time.Hour}

func dial(t *testing.T, at string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// cut reports whether a connection ended without a byte.
func cut(conn net.Conn) bool {
	n, err := conn.Read(make([]byte, 1))
	var timeout net.Error
	return n == 0 && err != nil && !(errors.As(err, &timeout) && timeout.Timeout())
}

func TestOneConnectionCannotCarryAForbiddenNameAfterAnAllowedOne(t *testing.T) {
	s := newStreet(t)
	var mu sync.Mutex
	var hosts []string
	site := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		hosts = append(hosts, r.Host)
	}))
	defer site.Close()
	s.doors[goodAddr] = site.Listener.Addr().String()
	s.aim(netip.AddrPortFrom(goodAddr, 80))
	_, web, _ := s.open(t, onlyGood)
	for name, second := range map[string]string{
		"the next request":          "GET / HTTP/1.1\r\nHost: bad.example\r\n\r\n",
		"an address in the request": "GET http://bad.example/ HTTP/1.1\r\nHost: good.example\r\n\r\n",
		"two hosts":                 "GET / HTTP/1.1\r\nHost: good.example\r\nHost: bad.example\r\n\r\n",
		"a number":                  "GET / HTTP/1.1\r\nHost: 203.0.113.2\r\n\r\n",
		"no host":                   "GET / HTTP/1.0\r\n\r\n",
		"odd characters":            "GET / HTTP/1.1\r\nHost: good.example\x00.bad.example\r\n\r\n",
		"a tunnel":                  "CONNECT bad.example:443 HTTP/1.1\r\nHost: good.example\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, web)
			reader := bufio.NewReader(conn)
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: good.example\r\n\r\n")
			response, err := http.ReadResponse(reader, nil)
			if err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("the allowed request: %v %v", response, err)
			}
			_, _ = io.WriteString(conn, second)
			if response, err := http.ReadResponse(reader, nil); err == nil && response.StatusCode < 400 {
				t.Errorf("it was answered: %v", response.Status)
			}
		})
	}
	mu.Lock()
	defer mu.Unlock()
	for _, host := range hosts {
		if host != "good.example" {
			t.Errorf("a request for %q reached the site", host)
		}
	}
}

func TestTricklingEndsAndLeavesRoomForOthers(t *testing.T) {
	s := newStreet(t)
	s.aim(netip.AddrPortFrom(goodAddr, 443))
	g, web, _ := s.open(t, onlyGood)
	hello := recordedHello(t, "good.example")
	start := time.Now()
	conn := dial(t, web)
	var ended bool
	for _, b := range hello {
		if _, err := conn.Write([]byte{b}); err != nil {
			ended = true
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !ended || time.Since(start) > 4*time.Second {
		t.Errorf("trickling went on for %v", time.Since(start))
	}
	// As many silent connections as there is room for; the next is turned away.
	for range maxUndecided + 20 {
		if conn, err := net.Dial("tcp", web); err == nil {
			defer conn.Close()
		}
	}
	waitFor(t, func() bool { return len(g.undecided) == 0 })
	last := dial(t, web)
	if _, err := last.Write(hello); err != nil {
		t.Errorf("no room was left: %v", err)
	}
}

func TestWhoWasNotRedirectedIsTurnedAway(t *testing.T) {
	s := newStreet(t)
	_, web, _ := s.open(t, Rules{})
	for _, meant := range []netip.AddrPort{{}, netip.MustParseAddrPort("127.0.0.1:22")} {
		s.aim(meant)
		conn, err := net.Dial("tcp", web)
		if err != nil {
			continue // turned away already
		}
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		if !cut(conn) {
			t.Errorf("a connection meant for %v was kept", meant)
		}
		_ = conn.Close()
	}
	if dials := s.dials(); len(dials) > 0 {
		t.Errorf("the gate connected to %v", dials)
	}
}

func TestAnOpenGateCarriesWhatItDoesNotUnderstand(t *testing.T) {
	s := newStreet(t)
	banner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer banner.Close()
	go func() {
		for {
			conn, err := banner.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "hello, I speak first\n")
			_ = conn.Close()
		}
	}()
	s.doors[goodAddr] = banner.Addr().String()
	s.aim(netip.AddrPortFrom(goodAddr, 443))
	_, web, _ := s.open(t, Rules{Deny: []string{"bad.example"}})
	if line, err := bufio.NewReader(dial(t, web)).ReadString('\n'); err != nil || !strings.HasPrefix(line, "hello") {
		t.Errorf("got %q, %v", line, err)
	}
}

func TestAModeEndsInTheGateToo(t *testing.T) {
	s := newStreet(t)
	g, _, _ := s.open(t, onlyGood)
	now := time.Hour - time.Second
	g.elapsed = func() time.Duration { return now }
	if g.passes("bad.example") {
		t.Error("before the end")
	}
	now = time.Hour
	if !g.passes("bad.example") {
		t.Error("after the end")
	}
}

func TestWhatPasses(t *testing.T) {
	for name, c := range map[string]struct {
		rules Rules
		host  string
		want  bool
	}{
		"open":                          {Rules{}, "bad.example", true},
		"denied":                        {Rules{Deny: []string{"bad.example"}}, "www.bad.example", false},
		"not denied":                    {Rules{Deny: []string{"bad.example"}}, "good.example", true},
		"no name while open":            {Rules{Deny: []string{"bad.example"}}, "", true},
		"names over HTTPS":              {Rules{Deny: []string{"bad.example"}}, "dns.google", false},
		"names over HTTPS, no filter":   {Rules{}, "dns.google", true},
		"allowed":                       {onlyGood, "www.good.example", true},
		"not allowed":                   {onlyGood, "bad.example", false},
		"no name":                       {onlyGood, "", false},
		"allowed and denied":            {Rules{Reach: enforce.Only, Allow: []string{"good.example"}, Deny: []string{"chat.good.example"}, Ends: 1}, "chat.good.example", false},
		"never":                         {Rules{Reach: enforce.Never, Allow: []string{"good.example"}, Ends: 1}, "good.example", false},
		"the server, never":             {Rules{Reach: enforce.Never, Ends: 1}, "server.example", true},
		"what lies below the server":    {Rules{Reach: enforce.Never, Ends: 1}, "x.server.example", false},
		"ends with an allowed name":     {onlyGood, "notgood.example", false},
		"begins with an allowed name":   {onlyGood, "good.example.bad.example", false},
		"the server, denied by the way": {Rules{Deny: []string{"server.example"}}, "server.example", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreet(t)
			g, _, _ := s.open(t, c.rules)
			if got := g.passes(c.host); got != c.want {
				t.Errorf("passes = %v", got)
			}
		})
	}
}

func TestPrivateAddressesAreLentToNobody(t *testing.T) {
	g := &Gate{system: &street{}}
	private, own := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("127.0.0.1")
	link, six := netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("2001:db8::1")
	all := []netip.Addr{six, own, private, link, goodAddr, badAddr}
	if got := fmt.Sprint(g.candidates(all, badAddr)); got != fmt.Sprint([]netip.Addr{badAddr, goodAddr, six}) {
		t.Errorf("public: %v", got)
	}
	if got := g.candidates(all, private); got[0] != private {
		t.Errorf("aimed at a private address: %v", got)
	}
}

func TestNamesAreAnsweredWithoutAskingForWhatIsForbidden(t *testing.T) {
	s := newStreet(t)
	_, _, at := s.open(t, onlyGood)
	ask := func(name string, kind uint16) *dns.Msg {
		t.Helper()
		query := new(dns.Msg).SetQuestion(name, kind)
		query.SetEdns0(1232, false)
		got, _, err := new(dns.Client).Exchange(query, at)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for name, want := range map[string]int{"good.example.": 0, "GOOD.example.": 0, "bad.example.": 3, "server.example.": 0, "ntp.example.": 0, "localhost.": 0, ".": 3} {
		if got := ask(name, dns.TypeA); got.Rcode != want {
			t.Errorf("%s: %s", name, dns.RcodeToString[got.Rcode])
		}
	}
	if got := ask("good.example.", dns.TypeHTTPS); got.Rcode != 0 || len(got.Answer) != 0 {
		t.Errorf("service binding: %v", got)
	}
	for range 3 {
		ask("good.example.", dns.TypeA)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for _, name := range s.asked {
		switch dns.CanonicalName(name) {
		case "bad.example.", ".":
			t.Errorf("asked outside for %s", name)
		case "good.example.":
			count++
		}
	}
	if count != 1 {
		t.Errorf("asked %d times for one name", count)
	}
	if !slices.Contains(s.admitted, goodAddr) || slices.Contains(s.admitted, badAddr) {
		t.Errorf("admitted %v", s.admitted)
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("waited in vain")
}

// recordedHello is what crypto/tls says first.
func recordedHello(t testing.TB, name string) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() {
		_ = tls.Client(theirs, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
		_ = theirs.Close()
	}()
	defer ours.Close()
	var said []byte
	part := make([]byte, 4096)
	for {
		n, err := ours.Read(part)
		said = append(said, part[:n]...)
		if _, fault := parseHello(said); fault == nil {
			return said
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

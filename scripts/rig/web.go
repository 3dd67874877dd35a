package rig

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go/http3"
)

// Site is a name with its own or a shared address in the internet.
type Site struct {
	Name  string
	Addr  netip.Addr
	Addr6 netip.Addr
}

func site(name string, last string) Site {
	return Site{name, netip.MustParseAddr("203.0.113." + last), netip.MustParseAddr("2001:db8:1::" + last)}
}

// The sites. Each answers HTTP on port 80, HTTPS on 443 and 8443, and a banner
// on port 22 ("server speaks first"). The two shared ones have one address; Quic
// speaks HTTP/3 as well; Direct has no name at all.
var (
	Lernen     = site("lernen.example", "11")
	Geogebra   = site("geogebra.example", "12")
	Video      = site("video.example", "13")
	Spiel      = site("spiel.example", "14")
	SharedGood = site("shared-good.example", "20")
	SharedBad  = site("shared-bad.example", "20")
	Quic       = site("quic.example", "21")
	Direct     = site("", "30")
	Time       = site("ntp.example", "123")
)

// Sites lists the sites with names.
var Sites = []Site{Lernen, Geogebra, Video, Spiel, SharedGood, SharedBad, Quic}

// Web is the web servers of the internet.
type Web struct {
	mu       sync.Mutex
	handlers map[string]http.Handler
}

// Handle lets a handler answer for a host name (without port) on every site
// address, instead of the usual pages.
func (s *Web) Handle(host string, handler http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[strings.ToLower(host)] = handler
}

// ServeHTTP answers: "/" a page that names the site, "/download" bytes without
// end, "/socket" an upgraded connection that echoes lines.
func (s *Web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	s.mu.Lock()
	handler := s.handlers[strings.ToLower(host)]
	s.mu.Unlock()
	switch {
	case handler != nil:
		handler.ServeHTTP(w, r)
	case r.URL.Path == "/download":
		download(w, r)
	case r.URL.Path == "/socket":
		socket(w)
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>%s</title><h1>This is %s over %s at %s</h1>", host, host, r.Proto, localAddress(r))
	}
}

// localAddress is the address that the request came to, so that a test sees
// which server answered.
func localAddress(r *http.Request) string {
	addr, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if addr == nil {
		return "?"
	}
	host, _, _ := net.SplitHostPort(addr.String())
	return host
}

func download(w http.ResponseWriter, r *http.Request) {
	block := make([]byte, 16<<10)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		if _, err := w.Write(block); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-ticker.C:
		}
	}
}

func socket(w http.ResponseWriter) {
	conn, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
	for {
		line, err := buffered.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := io.WriteString(conn, line); err != nil {
			return
		}
	}
}

// populate starts everything that answers in the world.
func (w *World) populate(t testing.TB) {
	t.Helper()
	w.CA = newAuthority(t, w.Internet.dir)
	w.Names = &Zone{names: map[string]record{}, asked: map[string]int{}, ech: w.CA.ech}
	w.Web = &Web{handlers: map[string]http.Handler{KnownDoHName: http.HandlerFunc(w.Names.dnsOverHTTPS), knownDoH: http.HandlerFunc(w.Names.dnsOverHTTPS), "[" + knownDoH6 + "]": http.HandlerFunc(w.Names.dnsOverHTTPS), knownDoH6: http.HandlerFunc(w.Names.dnsOverHTTPS)}}
	w.Names.Set(ServerName, time.Minute, ServerAddr, ServerAddr6)
	w.Names.Set(KnownDoHName, time.Minute, KnownDoH, KnownDoH6)
	w.Names.Set(Time.Name, time.Minute, Time.Addr, Time.Addr6)

	addrs := map[netip.Addr]bool{}
	for _, s := range Sites {
		w.Names.Set(s.Name, time.Minute, s.Addr, s.Addr6)
		w.Names.Set("www."+s.Name, time.Minute, s.Addr, s.Addr6)
	}
	for _, s := range append([]Site{Direct, Time}, Sites...) {
		addrs[s.Addr], addrs[s.Addr6] = true, true
	}
	lines := []string{}
	for _, addr := range []netip.Addr{NameServer, NameServer6, KnownDoH, KnownDoH6} {
		lines = append(lines, addLine(addr))
	}
	for addr := range addrs {
		lines = append(lines, addLine(addr))
	}
	w.Internet.batch(t, lines...)
	for addr := range addrs {
		w.serveSite(t, addr)
	}
	for _, addr := range []string{nameServer, nameServer6} {
		serveDNS(t, w.Internet, addr, w.Names)
		w.serveDoT(t, addr)
	}
	for _, addr := range []string{knownDoH, knownDoH6} {
		serveDNS(t, w.Internet, addr, w.Names)
		w.serveDoT(t, addr)
		w.serveTLS(t, net.JoinHostPort(addr, "443"), w.Web)
	}
	for i := range w.Pupils {
		for _, addr := range []string{fmt.Sprintf("10.87.%d.1", i+1), fmt.Sprintf("fd87:%x::1", i+1)} {
			serveDNS(t, w.Router, addr, forwarder{w.Router})
		}
	}
	serveTime(t, w.Internet, Time)
	w.serveHTTP3(t, Quic)
}

func addLine(addr netip.Addr) string {
	if addr.Is4() {
		return "addr add " + addr.String() + "/32 dev lo"
	}
	return "-6 addr add " + addr.String() + "/128 dev lo nodad"
}

func (w *World) serveSite(t testing.TB, addr netip.Addr) {
	t.Helper()
	host := addr.String()
	plain := w.Internet.Listen(t, net.JoinHostPort(host, "80"))
	go func() { _ = quiet(w.Web).Serve(plain) }()
	w.serveTLS(t, net.JoinHostPort(host, "443"), w.Web)
	w.serveTLS(t, net.JoinHostPort(host, "8443"), w.Web)
	banner := w.Internet.Listen(t, net.JoinHostPort(host, "22"))
	go func() {
		for {
			conn, err := banner.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "SSH-2.0-rig\r\n")
			_ = conn.Close()
		}
	}()
}

func (w *World) serveTLS(t testing.TB, addr string, handler http.Handler) {
	t.Helper()
	listener := tls.NewListener(w.Internet.Listen(t, addr), w.CA.TLS("http/1.1"))
	go func() { _ = quiet(handler).Serve(listener) }()
}

func (w *World) serveDoT(t testing.TB, addr string) {
	t.Helper()
	listener := tls.NewListener(w.Internet.Listen(t, net.JoinHostPort(addr, "853")), w.CA.TLS("dot"))
	server := &dns.Server{Listener: listener, Handler: w.Names}
	go func() { _ = server.ActivateAndServe() }()
}

func (w *World) serveHTTP3(t testing.TB, s Site) {
	t.Helper()
	for _, addr := range []netip.Addr{s.Addr, s.Addr6} {
		packets := w.Internet.ListenPacket(t, net.JoinHostPort(addr.String(), "443"))
		server := &http3.Server{Handler: w.Web, TLSConfig: http3.ConfigureTLSConfig(w.CA.TLS())}
		go func() { _ = server.Serve(packets) }()
		t.Cleanup(func() { _ = server.Close() })
	}
}

// serveTime answers NTP (RFC 5905) with the present time, stratum 1.
func serveTime(t testing.TB, ns *Namespace, s Site) {
	t.Helper()
	for _, addr := range []netip.Addr{s.Addr, s.Addr6} {
		packets := ns.ListenPacket(t, net.JoinHostPort(addr.String(), "123"))
		go func() {
			query := make([]byte, 512)
			for {
				n, from, err := packets.ReadFrom(query)
				if err != nil {
					return
				}
				if n < 48 {
					continue
				}
				answer := make([]byte, 48)
				answer[0], answer[1] = 4<<3|4, 1
				copy(answer[24:32], query[40:48])
				seconds := uint32(time.Now().Unix() + 2208988800)
				for i := range 4 {
					answer[40+i] = byte(seconds >> (24 - 8*i))
				}
				_, _ = packets.WriteTo(answer, from)
			}
		}()
	}
}

func quiet(handler http.Handler) *http.Server {
	return &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: discard}
}

// Listen returns a TCP listener that lives in the namespace until the test ends.
func (ns *Namespace) Listen(t testing.TB, addr string) net.Listener {
	t.Helper()
	var listener net.Listener
	err := ns.In(func() (err error) {
		listener, err = net.Listen("tcp", addr)
		return err
	})
	if err != nil {
		t.Fatalf("listening in %s: %v", ns.Name, err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// ListenPacket returns a UDP socket that lives in the namespace until the test
// ends.
func (ns *Namespace) ListenPacket(t testing.TB, addr string) net.PacketConn {
	t.Helper()
	var conn net.PacketConn
	err := ns.In(func() (err error) {
		conn, err = net.ListenPacket("udp", addr)
		return err
	})
	if err != nil {
		t.Fatalf("listening in %s: %v", ns.Name, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

package gate

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strconv"
	"time"

	"schulwart.org/agent/enforce"
)

// plain carries unencrypted HTTP. One connection can carry requests for many
// names, so each request is judged by its own.
type plain struct {
	gate   *Gate
	server *http.Server
	queue  chan net.Conn
}

type passageKey struct{}

func newPlain(g *Gate) *plain {
	h := &plain{gate: g, queue: make(chan net.Conn)}
	h.server = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: g.patience,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    maxHello,
		ErrorLog:          log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, passageKey{}, conn.(*visitor))
		},
	}
	if len(g.sockets.Web) > 0 {
		go func() { _ = h.server.Serve(h) }()
	}
	return h
}

// visitor is a connection whose first bytes were read already.
type visitor struct {
	*net.TCPConn
	passage *passage
	proxy   *httputil.ReverseProxy
	said    *bytes.Reader
}

func (v *visitor) Read(b []byte) (int, error) {
	if v.said.Len() > 0 {
		return v.said.Read(b)
	}
	return v.TCPConn.Read(b)
}

// WriteTo is what io.Copy takes; what was said comes first there too.
func (v *visitor) WriteTo(w io.Writer) (int64, error) {
	said, err := v.said.WriteTo(w)
	if err != nil {
		return said, err
	}
	rest, err := v.TCPConn.WriteTo(w)
	return said + rest, err
}

// Close ends the passage with the connection.
func (v *visitor) Close() error {
	v.passage.gate.remove(v.passage)
	if transport, ok := v.proxy.Transport.(*http.Transport); ok {
		transport.CloseIdleConnections()
	}
	return v.TCPConn.Close()
}

// take hands a connection over to the HTTP server.
func (h *plain) take(p *passage) {
	v := &visitor{TCPConn: p.client, passage: p, said: bytes.NewReader(p.read)}
	v.proxy = h.proxy(p)
	p.read = nil
	select {
	case h.queue <- v:
	case <-h.gate.closing.Done():
		p.reset()
		p.gate.remove(p)
	}
}

func (h *plain) proxy(p *passage) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http"
			r.Out.URL.Host = net.JoinHostPort(p.target(), strconv.Itoa(int(p.meant.Port())))
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
				name, _, _ := net.SplitHostPort(addr)
				if _, err := netip.ParseAddr(name); err == nil {
					name = ""
				}
				return p.gate.connect(ctx, name, p.meant)
			},
			DisableCompression:  true,
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     30 * time.Second,
		},
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			p.reset()
			panic(http.ErrAbortHandler)
		},
	}
}

// target is the host part of the address that requests of the passage go to.
func (p *passage) target() string {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	if p.name == "" {
		return p.meant.Addr().String()
	}
	return p.name
}

// ServeHTTP judges one request and carries it.
func (h *plain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := r.Context().Value(passageKey{}).(*visitor)
	name, literal, ok := hostName(r.Host)
	reach, _ := h.gate.reach()
	if !ok || literal && reach != enforce.Open || !h.gate.decide(v.passage, name) {
		v.passage.reset()
		panic(http.ErrAbortHandler)
	}
	v.proxy.ServeHTTP(w, r)
}

// Accept returns the next connection that speaks HTTP.
func (h *plain) Accept() (net.Conn, error) {
	select {
	case conn := <-h.queue:
		return conn, nil
	case <-h.gate.closing.Done():
		return nil, net.ErrClosed
	}
}

// Addr is of no meaning.
func (h *plain) Addr() net.Addr { return &net.TCPAddr{} }

// Close does nothing: the gate owns the sockets.
func (h *plain) Close() error { return nil }

package gate

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"schulwart.org/agent/enforce"
)

// passage is one connection on its way through the gate.
type passage struct {
	gate   *Gate
	client *net.TCPConn
	peer   netip.AddrPort // the program's end
	meant  netip.AddrPort // where it was to go
	read   []byte         // what the client said so far

	// These are guarded by the gate's lock. Trusting is a passage from open
	// times, which went where the program wanted, whatever name it said.
	name     string
	decided  bool
	trusting bool

	mu    sync.Mutex
	other net.Conn // to the site, once connected
	over  bool
}

func (g *Gate) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of file descriptors, most likely: others will end.
			time.Sleep(50 * time.Millisecond)
			continue
		}
		client, ok := conn.(*net.TCPConn)
		if !ok {
			_ = conn.Close()
			continue
		}
		p := &passage{gate: g, client: client}
		if peer, ok := client.RemoteAddr().(*net.TCPAddr); ok {
			p.peer = netip.AddrPortFrom(peer.AddrPort().Addr().Unmap(), peer.AddrPort().Port())
		}
		// Who connects to the gate itself was not redirected and has no business
		// here; and a gate that connected to itself would do so for ever.
		meant, redirected := g.system.Original(client)
		p.meant = meant
		if !redirected || g.system.Local(meant.Addr()) || !g.add(p) {
			p.reset()
			continue
		}
		select {
		case g.undecided <- struct{}{}:
			go p.pass()
		default:
			p.reset()
			g.remove(p)
		}
	}
}

// pass finds out what the connection is for, and carries it or cuts it.
func (p *passage) pass() {
	kind, name, err := p.listen()
	<-p.gate.undecided
	if err != nil {
		p.reset()
		p.gate.remove(p)
		return
	}
	if kind == isHTTP {
		// The names of its requests are judged one by one.
		p.gate.plain.take(p)
		return
	}
	defer p.gate.remove(p)
	if !p.gate.decide(p, name) {
		p.reset()
		return
	}
	ctx, cancel := context.WithTimeout(p.gate.closing, 15*time.Second)
	defer cancel()
	other, err := p.gate.connect(ctx, name, p.meant)
	if err != nil || !p.join(other) {
		p.reset()
		return
	}
	p.carry(other)
}

type protocol int

const (
	isTLS protocol = iota
	isHTTP
	isOther
)

// listen reads until the connection has said what it is for. The deadline is
// one for all reads, so that nobody can stay by trickling.
func (p *passage) listen() (protocol, string, error) {
	reach, _ := p.gate.reach()
	patience := p.gate.patience
	if reach == enforce.Open {
		patience = min(silence, patience)
	}
	_ = p.client.SetReadDeadline(time.Now().Add(patience))
	defer func() { _ = p.client.SetReadDeadline(time.Time{}) }()
	part := make([]byte, 4<<10)
	for {
		n, err := p.client.Read(part)
		p.read = append(p.read, part[:n]...)
		if err != nil {
			if reach == enforce.Open && isTimeout(err) {
				return isOther, "", nil // the server speaks first, or both are slow
			}
			return isOther, "", err
		}
		switch said, err := parseHello(p.read); {
		case err == nil:
			return isTLS, said.name, nil
		case !errors.Is(err, errMore):
			if speaksHTTP(p.read) {
				return isHTTP, "", nil
			}
			return isOther, "", nil
		case len(p.read) > maxHello:
			return isOther, "", errHello
		}
	}
}

func isTimeout(err error) bool {
	var fault net.Error
	return errors.As(err, &fault) && fault.Timeout()
}

// connect reaches the site of a name. With Only the name is looked up anew and
// what the client aimed at counts for nothing but preference: so a name opens the
// way to its own servers alone.
func (g *Gate) connect(ctx context.Context, name string, meant netip.AddrPort) (net.Conn, error) {
	reach, _ := g.reach()
	if reach == enforce.Open || name == "" {
		return g.system.Dial(ctx, "tcp", meant)
	}
	addrs, lasting, err := g.names.up.Lookup(ctx, name)
	if err != nil {
		return nil, err
	}
	// The program may know the name from before the mode, and never ask for it.
	g.names.admit(addrs, lasting)
	last := errNoAddress
	for _, addr := range g.candidates(addrs, meant.Addr().Unmap()) {
		one, cancel := context.WithTimeout(ctx, 5*time.Second)
		conn, err := g.system.Dial(one, "tcp", netip.AddrPortFrom(addr, meant.Port()))
		cancel()
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, last
}

// candidates orders addresses: the one that the client chose, then its family.
// A private address counts only if the client itself aimed at it, so that the
// gate, which packet rules do not bind, lends nobody a way that he has not.
func (g *Gate) candidates(addrs []netip.Addr, meant netip.Addr) []netip.Addr {
	var first, same, rest []netip.Addr
	for _, addr := range addrs {
		switch {
		case g.system.Local(addr) || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified():
		case addr == meant:
			first = append(first, addr)
		case addr.IsPrivate():
		case addr.Is4() == meant.Is4():
			same = append(same, addr)
		default:
			rest = append(rest, addr)
		}
	}
	return append(append(first, same...), rest...)
}

// join notes the other end, unless the passage is over already.
func (p *passage) join(other net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		_ = other.Close()
		return false
	}
	p.other = other
	return true
}

// verify ends a passage from open times that goes to none of its name's servers.
func (p *passage) verify() {
	ctx, cancel := context.WithTimeout(p.gate.closing, 5*time.Second)
	defer cancel()
	p.gate.mu.Lock()
	name := p.name
	p.gate.mu.Unlock()
	addrs, _, err := p.gate.names.up.Lookup(ctx, name)
	if err != nil || !slices.Contains(addrs, p.meant.Addr().Unmap()) {
		p.reset()
	}
}

// carry copies both ways until both are done.
func (p *passage) carry(other net.Conn) {
	if _, err := other.Write(p.read); err != nil {
		p.reset()
		return
	}
	p.read = nil
	var copies sync.WaitGroup
	copies.Go(func() { p.oneWay(other, p.client) })
	p.oneWay(p.client, other)
	copies.Wait()
	_ = p.client.Close()
	_ = other.Close()
}

// oneWay copies and passes on how it ended: an end as an end, a cut as a cut.
func (p *passage) oneWay(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if err != nil {
		p.reset()
		return
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// reset cuts both ends so that programs notice at once.
func (p *passage) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	for _, conn := range []net.Conn{p.client, p.other} {
		if tcp, ok := conn.(*net.TCPConn); ok && tcp != nil {
			_ = tcp.SetLinger(0)
			_ = tcp.Close()
		}
	}
}

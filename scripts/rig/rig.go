// Package rig builds a small world out of network namespaces, for tests only: a
// school with a router, a namespace per pupil's device, an "internet" with its
// own authority, name servers and web servers, and a namespace for the real
// server. Nothing of it is visible in the machine's own namespace, and nothing
// there is touched. It needs root and skips without.
//
//	world := rig.New(t, rig.Pupils(2))
//	pupil := world.Pupils[0]
//	answer := pupil.Get("https://lernen.example/")       // answer.Outcome == rig.OK
//	cmd := pupil.Command("chromium", "--headless", …)    // any program as if on that device
//	world.Server.In(func() error { … net.Listen … })     // sockets made here live there
//
// The servers of the internet run in the test's own process; their sockets live
// in their namespace.
package rig

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"schulwart.org/scripts/need"
)

// World is a running world.
type World struct {
	// Router is the school's router. It is also the school's name server, which
	// forwards to the internet's.
	Router *Namespace
	// Pupils are the devices of the school.
	Pupils []*Namespace
	// Server is where the real server may listen, at ServerAddr and ServerAddr6,
	// under the name ServerName.
	Server *Namespace
	// Internet is everything else.
	Internet *Namespace
	// CA signs every certificate of the internet.
	CA *Authority
	// Names is the zone data of the internet; tests add names of their own.
	Names *Zone
	// Web is the web servers of the internet; tests add handlers of their own.
	Web *Web
}

// Where the real server lives.
const (
	ServerName  = "schulwart.example"
	serverAddr  = "192.0.2.10"
	serverAddr6 = "2001:db8:5::10"
)

// The addresses of ServerName.
var (
	ServerAddr  = netip.MustParseAddr(serverAddr)
	ServerAddr6 = netip.MustParseAddr(serverAddr6)
)

// Option changes what New builds.
type Option func(*options)

type options struct{ pupils int }

// Pupils says how many devices there are; one without.
func Pupils(n int) Option { return func(o *options) { o.pupils = n } }

var worlds atomic.Int64

// New builds a world and takes it down when the test ends. What earlier, killed
// runs left behind is removed first.
func New(t testing.TB, opts ...Option) *World {
	t.Helper()
	need.Root(t)
	need.Tool(t, "ip")
	o := options{pupils: 1}
	for _, opt := range opts {
		opt(&o)
	}
	removeDead()
	if err := os.MkdirAll(netnsDir, 0o755); err != nil {
		need.Missing(t, "network namespaces: "+err.Error())
	}
	dir := t.TempDir()
	prefix := fmt.Sprintf("sw-%d-%d-", os.Getpid(), worlds.Add(1))
	w := &World{}
	make := func(name string) *Namespace {
		ns := &Namespace{Name: prefix + name, dir: filepath.Join(dir, name)}
		ns.create(t)
		return ns
	}
	w.Router, w.Internet, w.Server = make("router"), make("inet"), make("server")
	for i := range o.pupils {
		w.Pupils = append(w.Pupils, make("pupil"+strconv.Itoa(i)))
	}
	w.cable(t)
	w.populate(t)
	return w
}

// cable lays the veth pairs, addresses and routes. Addresses skip duplicate
// detection, which would cost a second each.
func (w *World) cable(t testing.TB) {
	t.Helper()
	w.link(t, w.Internet, "inet", "100.64.0", "fd64")
	w.link(t, w.Server, "server", "100.64.1", "fd65")
	w.Router.batch(t,
		"route add default via 100.64.0.2",
		"-6 route add default via fd64::2",
		"route add 192.0.2.0/24 via 100.64.1.2",
		"-6 route add 2001:db8:5::/64 via fd65::2")
	w.Server.batch(t, "addr add "+serverAddr+"/32 dev lo", "-6 addr add "+serverAddr6+"/128 dev lo nodad")
	for i, pupil := range w.Pupils {
		v4, v6 := fmt.Sprintf("10.87.%d", i+1), fmt.Sprintf("fd87:%x", i+1)
		w.link(t, pupil, "p"+strconv.Itoa(i), v4, v6)
		pupil.Addr, pupil.Addr6 = netip.MustParseAddr(v4+".2"), netip.MustParseAddr(v6+"::2")
		pupil.Resolver = netip.MustParseAddr(v4 + ".1")
		pupil.writeResolvConf(t, "nameserver "+v4+".1\nnameserver "+v6+"::1\noptions timeout:2 attempts:1\n")
	}
	// The server finds the internet and itself by the internet's name server.
	for _, ns := range []*Namespace{w.Server, w.Internet, w.Router} {
		ns.Resolver = netip.MustParseAddr(nameServer)
		ns.writeResolvConf(t, "nameserver "+nameServer+"\n")
	}
}

// link connects a namespace with the router: .1 is the router, .2 the other.
func (w *World) link(t testing.TB, ns *Namespace, routerEnd, v4, v6 string) {
	t.Helper()
	w.Router.batch(t,
		"link add "+routerEnd+" type veth peer name eth0 netns "+ns.Name,
		"addr add "+v4+".1/24 dev "+routerEnd,
		"-6 addr add "+v6+"::1/64 dev "+routerEnd+" nodad",
		"link set "+routerEnd+" up")
	ns.batch(t,
		"addr add "+v4+".2/24 dev eth0",
		"-6 addr add "+v6+"::2/64 dev eth0 nodad",
		"link set eth0 up",
		"route add default via "+v4+".1",
		"-6 route add default via "+v6+"::1")
}

// Unplug pulls the cable of a device; Plug puts it back, routes included.
func (w *World) Unplug(t testing.TB, pupil *Namespace) {
	t.Helper()
	pupil.batch(t, "link set eth0 down")
}

// Plug puts the cable back.
func (w *World) Plug(t testing.TB, pupil *Namespace) {
	t.Helper()
	router, router6 := strings.TrimSuffix(pupil.Addr.String(), "2")+"1", strings.TrimSuffix(pupil.Addr6.String(), "2")+"1"
	pupil.batch(t,
		"link set eth0 up",
		"-6 addr replace "+pupil.Addr6.String()+"/64 dev eth0 nodad",
		"route replace default via "+router,
		"-6 route replace default via "+router6)
}

package linux_test

import (
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/scripts/rig"
)

// connects reports whether a user of the device gets a TCP connection.
func (d desk) connects(uid int, to netip.AddrPort) bool {
	d.t.Helper()
	script := "exec 3<>/dev/tcp/" + to.Addr().String() + "/443"
	return d.pupil.CommandAs(uid, "timeout", "3", "bash", "-c", script).Run() == nil
}

// Seen: a hotspot of the pupil's own said that the server was at any address it
// liked, and that address was open to every program, also after a restart.
func TestAnAddressThatOnlyNameServiceGivesIsNoWayOutForPupils(t *testing.T) {
	d := newDesk(t)
	lie, truth := netip.AddrPortFrom(rig.Direct.Addr, 443), netip.AddrPortFrom(rig.ServerAddr, 443)
	d.Names.Set("schulwart.example", time.Minute, lie.Addr(), truth.Addr())
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	agent.set(offline)
	const pupil = 60001
	for deadline := time.Now().Add(5 * time.Second); !d.connects(0, truth) && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	for _, to := range []netip.AddrPort{lie, truth} {
		if !d.connects(0, to) {
			t.Errorf("the agent cannot try %s", to)
		}
		if d.connects(pupil, to) {
			t.Errorf("a pupil reaches %s, which nobody proved", to)
		}
	}
	agent.ask(order{Do: "prove", At: truth})
	if !d.connects(pupil, truth) {
		t.Error("a pupil does not reach the server that proved itself")
	}
	if d.connects(pupil, lie) || !d.connects(0, lie) {
		t.Error("one address's proof changed what holds for the other")
	}
	if got := agent.check(); got.State != ddm.PartOK {
		t.Errorf("read back %v %v", got.State, got.Reason)
	}
	// With sites open the gate stands where web traffic goes; the lie is none either.
	agent.set(only)
	if d.connects(0, truth) != true || d.connects(pupil, truth) != true {
		t.Error("with sites: the server is not reached")
	}
}

func TestOnlyProvenAddressesArePinned(t *testing.T) {
	machine := host.NewFake(time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC))
	net := host.NewFakeNetwork(machine)
	var mu sync.Mutex
	var pinned []netip.Addr
	driver := linux.NewNetwork(net, linux.NetworkOptions{
		Server: []string{"schulwart.example:443"}, Pins: []netip.Addr{netip.MustParseAddr("192.0.2.10")}, Clock: machine,
		Pinned: func(addrs []netip.Addr) { mu.Lock(); defer mu.Unlock(); pinned = addrs },
	})
	t.Cleanup(func() { _ = driver.Close() })
	l := laptop{Fake: machine, net: net, driver: driver}
	l.set(t, offline)
	driver.Proven(netip.MustParseAddrPort("192.0.2.11:8080")) // not a port of the server
	driver.Proven(netip.MustParseAddrPort("[::ffff:192.0.2.12]:443"))
	want := []netip.Addr{netip.MustParseAddr("192.0.2.12"), netip.MustParseAddr("192.0.2.10")}
	read := func() []netip.Addr { mu.Lock(); defer mu.Unlock(); return slices.Clone(pinned) }
	for deadline := time.Now().Add(2 * time.Second); !slices.Equal(read(), want) && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if got := read(); !slices.Equal(got, want) {
		t.Errorf("pinned %v, want %v", got, want)
	}
	if wall := net.Standing(); len(wall.Servers) != 2 || len(wall.Sought) != 0 {
		t.Errorf("open to everybody %v, to root %v", wall.Servers, wall.Sought)
	}
}

// The page "Was gilt hier?" was out of reach in *offline*: only the door for
// devices was open, and DESIGN promises the server.
func TestThePupilsPageIsReachedWhereTheServerProvedToBeAndNowhereElse(t *testing.T) {
	machine := host.NewFake(time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC))
	net := host.NewFakeNetwork(machine)
	driver := linux.NewNetwork(net, linux.NetworkOptions{
		Server: []string{"schulwart.example:8443"}, Pages: []string{"Schulwart.example:443", "pages.example:443", "192.0.2.77:80"}, Clock: machine,
	})
	t.Cleanup(func() { _ = driver.Close() })
	l := laptop{Fake: machine, net: net, driver: driver}
	l.set(t, offline)
	page := netip.MustParseAddrPort("192.0.2.77:80") // known by its address
	if wall := net.Standing(); !slices.Equal(wall.Servers, []netip.AddrPort{page}) {
		t.Errorf("before the server proved itself everybody reaches %v", wall.Servers)
	}
	driver.Proven(netip.MustParseAddrPort("192.0.2.9:443")) // pages prove nothing
	driver.Proven(netip.MustParseAddrPort("192.0.2.10:8443"))
	want := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.10:443"), netip.MustParseAddrPort("192.0.2.10:8443"), page}
	if wall := net.Standing(); !slices.Equal(wall.Servers, want) || len(wall.Sought) != 0 {
		t.Errorf("everybody reaches %v, root %v; want %v", wall.Servers, wall.Sought, want)
	}
}

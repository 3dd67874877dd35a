package linux_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/agent/words"
	"schulwart.org/policies/ddm"
)

// laptop is the network driver on a machine in memory.
type laptop struct {
	*host.Fake
	net    *host.FakeNetwork
	driver *linux.Network
}

func newLaptop(t *testing.T) laptop {
	t.Helper()
	machine := host.NewFake(time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC))
	l := laptop{Fake: machine, net: host.NewFakeNetwork(machine)}
	l.start(t)
	return l
}

func (l *laptop) start(t *testing.T) {
	t.Helper()
	l.driver = linux.NewNetwork(l.net, linux.NetworkOptions{Server: []string{"192.0.2.10:443"}, Clock: l.Fake})
	t.Cleanup(func() { _ = l.driver.Close() })
}

func (l *laptop) set(t *testing.T, network enforce.Network) {
	t.Helper()
	if err := l.driver.Set(t.Context(), enforce.Rules{Network: network}); err != nil {
		t.Fatal(err)
	}
}

func (l *laptop) reads(t *testing.T, state ddm.PartState, key string) {
	t.Helper()
	got := l.driver.Check(t.Context())
	found := ""
	if got.Reason != nil {
		found = got.Reason.Code
		if words.Text(words.German, found, nil) == found {
			t.Errorf("no words for %s", found)
		}
	}
	if got.State != state || found != key {
		t.Errorf("read back %s %q, want %s %q", got.State, found, state, key)
	}
}

func TestNetworkWalls(t *testing.T) {
	l := newLaptop(t)
	server := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.10:443")}
	for name, c := range map[string]struct {
		rules               enforce.Network
		closed, web, filter bool
	}{
		"open":              {open, false, false, false},
		"base filter":       {deny, false, false, true},
		"base allow list":   {base, false, false, true},
		"offline":           {offline, true, false, false},
		"sites":             {only, true, true, true},
		"a mode that ended": {enforce.Network{Reach: enforce.Never}, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			l.set(t, c.rules)
			wall := l.net.Standing()
			if (wall.Closed > 0) != c.closed || wall.Web != c.web || wall.Filter != c.filter || wall.Strict != (len(c.rules.Base) > 0) {
				t.Errorf("wall %+v", wall)
			}
			if !wall.Zero() && (len(wall.Servers) != 1 || wall.Servers[0] != server[0]) {
				t.Errorf("servers %v", wall.Servers)
			}
			l.reads(t, ddm.PartOK, "")
		})
	}
}

func TestNetworkSetAgainDoesNothing(t *testing.T) {
	l := newLaptop(t)
	for _, rules := range []enforce.Network{only, deny, offline, open} {
		l.set(t, rules)
		sets, cuts := l.net.Sets(), l.net.Cuts()
		l.Advance(10 * time.Minute)
		rules.Release = max(0, rules.Release-10*time.Minute)
		l.set(t, rules)
		if l.net.Sets() != sets || l.net.Cuts() != cuts {
			t.Errorf("%+v was set again", rules)
		}
	}
}

func TestNetworkEndsByItself(t *testing.T) {
	l := newLaptop(t)
	rules := only
	rules.Deny = nil
	l.set(t, rules)
	l.Advance(time.Hour - time.Second)
	if l.net.Standing().Closed <= 0 {
		t.Error("opened early")
	}
	l.Advance(time.Second)
	if wall := l.net.Standing(); !wall.Zero() {
		t.Errorf("still stands: %+v", wall)
	}
	l.reads(t, ddm.PartOK, "")
}

func TestNetworkIsLonger(t *testing.T) {
	l := newLaptop(t)
	l.set(t, offline)
	longer := offline
	longer.Release += 10 * time.Minute
	l.set(t, longer)
	if got := l.net.Standing().Closed; got != longer.Release {
		t.Errorf("closed for %v", got)
	}
}

func TestNetworkTamperedIsSeenAndRepaired(t *testing.T) {
	l := newLaptop(t)
	l.set(t, offline)
	news, err := l.driver.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		attack func()
		key    string
	}{{l.net.Flush, "network.rules-gone"}, {l.net.Damage, "network.rules-changed"}} {
		c.attack()
		<-news
		l.reads(t, ddm.PartDeviating, c.key)
		l.set(t, offline)
		<-news
		l.reads(t, ddm.PartOK, "")
		if got := l.net.Standing().Closed; got != offline.Release {
			t.Errorf("repaired for %v", got)
		}
	}
}

func TestNetworkAfterAFailureTheFormerHolds(t *testing.T) {
	l := newLaptop(t)
	l.set(t, only)
	l.net.Fail(errors.New("no memory"))
	if err := l.driver.Set(t.Context(), enforce.Rules{Network: offline}); err == nil {
		t.Fatal("no error")
	}
	if wall := l.net.Standing(); !wall.Web {
		t.Errorf("wall %+v", wall)
	}
	l.reads(t, ddm.PartOK, "")
	l.net.Fail(nil)
	l.set(t, offline)
	if wall := l.net.Standing(); wall.Web || wall.Closed <= 0 {
		t.Errorf("wall %+v", wall)
	}
}

func TestNetworkTakesBackWhatAFormerProcessLeft(t *testing.T) {
	l := newLaptop(t)
	l.set(t, only)
	l.start(t) // the next process, the rules still stand
	l.reads(t, ddm.PartDeviating, "network.left-over")
	l.set(t, open)
	if wall := l.net.Standing(); !wall.Zero() {
		t.Errorf("wall %+v", wall)
	}
}

func TestNetworkAfterAReboot(t *testing.T) {
	l := newLaptop(t)
	l.set(t, offline)
	l.Reboot(time.Minute)
	if wall := l.net.Standing(); !wall.Zero() {
		t.Errorf("rules survived: %+v", wall)
	}
	l.start(t)
	rest := offline
	rest.Release = 30 * time.Minute
	l.set(t, rest)
	if got := l.net.Standing().Closed; got != rest.Release {
		t.Errorf("closed for %v", got)
	}
}

func TestNetworkBaseFilterLapses(t *testing.T) {
	l := newLaptop(t)
	l.set(t, deny)
	l.Advance(time.Hour)
	l.reads(t, ddm.PartOK, "")
	l.net.LetLapse()
	if wall := l.net.Standing(); wall.Filter {
		t.Error("a filter without its gate still stands")
	}
	l.reads(t, ddm.PartDeviating, "network.filter-lapsed")
	l.set(t, deny)
	l.reads(t, ddm.PartOK, "")
}

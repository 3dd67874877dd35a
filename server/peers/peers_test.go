package peers_test

import (
	"net/netip"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/ids"
	"schulwart.org/server/peers"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

const size = 20 << 20

var (
	outside = netip.MustParseAddr("203.0.113.7")
	file    = peers.File{SHA256: "aa", Size: size, State: rollout.Running}
)

// school is devices that ask the room, at an instant.
type school struct {
	t    *testing.T
	room *peers.Service
	now  time.Time
	at   org.Branch
}

func newSchool(t *testing.T, s *store.Store) *school {
	place, _ := storetest.School(t, s)
	c := &school{t: t, now: time.Date(2026, 11, 27, 15, 0, 0, 0, time.UTC), at: place}
	c.room = &peers.Service{Store: s, NewID: ids.New, Now: func() time.Time { return c.now }}
	return c
}

// asks is a device's question; it gives the file out at an address made of its
// name, in the network 10.0.0.0/24.
func (c *school) asks(name string, from netip.Addr, file peers.File, ask rollout.Ask) rollout.Way {
	c.t.Helper()
	if ask.At == "" {
		ask.At = "10.0.0." + name[len(name)-1:] + ":7447"
	}
	if ask.Net == "" {
		ask.Net = "10.0.0.0/24"
	}
	way, err := c.room.Way(c.t.Context(), peers.Device{Branch: c.at, ID: org.ID(name), Enrolment: org.ID("e-" + name), From: from}, file, ask)
	if err != nil {
		c.t.Fatal(err)
	}
	return way
}

func named(way rollout.Way, device string) bool {
	for _, p := range way.Peers {
		if p.ID == org.ID("e-"+device) {
			return true
		}
	}
	return false
}

func TestOneOfASiteLeadsAndIsReplacedWhenItVanishes(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := newSchool(t, s)
		first := c.asks("pc1", outside, file, rollout.Ask{})
		second := c.asks("pc2", outside, file, rollout.Ask{})
		if !first.Lead || second.Lead || !named(second, "pc1") || first.Word == "" || first.Word != second.Word {
			t.Fatalf("%+v, then %+v", first, second)
		}
		if elsewhere := c.asks("pc3", netip.MustParseAddr("198.51.100.1"), file, rollout.Ask{}); !elsewhere.Lead || len(elsewhere.Peers) != 0 || elsewhere.Word == first.Word {
			t.Errorf("behind another line: %+v", elsewhere)
		}
		c.now = c.now.Add(20 * time.Second)
		if again := c.asks("pc1", outside, file, rollout.Ask{Have: 5 << 20, Last: rollout.FromServer, FromServer: 5 << 20}); !again.Lead {
			t.Error("who leads and goes on leads no more")
		}
		c.now = c.now.Add(20 * time.Second)
		if c.asks("pc2", outside, file, rollout.Ask{Have: 4 << 20, Last: rollout.FromPeer}).Lead {
			t.Error("two lead")
		}
		c.now = c.now.Add(15 * time.Second)
		if next := c.asks("pc2", outside, file, rollout.Ask{Have: 5 << 20, Last: rollout.FromPeer}); !next.Lead {
			t.Errorf("it vanished, and nobody follows: %+v", next)
		}
	})
}

// Where the server lies in the town's network, devices come under their own
// addresses, and the school is the site.
func TestWithoutALineBetweenTheSchoolIsTheSite(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := newSchool(t, s)
		c.asks("pc1", netip.MustParseAddr("10.0.0.1"), file, rollout.Ask{})
		if way := c.asks("pc2", netip.MustParseAddr("10.0.7.2"), file, rollout.Ask{Net: "10.0.7.0/24", At: "10.0.7.2:7447"}); way.Lead || !named(way, "pc1") {
			t.Errorf("%+v", way)
		}
	})
}

// Networks of a school that do not reach each other each have a lead of their own.
func TestANetworkThatReachesNobodyHasItsOwnLead(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := newSchool(t, s)
		c.asks("pc1", outside, file, rollout.Ask{})
		other := rollout.Ask{Net: "10.0.7.0/24", At: "10.0.7.2:7447"}
		if c.asks("pc2", outside, file, other).Lead {
			t.Fatal("before it tried")
		}
		other.Silent = []org.ID{"e-pc1"}
		if way := c.asks("pc2", outside, file, other); !way.Lead || named(way, "pc1") {
			t.Errorf("%+v", way)
		}
		other.At = "10.0.7.3:7447"
		if way := c.asks("pc3", outside, file, other); way.Lead || !named(way, "pc2") || way.Peers[0].ID != "e-pc2" {
			t.Errorf("the next one there: %+v", way)
		}
	})
}

func TestWhoLiedToTwoIsNamedToNobody(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := newSchool(t, s)
		c.asks("pc1", outside, file, rollout.Ask{Have: size})
		for i, name := range []string{"pc2", "pc3"} {
			if !named(c.asks(name, outside, file, rollout.Ask{}), "pc1") {
				t.Fatalf("after %d words it is not named", i)
			}
			c.asks(name, outside, file, rollout.Ask{Lied: []org.ID{"e-pc1"}})
		}
		if named(c.asks("pc4", outside, file, rollout.Ask{}), "pc1") {
			t.Error("it is still named")
		}
		shares, err := c.room.Shares(t.Context(), c.at, "aa")
		if err != nil || len(shares) != 1 || shares[0].Liars != 1 || shares[0].Devices != 4 {
			t.Errorf("%+v, %v", shares, err)
		}
	})
}

func TestTheLineIsSharedAmongThoseThatUseIt(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := newSchool(t, s)
		slow := file
		slow.Line.Rate = 900
		if way := c.asks("pc1", outside, slow, rollout.Ask{}); way.Rate != 900_000 {
			t.Errorf("alone: %d", way.Rate)
		}
		// Two others gave up waiting, one with another file.
		c.asks("pc2", outside, slow, rollout.Ask{Have: 1, Last: rollout.FromServer, FromServer: 1})
		c.asks("pc3", outside, peers.File{SHA256: "bb", Size: size, State: rollout.Running}, rollout.Ask{Have: 1, Last: rollout.FromServer})
		if way := c.asks("pc1", outside, slow, rollout.Ask{Have: 1, Last: rollout.FromServer}); way.Rate != 300_000 {
			t.Errorf("of three: %d", way.Rate)
		}
		c.now = c.now.Add(time.Minute)
		if way := c.asks("pc1", outside, slow, rollout.Ask{Have: 2, Last: rollout.FromServer}); way.Rate != 900_000 {
			t.Errorf("when the others are gone: %d", way.Rate)
		}
	})
}

func TestAFewKeepTheFileUntilTheRolloutIsOver(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := newSchool(t, s)
		keep := 0
		for _, name := range []string{"p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"} {
			if c.asks(name, outside, file, rollout.Ask{Have: size}).Keep > 0 {
				keep++
			}
		}
		if keep != 8 {
			t.Errorf("%d of 9 keep it", keep)
		}
		for state, want := range map[rollout.State]bool{rollout.Waiting: true, rollout.Done: false, rollout.Halted: false} {
			over := file
			over.State = state
			if way := c.asks("p1", outside, over, rollout.Ask{Have: size}); way.Share != want || (way.Keep > 0) != want {
				t.Errorf("%s: %+v", state, way)
			}
		}
		back := file
		back.State, back.Changed = rollout.RolledBack, c.now.Add(-25*time.Hour)
		if way := c.asks("p1", outside, back, rollout.Ask{Have: size}); way.Keep > 0 {
			t.Errorf("a day after it was taken back: %+v", way)
		}
		alone := file
		alone.Line.Alone = true
		if way := c.asks("p2", outside, alone, rollout.Ask{}); way.Share || !way.Lead || len(way.Peers) > 0 || way.Word != "" {
			t.Errorf("each for itself: %+v", way)
		}
	})
}

// A device cannot send others to wherever it likes.
func TestAnAddressThatIsNoneOfANetworkIsNotNamed(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := newSchool(t, s)
		for _, at := range []string{"127.0.0.1:7447", "8.8.8.8:7447", "10.0.0.1:22", "[fe80::1%eth0]:7447", "example.org:7447", "rubbish"} {
			c.asks("pc1", outside, file, rollout.Ask{At: at, Have: size})
			if way := c.asks("pc2", outside, file, rollout.Ask{}); len(way.Peers) != 0 {
				t.Errorf("%s: %+v", at, way.Peers)
			}
		}
	})
}

package remote_test

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/memory"
	"schulwart.org/agent/reconcile"
	"schulwart.org/agent/remote"
	"schulwart.org/agent/remote/remotetest"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
)

// network is a driver that remembers.
type network struct {
	mu    sync.Mutex
	rules enforce.Rules
}

func (n *network) Part() catalog.Part { return catalog.Network }

func (n *network) Set(_ context.Context, rules enforce.Rules) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rules = rules
	return nil
}

func (n *network) Check(context.Context) enforce.Reading { return enforce.Reading{State: ddm.PartOK} }

func (n *network) reach() enforce.Reach {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rules.Network.Reach
}

// real is a device with the real loop and the real session.
type real struct {
	machine *host.Fake
	id      *identity.Identity
	memory  *memory.Memory
	loop    *reconcile.Loop
	session *remote.Session
	network *network
	stop    func()

	clock  host.Clock // the machine's own if nil
	mu     sync.Mutex
	proven []netip.AddrPort
}

func enrolled(t *testing.T, s *remotetest.Server) *real {
	t.Helper()
	d := &real{machine: host.NewFake(time.Now()), network: &network{}}
	link, err := identity.ParseLink(s.Link())
	if err != nil {
		t.Fatal(err)
	}
	if d.id, err = identity.Enrol(context.Background(), d.machine.Files, d.machine, link); err != nil {
		t.Fatal(err)
	}
	if d.memory, err = memory.Open(d.machine.Files); err != nil {
		t.Fatal(err)
	}
	err = d.memory.Believe(d.id.Trusted())
	if err != nil {
		t.Fatal(err)
	}
	d.start(t)
	return d
}

func (d *real) start(t *testing.T) {
	clock := host.NewClock(t.TempDir())
	if d.clock != nil {
		clock = d.clock
	}
	d.loop = reconcile.New(reconcile.Config{Memory: d.memory, Clock: clock, Drivers: []enforce.Driver{d.network}, Secret: d.id.Secret, Version: "test"})
	d.session = remote.New(remote.Config{Identity: d.id, Device: d.loop, Clock: clock, Machine: d.machine, Proven: func(at netip.AddrPort) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.proven = append(d.proven, at)
	}})
	ctx, cancel := context.WithCancel(context.Background())
	var both sync.WaitGroup
	both.Go(func() { d.loop.Run(ctx) })
	both.Go(func() { d.session.Run(ctx) })
	d.stop = func() { cancel(); both.Wait() }
	t.Cleanup(d.stop)
}

func phaseOf(d remotetest.Device, id string) ddm.LeasePhase {
	if len(d.Reports) == 0 {
		return ""
	}
	for _, l := range d.Reports[len(d.Reports)-1].StatusItems.Agent.Leases {
		if l.ID == id {
			return l.Phase
		}
	}
	return ""
}

func streaming(s *remotetest.Server, udid string) func() bool {
	return func() bool { d, _ := s.Look(udid); return d.Streaming }
}

func TestTheAddressAtWhichTheServerProvedItselfIsTold(t *testing.T) {
	s := remotetest.New(t)
	d := enrolled(t, s)
	remotetest.Await(t, "a stream", streaming(s, d.id.UDID))
	address, err := url.Parse(d.id.DeviceURL)
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.proven) == 0 || d.proven[0].Port() == 0 || d.proven[0].String() != "127.0.0.1:"+address.Port() {
		t.Errorf("told %v, the server is at %s", d.proven, address.Host)
	}
}

func TestADeviceIntroducesItselfAndObeysWithinMoments(t *testing.T) {
	s := remotetest.New(t)
	d := enrolled(t, s)
	remotetest.Await(t, "stream", streaming(s, d.id.UDID))
	remotetest.Await(t, "introduction", func() bool { now, _ := s.Look(d.id.UDID); return len(now.Messages) >= 2 && len(now.Results) > 0 })
	before, _ := s.Look(d.id.UDID)
	if before.Messages[0].MessageType != mdm.Authenticate || before.Messages[0].Topic != mdm.AgentTopic || before.Messages[0].ProductName != "linux" {
		t.Errorf("first word: %+v", before.Messages[0])
	}
	if m := before.Messages[1]; m.MessageType != mdm.TokenUpdate || len(m.UnlockToken) != 32 || len(m.Token) == 0 || m.PushMagic == "" {
		t.Errorf("second word: %+v", m)
	}
	began := time.Now()
	s.Give(d.id.UDID, remotetest.NewLease(d.id.UDID, "a", lease.Offline, time.Hour))
	remotetest.Await(t, "the mode read back", func() bool { now, _ := s.Look(d.id.UDID); return phaseOf(now, "a") == ddm.LeaseActive })
	t.Logf("from nudge to read-back: %v", time.Since(began))
	if d.network.reach() != enforce.Never {
		t.Errorf("network is %q", d.network.reach())
	}
	after, _ := s.Look(d.id.UDID)
	fetched := strings.Join(after.Fetched[len(before.Fetched):], " ")
	if strings.Count(fetched, "declaration/configuration/org.schulwart.lease.a") != 1 || strings.Count(fetched, "declaration-items") != 1 {
		t.Errorf("fetched %s", fetched)
	}
}

func TestTheSameTokenCostsOneQuestion(t *testing.T) {
	s := remotetest.New(t)
	d := enrolled(t, s)
	s.Give(d.id.UDID, remotetest.NewLease(d.id.UDID, "a", lease.Offline, time.Hour))
	remotetest.Await(t, "mode", func() bool { return d.network.reach() == enforce.Never })
	remotetest.Await(t, "stream", streaming(s, d.id.UDID))
	time.Sleep(200 * time.Millisecond)
	before, _ := s.Look(d.id.UDID)
	s.Nudge(d.id.UDID)
	remotetest.Await(t, "the answer to a nudge", func() bool { now, _ := s.Look(d.id.UDID); return len(now.Results) > len(before.Results) })
	after, _ := s.Look(d.id.UDID)
	if got := after.Fetched[len(before.Fetched):]; len(got) != 1 || got[0] != "declaration-items" {
		t.Errorf("an idle nudge fetched %v", got)
	}
}

// A server that says so is not asked for commands when there are none; one that
// waits is fetched all the same.
func TestWhoIsToldThatNoCommandsWaitAsksForNone(t *testing.T) {
	s := remotetest.New(t)
	s.Quiet = true
	d := enrolled(t, s)
	remotetest.Await(t, "stream", streaming(s, d.id.UDID))
	var leases []lease.Lease
	for i := range 6 {
		id := string(rune('a' + i))
		leases = append(leases, remotetest.NewLease(d.id.UDID, id, lease.Offline, time.Hour))
		s.Give(d.id.UDID, leases...)
		remotetest.Await(t, "the mode read back", func() bool {
			now, _ := s.Look(d.id.UDID)
			return phaseOf(now, id) == ddm.LeaseActive || phaseOf(now, id) == ddm.LeaseCovered
		})
	}
	command := mdm.DeviceInformation("SerialNumber")
	command.CommandUUID = "c-1"
	s.Do(func() { known := s.Known(d.id.UDID); known.Commands = append(known.Commands, command) })
	s.Nudge(d.id.UDID)
	remotetest.Await(t, "the command's report", func() bool {
		now, _ := s.Look(d.id.UDID)
		return slices.ContainsFunc(now.Results, func(r mdm.Result) bool { return r.CommandUUID == "c-1" })
	})
	after, _ := s.Look(d.id.UDID)
	idle := 0
	for _, result := range after.Results {
		if result.Status == mdm.Idle {
			idle++
		}
	}
	// Once for the command; once, perhaps, for the nudge with which a stream begins.
	if idle > 2 {
		t.Errorf("asked %d times for commands, when one waited", idle)
	}
}

func TestAModeHoldsAndEndsWithoutTheServer(t *testing.T) {
	s := remotetest.New(t)
	d := enrolled(t, s)
	s.Give(d.id.UDID, remotetest.NewLease(d.id.UDID, "a", lease.Offline, 3*time.Second))
	remotetest.Await(t, "mode", func() bool { return d.network.reach() == enforce.Never })
	var gone atomic.Bool
	gone.Store(true)
	s.Do(func() {
		s.Answer = func(http.ResponseWriter, *http.Request) bool {
			if gone.Load() {
				panic(http.ErrAbortHandler)
			}
			return false
		}
	})
	s.CloseClientConnections()
	remotetest.Await(t, "the end", func() bool { return d.network.reach() == enforce.Open })
	s.Do(func() {
		gone.Store(false)
		s.Forget(d.id.UDID)
	})
	remotetest.Await(t, "the end told", func() bool { now, _ := s.Look(d.id.UDID); return phaseOf(now, "a") == ddm.LeaseEnded })
	now, _ := s.Look(d.id.UDID)
	if now.Fetched[0] != "status" {
		t.Errorf("fetched %v before it told the end", now.Fetched)
	}
}

// Seen when a cable was out in mid-request: nobody answers on the old way, and
// the device waited for that answer instead of asking anew.
func TestAnAnswerThatCannotComeIsNotWaitedForWhenTheNetworkIsBack(t *testing.T) {
	s := remotetest.New(t)
	d := enrolled(t, s)
	remotetest.Await(t, "a stream", streaming(s, d.id.UDID))
	var silent, waiting atomic.Bool
	silent.Store(true)
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	s.Do(func() {
		s.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
			if !silent.Load() || r.URL.Path == "/stream" {
				return false
			}
			waiting.Store(true)
			select {
			case <-over:
			case <-r.Context().Done():
			}
			return true
		}
	})
	s.Give(d.id.UDID, remotetest.NewLease(d.id.UDID, "a", lease.Offline, time.Hour))
	remotetest.Await(t, "a request without an answer", waiting.Load)
	silent.Store(false)
	d.session.Woken()
	remotetest.Await(t, "mode", func() bool { return d.network.reach() == enforce.Never })
}

func TestWithoutAStreamTheDevicePolls(t *testing.T) {
	s := remotetest.New(t)
	s.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/stream" {
			w.Header().Set("Schulwart-Poll", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}
	d := enrolled(t, s)
	remotetest.Await(t, "contact", func() bool { return d.session.Link() == remote.LinkPoll })
	s.Give(d.id.UDID, remotetest.NewLease(d.id.UDID, "a", lease.Offline, time.Hour))
	remotetest.Await(t, "mode", func() bool { return d.network.reach() == enforce.Never })
}

func TestCommandsAreAnswered(t *testing.T) {
	s := remotetest.New(t)
	d := enrolled(t, s)
	remotetest.Await(t, "stream", streaming(s, d.id.UDID))
	s.Do(func() {
		now := s.Known(d.id.UDID)
		for i, c := range []mdm.Command{mdm.DeviceInformation(), mdm.NewCommand("EraseDevice", nil), mdm.Synchronize(nil), mdm.ProfileList()} {
			c.CommandUUID = "c" + string(rune('0'+i))
			now.Commands = append(now.Commands, c)
		}
	})
	s.Nudge(d.id.UDID)
	answers := func() map[string]mdm.Result {
		now, _ := s.Look(d.id.UDID)
		got := map[string]mdm.Result{}
		for _, r := range now.Results {
			if r.CommandUUID != "" {
				got[r.CommandUUID] = r
			}
		}
		return got
	}
	remotetest.Await(t, "answers", func() bool { return len(answers()) == 4 })
	got := answers()
	var information mdm.DeviceInformationResponse
	if err := got["c0"].Into(&information); err != nil || got["c0"].Status != mdm.Acknowledged || information.QueryResponses.UDID != d.id.UDID {
		t.Errorf("information: %+v, %v", information, err)
	}
	if got["c1"].Status != mdm.Error || len(got["c1"].ErrorChain) != 1 || got["c2"].Status != mdm.Acknowledged || got["c3"].Status != mdm.Acknowledged {
		t.Errorf("answers: %+v", got)
	}
}

func TestAskedToBeginAnewTheDeviceAuthenticates(t *testing.T) {
	s := remotetest.New(t)
	d := enrolled(t, s)
	remotetest.Await(t, "stream", streaming(s, d.id.UDID))
	// The stream may stand before the device has introduced itself; then the first
	// Authenticate would be the one that is refused.
	remotetest.Await(t, "introduction", func() bool { now, _ := s.Look(d.id.UDID); return len(now.Messages) >= 2 && len(now.Results) > 0 })
	var asked atomic.Bool
	s.Do(func() {
		s.Answer = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/mdm" && asked.CompareAndSwap(false, true) {
				w.Header().Set(mdm.RefusalHeader, mdm.RefusedAnew)
				w.WriteHeader(http.StatusBadRequest)
				return true
			}
			return false
		}
	})
	s.Nudge(d.id.UDID)
	remotetest.Await(t, "a second Authenticate", func() bool {
		now, _ := s.Look(d.id.UDID)
		n := 0
		for _, m := range now.Messages {
			if m.MessageType == mdm.Authenticate {
				n++
			}
		}
		return n == 2
	})
}

func TestARevokedDeviceIsLetGo(t *testing.T) {
	s := remotetest.New(t)
	d := enrolled(t, s)
	s.GiveSet(d.id.UDID)
	remotetest.Await(t, "base filter", func() bool {
		d.network.mu.Lock()
		defer d.network.mu.Unlock()
		return len(d.network.rules.Network.Deny) == 1
	})
	s.Do(func() {
		s.Answer = func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set(mdm.RefusalHeader, mdm.RefusedRevoked)
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
	})
	s.Nudge(d.id.UDID)
	remotetest.Await(t, "let go", func() bool {
		d.network.mu.Lock()
		defer d.network.mu.Unlock()
		return len(d.network.rules.Network.Deny) == 0
	})
	if d.session.Refused() != mdm.RefusedRevoked {
		t.Errorf("refused for %q", d.session.Refused())
	}
}

func TestAShortCertificateIsRenewedByItself(t *testing.T) {
	s := remotetest.New(t)
	s.Life = time.Second
	d := enrolled(t, s)
	s.Do(func() { s.Life = time.Hour })
	remotetest.Await(t, "renewal", func() bool { now, _ := s.Look(d.id.UDID); return now.Renewals > 0 })
	remotetest.Await(t, "new certificate", func() bool { return time.Until(d.id.Certificate().NotAfter) > time.Minute })
	if _, err := identity.Open(d.machine.Files, d.machine); err != nil {
		t.Error(err)
	}
}

func TestTheServersTimeReachesTheDevice(t *testing.T) {
	s := remotetest.New(t)
	s.Shift = -40 * time.Minute
	d := enrolled(t, s)
	remotetest.Await(t, "the server's time", func() bool { return time.Until(d.loop.Now().Add(40*time.Minute)).Abs() < 5*time.Second })
	if d.loop.Status().Clock != memory.TrustServer {
		t.Errorf("clock is %s", d.loop.Status().Clock)
	}
}

func TestGarbageHurtsNobody(t *testing.T) {
	s := remotetest.New(t)
	d := enrolled(t, s)
	s.Give(d.id.UDID, remotetest.NewLease(d.id.UDID, "a", lease.Offline, time.Hour))
	remotetest.Await(t, "mode", func() bool { return d.network.reach() == enforce.Never })
	remotetest.Await(t, "stream", streaming(s, d.id.UDID))
	var asked atomic.Int32
	s.Do(func() {
		s.Answer = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/mdm" || asked.Load() > 3 {
				return false
			}
			_, _ = w.Write([]byte([]string{"<html>login</html>", `{"SyncTokens":{}}`, "null", "\x00\xff"}[asked.Add(1)-1]))
			return true
		}
	})
	s.Nudge(d.id.UDID)
	remotetest.Await(t, "recovery", func() bool {
		return asked.Load() > 3 && d.session.Refused() == "" && d.session.Link() == remote.LinkStream
	})
	if d.network.reach() != enforce.Never {
		t.Errorf("network is %q after garbage", d.network.reach())
	}
}

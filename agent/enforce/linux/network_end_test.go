package linux_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/scripts/need"
	"schulwart.org/scripts/rig"
)

// asBefore looks whether a device works as if we had never been there.
func (d desk) asBefore(t *testing.T) {
	t.Helper()
	for _, probe := range d.probes() {
		if probe.name == "the time server's name" {
			continue
		}
		for _, family := range []string{"4", "6"} {
			if got := probe.try(family); got.Outcome != rig.OK {
				t.Errorf("%s over IPv%s after the end: %v", probe.name, family, got)
			}
		}
	}
	for _, family := range []string{"4", "6"} {
		if got := d.Ask(d.pupil, "https://quic.example/", rig.Ask{Family: family, HTTP3: true}); got.Outcome != rig.OK {
			t.Errorf("HTTP/3 over IPv%s after the end: %v", family, got)
		}
	}
}

// nothingOpen looks whether a pupil gets anywhere.
func (d desk) nothingOpen(t *testing.T) {
	t.Helper()
	for _, probe := range d.probes() {
		switch {
		case probe.name == "the time", strings.HasPrefix(probe.name, "the server"), strings.HasPrefix(probe.name, "the time"):
			continue
		}
		for _, family := range []string{"4", "6"} {
			got := probe.try(family)
			if !got.Outcome.Blocked() || got.Took > quick {
				t.Errorf("%s over IPv%s without the agent: %v", probe.name, family, got)
			}
		}
	}
}

func TestWithoutTheAgentAModeStaysClosedAndEndsInTime(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string]enforce.Network{"sites": only, "offline": offline} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			agent := startAgent(t, d.pupil, "schulwart.example:443")
			rules.Release, rules.Deny = 8*time.Second, nil
			start := time.Now()
			agent.set(rules)
			agent.kill()
			d.nothingOpen(t)
			for _, family := range []string{"4", "6"} {
				if got := d.Ask(d.pupil, "https://schulwart.example/", rig.Ask{Addr: byFamily(family, rig.ServerAddr, rig.ServerAddr6)}); got.Outcome != rig.OK {
					t.Errorf("the server over IPv%s: %v", family, got)
				}
			}
			if time.Since(start) > rules.Release-time.Second {
				need.Missing(t, "a machine that is quick enough for this test today")
			}
			for d.Get(d.pupil, "https://lernen.example/").Outcome != rig.OK {
				if time.Since(start) > rules.Release+20*time.Second {
					t.Fatal("the mode did not end by itself")
				}
				time.Sleep(100 * time.Millisecond)
			}
			if ended := time.Since(start); ended < rules.Release-time.Second {
				t.Errorf("the mode ended after %v of %v", ended, rules.Release)
			}
			d.asBefore(t)
		})
	}
}

func TestAnAgentThatComesBackFindsItsRulesAndTakesThemBack(t *testing.T) {
	d := newDesk(t)
	before := d.ruleset()
	first := startAgent(t, d.pupil, "schulwart.example:443")
	first.set(only)
	first.kill()
	second := startAgent(t, d.pupil, "schulwart.example:443")
	second.set(only)
	if got := d.Get(d.pupil, "https://lernen.example/"); got.Outcome != rig.OK {
		t.Errorf("after the restart: %v", got)
	}
	second.kill()
	third := startAgent(t, d.pupil, "schulwart.example:443")
	third.set(open)
	if after := d.ruleset(); after != before {
		t.Errorf("left behind:\n%s", after)
	}
}

func TestABaseFilterWithoutItsAgentOpens(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]struct {
		stop  func(*agentProcess)
		lapse time.Duration
	}{
		"stopped in order": {func(a *agentProcess) { a.ask(order{Do: "close"}) }, 0},
		"killed":           {func(a *agentProcess) { a.kill() }, host.FilterLapse},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			agent := startAgent(t, d.pupil, "schulwart.example:443")
			agent.set(deny)
			if got := d.Get(d.pupil, "https://spiel.example/"); !got.Outcome.Blocked() {
				t.Fatalf("denied name: %v", got)
			}
			start := time.Now()
			end.stop(agent)
			d.awaitLapse(t, end.lapse+20*time.Second)
			t.Logf("open after %v", time.Since(start))
			d.asBefore(t)
		})
	}
}

// awaitLapse returns when the kernel's switch of the base filter is off. The
// kernel is asked, not a site: a try leaves a redirected flow behind.
func (d desk) awaitLapse(t *testing.T, most time.Duration) {
	t.Helper()
	for start := time.Now(); strings.Contains(d.ruleset(), "expires"); time.Sleep(100 * time.Millisecond) {
		if time.Since(start) > most {
			t.Fatalf("the filter without its agent did not open:\n%s", d.ruleset())
		}
	}
}

// After the filter of a dead agent had lapsed, queries failed now and then for
// another half minute: those that came from a port which had asked before. The
// kernel remembered where it had led that port's question.
func TestAQuestionFromAPortOfBeforeIsAnsweredOnceTheFilterHasLapsed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	agent.set(deny)
	const port = 40053
	ask := func() (fault error) {
		query := new(dns.Msg).SetQuestion("lernen.example.", dns.TypeA)
		var socket net.Conn
		if err := d.pupil.In(func() (err error) {
			socket, err = (&net.Dialer{LocalAddr: &net.UDPAddr{Port: port}}).Dial("udp4", at(rig.NameServer, 53))
			return err
		}); err != nil {
			return err
		}
		defer socket.Close()
		_, _, fault = new(dns.Client).ExchangeWithConn(query, &dns.Conn{Conn: socket})
		return fault
	}
	if err := ask(); err != nil {
		t.Fatalf("with the agent: %v", err)
	}
	agent.kill()
	if err := ask(); err == nil {
		t.Fatal("without the agent a question was answered at once")
	}
	d.awaitLapse(t, host.FilterLapse+10*time.Second)
	if err := ask(); err != nil {
		t.Errorf("after the filter had lapsed: %v", err)
	}
}

// TestABaseFilterStands looks whether signs of life keep it.
func TestABaseFilterStands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	agent.set(deny)
	for range 6 {
		time.Sleep(host.FilterLapse / 5)
		if got := d.Get(d.pupil, "https://spiel.example/"); !got.Outcome.Blocked() {
			t.Fatalf("denied name: %v", got)
		}
		if got := agent.check(); got.State != ddm.PartOK {
			t.Fatalf("read back %v %v", got.State, got.Reason)
		}
	}
}

func TestTamperingIsSeenAndRepaired(t *testing.T) {
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	for name, attack := range map[string]struct {
		lines  string
		reason string
	}{
		"everything is flushed":    {"flush ruleset", "network.rules-gone"},
		"our table is deleted":     {"delete table inet schulwart", "network.rules-gone"},
		"a chain is emptied":       {"flush chain inet schulwart closed", "network.rules-changed"},
		"a rule is put before":     {"insert rule inet schulwart output accept", "network.rules-changed"},
		"the switch is turned off": {"flush set inet schulwart closed", "network.end-changed"},
		"a way out is added":       {"add element inet schulwart server4 { 203.0.113.14 . 443 }", "network.rules-changed"},
	} {
		t.Run(name, func(t *testing.T) {
			agent.set(only)
			agent.ask(order{Do: "drain"})
			d.nft(attack.lines)
			agent.ask(order{Do: "watch"}) // fails if no news comes
			got := agent.check()
			if got.State != ddm.PartDeviating || got.Reason.Code != attack.reason {
				t.Errorf("read back %v %v", got.State, got.Reason)
			}
			agent.set(only)
			if got := agent.check(); got.State != ddm.PartOK {
				t.Errorf("after repair %v %v", got.State, got.Reason)
			}
			if got := d.Ask(d.pupil, "https://spiel.example/", rig.Ask{Addr: rig.Spiel.Addr}); !got.Outcome.Blocked() {
				t.Errorf("after repair: %v", got)
			}
		})
	}
}

func TestRulesOfOthersAreLeftAlone(t *testing.T) {
	d := newDesk(t)
	d.nft(`table inet others {
	set addresses {
		type ipv4_addr
		elements = { 203.0.113.14 }
	}
	chain output {
		type filter hook output priority -300; policy accept
		ip daddr @addresses accept
		counter
	}
}
table ip nat {
	chain output {
		type nat hook output priority -101
		tcp dport 12345 redirect to :1
	}
}
`)
	before := strip(d.ruleset())
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	for _, rules := range []enforce.Network{only, deny, offline} {
		agent.set(rules)
		if !strings.Contains(strip(d.ruleset()), before) {
			t.Errorf("the rules of others changed:\n%s", d.ruleset())
		}
		// Accepting earlier, elsewhere, opens nothing.
		if got := d.Ask(d.pupil, "https://spiel.example/", rig.Ask{Addr: rig.Spiel.Addr}); !got.Outcome.Blocked() {
			t.Errorf("with an accepting rule of another table: %v", got)
		}
	}
	agent.set(open)
	if after := strip(d.ruleset()); after != before {
		t.Errorf("afterwards:\n%s", after)
	}
}

// strip takes counters out, which count.
func strip(ruleset string) string {
	var kept []string
	for _, line := range strings.Split(ruleset, "\n") {
		if !strings.Contains(line, "counter") {
			kept = append(kept, line)
		}
	}
	return strings.TrimSpace(strings.Join(kept, "\n"))
}

func TestTheSameRulesAgainChangeNothing(t *testing.T) {
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	for _, rules := range []enforce.Network{only, deny, offline, open} {
		agent.set(rules)
		agent.ask(order{Do: "drain"})
		before := d.handles()
		agent.set(rules)
		if after := d.handles(); after != before {
			t.Errorf("setting the same again made new rules:\n%s\n%s", before, after)
		}
	}
}

// handles lists chains with their handles, which change when they are remade.
func (d desk) handles() string {
	out, err := d.pupil.Command("nft", "-a", "list", "chains").CombinedOutput()
	if err != nil {
		d.t.Fatalf("listing chains: %v: %s", err, out)
	}
	return string(out)
}

func TestPupilsCannotTakeTheWaysOfTheAgent(t *testing.T) {
	need.Tool(t, "setpriv")
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	agent.set(offline)
	// The test's own binary, where an ordinary user can start it.
	program := filepath.Join(t.TempDir(), "pupil")
	data, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(program, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := d.pupil.CommandAs(1000, program, "-test.run=^TestPupilsProgram$", "-test.v")
	cmd.Env = append(os.Environ(), pupilVariable+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "a pupil tried") {
		t.Errorf("a pupil's program: %v: %s", err, out)
	}
}

const pupilVariable = "SCHULWART_TEST_PUPIL"

// TestPupilsProgram is what a pupil's program could try; as a test it does
// nothing. A mark takes rights that pupils do not have, the way of the time is
// for system users, and the gate's seat is not free to take.
func TestPupilsProgram(t *testing.T) {
	if os.Getenv(pupilVariable) == "" {
		return
	}
	t.Logf("a pupil tried, as user %d", os.Getuid())
	if conn, err := host.NewNetwork().Dial(t.Context(), "tcp", netip.AddrPortFrom(rig.Spiel.Addr, 443)); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a connection with the gate's mark: %v %v", conn, err)
	}
	tunnel, err := net.Dial("udp", at(rig.Time.Addr, 123))
	if err != nil {
		t.Fatal(err)
	}
	defer tunnel.Close()
	if _, err := tunnel.Write(make([]byte, 48)); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a tunnel through the port of time: %v", err)
	}
	if seat, err := net.Listen("tcp", "127.0.0.1:800"); !errors.Is(err, os.ErrPermission) {
		t.Errorf("the gate's seat: %v %v", seat, err)
	}
}

func TestTheTrialOnTheRealMachine(t *testing.T) {
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	agent.set(deny)
	if got := agent.ask(order{Do: "try", Rules: deny}); got.Trials < 15 {
		t.Errorf("only %d trials", got.Trials)
	}
	if got := d.Get(d.pupil, "https://spiel.example/"); !got.Outcome.Blocked() {
		t.Errorf("after the trial: %v", got)
	}
}

// TestANameServerOnLoopback is a device whose programs ask 127.0.0.53, and where
// what the stub there asks is known.
func TestANameServerOnLoopback(t *testing.T) {
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	agent.set(only)
	for name, want := range map[string]rig.Outcome{"lernen.example": rig.OK, "video.example": rig.NoName} {
		got := d.pupil.Query(name, dns.TypeA, "udp", stub)
		if got.Outcome != want || got.Took > quick {
			t.Errorf("%s by the stub's address: %v", name, got)
		}
	}
}

// TestANameServerOnLoopbackThatTellsNothing is a device whose resolv.conf names
// a stub alone: the gate asks the stub, the stub asks outside, and programs that
// ask the stub are led to the gate.
func TestANameServerOnLoopbackThatTellsNothing(t *testing.T) {
	d := newDesk(t)
	outside := d.pupil.Resolver
	forward := dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		var conn net.Conn
		err := d.pupil.In(func() (err error) {
			conn, err = net.Dial("udp", at(outside, 53))
			return err
		})
		if err != nil {
			return
		}
		defer conn.Close()
		if answer, _, err := new(dns.Client).ExchangeWithConn(query, &dns.Conn{Conn: conn}); err == nil {
			_ = w.WriteMsg(answer)
		}
	})
	server := &dns.Server{PacketConn: d.pupil.ListenPacket(t, stub.String()), Handler: forward}
	go func() { _ = server.ActivateAndServe() }()
	d.pupil.SetResolver(t, stub.Addr())
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	for _, rules := range []enforce.Network{only, deny} {
		agent.set(rules)
		for name, want := range map[string]rig.Outcome{"lernen.example": rig.OK, "spiel.example": rig.NoName} {
			if got := d.pupil.Resolve(name); got.Outcome != want || got.Took > quick {
				t.Errorf("%s by the stub: %v", name, got)
			}
		}
		if got := d.Get(d.pupil, "https://lernen.example/"); got.Outcome != rig.OK {
			t.Errorf("an allowed site: %v", got)
		}
	}
	agent.set(open)
	if got := d.pupil.Resolve("spiel.example"); got.Outcome != rig.OK {
		t.Errorf("afterwards: %v", got)
	}
}

// TestABrowserBehindTheGate is what a pupil sees: an allowed page, and the
// others' refusal without a wait.
func TestABrowserBehindTheGate(t *testing.T) {
	chromium := need.Tool(t, "chromium")
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	agent.set(only)
	home := t.TempDir()
	for address, want := range map[string]bool{"https://lernen.example/": true, "https://quic.example/": true, "http://shared-good.example/": true, "https://video.example/": false, "http://spiel.example/": false, "https://203.0.113.30/": false} {
		cmd := d.pupil.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
			"--ignore-certificate-errors", "--user-data-dir="+home, "--dump-dom", address)
		cmd.Env = append(os.Environ(), "HOME="+home)
		start := time.Now()
		out, _ := cmd.Output()
		if got := strings.Contains(string(out), "This is "); got != want {
			t.Errorf("%s: shown %v: %s", address, got, out)
		}
		t.Logf("%s after %v", address, time.Since(start))
	}
}

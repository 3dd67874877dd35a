package linux_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"crypto/tls"

	"github.com/miekg/dns"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/ddm"
	"schulwart.org/scripts/need"
	"schulwart.org/scripts/rig"
)

var stub = netip.MustParseAddrPort("127.0.0.53:53")

const quick = 2 * time.Second // far below any timeout; refusals take milliseconds

var (
	denied  = []string{"spiel.example", "shared-bad.example"}
	sites   = []string{"lernen.example", "shared-good.example", "quic.example"}
	open    = enforce.Network{}
	deny    = enforce.Network{Deny: denied}
	offline = enforce.Network{Reach: enforce.Never, Release: time.Hour}
	base    = enforce.Network{Base: sites, Deny: denied}
	only    = enforce.Network{Reach: enforce.Only, Allow: sites, Deny: denied, Release: time.Hour}
)

type desk struct {
	*rig.World
	pupil *rig.Namespace
	t     *testing.T
}

func newDesk(t *testing.T) desk {
	t.Helper()
	need.Tool(t, "nft")
	w := rig.New(t)
	for _, addr := range []netip.Addr{rig.ServerAddr, rig.ServerAddr6} {
		listener := tls.NewListener(w.Server.Listen(t, netip.AddrPortFrom(addr, 443).String()), w.CA.TLS("http/1.1"))
		server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(rw, "This is the server")
		})}
		go func() { _ = server.Serve(listener) }()
	}
	return desk{World: w, pupil: w.Pupils[0], t: t}
}

func (d desk) ruleset() string {
	d.t.Helper()
	out, err := d.pupil.Command("nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		d.t.Fatalf("listing rules: %v: %s", err, out)
	}
	return string(out)
}

func (d desk) nft(lines string) {
	d.t.Helper()
	cmd := d.pupil.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(lines)
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("nft: %v: %s", err, out)
	}
}

func (d desk) https(host string, addr func(rig.Site) netip.Addr) func(string) rig.Answer {
	return func(family string) rig.Answer {
		ask := rig.Ask{Family: family}
		if addr != nil {
			for _, site := range rig.Sites {
				if site.Name == host {
					ask.Addr = of(site, family)
				}
			}
		}
		return d.Ask(d.pupil, "https://"+host+"/", ask)
	}
}

func of(site rig.Site, family string) netip.Addr {
	if family == "6" {
		return site.Addr6
	}
	return site.Addr
}

func byFamily(family string, four, six netip.Addr) netip.Addr {
	if family == "6" {
		return six
	}
	return four
}

func at(addr netip.Addr, port uint16) string { return netip.AddrPortFrom(addr, port).String() }

// probe is something that a pupil's program tries, and whether it works.
type probe struct {
	name                      string
	try                       func(family string) rig.Answer
	open, deny, offline, only bool
}

func (d desk) probes() []probe {
	known := func(s rig.Site) netip.Addr { return s.Addr }
	plain := func(host string) func(string) rig.Answer {
		return func(family string) rig.Answer { return d.Ask(d.pupil, "http://"+host+"/", rig.Ask{Family: family}) }
	}
	names := func(name, network string) func(string) rig.Answer {
		return func(family string) rig.Answer {
			return d.pupil.Query(name, dns.TypeA, network, netip.AddrPortFrom(byFamily(family, rig.NameServer, rig.NameServer6), 53))
		}
	}
	query, _ := new(dns.Msg).SetQuestion("spiel.example.", dns.TypeA).Pack()
	return []probe{
		{"allowed name", d.https("lernen.example", nil), true, true, false, true},
		{"below an allowed name", func(f string) rig.Answer { return d.Ask(d.pupil, "https://www.lernen.example/", rig.Ask{Family: f}) }, true, true, false, true},
		{"other name", d.https("video.example", nil), true, true, false, false},
		{"denied name", d.https("spiel.example", nil), true, false, false, false},
		{"allowed name, address known before", d.https("lernen.example", known), true, true, false, true},
		{"other name, address known before", d.https("video.example", known), true, true, false, false},
		{"denied name, address known before", d.https("spiel.example", known), true, false, false, false},
		{"shared address, good name", d.https("shared-good.example", nil), true, true, false, true},
		{"shared address, bad name", d.https("shared-bad.example", nil), true, false, false, false},
		{"shared address, bad name, known before", d.https("shared-bad.example", known), true, false, false, false},
		{"shared address, hidden name", func(f string) rig.Answer {
			return d.Ask(d.pupil, "https://shared-good.example/", rig.Ask{Family: f, Hidden: true})
		}, true, true, false, false},
		{"direct address", func(f string) rig.Answer { return d.Get(d.pupil, "https://"+at(of(rig.Direct, f), 443)+"/") }, true, true, false, false},
		{"direct address, plain", func(f string) rig.Answer { return d.Get(d.pupil, "http://"+at(of(rig.Direct, f), 80)+"/") }, true, true, false, false},
		{"direct address, no name in the hello", func(f string) rig.Answer {
			return d.Ask(d.pupil, "https://"+at(of(rig.Direct, f), 443)+"/", rig.Ask{SNI: "-"})
		}, true, true, false, false},
		{"direct address, other port", func(f string) rig.Answer { return d.Get(d.pupil, "https://"+at(of(rig.Direct, f), 8443)+"/") }, true, true, false, false},
		{"allowed name, other port", func(f string) rig.Answer { return d.Ask(d.pupil, "https://lernen.example:8443/", rig.Ask{Family: f}) }, true, true, false, true},
		{"other name, other port", func(f string) rig.Answer { return d.Ask(d.pupil, "https://video.example:8443/", rig.Ask{Family: f}) }, true, true, false, false},
		{"bad name on a shared address, other port", func(f string) rig.Answer {
			return d.Ask(d.pupil, "https://shared-bad.example:8443/", rig.Ask{Family: f, Addr: of(rig.SharedBad, f)})
		}, true, true, false, false},
		{"plain, allowed name", plain("lernen.example"), true, true, false, true},
		{"plain, other name", plain("video.example"), true, true, false, false},
		{"plain, denied name", plain("spiel.example"), true, false, false, false},
		{"plain, bad name on a shared address", func(f string) rig.Answer {
			return d.Ask(d.pupil, "http://shared-bad.example/", rig.Ask{Addr: of(rig.SharedBad, f)})
		}, true, false, false, false},
		{"allowed name over TCP where HTTP/3 exists", d.https("quic.example", nil), true, true, false, true},
		{"name service elsewhere, allowed name", names("lernen.example", "udp"), true, true, false, true},
		{"name service elsewhere over TCP, allowed name", names("lernen.example", "tcp"), true, true, false, true},
		{"name service elsewhere, other name", names("video.example", "udp"), true, true, false, false},
		{"name service elsewhere over TCP, denied name", names("spiel.example", "tcp"), true, false, false, false},
		{"names over TLS", func(f string) rig.Answer {
			return d.pupil.Query("spiel.example", dns.TypeA, "tcp-tls", netip.AddrPortFrom(byFamily(f, rig.NameServer, rig.NameServer6), 853))
		}, true, false, false, false},
		{"names over HTTPS by name", func(f string) rig.Answer {
			return d.Ask(d.pupil, "https://dns.google/dns-query", rig.Ask{Family: f, Body: query})
		}, true, false, false, false},
		{"names over HTTPS by address", func(f string) rig.Answer {
			return d.Ask(d.pupil, "https://"+at(byFamily(f, rig.KnownDoH, rig.KnownDoH6), 443)+"/dns-query", rig.Ask{Body: query, SNI: "-"})
		}, true, false, false, false},
		{"the server", func(f string) rig.Answer { return d.Ask(d.pupil, "https://schulwart.example/", rig.Ask{Family: f}) }, true, true, true, true},
		{"the server's name", func(string) rig.Answer { return d.pupil.Resolve("schulwart.example") }, true, true, true, true},
		{"the time", func(f string) rig.Answer { return d.pupil.AskTime(of(rig.Time, f)) }, true, true, true, true},
		{"the time server's name", func(string) rig.Answer { return d.pupil.Resolve("pool.ntp.org") }, true, true, true, true},
	}
}

func TestWhatAPupilReaches(t *testing.T) {
	d := newDesk(t)
	d.Names.Set("pool.ntp.org", time.Minute, rig.Time.Addr)
	before := d.ruleset()
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	for _, state := range []struct {
		name  string
		rules enforce.Network
		works func(probe) bool
	}{
		{"open", open, func(p probe) bool { return p.open }},
		{"deny", deny, func(p probe) bool { return p.deny }},
		{"sites", only, func(p probe) bool { return p.only }},
		{"offline", offline, func(p probe) bool { return p.offline }},
		{"base allow list", base, func(p probe) bool { return p.only }},
		{"deny again", deny, func(p probe) bool { return p.deny }},
		{"open again", open, func(p probe) bool { return p.open }},
	} {
		t.Run(state.name, func(t *testing.T) {
			agent.set(state.rules)
			if got := agent.check(); got.State != ddm.PartOK {
				t.Fatalf("read back %v %v", got.State, got.Reason)
			}
			for _, probe := range d.probes() {
				for _, family := range []string{"4", "6"} {
					got := probe.try(family)
					switch works := state.works(probe); {
					case works && got.Outcome != rig.OK:
						t.Errorf("%s over IPv%s should work: %v", probe.name, family, got)
					case !works && !got.Outcome.Blocked():
						t.Errorf("%s over IPv%s should be refused: %v", probe.name, family, got)
					case !works && got.Took > quick:
						t.Errorf("%s over IPv%s was refused late: %v", probe.name, family, got)
					}
				}
			}
			d.quic(t, state.name)
		})
	}
	if after := d.ruleset(); after != before {
		t.Errorf("zero rules left something behind:\n%s", after)
	}
}

// quic looks at HTTP/3: where it is not open, it is refused so that browsers
// fall back at once, instead of waiting.
func (d desk) quic(t *testing.T, state string) {
	t.Helper()
	for _, family := range []string{"4", "6"} {
		if strings.HasPrefix(state, "open") {
			if got := d.Ask(d.pupil, "https://quic.example/", rig.Ask{Family: family, HTTP3: true}); got.Outcome != rig.OK {
				t.Errorf("HTTP/3 over IPv%s should work: %v", family, got)
			}
			continue
		}
		if got := d.pupil.Poke(netip.AddrPortFrom(of(rig.Quic, family), 443)); got.Outcome != rig.Refused || got.Took > quick {
			t.Errorf("HTTP/3 over IPv%s should be refused at once: %v", family, got)
		}
	}
}

// A mode within the base allow list ends, and the list holds on.
func TestTheBaseAllowListOutlivesEveryMode(t *testing.T) {
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	lesson := base
	lesson.Reach, lesson.Allow, lesson.Release = enforce.Only, []string{"lernen.example"}, 4*time.Second
	agent.set(lesson)
	if got := d.https("shared-good.example", nil)("4"); !got.Outcome.Blocked() {
		t.Errorf("reached in a mode that does not name it: %v", got)
	}
	for deadline := time.Now().Add(30 * time.Second); d.https("shared-good.example", nil)("4").Outcome != rig.OK; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the mode does not end")
		}
	}
	for _, site := range []string{"video.example", "spiel.example"} {
		if got := d.https(site, nil)("4"); !got.Outcome.Blocked() {
			t.Errorf("%s is reached after the mode: %v", site, got)
		}
	}
	if got := d.https("lernen.example", nil)("6"); got.Outcome != rig.OK {
		t.Errorf("the list itself is not reached: %v", got)
	}
}

func TestARefusedNameSaysWhy(t *testing.T) {
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	agent.set(only)
	got := d.pupil.Resolve("video.example")
	if got.Outcome != rig.NoName || got.Extended != int(dns.ExtendedErrorCodeBlocked) {
		t.Errorf("answer %v with extended error %d", got, got.Extended)
	}
	if asked := d.Names.Asked("video.example"); asked != 0 {
		t.Errorf("the refused name was asked for %d times outside", asked)
	}
	for _, kind := range []uint16{dns.TypeHTTPS, dns.TypeSVCB} {
		if got := d.pupil.Query("lernen.example", kind, "udp", netip.AddrPortFrom(d.pupil.Resolver, 53)); strings.Contains(got.Body, "ech=") || strings.Contains(got.Body, "h3") {
			t.Errorf("an encrypted hello or HTTP/3 was offered: %s", got.Body)
		}
	}
}

func TestALieAboutTheNameLeadsToTheNamesOwnServer(t *testing.T) {
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	agent.set(only)
	for _, family := range []string{"4", "6"} {
		got := d.Ask(d.pupil, "https://spiel.example/", rig.Ask{Addr: of(rig.Spiel, family), SNI: "lernen.example"})
		if strings.Contains(got.Body, of(rig.Spiel, family).String()) || !strings.Contains(got.Body, of(rig.Lernen, family).String()) {
			t.Errorf("over IPv%s the pupil got %v %q", family, got, got.Body)
		}
	}
}

func TestEstablishedConnectionsAreCut(t *testing.T) {
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	agent.set(open)
	for _, state := range []struct {
		name  string
		rules enforce.Network
	}{{"offline", offline}, {"sites", only}} {
		for _, family := range []string{"4", "6"} {
			t.Run(state.name+" over IPv"+family, func(t *testing.T) {
				download, err := d.Open(d.pupil, "video.example", "/download", rig.Ask{Family: family})
				if err != nil {
					t.Fatal(err)
				}
				defer download.Close()
				socket, err := d.Open(d.pupil, "video.example", "/socket", rig.Ask{Family: family})
				if err != nil {
					t.Fatal(err)
				}
				defer socket.Close()
				if err := download.Flowing(); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				agent.set(state.rules)
				for what, stream := range map[string]*rig.Stream{"download": download, "idle socket": socket} {
					if got := stream.UntilCut(); got.Outcome != rig.Reset || got.Took > quick {
						t.Errorf("%s: %v", what, got)
					} else {
						t.Logf("%s cut after %v", what, time.Since(began)) // make bench reads it
					}
				}
				agent.set(open)
			})
		}
	}
}

func TestWhatIsStillAllowedGoesOn(t *testing.T) {
	d := newDesk(t)
	agent := startAgent(t, d.pupil, "schulwart.example:443")
	agent.set(only)
	socket, err := d.Open(d.pupil, "lernen.example", "/socket", rig.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	other, err := d.Open(d.pupil, "shared-good.example", "/download", rig.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	longer := only
	longer.Release = 2 * time.Hour
	agent.set(longer)
	fewer := longer
	fewer.Allow = []string{"lernen.example", "geogebra.example"}
	agent.set(fewer)
	if got := other.UntilCut(); got.Outcome != rig.Reset || got.Took > quick {
		t.Errorf("the site that was taken off the list: %v", got)
	}
	for _, rules := range []enforce.Network{fewer, deny, only} {
		agent.set(rules)
		if err := socket.Echo(); err != nil {
			t.Errorf("an open connection to an allowed site broke: %v", err)
		}
	}
	agent.set(offline)
	if got := socket.UntilCut(); got.Outcome != rig.Reset || got.Took > quick {
		t.Errorf("offline: %v", got)
	}
}

func TestTheServerIsFoundByPinsBeforeAnyName(t *testing.T) {
	d := newDesk(t)
	d.Names.Mute(true)
	agent := startAgent(t, d.pupil, "schulwart.example:443", rig.ServerAddr.String(), rig.ServerAddr6.String())
	if took := agent.set(offline); took > quick {
		t.Errorf("setting waited for a name: %v", took)
	}
	for _, family := range []string{"4", "6"} {
		got := d.Ask(d.pupil, "https://schulwart.example/", rig.Ask{Addr: byFamily(family, rig.ServerAddr, rig.ServerAddr6)})
		if got.Outcome != rig.OK {
			t.Errorf("the server over IPv%s: %v", family, got)
		}
	}
	if got := d.Ask(d.pupil, "https://spiel.example/", rig.Ask{Addr: rig.ServerAddr, SNI: "-"}); got.Outcome != rig.OK {
		t.Logf("the server answers by address alone: %v", got)
	}
	conn, err := d.pupil.Dial(t.Context(), net.JoinHostPort(rig.ServerAddr.String(), "22"), rig.Ask{})
	if err == nil {
		_ = conn.Close()
		t.Error("another port of the server is open")
	}
}

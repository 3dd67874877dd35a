package rig_test

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"schulwart.org/scripts/need"
	"schulwart.org/scripts/rig"
)

func TestEverythingInTheWorldAnswers(t *testing.T) {
	w := rig.New(t, rig.Pupils(2))
	for _, pupil := range w.Pupils {
		for _, family := range []string{"4", "6"} {
			for _, site := range rig.Sites {
				for _, scheme := range []string{"http://", "https://"} {
					got := w.Ask(pupil, scheme+site.Name+"/", rig.Ask{Family: family})
					if got.Outcome != rig.OK || !strings.Contains(got.Body, "This is "+site.Name) {
						t.Errorf("%s%s over IPv%s: %v %q", scheme, site.Name, family, got, got.Body)
					}
				}
			}
			if got := w.Ask(pupil, "https://quic.example/", rig.Ask{Family: family, HTTP3: true}); !strings.Contains(got.Body, "HTTP/3") {
				t.Errorf("HTTP/3 over IPv%s: %v %q", family, got, got.Body)
			}
		}
		for _, addr := range []netip.Addr{rig.Direct.Addr, rig.Direct.Addr6} {
			if got := w.Get(pupil, "https://"+netip.AddrPortFrom(addr, 443).String()+"/"); got.Outcome != rig.OK {
				t.Errorf("direct address %s: %v", addr, got)
			}
		}
		for _, addr := range []netip.Addr{rig.KnownDoH, rig.KnownDoH6, rig.NameServer, rig.NameServer6} {
			for network, port := range map[string]uint16{"udp": 53, "tcp": 53, "tcp-tls": 853} {
				if got := pupil.Query("lernen.example", dns.TypeA, network, netip.AddrPortFrom(addr, port)); got.Outcome != rig.OK || len(got.Addrs) != 1 {
					t.Errorf("names over %s at %s: %v", network, addr, got)
				}
			}
		}
		query, _ := new(dns.Msg).SetQuestion("lernen.example.", dns.TypeA).Pack()
		if got := w.Ask(pupil, "https://dns.google/dns-query", rig.Ask{Body: query}); got.Outcome != rig.OK {
			t.Errorf("names over HTTPS: %v", got)
		}
		for _, addr := range []netip.Addr{rig.Time.Addr, rig.Time.Addr6} {
			if got := pupil.AskTime(addr); got.Outcome != rig.OK {
				t.Errorf("time at %s: %v", addr, got)
			}
		}
		if got := pupil.Resolve("nowhere.example"); got.Outcome != rig.NoName {
			t.Errorf("a name that does not exist: %v", got)
		}
		if got := w.Get(pupil, "https://schulwart.example/"); got.Outcome != rig.Refused {
			t.Errorf("no server listens: %v", got)
		}
	}
}

func TestAHelloCanBeEncrypted(t *testing.T) {
	w := rig.New(t)
	got := w.Ask(w.Pupils[0], "https://shared-bad.example/", rig.Ask{Hidden: true})
	if got.Outcome != rig.OK || !strings.Contains(got.Body, "This is shared-bad.example") {
		t.Errorf("%v %q", got, got.Body)
	}
}

func TestABrowserSeesTheWorld(t *testing.T) {
	chromium := need.Tool(t, "chromium")
	w := rig.New(t)
	cmd := w.Pupils[0].Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
		"--ignore-certificate-errors", "--user-data-dir="+t.TempDir(), "--dump-dom", "https://lernen.example/")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	if out, err := cmd.Output(); err != nil || !strings.Contains(string(out), "This is lernen.example") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestStreamsStayOpen(t *testing.T) {
	w := rig.New(t)
	download, err := w.Open(w.Pupils[0], "video.example", "/download", rig.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	defer download.Close()
	socket, err := w.Open(w.Pupils[0], "lernen.example", "/socket", rig.Ask{Family: "6"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for range 3 {
		if err := download.Flowing(); err != nil {
			t.Fatal(err)
		}
		if err := socket.Echo(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAProgramSeesItsMachine(t *testing.T) {
	w := rig.New(t)
	own, _ := os.ReadFile("/etc/resolv.conf")
	out, err := w.Pupils[0].Command("sh", "-c", "cat /etc/resolv.conf; ip -o addr show eth0").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "nameserver 10.87.1.1") || !strings.Contains(string(out), "10.87.1.2/24") {
		t.Errorf("the program saw %s", out)
	}
	if now, _ := os.ReadFile("/etc/resolv.conf"); string(now) != string(own) {
		t.Error("the machine's own resolv.conf changed")
	}
	out, err = w.Pupils[0].CommandAs(1000, "sh", "-c", "id -u; cat /proc/self/status").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "1000\n") || !strings.Contains(string(out), "CapEff:\t0000000000000000") {
		t.Errorf("as a pupil: %v: %.200s", err, out)
	}
}

func TestTheCableCanBePulled(t *testing.T) {
	w := rig.New(t)
	w.Unplug(t, w.Pupils[0])
	if got := w.Get(w.Pupils[0], "https://lernen.example/"); got.Outcome == rig.OK {
		t.Fatal("reached something without a cable")
	}
	w.Plug(t, w.Pupils[0])
	for _, family := range []string{"4", "6"} {
		if got := w.Ask(w.Pupils[0], "https://lernen.example/", rig.Ask{Family: family}); got.Outcome != rig.OK {
			t.Errorf("over IPv%s after plugging in: %v", family, got)
		}
	}
}

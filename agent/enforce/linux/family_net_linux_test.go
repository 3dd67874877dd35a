package linux_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/scripts/need"
)

// starts runs a service of the system until the test ends.
func (b *realBook) starts(name string, args ...string) *exec.Cmd {
	b.t.Helper()
	cmd := exec.Command(need.Tool(b.t, name), args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"}
	cmd.Dir = "/"
	log, err := os.Create(filepath.Join(b.own, filepath.Base(name)+".log"))
	must(b.t, err)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(b.t, cmd.Start())
	b.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if b.t.Failed() {
			said, _ := os.ReadFile(log.Name())
			b.t.Logf("%s said:\n%s", name, said)
		}
	})
	return cmd
}

// bus starts a message bus that only this test's mounts know; /run must be the
// test's own.
func (b *realBook) bus() {
	b.t.Helper()
	must(b.t, os.RemoveAll("/run/dbus"))
	must(b.t, os.MkdirAll("/run/dbus", 0o755))
	b.starts("dbus-daemon", "--system", "--nofork", "--nopidfile")
	patiently(b.t, "the message bus is there", func() bool {
		_, err := os.Stat("/run/dbus/system_bus_socket")
		return err == nil
	})
}

const testRoot = "Schule am Park – Wurzel"

// authority makes an authority and a certificate that it signed.
func (b *realBook) authority() (root, leaf string) {
	b.t.Helper()
	at := func(name string) string { return filepath.Join(b.own, name) }
	b.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "10", "-subj", "/CN=Schule am Park CA")
	b.run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", at("leaf.key"), "-out", at("leaf.csr"), "-subj", "/CN=intranet.example", "-addext", "subjectAltName=DNS:intranet.example,IP:127.0.0.1")
	b.run("openssl", "x509", "-req", "-in", at("leaf.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-out", at("leaf.pem"), "-days", "9", "-copy_extensions", "copy")
	data, err := os.ReadFile(at("ca.pem"))
	must(b.t, err)
	return string(data), at("leaf.pem")
}

func TestCertificatesAsOpenSSLBelievesThem(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	need.Tool(t, "update-ca-certificates")
	b := newRealBook(t, "/usr/local/share")
	root, leaf := b.authority()
	b.run("update-ca-certificates")                        // so that what it does differently each time is done
	must(t, os.RemoveAll("/etc/ca-certificates/update.d")) // Java's own copy is another one each time
	before := b.tree("/etc/ssl") + b.tree("/usr/local/share")
	believed := func() bool {
		_, err := b.try(nil, "openssl", "verify", "-CApath", "/etc/ssl/certs", leaf)
		return err == nil
	}
	if believed() {
		t.Fatal("believed before anything was set")
	}
	driver := b.driver("certificates")
	wanted := map[string]any{"roots": []any{map[string]any{"name": testRoot, "certificate": root}}}
	b.isSet(driver, wanted)
	if !believed() {
		t.Error("openssl does not believe the school's authority")
	}
	b.mends(driver, wanted, func() { must(t, os.WriteFile("/etc/ssl/certs/ca-certificates.crt", nil, 0o644)) })
	if out, err := b.try(nil, "openssl", "verify", "-CAfile", "/etc/ssl/certs/ca-certificates.crt", leaf); err != nil {
		t.Errorf("the bundle does not have it again: %s %v", out, err)
	}
	must(t, driver.Set(t.Context(), nothing))
	if believed() {
		t.Error("still believed after all was taken back")
	}
	b.same("certificates", before, b.tree("/etc/ssl")+b.tree("/usr/local/share"))
}

func TestRealBrowsersBelieveTheSchoolsAuthority(t *testing.T) {
	chromium := need.Tool(t, "chromium")
	if !inOwnMounts(t) {
		return
	}
	b := newRealBook(t, "/usr/local/share")
	root, leaf := b.authority()
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<p>the school's own page") }))
	site.TLS = tlsOf(t, leaf, filepath.Join(b.own, "leaf.key"))
	site.StartTLS()
	defer site.Close()
	m := newMachine()
	doors := b.doors()
	browser := linux.NewBrowser(linux.BrowserOptions{Tree: doors.Tree, Files: b.files, Programs: m.programs, Desktops: m.desktops, Notices: m.desktops, Clock: m})
	visit := func() string {
		out, _ := exec.Command("timeout", "90", chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--user-data-dir="+t.TempDir(), "--dump-dom", site.URL+"/").Output()
		return string(out)
	}
	const page = "the school's own page"
	if said := visit(); strings.Contains(said, page) {
		t.Fatalf("believed before anything was set: %s", said)
	}
	set(t, browser, both(settings(t, family("certificates"), map[string]any{"roots": []any{map[string]any{"name": testRoot, "certificate": root}}})))
	if said := visit(); !strings.Contains(said, page) {
		t.Errorf("Chromium does not believe it: %s", said)
	}
	set(t, browser, nothing)
	if said := visit(); strings.Contains(said, page) {
		t.Error("still believed after all was taken back")
	}
}

// Firefox reads certificates and the proxy out of its own policies.
func TestRealFirefoxBelievesTheSchoolsAuthorityAndGoesThroughTheProxy(t *testing.T) {
	firefox := need.Tool(t, "firefox-esr")
	if !inOwnMounts(t) {
		return
	}
	b := newRealBook(t, "/usr/local/share")
	root, leaf := b.authority()
	var asked atomic.Int32
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			asked.Add(1)
		}
		fmt.Fprint(w, "<p>the school's own page")
	}))
	site.Config.ErrorLog = log.New(io.Discard, "", 0)
	site.TLS = tlsOf(t, leaf, filepath.Join(b.own, "leaf.key"))
	site.StartTLS()
	defer site.Close()
	profile := t.TempDir()
	visit := func(address string) {
		cmd := exec.Command("timeout", "40", firefox, "--headless", "--no-remote", "--profile", profile, "--screenshot", filepath.Join(b.own, "page.png"), address)
		cmd.Env = append(os.Environ(), "HOME="+b.own)
		_ = cmd.Run()
	}
	visit(site.URL + "/")
	if asked.Load() > 0 {
		t.Fatal("believed before anything was set")
	}
	m := newMachine()
	browser := linux.NewBrowser(linux.BrowserOptions{Tree: host.SystemTree{}, Files: b.files, Programs: m.programs, Desktops: m.desktops, Notices: m.desktops, Clock: m})
	certificates := settings(t, family("certificates"), map[string]any{"roots": []any{map[string]any{"name": testRoot, "certificate": root}}})
	b.set(b.driver("certificates"), map[string]any{"roots": []any{map[string]any{"name": testRoot, "certificate": root}}})
	set(t, browser, certificates)
	// It adds certificates while it already loads its first page.
	for range 3 {
		if visit(site.URL + "/"); asked.Load() > 0 {
			break
		}
	}
	if asked.Load() == 0 {
		t.Error("Firefox does not believe the school's authority")
	}
	var proxied atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Host == "web.example" {
			proxied.Add(1)
		}
	}))
	defer proxy.Close()
	set(t, browser, settings(t, family("proxy"), map[string]any{"server": strings.TrimPrefix(proxy.URL, "http://")}))
	if visit("http://web.example/"); proxied.Load() == 0 {
		t.Error("Firefox does not go through the proxy")
	}
}

// A real NetworkManager, in a network of its own where there is nothing to
// connect to, reads what it is given.
func TestWiFiAsNetworkManagerReadsIt(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	need.Tool(t, "NetworkManager")
	need.Tool(t, "nmcli")
	b := newRealBook(t, "/run", "/var/lib/NetworkManager")
	must(t, os.MkdirAll("/var/lib/NetworkManager", 0o755))
	before := b.tree("/etc/NetworkManager")
	driver := b.driver("wifi")
	wanted := map[string]any{"networks": []any{
		map[string]any{"name": "Schule am Park; Gäste #1", "security": "open", "hidden": true, "auto-join": false},
		map[string]any{"name": "Schule", "security": "wpa2", "password": ` geh\eim=und; lang `},
		map[string]any{"name": "Lehrkräfte", "security": "wpa3", "password": "correct horse"},
	}}
	b.set(driver, wanted)
	b.reads(driver, ddm.PartNotPossible, "wifi.not-running")
	b.bus()
	b.starts("unshare", "--net", "NetworkManager", "--no-daemon")
	patiently(t, "NetworkManager runs", func() bool {
		out, err := b.try(nil, "nmcli", "-t", "-f", "RUNNING", "general")
		return err == nil && out == "running"
	})
	b.isSet(driver, wanted)
	get := func(name, property string) string {
		return b.run("nmcli", "-s", "-g", property, "connection", "show", name)
	}
	for _, c := range []struct{ name, property, want string }{
		{"Schule am Park; Gäste #1", "802-11-wireless.ssid", "Schule am Park; Gäste #1"},
		{"Schule am Park; Gäste #1", "802-11-wireless.hidden", "yes"},
		{"Schule am Park; Gäste #1", "connection.autoconnect", "no"},
		{"Schule am Park; Gäste #1", "802-11-wireless-security.key-mgmt", ""},
		{"Schule", "802-11-wireless-security.key-mgmt", "wpa-psk"},
		{"Schule", "connection.autoconnect", "yes"},
		{"Lehrkräfte", "802-11-wireless-security.key-mgmt", "sae"},
		{"Lehrkräfte", "802-11-wireless-security.psk", "correct horse"},
	} {
		if got := get(c.name, c.property); got != c.want {
			t.Errorf("%s of %s is %q, want %q", c.property, c.name, got, c.want)
		}
	}
	// nmcli's output is trimmed here, and it escapes; the blanks stand within.
	if got := b.run("sh", "-c", `nmcli -s -g 802-11-wireless-security.psk connection show Schule | od -c | head -3`); !strings.Contains(got, "g   e   h") {
		t.Errorf("the password: %s", got)
	}
	if entries, err := os.ReadDir("/etc/NetworkManager/system-connections"); err != nil || len(entries) != 3 {
		t.Errorf("%d files, %v", len(entries), err)
	} else {
		for _, entry := range entries {
			if info, _ := entry.Info(); info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", entry.Name(), info.Mode())
			}
		}
	}
	b.mends(driver, wanted, func() { b.run("nmcli", "connection", "delete", "Lehrkräfte") })
	must(t, driver.Set(t.Context(), nothing))
	if out := b.run("nmcli", "-t", "-f", "NAME,TYPE", "connection", "show"); strings.Contains(out, "wireless") {
		t.Errorf("still known: %s", out)
	}
	b.same("NetworkManager", before, b.tree("/etc/NetworkManager"))
}

// A name is asked of the school's server by programs of this machine.
func TestNamesAreAskedOfTheSchoolsServer(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	need.Tool(t, "getent")
	b := newRealBook(t, "/run")
	packets, err := net.ListenPacket("udp", "127.0.0.77:53")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
		answer := new(dns.Msg)
		answer.SetReply(query)
		if q := query.Question[0]; q.Name == "drucker.schule.example." && q.Qtype == dns.TypeA {
			record, _ := dns.NewRR(q.Name + " 60 IN A 192.0.2.44")
			answer.Answer = append(answer.Answer, record)
		}
		_ = w.WriteMsg(answer)
	})}
	go func() { _ = server.ActivateAndServe() }()
	defer func() { _ = server.Shutdown() }()
	must(t, os.Remove("/etc/resolv.conf"))
	b.write("/etc/resolv.conf.dhcp", "# by DHCP\nnameserver 127.0.0.78\n")
	must(t, os.Symlink("resolv.conf.dhcp", "/etc/resolv.conf"))
	must(t, os.RemoveAll("/etc/systemd/system/multi-user.target.wants/NetworkManager.service"))
	before := b.tree("/etc")
	driver := b.driver("dns")
	wanted := map[string]any{"servers": []any{"127.0.0.77"}, "search": []any{"schule.example"}}
	b.isSet(driver, wanted)
	if out, err := b.try(nil, "getent", "ahostsv4", "drucker"); err != nil || !strings.HasPrefix(out, "192.0.2.44 ") {
		t.Errorf("a short name is %q, %v", out, err)
	}
	b.mends(driver, wanted, func() { b.write("/etc/resolv.conf", "nameserver 9.9.9.9\n") })
	must(t, driver.Set(t.Context(), nothing))
	b.same("/etc", before, b.tree("/etc"))
}

// Where NetworkManager keeps the name servers, it writes them.
func TestNamesAreAskedOfTheSchoolsServerThroughNetworkManager(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	need.Tool(t, "NetworkManager")
	b := newRealBook(t, "/run", "/var/lib")
	must(t, os.RemoveAll("/etc/resolv.conf"))
	b.write("/etc/resolv.conf", "nameserver 127.0.0.78\n")
	b.bus()
	b.starts("unshare", "--net", "NetworkManager", "--no-daemon")
	patiently(t, "NetworkManager runs", func() bool {
		out, err := b.try(nil, "nmcli", "-t", "-f", "RUNNING", "general")
		return err == nil && out == "running"
	})
	before := b.tree("/etc/NetworkManager")
	driver := b.driver("dns")
	wanted := map[string]any{"servers": []any{"192.0.2.53", "2001:db8::53"}, "search": []any{"schule.example"}}
	b.set(driver, wanted)
	patiently(t, "programs ask the school's servers", func() bool {
		data, _ := os.ReadFile("/etc/resolv.conf")
		return strings.Contains(string(data), "nameserver 192.0.2.53\nnameserver 2001:db8::53\n") && strings.Contains(string(data), "search schule.example")
	})
	b.reads(driver, ddm.PartOK, "")
	must(t, driver.Set(t.Context(), nothing))
	patiently(t, "the network's own servers are asked again", func() bool {
		data, _ := os.ReadFile("/etc/resolv.conf")
		return !strings.Contains(string(data), "192.0.2.53")
	})
	b.same("NetworkManager", before, b.tree("/etc/NetworkManager"))
}

// throughProxy is a proxy that answers everything itself.
func throughProxy(t *testing.T) (address string) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<p>by proxy: "+r.URL.Host)
	}))
	t.Cleanup(proxy.Close)
	return strings.TrimPrefix(proxy.URL, "http://")
}

func TestProgramsGoThroughTheProxy(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	needGsettings(t)
	need.Tool(t, "curl")
	b := newRealBook(t)
	b.write("/etc/environment", "LANG=de_DE.UTF-8\nhttp_proxy=http://old.example:1\n")
	before := b.tree("/etc")
	driver := b.driver("proxy")
	address := throughProxy(t)
	wanted := map[string]any{"server": address, "exceptions": []any{"direkt.example"}}
	b.isSet(driver, wanted)
	asked := func(site string) string {
		out, _ := b.try(nil, "sh", "-c", `env -i PATH="$PATH" $(cat /etc/environment) curl -s -m 10 http://`+site+`/`)
		return out
	}
	if got := asked("web.example"); got != "<p>by proxy: web.example" {
		t.Errorf("curl gets %q", got)
	}
	if got := asked("www.direkt.example"); got != "" {
		t.Errorf("what shall be reached directly goes through the proxy: %q", got)
	}
	if out := b.run("apt-config", "dump"); !strings.Contains(out, `Acquire::http::Proxy "http://`+address+`"`) {
		t.Error("apt does not know the proxy")
	}
	b.holds("org.gnome.system.proxy", "mode", "'manual'")
	b.holds("org.gnome.system.proxy.http", "host", "'127.0.0.1'")
	b.chooses("org.gnome.system.proxy", "mode", "'none'", false)
	if data, _ := os.ReadFile("/etc/environment"); !strings.HasPrefix(string(data), "LANG=de_DE.UTF-8\n") || strings.Contains(string(data), "old.example") {
		t.Errorf("the environment: %s", data)
	}
	b.isSet(driver, map[string]any{"automatic": "http://wpad.example/proxy.pac"})
	b.holds("org.gnome.system.proxy", "autoconfig-url", "'http://wpad.example/proxy.pac'")
	must(t, driver.Set(t.Context(), nothing))
	b.same("/etc", before, b.tree("/etc"))
}

func TestRealChromiumGoesThroughTheProxyAndObeysTheBase(t *testing.T) {
	chromium := need.Tool(t, "chromium")
	if !inOwnMounts(t) {
		return
	}
	ownPolicies(t)
	m := newMachine()
	browser := linux.NewBrowser(linux.BrowserOptions{Tree: newTree(), Files: m.Files, Programs: m.programs, Desktops: m.desktops, Notices: m.desktops, Clock: m})
	address := throughProxy(t)
	rules := both(settings(t, family("proxy"), map[string]any{"server": address}), settings(t, family("browsers"), map[string]any{
		"home-page": "http://start.example/", "private-mode": false, "password-manager": false, "downloads": "blocked", "extensions": "blocked",
	}))
	set(t, browser, rules)
	shows := func(address string) string {
		out, _ := exec.Command("timeout", "90", chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--user-data-dir="+t.TempDir(), "--dump-dom", address).CombinedOutput()
		return string(out)
	}
	if said := shows("http://web.example/"); !strings.Contains(said, "by proxy: web.example") {
		t.Errorf("not through the proxy: %s", tail(said))
	}
	// A mode comes on top and goes again; the base stays.
	lesson := rules
	lesson.Network = enforce.Network{Reach: enforce.Only, Allow: []string{"lernen.example"}, Release: time.Hour}
	set(t, browser, lesson)
	if said := shows("http://web.example/"); !strings.Contains(said, "ERR_BLOCKED_BY_ADMINISTRATOR") {
		t.Errorf("the mode does not hold: %s", tail(said))
	}
	if said := shows("http://lernen.example/"); !strings.Contains(said, "by proxy: lernen.example") {
		t.Errorf("what the mode allows: %s", tail(said))
	}
	set(t, browser, rules)
	if said := shows("http://web.example/"); !strings.Contains(said, "by proxy: web.example") {
		t.Errorf("after the mode: %s", tail(said))
	}
	set(t, browser, nothing)
	if _, err := os.Stat(chromiumFile); !os.IsNotExist(err) {
		t.Errorf("a policy is left: %v", err)
	}
}

// both is everything that several families say.
func both(all ...enforce.Rules) enforce.Rules {
	rules := enforce.Rules{Base: enforce.Base{}}
	for _, one := range all {
		for name, values := range one.Base {
			rules.Base[name] = values
		}
	}
	return rules
}

func family(name string) catalog.Family {
	found, _ := catalog.Find(name)
	return found
}

// tail is where a browser says what it showed; before that it complains at length.
func tail(said string) string { return said[max(0, len(said)-600):] }

func newTree() host.Disk { return host.SystemTree{} }

func tlsOf(t *testing.T, certificate, key string) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(certificate, key)
	must(t, err)
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

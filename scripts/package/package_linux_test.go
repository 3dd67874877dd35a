package pack_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/scripts/need"
)

const (
	state  = "/var/lib/schulwart-agent"
	policy = "/etc/chromium/policies/managed/schulwart.json"
)

// The life of the package in a system that really boots. Nothing stands in for
// anything, but that the leases come from a file: there is no network at all.
func TestLifeOfThePackage(t *testing.T) {
	need.Root(t)
	need.Tool(t, "systemd-nspawn")
	need.Tool(t, "nsenter")
	if !inOwnMounts(t) {
		return
	}
	older, newer := buildPackage(t, "0.1.0"), buildPackage(t, "0.1.1")
	c := newContainer(t)
	c.give(t, older, "root/older.deb")
	c.give(t, newer, "root/newer.deb")
	c.give(t, buildSeed(t), "root/seed")
	c.boot(t)
	c.do(t, "useradd", "--uid", "1500", "--create-home", "pupil")

	t.Run("installed, the service runs", func(t *testing.T) {
		c.do(t, "dpkg", "-i", "/root/older.deb")
		c.do(t, "systemctl", "is-active", "schulwart-agent.service", "schulwart-agent-sweep.timer")
		c.do(t, "systemctl", "is-enabled", "schulwart-agent.service", "schulwart-agent-sweep.timer")
		if out := c.do(t, "schulwart-agent", "version"); !strings.Contains(out, "0.1.0") {
			t.Errorf("version says %q", out)
		}
		c.world(t)
		if !c.reaches() {
			t.Fatal("the pupil cannot reach the world although nothing holds")
		}
	})
	t.Run("a mode holds for the pupil", func(t *testing.T) {
		c.lease(t, "offline", 600)
		began := time.Now()
		if c.reaches() {
			t.Fatal("the world is open")
		}
		if took := time.Since(began); took > 1500*time.Millisecond {
			t.Errorf("refused after %s: by a timeout", took)
		}
		if !c.has(policy) {
			t.Error("no browser policy")
		}
		if out := c.do(t, "runuser", "-u", "pupil", "--", "schulwart-agent", "status"); !strings.Contains(out, "Frau Oert hat das Internet") {
			t.Errorf("the pupil is told %q", out)
		}
	})
	t.Run("killed, it is back in two seconds and nothing was open", func(t *testing.T) {
		opened := c.watch(t)
		former := c.mainPID(t)
		c.do(t, "kill", "-9", former)
		took := eventually(t, 2*time.Second, "another agent", func() bool {
			pid, err := c.try("systemctl", "show", "-P", "MainPID", "schulwart-agent.service")
			return err == nil && pid != "0" && pid != former && c.agrees()
		})
		t.Logf("back after %s", took)
		if opened() {
			t.Error("the world was open in between")
		}
	})
	t.Run("asked to end, as by a shutdown that is called off, it is back and nothing was open", func(t *testing.T) {
		opened := c.watch(t)
		former := c.mainPID(t)
		c.do(t, "kill", "-TERM", former)
		eventually(t, 5*time.Second, "another agent", func() bool {
			pid, err := c.try("systemctl", "show", "-P", "MainPID", "schulwart-agent.service")
			return err == nil && pid != "0" && pid != former && c.agrees()
		})
		if opened() {
			t.Error("the world was open in between")
		}
	})
	t.Run("one that hangs is replaced", func(t *testing.T) {
		c.do(t, "sh", "-c", "mkdir -p /run/systemd/system/schulwart-agent.service.d && printf '[Service]\\nWatchdogSec=3s\\n' >/run/systemd/system/schulwart-agent.service.d/test.conf && systemctl daemon-reload && systemctl restart schulwart-agent")
		former := c.mainPID(t)
		c.do(t, "kill", "-STOP", former)
		eventually(t, 20*time.Second, "another agent", func() bool {
			pid, err := c.try("systemctl", "show", "-P", "MainPID", "schulwart-agent.service")
			return err == nil && pid != "0" && pid != former && c.agrees()
		})
		c.do(t, "sh", "-c", "rm -r /run/systemd/system/schulwart-agent.service.d && systemctl daemon-reload && systemctl restart schulwart-agent")
	})
	t.Run("upgraded, it keeps identity and mode", func(t *testing.T) {
		opened := c.watch(t)
		c.do(t, "dpkg", "-i", "/root/newer.deb")
		if out := c.do(t, "schulwart-agent", "version"); !strings.Contains(out, "0.1.1") {
			t.Errorf("version says %q", out)
		}
		eventually(t, 5*time.Second, "the mode holds", func() bool { return c.agrees() && len(c.status(t).Leases) == 1 })
		if opened() {
			t.Error("the world was open in between")
		}
	})
	t.Run("programs: a copy does not start", func(t *testing.T) { c.programs(t) })
	t.Run("started anew without network, the mode holds and ends in time", func(t *testing.T) {
		c.forget(t)
		ends := time.Now().Add(30 * time.Second)
		c.lease(t, "offline", 30)
		c.stop(t)
		c.boot(t)
		if !c.agrees() || len(c.status(t).Leases) != 1 {
			t.Fatalf("after the start: %+v", c.status(t))
		}
		c.world(t)
		if c.reaches() {
			t.Error("the world is open after the start")
		}
		eventually(t, time.Until(ends)+5*time.Second, "the world is open again", c.reaches)
		if early := time.Until(ends); early > 2*time.Second {
			t.Errorf("released %s early", early)
		}
		eventually(t, 10*time.Second, "browser policy is gone", func() bool { return !c.has(policy) })
	})
	t.Run("an exam over a start: closed before anybody can log in, and it goes on by the invigilator's code", func(t *testing.T) { c.exam(t) })
	t.Run("stopped for good, everything is released all the same", func(t *testing.T) {
		ends := time.Now().Add(20 * time.Second)
		c.lease(t, "offline", 20)
		c.do(t, "systemctl", "stop", "schulwart-agent.service")
		if c.reaches() {
			t.Error("the world is open because the agent was stopped")
		}
		eventually(t, time.Until(ends)+3*time.Second, "the kernel lets go", c.reaches)
		eventually(t, 60*time.Second, "the sweep has cleared the rest", func() bool { return !c.has(policy) })
		c.do(t, "systemctl", "start", "schulwart-agent.service")
	})
	t.Run("purged in mid-mode, nothing is left", func(t *testing.T) {
		c.lease(t, "offline", 600)
		c.do(t, "dpkg", "--purge", "schulwart-agent")
		for _, path := range []string{state, "/run/schulwart", policy, "/etc/chromium", "/usr/bin/schulwart-agent", "/usr/lib/systemd/system/schulwart-agent.service", "/etc/systemd/system/multi-user.target.wants/schulwart-agent.service"} {
			if _, err := c.try("test", "-e", path); err == nil {
				t.Errorf("%s is left", path)
			}
		}
		if out := c.do(t, "nft", "list", "tables"); strings.Contains(out, "schulwart") {
			t.Errorf("packet rules are left: %s", out)
		}
		if out, err := c.try("pgrep", "-a", "schulwart"); err == nil {
			t.Errorf("still running: %s", out)
		}
		if !c.reaches() {
			t.Error("the world is closed")
		}
	})
}

// buildPackage builds the package as a release does.
func buildPackage(t *testing.T, version string) string {
	t.Helper()
	out := t.TempDir()
	cmd := exec.Command("./deb.sh", version, out, "amd64")
	if text, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(text), "nfpm") && strings.Contains(string(text), "dial") {
			need.Missing(t, "nfpm, which the module proxy does not give")
		}
		t.Fatalf("building package: %v\n%s", err, text)
	}
	found, err := filepath.Glob(filepath.Join(out, "*.deb"))
	if err != nil || len(found) != 1 {
		t.Fatalf("built %v, %v", found, err)
	}
	return found[0]
}

func buildSeed(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "seed")
	cmd := exec.Command("go", "build", "-tags", "nomsgpack", "-o", out, "./seed")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building seed: %v\n%s", err, text)
	}
	return out
}

// world is a web site behind a cable, in a name space inside the container.
func (c *container) world(t *testing.T) {
	t.Helper()
	c.do(t, "sh", "-ec", `
		ip netns add world
		ip -n world link set lo up
		ip link add cable type veth peer name eth0 netns world
		ip addr add 10.99.0.1/24 dev cable && ip link set cable up
		ip -n world addr add 10.99.0.2/24 dev eth0 && ip -n world link set eth0 up
		systemd-run --quiet --unit=world nsenter --net=/run/netns/world /root/seed serve 10.99.0.2:80`)
	eventually(t, 10*time.Second, "the web site answers its neighbours", func() bool {
		_, err := c.try("nsenter", "--net=/run/netns/world", "curl", "-sf", "-m", "2", "http://10.99.0.2/")
		return err == nil
	})
}

// reaches reports whether the pupil's programs reach the world.
func (c *container) reaches() bool {
	out, err := c.try("runuser", "-u", "pupil", "--", "curl", "-sf", "-m", "3", "http://10.99.0.2/")
	return err == nil && strings.Contains(out, "the world")
}

// watch tries the world again and again until the returned function is called,
// which tells whether it was ever open.
func (c *container) watch(t *testing.T) func() bool {
	t.Helper()
	stop, done := make(chan struct{}), make(chan struct{})
	var tries int
	var opened atomic.Bool
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			tries++
			if c.reaches() {
				opened.Store(true)
			}
		}
	}()
	return func() bool {
		close(stop)
		<-done
		t.Logf("tried %d times", tries)
		return opened.Load()
	}
}

// lease lays a lease into the agent's memory, as if a server had sent it.
func (c *container) lease(t *testing.T, kind string, seconds int) {
	t.Helper()
	c.do(t, "systemctl", "stop", "schulwart-agent.service")
	c.do(t, "/root/seed", state, kind, strconv.Itoa(seconds))
	c.do(t, "systemctl", "start", "schulwart-agent.service")
	for end := time.Now().Add(8 * time.Second); !c.agrees() || len(c.status(t).Leases) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			status, _ := c.try("schulwart-agent", "status", "--json")
			t.Fatalf("%s does not hold: %s", kind, status)
		}
	}
}

// forget takes all leases away.
func (c *container) forget(t *testing.T) {
	t.Helper()
	c.do(t, "sh", "-c", "systemctl stop schulwart-agent.service && rm -f "+state+"/memory.* && systemctl start schulwart-agent.service")
	eventually(t, 5*time.Second, "nothing holds", c.reaches)
}

// exam goes through an examination in whose midst the machine is switched off and
// on again.
func (c *container) exam(t *testing.T) {
	t.Helper()
	c.forget(t)
	c.lease(t, "exam", 600)
	if c.reaches() {
		t.Fatal("the world is open")
	}
	c.stop(t)
	c.boot(t)
	since := func(unit string) int {
		at, err := strconv.Atoi(c.do(t, "systemctl", "show", "-P", "ActiveEnterTimestampMonotonic", unit))
		if err != nil || at == 0 {
			t.Fatalf("%s was never active: %v", unit, err)
		}
		return at
	}
	if agent, logins := since("schulwart-agent.service"), since("systemd-user-sessions.service"); agent > logins {
		t.Errorf("people could log in %d µs before the exam was in force", agent-logins)
	}
	now := c.status(t)
	if len(now.Leases) != 1 || now.Leases[0].Kind != "exam" {
		t.Fatalf("after the start: %+v", now)
	}
	c.world(t)
	mine := func() bool {
		_, err := c.try("runuser", "-u", "pupil", "--", "/home/pupil/mine", "1")
		return err == nil
	}
	if c.reaches() || mine() {
		t.Error("after the start it is open")
	}
	code := func(use lease.Use, number int) string {
		out, _ := c.try("runuser", "-u", "pupil", "--", "schulwart-agent", "release", lease.PreparedCode([]byte(secret), now.Leases[0].ID, use, number))
		return out
	}
	if out := code(lease.UseResume, 1); !strings.Contains(out, "Es geht weiter") {
		t.Errorf("the resume code is answered %q", out)
	}
	if out := code(lease.UseResume, 2); !strings.Contains(out, "läuft schon") {
		t.Errorf("a second one is answered %q", out)
	}
	if c.reaches() || mine() {
		t.Error("the resume code opened more than the screen")
	}
	if out := code(lease.UseRelease, 1); !strings.Contains(out, "Alles ist wieder wie vorher") {
		t.Errorf("the release code is answered %q", out)
	}
	eventually(t, 10*time.Second, "the world is open again", func() bool { return c.reaches() && mine() })
}

// secret is what the seed takes for the machine's own.
const secret = "a secret of thirty-two bytes....."

type seen struct {
	Agrees bool
	Leases []struct {
		ID    string
		Kind  string
		Parts []struct{ Name, State string }
	}
}

func (c *container) status(t *testing.T) seen {
	t.Helper()
	var s seen
	if out, err := c.try("schulwart-agent", "status", "--json"); err == nil {
		_ = json.Unmarshal([]byte(out), &s)
	}
	return s
}

func (c *container) agrees() bool {
	out, err := c.try("schulwart-agent", "status", "--json")
	var s seen
	return err == nil && json.Unmarshal([]byte(out), &s) == nil && s.Agrees
}

func (c *container) mainPID(t *testing.T) string {
	t.Helper()
	return c.do(t, "systemctl", "show", "-P", "MainPID", "schulwart-agent.service")
}

// programs looks at the mode in which only some programs start, on a whole
// system: its shell, its tools and the pupil's own files.
func (c *container) programs(t *testing.T) {
	c.do(t, "sh", "-ec", `
		mkdir -p /usr/share/applications
		cp /bin/echo /usr/bin/geogebra; cp /bin/echo /usr/bin/chess
		printf '[Desktop Entry]\nType=Application\nName=GeoGebra\nExec=geogebra\n' >/usr/share/applications/org.geogebra.GeoGebra.desktop
		printf '[Desktop Entry]\nType=Application\nName=Schach\nExec=chess\n' >/usr/share/applications/chess.desktop
		cp /usr/bin/chess /home/pupil/mine; chown pupil: /home/pupil/mine`)
	c.lease(t, "focus", 600)
	as := func(args ...string) bool {
		_, err := c.try(append([]string{"runuser", "-u", "pupil", "--"}, args...)...)
		return err == nil
	}
	for name, check := range map[string]struct {
		may  bool
		args []string
	}{
		"the allowed program":        {true, []string{"geogebra", "1"}},
		"another program":            {false, []string{"chess", "1"}},
		"the pupil's own copy":       {false, []string{"/home/pupil/mine", "1"}},
		"by the loader":              {false, []string{"/lib64/ld-linux-x86-64.so.2", "/home/pupil/mine", "1"}},
		"a shell with its tools":     {true, []string{"sh", "-c", "ls / | grep -q usr"}},
		"a copy where only they see": {false, []string{"unshare", "-Urm", "sh", "-c", "mount -t tmpfs none /mnt && cp /bin/echo /mnt/x && /mnt/x 1"}},
	} {
		if as(check.args...) != check.may {
			t.Errorf("%s: started is %v", name, !check.may)
		}
	}
	former := c.mainPID(t)
	c.do(t, "kill", "-9", former)
	if as("chess", "1") {
		t.Error("another program starts while the agent is dead")
	}
}

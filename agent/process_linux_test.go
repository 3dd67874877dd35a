package main

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/reconcile"
	"schulwart.org/agent/remote/remotetest"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/scripts/need"
)

// inside says that the test runs in its own network and mount namespace, and
// where the agent's program lies.
const inside = "SCHULWART_TEST_AGENT"

// TestTheProcess lets the real program, with the real drivers, live through a
// mode: enrolled from the command line, killed, swept, started anew. It does so
// in namespaces of its own, so that the machine's rules are not touched.
func TestTheProcess(t *testing.T) {
	if program := os.Getenv(inside); program != "" {
		live(t, program)
		return
	}
	need.Root(t)
	for _, tool := range []string{"unshare", "ip", "nft", "mount"} {
		need.Tool(t, tool)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "schulwart-agent")
	build := exec.Command("go", "build", "-tags", "nomsgpack,e2e", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	script := `set -e
ip link set lo up
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/state"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
if [ -e /dev/tty0 ]; then mount --bind /dev/null /dev/tty0; fi
if [ -d /tmp/.X11-unix ]; then mount -t tmpfs tmpfs /tmp/.X11-unix; fi
exec "$2" -test.run '^TestTheProcess$' -test.v`
	room := t.TempDir()
	cmd := exec.Command("unshare", "-n", "-m", "sh", "-c", script, "sh", room, os.Args[0])
	cmd.Env = append(os.Environ(), inside+"="+program, "SCHULWART_STATE="+filepath.Join(room, "state"))
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "not permitted") {
		need.Missing(t, "permission to make namespaces")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// try is the program in its namespaces.
type try struct {
	t       *testing.T
	program string
	running *exec.Cmd
}

func (a *try) start() {
	a.t.Helper()
	a.running = exec.Command(a.program, "run")
	a.running.Stderr = os.Stderr
	if err := a.running.Start(); err != nil {
		a.t.Fatal(err)
	}
}

func (a *try) kill() {
	a.t.Helper()
	if err := a.running.Process.Kill(); err != nil {
		a.t.Fatal(err)
	}
	_ = a.running.Wait()
}

func (a *try) command(args ...string) (string, int) {
	out, err := exec.Command(a.program, args...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), exit.ExitCode()
	}
	if err != nil {
		a.t.Fatal(err)
	}
	return string(out), 0
}

func (a *try) status() reconcile.Status {
	out, code := a.command("status", "--json")
	var status reconcile.Status
	if code != 0 || json.Unmarshal([]byte(out), &status) != nil {
		return reconcile.Status{}
	}
	return status
}

// closed asks the kernel, not the agent, whether the network is closed.
func (a *try) closed() bool {
	out, err := exec.Command("nft", "list", "set", "inet", "schulwart", "closed").CombinedOutput()
	return err == nil && strings.Contains(string(out), "ipv4")
}

func live(t *testing.T, program string) {
	a := &try{t: t, program: program}
	server := remotetest.New(t)
	a.start()
	defer func() { _ = a.running.Process.Kill() }()
	remotetest.Await(t, "the socket", func() bool { return a.status().Running })
	if out, code := a.command("enroll", server.Link()); code != 0 {
		t.Fatalf("enrolling: %s", out)
	}
	remotetest.Await(t, "enrolment", func() bool { return a.status().Enrolled && len(server.UDIDs()) == 1 })
	udid := server.UDIDs()[0]
	remotetest.Await(t, "stream", func() bool { return a.status().Link == "stream" })

	a.tried()
	a.throughAMode(server, udid)
	a.withoutTheAgent(server, udid)
	a.byCode(server, udid)
	a.throughAnExam(server, udid)
	a.goodbye(server, udid)
}

func phase(server *remotetest.Server, udid, id string) ddm.LeasePhase {
	d, _ := server.Look(udid)
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

// tried: the self-test runs beside the agent, which stands aside and comes back.
// There is no world outside here, so its network trials may fail; what counts is
// that it leaves nothing behind.
func (a *try) tried() {
	if out, code := a.command("selftest", "--site", "127.0.0.1", "--other", "127.0.0.1"); code > 1 {
		a.t.Errorf("self-test: %d %s", code, out)
	}
	remotetest.Await(a.t, "the agent after the self-test", func() bool { s := a.status(); return s.Enrolled && s.Link == "stream" && s.Agrees })
	if a.closed() {
		a.t.Error("the self-test left the network closed")
	}
}

// throughAMode: applied, told, unmoved by a moved clock and a kill, over in time.
func (a *try) throughAMode(server *remotetest.Server, udid string) {
	l := remotetest.NewLease(udid, "a", lease.Offline, 9*time.Second)
	began := time.Now()
	server.Give(udid, l)
	remotetest.Await(a.t, "the closed network", a.closed)
	remotetest.Await(a.t, "the read-back", func() bool { return phase(server, udid, "a") == ddm.LeaseActive })
	a.t.Logf("closed and told after %v", time.Since(began))
	if out, code := a.command("selftest"); code != 1 || !a.closed() {
		a.t.Errorf("a self-test was let in while a mode holds: %d %s", code, out)
	}
	if s := a.status(); !s.Agrees || len(s.Leases) != 1 || !strings.Contains(s.Leases[0].Words, "Frau Oert hat das Internet") {
		a.t.Errorf("status: %+v", s)
	}
	for _, shift := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
		if err := os.WriteFile(filepath.Join(os.Getenv("SCHULWART_STATE"), "wall-shift"), []byte(shift.String()), 0o600); err != nil {
			a.t.Fatal(err)
		}
		remotetest.Await(a.t, "the agent's look at the clock", func() bool { return math.Abs(a.status().WallAhead-shift.Seconds()) < 60 })
		if s := a.status(); len(s.Leases) != 1 || !a.closed() {
			a.t.Errorf("a wall clock moved by %s freed the device: %+v", shift, s)
		}
	}
	a.kill()
	if !a.closed() {
		a.t.Error("killing the agent opened the network")
	}
	a.start()
	remotetest.Await(a.t, "the agent", func() bool { return a.status().Running })
	if time.Now().Before(l.Expires.Add(-time.Second)) && !a.closed() {
		a.t.Error("starting the agent opened the network")
	}
	_ = os.Remove(filepath.Join(os.Getenv("SCHULWART_STATE"), "wall-shift"))
	remotetest.Await(a.t, "the end", func() bool { return !a.closed() })
	if early := time.Until(l.Expires); early > time.Second {
		a.t.Errorf("open %v too early", early)
	}
	if late := time.Since(l.Expires); late > 2*time.Second {
		a.t.Errorf("open %v too late", late)
	}
	remotetest.Await(a.t, "the word on the end", func() bool { return phase(server, udid, "a") == ddm.LeaseEnded })
}

// withoutTheAgent: dead for good, released all the same, told on return.
func (a *try) withoutTheAgent(server *remotetest.Server, udid string) {
	l := remotetest.NewLease(udid, "b", lease.Offline, 5*time.Second)
	server.Give(udid, l)
	remotetest.Await(a.t, "the closed network", a.closed)
	a.kill()
	if out, code := a.command("sweep"); code != 0 || !a.closed() {
		a.t.Errorf("the sweep freed too early or failed: %d %s", code, out)
	}
	remotetest.Await(a.t, "the end without agent", func() bool { return !a.closed() })
	remotetest.Await(a.t, "the sweep that releases", func() bool {
		out, code := a.command("sweep")
		if code != 0 {
			a.t.Fatalf("the sweep failed: %d %s", code, out)
		}
		return strings.Contains(out, "released")
	})
	if out, err := exec.Command("nft", "list", "table", "inet", "schulwart").CombinedOutput(); err == nil {
		a.t.Errorf("rules are left over:\n%s", out)
	}
	a.start()
	remotetest.Await(a.t, "the word on the end", func() bool { return phase(server, udid, "b") == ddm.LeaseEnded })
	if out, code := a.command("sweep"); code != 0 {
		a.t.Errorf("a sweep beside the agent: %d %s", code, out)
	}
}

// byCode: the pupil types what the teacher reads out.
func (a *try) byCode(server *remotetest.Server, udid string) {
	server.Give(udid, remotetest.NewLease(udid, "c", lease.Offline, time.Hour))
	remotetest.Await(a.t, "the closed network", a.closed)
	d, _ := server.Look(udid)
	var secret []byte
	for _, m := range d.Messages {
		if m.MessageType == mdm.TokenUpdate {
			secret = m.UnlockToken
		}
	}
	if out, code := a.command("release", "0000 0000"); code != 2 || !a.closed() {
		a.t.Errorf("a wrong code: %d %s", code, out)
	}
	if out, code := a.command("release", lease.ShowCode(lease.ReleaseCode(secret, "c", time.Now()))); code != 0 {
		a.t.Errorf("the code: %d %s", code, out)
	}
	remotetest.Await(a.t, "the open network", func() bool { return !a.closed() })
	remotetest.Await(a.t, "the word on it", func() bool { return phase(server, udid, "c") == ddm.LeaseEnded })
}

// goodbye: everything is taken back, and the server hears of it.
func (a *try) goodbye(server *remotetest.Server, udid string) {
	server.Give(udid, remotetest.NewLease(udid, "d", lease.Offline, time.Hour))
	remotetest.Await(a.t, "the closed network", a.closed)
	a.kill()
	if out, code := a.command("uninstall"); code != 0 {
		a.t.Errorf("uninstalling: %d %s", code, out)
	}
	if a.closed() {
		a.t.Error("the network is closed after the goodbye")
	}
	d, _ := server.Look(udid)
	if last := d.Messages[len(d.Messages)-1]; last.MessageType != mdm.CheckOut {
		a.t.Errorf("last word: %s", last.MessageType)
	}
	if out, _ := a.command("status"); !strings.Contains(out, "noch nicht aufgenommen") && !strings.Contains(out, "not enrolled") {
		a.t.Errorf("status after the goodbye: %s", out)
	}
}

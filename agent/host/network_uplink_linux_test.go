package host

import (
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"schulwart.org/scripts/need"
)

// Seen with a cable that was out for half a minute: the agent waited for the end
// of a pause, and the board did without it.
func TestACableThatIsBackIsHeardAtOnce(t *testing.T) {
	need.Root(t)
	ip := need.Tool(t, "ip")
	runtime.LockOSThread() // and never unlocked: the thread ends with its namespace
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		need.Missing(t, "network namespaces: "+err.Error())
	}
	run := func(args ...string) { ipRuns(t, ip, args...) }
	run("link", "add", "eth0", "type", "veth", "peer", "name", "wall")
	run("link", "set", "wall", "up")
	plug := func() {
		run("link", "set", "eth0", "up")
		run("addr", "replace", "10.9.0.2/24", "dev", "eth0")
		run("route", "replace", "default", "via", "10.9.0.1")
	}
	plug()
	back, err := Uplink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	heard := func(within time.Duration) bool { return hears(back, within) }
	run("route", "replace", "default", "via", "10.9.0.1")
	run("route", "add", "10.10.0.0/16", "via", "10.9.0.1")
	if heard(300 * time.Millisecond) {
		t.Error("told although nothing was gone")
	}
	for _, pull := range [][]string{{"link", "set", "eth0", "down"}, {"link", "set", "wall", "down"}, {"route", "del", "default"}, {"addr", "flush", "dev", "eth0"}} {
		for heard(300 * time.Millisecond) {
			// A cable and then its route are two pieces of news.
		}
		run(pull...)
		if heard(300 * time.Millisecond) {
			t.Errorf("after %v: told while the way is gone", pull)
		}
		run("link", "set", "wall", "up")
		plug()
		if !heard(10 * time.Second) {
			t.Errorf("after %v: not told that the way is back", pull)
		}
	}
}

func ipRuns(t *testing.T, ip string, args ...string) {
	t.Helper()
	if out, err := exec.Command(ip, args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}

func hears(back <-chan struct{}, within time.Duration) bool {
	select {
	case <-back:
		return true
	case <-time.After(within):
		return false
	}
}

// Seen with a device that started with its cable out: what comes first was no
// news, and it waited for the end of a pause.
func TestADeviceThatStartedWithoutANetworkHearsOfItsFirst(t *testing.T) {
	need.Root(t)
	ip := need.Tool(t, "ip")
	runtime.LockOSThread() // and never unlocked: the thread ends with its namespace
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		need.Missing(t, "network namespaces: "+err.Error())
	}
	run := func(args ...string) { ipRuns(t, ip, args...) }
	run("link", "add", "eth0", "type", "veth", "peer", "name", "wall")
	run("link", "set", "wall", "up")
	back, err := Uplink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run("link", "set", "eth0", "up")
	if !hears(back, 10*time.Second) {
		t.Error("not told of a cable that is in")
	}
	run("addr", "add", "10.9.0.2/24", "dev", "eth0")
	for hears(back, 300*time.Millisecond) {
		// Both ends of the cable are news.
	}
	run("route", "add", "default", "via", "10.9.0.1")
	if !hears(back, 10*time.Second) {
		t.Error("not told of a first way out")
	}
}

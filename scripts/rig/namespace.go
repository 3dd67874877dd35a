package rig

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const netnsDir = "/run/netns"

// Namespace is one machine of the world.
type Namespace struct {
	Name     string
	Addr     netip.Addr // of a pupil's device in the school's network
	Addr6    netip.Addr
	Resolver netip.Addr // name server that resolv.conf names
	dir      string
}

// Path is the file that stands for the namespace.
func (ns *Namespace) Path() string { return filepath.Join(netnsDir, ns.Name) }

func (ns *Namespace) create(t testing.TB) {
	t.Helper()
	if err := os.MkdirAll(ns.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("ip", "netns", "add", ns.Name).CombinedOutput(); err != nil {
		t.Fatalf("adding namespace: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "delete", ns.Name).Run() })
	settings := map[string]string{
		// Waiting for duplicate addresses and routers that never come would cost
		// the first IPv6 packet two seconds.
		"ipv6/conf/default/accept_dad":           "0",
		"ipv6/conf/default/router_solicitations": "0",
	}
	if strings.HasSuffix(ns.Name, "-router") {
		settings["ipv4/ip_forward"], settings["ipv6/conf/all/forwarding"] = "1", "1"
	}
	err := ns.In(func() error {
		for name, value := range settings {
			if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ns.batch(t, "link set lo up")
}

// batch runs lines of ip(8) in the namespace.
func (ns *Namespace) batch(t testing.TB, lines ...string) {
	t.Helper()
	for _, family := range []string{"-4", "-6"} {
		var chosen []string
		for _, line := range lines {
			if rest, six := strings.CutPrefix(line, "-6 "); six == (family == "-6") {
				chosen = append(chosen, rest)
			}
		}
		if len(chosen) == 0 {
			continue
		}
		cmd := exec.Command("ip", family, "-netns", ns.Name, "-batch", "-")
		cmd.Stdin = strings.NewReader(strings.Join(chosen, "\n") + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("setting up %s: %v: %s", ns.Name, err, out)
		}
	}
}

func (ns *Namespace) writeResolvConf(t testing.TB, content string) {
	t.Helper()
	if err := os.WriteFile(ns.resolvConf(), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// SetResolver makes the machine use another name server, as if its network had
// told it so. Programs that already run do not see it.
func (ns *Namespace) SetResolver(t testing.TB, addr netip.Addr) {
	t.Helper()
	ns.Resolver = addr
	ns.writeResolvConf(t, "nameserver "+addr.String()+"\n")
}

func (ns *Namespace) resolvConf() string { return filepath.Join(ns.dir, "resolv.conf") }

// In runs a function on a thread that stands in the namespace. Sockets that it
// makes itself live there for good; goroutines that it starts do not stand
// there, so nothing that dials in the background belongs in it.
func (ns *Namespace) In(do func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	there, err := os.Open(ns.Path())
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("entering %s: %w", ns.Name, err)
	}
	defer func() {
		// A thread that cannot come home stays locked and dies with its goroutine.
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
	}()
	return do()
}

// Command returns a program that will run as if on that machine: in its network
// namespace, and in a mount namespace of its own in which /etc/resolv.conf is
// the machine's. The machine that runs the tests keeps its files and mounts.
func (ns *Namespace) Command(name string, args ...string) *exec.Cmd {
	return ns.CommandContext(context.Background(), nil, name, args...)
}

// CommandContext is Command with a context that ends it, and with more private
// bind mounts: a file or directory (value) appears at a path (key) that exists.
func (ns *Namespace) CommandContext(ctx context.Context, mounts map[string]string, name string, args ...string) *exec.Cmd {
	script := "mount --bind " + quote(ns.resolvConf()) + " $(readlink -f /etc/resolv.conf) && "
	for at, what := range mounts {
		script += "mount --bind " + quote(what) + " " + quote(at) + " && "
	}
	// ip netns exec makes a mount namespace whose changes stay inside. It execs,
	// as the shell does, so the process started is the program itself.
	line := append([]string{"netns", "exec", ns.Name, "sh", "-c", script + `exec "$@"`, "sh", name}, args...)
	return exec.CommandContext(ctx, "ip", line...)
}

// CommandAs is Command as an ordinary user without any right.
func (ns *Namespace) CommandAs(uid int, name string, args ...string) *exec.Cmd {
	id := strconv.Itoa(uid)
	return ns.Command("setpriv", append([]string{"--reuid", id, "--regid", id, "--clear-groups", "--bounding-set=-all", name}, args...)...)
}

func quote(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }

// removeDead deletes the namespaces of runs whose process is gone.
func removeDead() {
	entries, _ := os.ReadDir(netnsDir)
	for _, entry := range entries {
		parts := strings.Split(entry.Name(), "-")
		if len(parts) != 4 || parts[0] != "sw" {
			continue
		}
		pid, err := strconv.Atoi(parts[1])
		if err != nil || pid <= 1 {
			continue
		}
		if unix.Kill(pid, 0) == unix.ESRCH {
			_ = exec.Command("ip", "netns", "delete", entry.Name()).Run()
		}
	}
}

package pack_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"schulwart.org/scripts/need"
	"schulwart.org/scripts/rig"
)

// inOwnMounts runs the test again in a process with mounts of its own, where it
// may mount what it likes.
func inOwnMounts(t *testing.T) bool {
	t.Helper()
	const mark = "SCHULWART_TEST_OWN_MOUNTS"
	if os.Getenv(mark) == t.Name() {
		return true
	}
	cmd := exec.Command(need.Tool(t, "unshare"), "--mount", "--propagation", "private", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), mark+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	return false
}

// container is a Debian system that boots.
type container struct {
	root   string
	nspawn *exec.Cmd
	leader string // process id of its first process
	log    bytes.Buffer
}

// newContainer lays a fresh layer over the bare system; what happens in it is
// gone with the test.
func newContainer(t *testing.T) *container {
	t.Helper()
	lower := rig.Debian(t)
	dir := t.TempDir()
	if err := syscall.Mount("sw-package", dir, "tmpfs", 0, "mode=0755"); err != nil {
		t.Fatal(err)
	}
	c := &container{root: filepath.Join(dir, "root")}
	for _, name := range []string{"root", "upper", "work"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, dir, dir)
	if err := syscall.Mount("sw-package", c.root, "overlay", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.stop(t)
		_ = syscall.Unmount(c.root, syscall.MNT_DETACH)
		_ = syscall.Unmount(dir, syscall.MNT_DETACH)
	})
	return c
}

// boot starts the system, without any network, and waits until its services run.
func (c *container) boot(t *testing.T) {
	t.Helper()
	c.log.Reset()
	// The time since the start begins anew with each start, as on a machine.
	c.nspawn = exec.Command("unshare", "--time", "--boottime", "-"+uptime(t), "--fork", "--kill-child", "systemd-nspawn", "--quiet", "--boot", "--directory="+c.root, "--machine=sw-package-"+strconv.Itoa(os.Getpid()), "--register=no", "--keep-unit",
		"--private-network", "--capability=all", "--system-call-filter=fanotify_init fanotify_mark", "--console=pipe", "--kill-signal=SIGRTMIN+4")
	c.nspawn.Stdout, c.nspawn.Stderr = &c.log, &c.log
	if err := c.nspawn.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		// Others come and go before the system's first process is there.
		c.leader = childOf(childOf(strconv.Itoa(c.nspawn.Process.Pid)))
		out, err := c.try("systemctl", "is-system-running")
		if strings.HasPrefix(out, "running") || strings.HasPrefix(out, "degraded") {
			// Files of this machine that the container was lent: no laptop has them.
			c.do(t, "umount", "-R", "/run/host")
			return
		}
		if time.Now().After(end) {
			jobs, _ := c.try("systemctl", "list-jobs", "--no-pager")
			t.Fatalf("the system does not come up: %s (%v)\n%s\n%s", out, err, jobs, c.log.String())
		}
	}
}

func uptime(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	seconds, _, _ := strings.Cut(string(text), ".")
	return seconds
}

func childOf(pid string) string {
	children, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(children)), " ")
	return first
}

// stop shuts the system down as its power button would.
func (c *container) stop(t *testing.T) {
	t.Helper()
	if c.nspawn == nil {
		return
	}
	if leader, err := strconv.Atoi(c.leader); err == nil {
		_ = syscall.Kill(leader, syscall.Signal(34+4)) // SIGRTMIN+4: power off
	}
	done := make(chan struct{})
	go func() { _ = c.nspawn.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		_ = c.nspawn.Process.Kill()
		<-done
	}
	c.nspawn = nil
}

// try runs a command in the container.
func (c *container) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", c.leader, "-m", "-u", "-i", "-n", "-p", "-C", "-T", "--"}, args...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// do runs a command that must work.
func (c *container) do(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.try(args...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return out
}

// give copies a file into the container.
func (c *container) give(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.root, to), data, 0o755); err != nil {
		t.Fatal(err)
	}
}

func (c *container) has(path string) bool {
	_, err := os.Lstat(filepath.Join(c.root, path))
	return err == nil
}

func eventually(t *testing.T, within time.Duration, what string, met func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for time.Since(start) < within {
		if met() {
			return time.Since(start)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("not within %s: %s", within, what)
	return 0
}

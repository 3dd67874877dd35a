package e2e

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"schulwart.org/scripts/need"
	"schulwart.org/scripts/rig"
)

// pupilID is the account of the pupil on a machine; it has no rights.
const pupilID = 20117

// machine is a pupil's laptop: a network namespace of the world, with a root
// file system of its own (an overlay over this machine's), processes of its own
// and a clock since start of its own. Nothing that happens there is seen here,
// and the agent there sees nobody else's processes. It can be switched off and
// on; its disk stays.
type machine struct {
	t     testing.TB
	world *rig.World
	*rig.Namespace
	dir   string // disk: upper, work; merged is where it is put together
	small int    // kB of the disk on which the agent's state lies; 0 for the large one

	outer *exec.Cmd
	pid   int // of the machine's first process, as seen from here

	mu    sync.Mutex
	agent *agentProcess
}

// agentState is where the agent keeps its files.
const agentState = "/var/lib/schulwart-agent"

func newMachine(t testing.TB, w *rig.World, ns *rig.Namespace, agent string) *machine {
	t.Helper()
	for _, tool := range []string{"unshare", "nsenter", "setpriv", "nft", "pivot_root"} {
		need.Tool(t, tool)
	}
	m := &machine{t: t, world: w, Namespace: ns, dir: t.TempDir()}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	for _, dir := range []string{"upper/usr/bin", "upper/etc", "upper/home/pupil", "upper" + agentState, "work", "merged"} {
		must(t, os.MkdirAll(filepath.Join(m.dir, dir), 0o755))
	}
	for dir := m.dir; dir != "/"; dir = filepath.Dir(dir) { // pupils must pass
		if info := made(os.Stat(dir))(t); info.Mode()&0o001 == 0 {
			must(t, os.Chmod(dir, info.Mode()|0o011))
		}
	}
	must(t, os.Chmod(m.disk(agentState), 0o711))
	must(t, os.Chown(m.disk("/home/pupil"), pupilID, pupilID))
	m.write("/etc/resolv.conf", "nameserver "+ns.Resolver.String()+"\noptions timeout:2 attempts:1\n")
	m.write("/etc/machine-id", hex.EncodeToString(id)+"\n")
	m.write("/etc/passwd", string(made(os.ReadFile("/etc/passwd"))(t))+fmt.Sprintf("pupil:x:%d:%d::/home/pupil:/bin/sh\n", pupilID, pupilID))
	copyFile(t, agent, m.disk("/usr/bin/schulwart-agent"))
	t.Cleanup(m.off)
	m.on()
	return m
}

// disk returns where a file of the machine's disk lies here.
func (m *machine) disk(path string) string { return filepath.Join(m.dir, "upper", path) }

func (m *machine) write(path, content string) {
	m.t.Helper()
	must(m.t, os.WriteFile(m.disk(path), []byte(content), 0o644))
}

// bootScript puts the machine together: $1 is its directory, $2 the size of a
// small disk for the agent's state. Serial numbers of the real machine are hidden:
// two of these must not pass for one.
const bootScript = `set -e
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/merged"
cd "$1/merged"
mount -t proc proc proc
mount -t sysfs sysfs sys
if [ -d sys/devices/virtual/dmi/id ]; then mount -t tmpfs tmpfs sys/devices/virtual/dmi/id; fi
for dir in tmp var/tmp run dev; do mount -t tmpfs -o mode=1777 tmpfs $dir; done
chmod 755 run dev
mknod -m 666 dev/null c 1 3; mknod -m 666 dev/zero c 1 5; mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8; mknod -m 666 dev/urandom c 1 9; mknod -m 666 dev/tty c 5 0
ln -s /proc/self/fd dev/fd; ln -s pts/ptmx dev/ptmx
mkdir dev/shm dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
mount --bind etc/boot-id proc/sys/kernel/random/boot_id
if [ "$2" != 0 ]; then mount -t tmpfs -o "mode=711,size=$2k" tmpfs var/lib/schulwart-agent; fi
pivot_root . .
umount -l .
: >/etc/booted
exec sh -c 'while :; do sleep 1000 & wait; done'
`

// on switches the machine on. Its clock since start begins anew, and so does its
// kernel as far as packets go.
func (m *machine) on() {
	m.t.Helper()
	m.write("/etc/boot-id", uuid.NewString()+"\n")
	_ = os.Remove(m.disk("/etc/booted"))
	var up unix.Timespec
	must(m.t, unix.ClockGettime(unix.CLOCK_BOOTTIME, &up))
	m.outer = exec.Command("ip", "netns", "exec", m.Name, "unshare", "--mount", "--propagation", "private", "--ipc", "--time", "--boottime", strconv.FormatInt(-up.Sec, 10),
		"--pid", "--fork", "--kill-child=SIGKILL", "sh", "-c", bootScript, "sh", m.dir, strconv.Itoa(m.small))
	m.outer.Stderr = m.t.Output()
	m.outer.WaitDelay = time.Second
	must(m.t, m.outer.Start())
	await(m.t, m.Name+" to start", func() bool { _, err := os.Stat(m.disk("/etc/booted")); return err == nil })
	await(m.t, "its first process", func() bool { m.pid = childOf(m.outer.Process.Pid); return m.pid > 0 })
}

// off cuts the power: every process is gone at once, and what stood in the
// kernel too. A cable that was pulled stays pulled.
func (m *machine) off() {
	if m.outer == nil {
		return
	}
	m.unwatch()
	_ = syscall.Kill(m.pid, syscall.SIGKILL)
	_ = m.outer.Wait()
	m.outer = nil
	_ = exec.Command("ip", "netns", "exec", m.Name, "nft", "flush", "ruleset").Run()
}

// childOf returns the only child of a process, 0 while there is none.
func childOf(pid int) int {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	child, _ := strconv.Atoi(strings.TrimSpace(string(data)))
	return child
}

// command returns a program on the machine, as root.
func (m *machine) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("nsenter", append([]string{"-t", strconv.Itoa(m.pid), "-m", "-n", "-p", "-i", "-T", "--", name}, args...)...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/root", "LANG=C.UTF-8"}
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second
	return cmd
}

// pupil returns a program on the machine, as the pupil, with some more
// environment.
func (m *machine) pupil(env []string, name string, args ...string) *exec.Cmd {
	id := strconv.Itoa(pupilID)
	cmd := m.command("setpriv", append([]string{"--reuid", id, "--regid", id, "--clear-groups", "--bounding-set=-all", name}, args...)...)
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "HOME=/home/pupil", "USER=pupil", "LANG=C.UTF-8"}, env...)
	return cmd
}

// sh runs a line as root and returns what it says.
func (m *machine) sh(line string) string {
	m.t.Helper()
	out, err := m.command("sh", "-c", line).CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s: %v: %s", line, err, out)
	}
	return string(out)
}

// agentProcess is the running agent, with whoever starts it again.
type agentProcess struct {
	m     *machine
	done  chan struct{}
	mu    sync.Mutex
	cmd   *exec.Cmd
	again bool
	count int
}

// restartAfter is what the agent's unit says (RestartSec).
const restartAfter = 500 * time.Millisecond

// watch starts the agent and keeps starting it, as systemd does.
func (m *machine) watch() {
	m.t.Helper()
	a := &agentProcess{m: m, done: make(chan struct{}), again: true}
	m.mu.Lock()
	m.agent = a
	m.mu.Unlock()
	go a.keep()
	await(m.t, "the agent to run", func() bool { return a.pid() > 0 })
}

func (a *agentProcess) keep() {
	defer close(a.done)
	for {
		a.mu.Lock()
		if !a.again {
			a.mu.Unlock()
			return
		}
		cmd := a.m.command("/usr/bin/schulwart-agent", "run", "--state", agentState)
		log, err := os.OpenFile(filepath.Join(a.m.dir, "agent.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			cmd.Stdout, cmd.Stderr = log, log
			err = cmd.Start()
		}
		if err != nil {
			a.mu.Unlock()
			return
		}
		a.cmd = cmd
		a.count++
		a.mu.Unlock()
		_ = cmd.Wait()
		_ = log.Close()
		a.mu.Lock()
		again := a.again
		a.mu.Unlock()
		if again {
			time.Sleep(restartAfter)
		}
	}
}

// pid is the agent's own, 0 while it does not run.
func (a *agentProcess) pid() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cmd == nil || a.cmd.Process == nil {
		return 0
	}
	child := childOf(a.cmd.Process.Pid)
	if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", child)); err != nil || !strings.HasSuffix(exe, "schulwart-agent") {
		return 0
	}
	return child
}

// kill sends SIGKILL to the agent alone.
func (m *machine) kill() {
	m.t.Helper()
	pid := m.agent.pid()
	if pid == 0 {
		m.t.Fatal("there is no agent to kill")
	}
	must(m.t, syscall.Kill(pid, syscall.SIGKILL))
}

// unwatch kills the agent, and nobody starts it again.
func (m *machine) unwatch() {
	m.mu.Lock()
	a := m.agent
	m.agent = nil
	m.mu.Unlock()
	if a == nil {
		return
	}
	a.mu.Lock()
	a.again = false
	a.mu.Unlock()
	if pid := a.pid(); pid > 0 {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			m.t.Error(err)
		}
	}
	select {
	case <-a.done:
	case <-time.After(10 * time.Second):
		m.t.Error("the agent does not end")
	}
}

// log returns what the agent said, for faults.
func (m *machine) log() string {
	data, _ := os.ReadFile(filepath.Join(m.dir, "agent.log"))
	if extra := len(data) - 4000; extra > 0 {
		data = data[extra:]
	}
	return string(data)
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	in := made(os.Open(from))(t)
	defer in.Close()
	out := made(os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755))(t)
	_, err := io.Copy(out, in)
	must(t, errors.Join(err, out.Close()))
}

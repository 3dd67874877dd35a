package host

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const halfGone = "SCHULWART_TEST_HALF_GONE"

// init makes this program, started again, one whose first thread has ended while
// another goes on: as a browser that is ending, it has no program in /proc.
func init() {
	if os.Getenv(halfGone) == "" {
		return
	}
	runtime.LockOSThread()
	go func() { time.Sleep(time.Minute); os.Exit(0) }()
	_, _, _ = unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
}

// Seen with Firefox: started again while the old one was ending, it spoke to the
// old one's window, and then none was left.
func TestABrowserThatIsStillEndingIsNotGone(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), halfGone+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	waitFor(t, "the first thread has ended", func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/stat")
		return err == nil && strings.Contains(string(stat), ") Z ")
	})
	started, err := startOf(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	p := Program{PID: cmd.Process.Pid, Started: started}
	if _, err := os.Readlink("/proc/" + strconv.Itoa(p.PID) + "/exe"); err == nil {
		t.Fatal("a program is shown; this test shows nothing")
	}
	if !(SystemPrograms{}).Running(p) {
		t.Error("said to be gone while a thread of it runs")
	}
	if other := (Program{PID: p.PID, Started: started + time.Second}); (SystemPrograms{}).Running(other) {
		t.Error("another process of the same number is taken for it")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "it is gone", func() bool { return !SystemPrograms{}.Running(p) })
}

func waitFor(t *testing.T, what string, met func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if met() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

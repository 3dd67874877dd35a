package service

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestUnitsAreCompleteAndKeepTheirPromises(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir, "/usr/bin/schulwart-agent", "/var/lib/schulwart-agent"); err != nil {
		t.Fatal(err)
	}
	for _, name := range Units {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "@") {
			t.Errorf("%s has an unfilled place", name)
		}
	}
	agent, _ := Unit(Units[0], "/usr/bin/schulwart-agent", "/state")
	for promise, line := range map[string]string{
		"applied before the network is up": "Before=network-pre.target",
		"back within two seconds":          "RestartSec=500ms",
		"started again without end":        "StartLimitIntervalSec=0",
		"a hanging agent is ended":         "WatchdogSec=",
		"the state directory is passed":    "ExecStart=/usr/bin/schulwart-agent run --state /state",
	} {
		if !strings.Contains(string(agent), line) {
			t.Errorf("%s: %q is missing", promise, line)
		}
	}
}

// manager listens as systemd does.
func manager(t *testing.T) *net.UnixConn {
	t.Helper()
	dir, err := os.MkdirTemp("", "sw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return conn
}

func heard(t *testing.T, conn *net.UnixConn, within time.Duration) string {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(within))
	buffer := make([]byte, 100)
	n, err := conn.Read(buffer)
	if err != nil {
		return ""
	}
	return string(buffer[:n])
}

func TestTheSystemHearsThatTheAgentIsReady(t *testing.T) {
	conn := manager(t)
	Notify("READY=1")
	if got := heard(t, conn, 5*time.Second); got != "READY=1" {
		t.Errorf("heard %q", got)
	}
}

func TestTheWatchdogIsFedOnlyWhileTheLoopTurns(t *testing.T) {
	conn := manager(t)
	t.Setenv("WATCHDOG_USEC", "60000")
	for alive, want := range map[bool]string{true: "WATCHDOG=1", false: ""} {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); Watchdog(ctx, func() bool { return alive }) }()
		if got := heard(t, conn, 400*time.Millisecond); got != want {
			t.Errorf("alive %v: heard %q", alive, got)
		}
		cancel()
		<-done
		for heard(t, conn, 10*time.Millisecond) != "" { // what was on its way
		}
	}
}

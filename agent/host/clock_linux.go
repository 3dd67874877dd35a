package host

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

type systemClock struct {
	boot  string
	shift func() time.Duration
}

// NewClock returns the clocks of this machine. The state directory matters in
// builds for tests only.
func NewClock(stateDir string) Clock {
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return &systemClock{boot: strings.TrimSpace(string(boot)), shift: wallShift(stateDir)}
}

func (c *systemClock) Read() Reading {
	var ts unix.Timespec
	// CLOCK_BOOTTIME exists since Linux 2.6.39 and cannot fail.
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	return Reading{Boot: c.boot, Elapsed: time.Duration(ts.Nano()), Wall: time.Now().Round(0).Add(c.shift())}
}

func (c *systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

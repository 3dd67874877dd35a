//go:build !linux

package host

import (
	"strconv"
	"time"
)

// started stands in for the start of the system: on platforms whose drivers do
// not enforce yet, each start of the agent counts as one.
var started = time.Now()

type systemClock struct {
	shift func() time.Duration
}

// NewClock returns the clocks of this machine.
func NewClock(stateDir string) Clock { return &systemClock{wallShift(stateDir)} }

func (c *systemClock) Read() Reading {
	return Reading{Boot: strconv.FormatInt(started.UnixNano(), 36), Elapsed: time.Since(started), Wall: time.Now().Round(0).Add(c.shift())}
}

func (c *systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

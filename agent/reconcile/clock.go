package reconcile

import (
	"time"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/ddm"
)

// readClock brings the clock up to now. Moving the wall clock is told, and
// moves nothing.
func (l *Loop) readClock() memory.Clock {
	former := l.config.Memory.Clock()
	clock := former.At(l.config.Clock.Read())
	l.config.Memory.SetClock(clock)
	l.boot = clock.Boot
	if by := clock.Moved(former); by != 0 {
		l.happened("clock.moved", map[string]string{"by": by.Round(time.Second).String()})
		l.noted(ddm.DeedClock, map[string]string{"by": by.Round(time.Second).String()})
	}
	return clock
}

func (l *Loop) checkpoint() {
	if err := l.config.Memory.Checkpoint(); err != nil {
		l.config.Log.Warn("clock could not be stored", "error", err)
	}
}

func (l *Loop) save() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readClock()
	l.checkpoint()
}

// Now returns the time that the device believes.
func (l *Loop) Now() time.Time {
	return l.config.Memory.Clock().At(l.config.Clock.Read()).Now
}

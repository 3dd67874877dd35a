package simulate

import (
	"strconv"
	"sync"
	"time"

	"schulwart.org/agent/host"
)

// pace is how fast time runs for all devices. It changes without a jump.
type pace struct {
	mu     sync.Mutex
	since  time.Time     // real time of the last change
	passed time.Duration // simulated time up to then
	factor float64
}

func newPace(factor float64) *pace {
	if factor <= 0 {
		factor = 1
	}
	return &pace{since: time.Now(), factor: factor}
}

// now returns the simulated time since the simulator started.
func (p *pace) now() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at(time.Now())
}

func (p *pace) at(now time.Time) time.Duration {
	return p.passed + time.Duration(float64(now.Sub(p.since))*p.factor)
}

func (p *pace) set(factor float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.passed, p.since, p.factor = p.at(now), now, factor
}

func (p *pace) speed() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.factor
}

// clock is one device's clocks, on the common pace.
type clock struct {
	pace  *pace
	epoch time.Time // wall time at which the simulator started

	mu     sync.Mutex
	boots  int
	booted time.Duration // simulated time of the last start
	shift  time.Duration // of the wall clock
}

// warm is how long each device has been up already when the simulator starts.
const warm = 5 * time.Minute

func newClock(p *pace, epoch time.Time) *clock {
	return &clock{pace: p, epoch: epoch, booted: -warm}
}

// Read returns both clocks.
func (c *clock) Read() host.Reading {
	now := c.pace.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return host.Reading{
		Boot: strconv.FormatInt(c.epoch.UnixNano(), 36) + "-" + strconv.Itoa(c.boots), Elapsed: now - c.booted, Wall: c.epoch.Add(now + c.shift),
	}
}

// After waits for simulated time at the present pace; whoever waits long looks
// at Read again.
func (c *clock) After(d time.Duration) <-chan time.Time {
	return time.After(max(time.Duration(float64(d)/c.pace.speed()), time.Millisecond))
}

func (c *clock) reboot() {
	now := c.pace.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.boots++
	c.booted = now - time.Second
}

func (c *clock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shift += by
}

func (c *clock) moved() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shift
}

package demo

import (
	"sync"
	"time"
)

// clock is the demo's time: the real one, which can be let run faster.
type clock struct {
	mu    sync.Mutex
	base  time.Time // demo time at real
	real  time.Time
	speed int
}

func newClock() *clock {
	now := time.Now()
	return &clock{base: now, real: now, speed: 1}
}

// Now returns the demo's time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *clock) now() time.Time {
	return c.base.Add(time.Since(c.real) * time.Duration(c.speed))
}

// Speed lets time run at the speed from now on.
func (c *clock) Speed(speed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base, c.real = c.now(), time.Now()
	c.speed = speed
}

func (c *clock) current() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.speed
}

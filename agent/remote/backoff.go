package remote

import (
	"math/rand/v2"
	"time"
)

// Bounds of waiting after a fault, the same on every path.
const (
	firstBackoff   = time.Second
	longestBackoff = 15 * time.Minute
)

// backoff is exponential with full jitter: after a failure, each device waits a
// random time up to a bound that doubles. So ten thousand devices whose server
// comes back do not come back in step. The zero value is ready.
type backoff struct {
	failures int
	random   func() float64 // in [0, 1); nil is a random one
}

// next returns how long to wait now, and doubles the bound.
func (b *backoff) next() time.Duration {
	bound := longestBackoff
	if b.failures < 20 {
		bound = min(firstBackoff<<b.failures, longestBackoff)
	}
	b.failures++
	return max(time.Duration(b.draw()*float64(bound)), firstBackoff/10)
}

// reset forgets the failures.
func (b *backoff) reset() { b.failures = 0 }

func (b *backoff) draw() float64 {
	if b.random != nil {
		return b.random()
	}
	return rand.Float64() //nolint:gosec // jitter is no secret
}

// jittered returns a random time whose mean is the pace.
func jittered(pace time.Duration, random func() float64) time.Duration {
	if random == nil {
		random = rand.Float64
	}
	return max(time.Duration(random()*2*float64(pace)), time.Second)
}

package checkin

import (
	"sync"
	"time"

	"schulwart.org/policies/org"
)

// trustFor is how long an enrolment is believed without reading the store.
// Changes made by this process are known at once, by Forget.
const trustFor = 10 * time.Minute

// contacts remembers which enrolment a certificate stands for. The zero value is
// ready.
type contacts struct {
	mu       sync.RWMutex
	byHash   map[string]contact
	byDevice map[deviceKey][]string
	// forgotten counts calls of forgetDevice: what was read from the store before
	// one must not be kept after it.
	forgotten uint64
}

type contact struct {
	enrolment Enrolment
	until     time.Time
}

type deviceKey struct{ authority, device org.ID }

// find returns what is remembered, and the age that keep wants to see.
func (c *contacts) find(hash string, at time.Time) (e Enrolment, age uint64, ok bool) {
	c.mu.RLock()
	known, ok := c.byHash[hash]
	age = c.forgotten
	c.mu.RUnlock()
	return known.enrolment, age, ok && at.Before(known.until)
}

// keep remembers an enrolment that has its device. Those that are only on their
// way change with each message.
func (c *contacts) keep(hash string, e Enrolment, age uint64, at time.Time) {
	if e.Device == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if age != c.forgotten {
		return
	}
	if c.byHash == nil {
		c.byHash, c.byDevice = map[string]contact{}, map[deviceKey][]string{}
	}
	key := deviceKey{e.Authority, e.Device}
	if _, ok := c.byHash[hash]; !ok {
		c.byDevice[key] = append(c.byDevice[key], hash)
	}
	c.byHash[hash] = contact{e, at.Add(trustFor)}
}

func (c *contacts) forgetDevice(authority, device org.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten++
	key := deviceKey{authority, device}
	for _, hash := range c.byDevice[key] {
		delete(c.byHash, hash)
	}
	delete(c.byDevice, key)
}

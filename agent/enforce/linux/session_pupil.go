package linux

import (
	"sync"
	"time"

	"schulwart.org/agent/display"
	"schulwart.org/agent/words"
)

// Pupil is how the helper that looks after an examination speaks with the agent
// and the machine on behalf of the pupil.
type Pupil interface {
	// Stands says whether the agent has contact with its server and whether the hand
	// is raised; false if no agent answers now.
	Stands() (linked, hand, ok bool)
	// Hand raises the hand or takes it down, and returns the key of what to say.
	Hand(up bool) string
	// Battery is how full it is in percent, and whether it is charging; nil where
	// there is none.
	Battery() (percent *int, charging bool)
}

// pupilDesk is what the pupil reads of the examination, on the bar and on the page.
type pupilDesk struct {
	pupil Pupil

	mu       sync.Mutex
	order    sessionOrder
	ends     time.Time // by the monotonic clock of this process
	battery  *int
	charging bool
	linked   bool
	hand     bool
	asked    time.Time // when the agent was asked last
	powered  time.Time // when the battery was looked at last
	busy     bool
}

// How often the agent is asked, and the battery looked at.
const (
	pupilRound  = 2 * time.Second
	pupilRoundB = 30 * time.Second
)

// follow takes in the order, and asks what may have changed. It waits for nobody:
// an agent that was killed answers late.
func (d *pupilDesk) follow(order sessionOrder, left time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.order, d.ends = order, time.Now().Add(left)
	if d.pupil == nil || d.busy || time.Since(d.asked) < pupilRound {
		return
	}
	d.asked, d.busy = time.Now(), true
	power := time.Since(d.powered) > pupilRoundB
	if power {
		d.powered = time.Now()
	}
	go d.ask(power)
}

func (d *pupilDesk) ask(power bool) {
	linked, hand, ok := d.pupil.Stands()
	var percent *int
	charging := false
	if power {
		percent, charging = d.pupil.Battery()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
	if d.linked = ok && linked; ok {
		d.hand = hand
	}
	if power {
		d.battery, d.charging = percent, charging
	}
}

// raise passes the pupil's wish on, and returns the key of what to say.
func (d *pupilDesk) raise(up bool) string {
	if d.pupil == nil {
		return "release.unheard"
	}
	key := d.pupil.Hand(up)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch key {
	case "hand.up":
		d.hand = true
	case "hand.down":
		d.hand = false
	}
	return key
}

// bar is what the bar says; nil while the screen waits for a code: it has words of
// its own then.
func (d *pupilDesk) bar() *display.Bar {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.order.Waits {
		return nil
	}
	return &display.Bar{Title: d.order.Title, By: d.order.By, Until: d.order.Until, Battery: d.battery, Linked: d.linked, Hand: d.hand}
}

// stands is everything at one instant.
func (d *pupilDesk) stands() (now words.ExamNow, order sessionOrder, charging, linked, hand bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now = words.ExamNow{By: d.order.By, Until: d.order.Until, Left: time.Until(d.ends), Battery: d.battery, Calculator: d.order.Tool}
	return now, d.order, d.charging, d.linked, d.hand
}

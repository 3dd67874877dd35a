package checkin

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"schulwart.org/policies/org"
)

// Silence is how long a device without a stream counts as in contact after its
// last message: two rounds of polling and a little.
const Silence = 150 * time.Second

// flushEvery bounds what a crash forgets.
const flushEvery = 10 * time.Second

// Sighting is that a device was seen.
type Sighting struct {
	Authority, School, Device org.ID
	At                        time.Time
}

// Minute counts the messages of a school's devices in one minute.
type Minute struct {
	Authority, School org.ID
	Minute            time.Time
	N                 int
}

// PresenceStore keeps sightings in batches.
type PresenceStore interface {
	SaveSightings(ctx context.Context, sightings []Sighting, minutes []Minute) error
}

// Presence knows in memory which devices were seen when and which hold an open
// stream. The store hears of it within ten seconds.
type Presence struct {
	store PresenceStore
	now   func() time.Time

	mu      sync.Mutex
	devices map[org.ID]*present // by enrolment
	byID    map[org.ID]*present // by device, the enrolment that was seen last
	dirty   []*present
	minutes map[minuteKey]int
}

type present struct {
	sighting Sighting
	stream   bool
	lost     time.Time // when the stream was lost; zero while there is none or one
	dirty    bool
}

// Roaming is how long a device that lost its stream still counts as in contact:
// laptops change access points, and servers start anew.
const Roaming = 10 * time.Second

type minuteKey struct {
	authority, school org.ID
	minute            int64
}

// NewPresence returns an empty presence.
func NewPresence(store PresenceStore, now func() time.Time) *Presence {
	return &Presence{store: store, now: now, devices: map[org.ID]*present{}, byID: map[org.ID]*present{}, minutes: map[minuteKey]int{}}
}

// Seen notes a message of the enrolment's device.
func (p *Presence) Seen(e Enrolment) {
	at := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.devices[e.ID]
	if d == nil {
		d = &present{}
		p.devices[e.ID] = d
	}
	d.sighting = Sighting{e.Authority, e.School, e.Device, at}
	p.byID[e.Device] = d
	p.soil(d)
	p.minutes[minuteKey{e.Authority, e.School, at.Unix() / 60}]++
}

// Connected notes that the enrolment's stream was opened or lost.
func (p *Presence) Connected(enrolment org.ID, open bool) {
	at := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.devices[enrolment]
	if d == nil {
		d = &present{}
		p.devices[enrolment] = d
	}
	d.stream, d.lost = open, time.Time{}
	if !open {
		d.lost = at
	}
	if d.sighting.Device != "" {
		d.sighting.At = at
		p.soil(d)
	}
}

// soil puts a device on the list of what must be written. The caller holds the
// lock.
func (p *Presence) soil(d *present) {
	if !d.dirty {
		d.dirty = true
		p.dirty = append(p.dirty, d)
	}
}

// Contact returns whether the enrolment's device is in contact, and when it was
// last seen; zero if not since this process started.
func (p *Presence) Contact(enrolment org.ID) (connected bool, seen time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.contact(p.devices[enrolment])
}

// Since is Contact for a device, whichever enrolment it came by.
func (p *Presence) Since(device org.ID) (connected bool, seen time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.contact(p.byID[device])
}

func (p *Presence) contact(d *present) (bool, time.Time) {
	if d == nil {
		return false, time.Time{}
	}
	if d.stream {
		return true, p.now()
	}
	seen, now := d.sighting.At, p.now()
	patience := Silence
	if !d.lost.IsZero() && !seen.After(d.lost) {
		patience = Roaming
	}
	return !seen.IsZero() && now.Sub(seen) < patience, seen
}

// Count returns how many devices are in contact.
func (p *Presence) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, d := range p.devices {
		if connected, _ := p.contact(d); connected {
			n++
		}
	}
	return n
}

// Place returns where the device of an enrolment is at home, if it was seen
// since this process started.
func (p *Presence) Place(enrolment org.ID) (Sighting, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.devices[enrolment]
	if d == nil || d.sighting.Device == "" {
		return Sighting{}, false
	}
	return d.sighting, true
}

// Flush writes what was seen since the last time. What cannot be written is
// tried again.
func (p *Presence) Flush(ctx context.Context) error {
	p.mu.Lock()
	dirty := p.dirty
	p.dirty = nil
	sightings := make([]Sighting, len(dirty))
	for i, d := range dirty {
		sightings[i], d.dirty = d.sighting, false
	}
	minutes := make([]Minute, 0, len(p.minutes))
	for key, n := range p.minutes {
		minutes = append(minutes, Minute{key.authority, key.school, time.Unix(key.minute*60, 0).UTC(), n})
	}
	p.minutes = map[minuteKey]int{}
	p.mu.Unlock()
	if len(sightings) == 0 && len(minutes) == 0 {
		return nil
	}
	err := p.store.SaveSightings(ctx, sightings, minutes)
	if err != nil {
		p.again(dirty, minutes)
	}
	return err
}

func (p *Presence) again(dirty []*present, minutes []Minute) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range dirty {
		p.soil(d)
	}
	for _, m := range minutes {
		p.minutes[minuteKey{m.Authority, m.School, m.Minute.Unix() / 60}] += m.N
	}
}

// Run flushes every ten seconds until the context ends, and once more then.
func (p *Presence) Run(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := p.Flush(last); err != nil {
				log.Error("writing who was seen", "error", err)
			}
			return
		case <-ticker.C:
			if err := p.Flush(ctx); err != nil && ctx.Err() == nil {
				log.Error("writing who was seen", "error", err)
			}
		}
	}
}

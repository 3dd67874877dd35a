package simulate

import (
	"context"
	"errors"
	"sync"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
)

// pretend is a driver that only remembers. It forgets at a restart of its
// device, as screens and programs do.
type pretend struct {
	name  catalog.Part
	clock *clock
	// impossible, if set, is why this device cannot do it.
	impossible string
	// deviates, if set, is why it never takes effect on this device.
	deviates string
	slow     func() time.Duration

	mu      sync.Mutex
	boot    string
	rules   enforce.Rules
	changed bool
}

// families are the families of the base policy that have drivers of their own on
// the systems that these devices pretend to have.
func families() []catalog.Part {
	var parts []catalog.Part
	for _, family := range catalog.Families {
		if family.Part == "" && family.Does(org.Linux) {
			parts = append(parts, catalog.Part(family.Name))
		}
	}
	return parts
}

// pretended are all parts but the network, whose driver is the real one.
func pretended() []catalog.Part {
	return append([]catalog.Part{catalog.Screen, catalog.Apps, catalog.Browser, catalog.Session}, families()...)
}

// Part names the part.
func (p *pretend) Part() catalog.Part { return p.name }

// Set remembers the rules.
func (p *pretend) Set(ctx context.Context, rules enforce.Rules) error {
	if !wait(ctx, p.clock, p.slow()) {
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.boot, p.rules, p.changed = p.clock.Read().Boot, rules, false
	return nil
}

// Check looks whether somebody changed them.
func (p *pretend) Check(context.Context) enforce.Reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	wanted := p.name == catalog.Screen && p.rules.Screen != nil || p.name == catalog.Apps && p.rules.Apps != nil || p.name == catalog.Browser ||
		p.rules.Base[string(p.name)] != nil
	switch {
	case p.impossible != "" && wanted:
		return enforce.Reading{State: ddm.PartNotPossible, Reason: &ddm.Reason{Code: p.impossible}}
	case p.deviates != "" && wanted:
		return enforce.Reading{State: ddm.PartDeviating, Reason: &ddm.Reason{Code: p.deviates, Details: map[string]string{"file": "/etc"}}}
	case p.changed || p.boot != p.clock.Read().Boot:
		return enforce.Reading{State: ddm.PartDeviating, Reason: &ddm.Reason{Code: "part.changed"}}
	}
	return enforce.Reading{State: ddm.PartOK}
}

// standing returns what the pupil meets now.
func (p *pretend) standing() enforce.Rules {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.impossible != "" || p.boot != p.clock.Read().Boot {
		return enforce.Rules{}
	}
	return p.rules
}

func (p *pretend) tamper() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changed = true
}

// slowly is a driver that takes its time now and then.
type slowly struct {
	enforce.Driver
	clock *clock
	slow  func() time.Duration
}

// Set waits first.
func (s slowly) Set(ctx context.Context, rules enforce.Rules) error {
	if !wait(ctx, s.clock, s.slow()) {
		return ctx.Err()
	}
	return s.Driver.Set(ctx, rules)
}

// Watch tells of changes, if the driver can.
func (s slowly) Watch(ctx context.Context) (<-chan struct{}, error) {
	if watcher, ok := s.Driver.(interface {
		Watch(context.Context) (<-chan struct{}, error)
	}); ok {
		return watcher.Watch(ctx)
	}
	return nil, errors.New("simulating: this part tells of nothing")
}

// Close ends the driver.
func (s slowly) Close() error {
	if closer, ok := s.Driver.(interface{ Close() error }); ok {
		return closer.Close()
	}
	return nil
}

func wait(ctx context.Context, c *clock, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	select {
	case <-ctx.Done():
		return false
	case <-c.After(d):
		return true
	}
}

package simulate

import (
	"context"
	"errors"
	"sync"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

// apps pretends to be what a system installs packages with.
type apps struct {
	slow  func() time.Duration
	fault string // what every installation ends with; empty for none

	mu    sync.Mutex
	there map[string]string // version by name
}

// Able is part of packages.System: everything can be had in a dream.
func (a *apps) Able(rollout.Declared) *ddm.Reason { return nil }

// Present is part of packages.System.
func (a *apps) Present(_ context.Context, d rollout.Declared) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.there[d.Name], nil
}

// Install is part of packages.System.
func (a *apps) Install(ctx context.Context, d rollout.Declared, _ string) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(a.slow()):
	}
	if a.fault != "" {
		return errors.New(a.fault)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.there == nil {
		a.there = map[string]string{}
	}
	a.there[d.Name] = d.Version
	return nil
}

// Remove is part of packages.System.
func (a *apps) Remove(_ context.Context, d rollout.Declared) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.there, d.Name)
	return nil
}

package reconcile

import (
	"slices"

	"schulwart.org/policies/rollout"
)

// Package is what is rolled out to this device, by the identifier of its
// declaration.
type Package struct {
	ID string
	rollout.Declared
}

// Packages returns what is rolled out to this device, as the set in force says.
func (l *Loop) Packages() []Package {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.state.packages)
}

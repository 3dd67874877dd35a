//go:build !e2e

package host

import "time"

// wallShift is nothing: only builds for tests can pretend another wall clock.
func wallShift(string) func() time.Duration { return func() time.Duration { return 0 } }

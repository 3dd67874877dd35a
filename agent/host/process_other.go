//go:build !linux

package host

import "errors"

// ErrHeld says that another helper of the name runs.
var ErrHeld = errors.New("host: held already")

// Keep takes the lock of a name. Helpers exist on Linux only.
func Keep(_, _ string) (*Keeper, error) {
	return nil, errors.New("host: this system has no helpers")
}

// Attach starts our own program with access to a display, on Linux only.
func Attach(Desktop, ...string) (*Attached, error) {
	return nil, errors.New("host: this system has no displays that we can cover")
}

// LockConsoles does nothing: there are none.
func LockConsoles(string, bool) error { return nil }

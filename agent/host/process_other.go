//go:build !linux

package host

import (
	"context"
	"errors"
)

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

// errNoPeople is answered where programs of people cannot be told apart yet.
var errNoPeople = errors.New("host: programs of people are not supported on this system")

// RunAs runs a program for somebody, on Linux only.
func RunAs(context.Context, int, string, ...string) ([]byte, error) { return nil, errNoPeople }

// RunSelfAs runs a hidden command for somebody, on Linux only.
func RunSelfAs(context.Context, int, ...string) ([]byte, error) { return nil, errNoPeople }

// CopyFor copies a program for somebody, on Linux only.
func CopyFor(int, string) (string, func(), error) { return "", nil, errNoPeople }

// DirFor makes a directory for somebody, on Linux only.
func DirFor(int) (string, func(), error) { return "", nil, errNoPeople }

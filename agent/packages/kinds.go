package packages

import (
	"context"
	"errors"
	"strings"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

// Kinds is a system that has another way for each kind of package. What it has
// none for is not possible on it, and is told so.
type Kinds map[rollout.Kind]System

// Able says why the package cannot be had here. Names come from afar and become
// parts of paths and of command lines, so they are looked at here again.
func (k Kinds) Able(d rollout.Declared) *ddm.Reason {
	system := k[d.Kind]
	switch {
	case system == nil:
		return None{}.Able(d)
	case !rollout.SafeName(d.Name) || d.Version != "" && !rollout.SafeName(d.Version):
		return &ddm.Reason{Code: "package.bad-name"}
	}
	return system.Able(d)
}

// Present asks the kind's own.
func (k Kinds) Present(ctx context.Context, d rollout.Declared) (string, error) {
	return k[d.Kind].Present(ctx, d)
}

// Install lets the kind's own.
func (k Kinds) Install(ctx context.Context, d rollout.Declared, file string) error {
	return k[d.Kind].Install(ctx, d, file)
}

// Remove lets the kind's own. Of a kind that this system does not have, nothing
// was brought.
func (k Kinds) Remove(ctx context.Context, d rollout.Declared) error {
	if system := k[d.Kind]; system != nil {
		return system.Remove(ctx, d)
	}
	return nil
}

// Clean takes away what is beside the package: the source that it came from. What
// the package itself is stays.
func (k Kinds) Clean(ctx context.Context, d rollout.Declared) error {
	if system, ok := k[d.Kind].(cleaner); ok && rollout.SafeName(d.Name) {
		return system.Clean(ctx, d)
	}
	return nil
}

// cleaner is a System that leaves something beside packages.
type cleaner interface {
	Clean(ctx context.Context, d rollout.Declared) error
}

// Trying asks the kind's own, if what it installs has to prove itself.
func (k Kinds) Trying(d rollout.Declared) (on bool, failed *ddm.Reason) {
	if trier, is := k[d.Kind].(Trier); is {
		return trier.Trying(d)
	}
	return false, nil
}

// Fault is why something did not work, by the code under which people read it.
type Fault struct {
	Code    string
	Details map[string]string
}

// Error names the code, for the log.
func (f Fault) Error() string { return f.Code }

// ErrLater says that something has begun of which Trier tells how it ends.
var ErrLater = errors.New("packages: it has to prove itself")

// half marks the version as not whole.
func half(version string) string { return strings.TrimSuffix(version, Half) + Half }

package packages

import (
	"context"
	"strings"

	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

// Flatpak installs single-file bundles for everybody on the device. What a version
// is, Flatpak knows by its commit alone: two versions may have the same branch.
type Flatpak struct{ Commands host.Commands }

// Able says why the package cannot be had here.
func (s Flatpak) Able(d rollout.Declared) *ddm.Reason {
	switch {
	case !s.Commands.Has("flatpak"):
		return &ddm.Reason{Code: "package.no-flatpak"}
	case d.Action == rollout.Install && d.Commit == "":
		return &ddm.Reason{Code: "package.no-commit"}
	}
	return nil
}

// Present names the version if its commit is what Flatpak has in use, or else the
// beginning of the commit that is.
func (s Flatpak) Present(ctx context.Context, d rollout.Declared) (string, error) {
	refs, err := s.refs(ctx, d.Name)
	if err != nil {
		return "", err
	}
	present := ""
	for _, ref := range refs {
		out, err := s.run(ctx, "info", "--system", "--show-commit", ref)
		if err != nil {
			return "", err
		}
		commit := strings.TrimSpace(string(out))
		if commit == d.Commit && d.Version != "" {
			return d.Version, nil
		}
		present = commit[:min(12, len(commit))]
	}
	return present, nil
}

// refs lists what is there of the name: "org.geogebra.GeoGebra/x86_64/stable".
func (s Flatpak) refs(ctx context.Context, name string) ([]string, error) {
	out, err := s.run(ctx, "list", "--system", "--columns=ref")
	if err != nil {
		return nil, err
	}
	var refs []string
	for line := range strings.Lines(string(out)) {
		if ref := strings.TrimSpace(line); strings.HasPrefix(ref, name+"/") {
			refs = append(refs, ref)
		}
	}
	return refs, nil
}

// Install brings the bundle, whatever version was there.
func (s Flatpak) Install(ctx context.Context, _ rollout.Declared, file string) error {
	_, err := s.run(ctx, "install", "--system", "--noninteractive", "--reinstall", "--bundle", file)
	return err
}

// Remove takes away all of the name, and leaves what people did with it.
func (s Flatpak) Remove(ctx context.Context, d rollout.Declared) error {
	refs, err := s.refs(ctx, d.Name)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if _, err := s.run(ctx, "uninstall", "--system", "--noninteractive", ref); err != nil {
			return err
		}
	}
	return nil
}

func (s Flatpak) run(ctx context.Context, args ...string) ([]byte, error) {
	return s.Commands.Run(ctx, host.Command{Name: "flatpak", Args: args})
}

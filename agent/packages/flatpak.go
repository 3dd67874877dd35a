package packages

import (
	"context"
	"errors"
	"slices"
	"strings"

	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

// Flatpak installs for everybody on the device: from single-file bundles, or from
// a remote that is the package's own. What a version
// is, Flatpak knows by its commit alone: two versions may have the same branch.
type Flatpak struct {
	Commands host.Commands
	Tree     host.Tree
}

// Able says why the package cannot be had here.
func (s Flatpak) Able(d rollout.Declared) *ddm.Reason {
	switch {
	case !s.Commands.Has("flatpak"):
		return &ddm.Reason{Code: "package.no-flatpak"}
	case d.Action == rollout.Install && d.Commit == "":
		return &ddm.Reason{Code: "package.no-commit"}
	case d.Repository != nil && (d.Repository.Mistake(d.Kind) != "" || !d.Kind.FromRepository(d.Name, d.Version, d.Commit)):
		return &ddm.Reason{Code: "package.bad-repository"}
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

// Install brings the bundle, or the commit from its remote, whatever version was
// there.
func (s Flatpak) Install(ctx context.Context, d rollout.Declared, file string) error {
	if d.Repository != nil {
		return s.fromRemote(ctx, d)
	}
	_, err := s.run(ctx, "install", "--system", "--noninteractive", "--reinstall", "--bundle", file)
	return err
}

func remoteOf(name string) string { return "schulwart-" + name }

// fromRemote makes the remote anew, since its address or key may be others than
// before, and asks it for exactly this commit.
func (s Flatpak) fromRemote(ctx context.Context, d rollout.Declared) error {
	remote, ref := remoteOf(d.Name), d.Name+"//"+d.Repository.Suite
	if err := s.Clean(ctx, d); err != nil {
		return err
	}
	// It reads keys from plain files only, whatever it says of "-".
	key := "/var/lib/flatpak/" + remote + ".asc"
	if _, err := s.Tree.Write(key, []byte(d.Repository.Key)); err != nil {
		return err
	}
	_, err := s.run(ctx, "remote-add", "--system", "--gpg-import="+key, remote, d.Repository.URL)
	err = errors.Join(err, s.Tree.Remove(key))
	if err == nil {
		_, err = s.run(ctx, "install", "--system", "--noninteractive", "--reinstall", remote, ref)
	}
	if err == nil {
		_, err = s.run(ctx, "update", "--system", "--noninteractive", "--commit="+d.Commit, ref)
	}
	if err != nil {
		_ = s.Clean(ctx, d)
	}
	return err
}

// Clean takes the package's own remote away.
func (s Flatpak) Clean(ctx context.Context, d rollout.Declared) error {
	out, err := s.run(ctx, "remotes", "--system", "--show-disabled", "--columns=name")
	if err != nil || !slices.Contains(strings.Fields(string(out)), remoteOf(d.Name)) {
		return err
	}
	_, err = s.run(ctx, "remote-delete", "--system", "--force", remoteOf(d.Name))
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
	return s.Clean(ctx, d)
}

func (s Flatpak) run(ctx context.Context, args ...string) ([]byte, error) {
	return s.Commands.Run(ctx, host.Command{Name: "flatpak", Args: args})
}

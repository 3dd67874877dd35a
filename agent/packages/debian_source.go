package packages

import (
	"context"
	"path"
	"strings"

	"schulwart.org/policies/rollout"
)

// A package from a repository has a source, a key and a pin of its own. apt reads
// only files whose names have no other characters than these, so the others of a
// name are written out.
func sourceFile(dir, name, ending string) string {
	return path.Join("/etc/apt", dir, "schulwart-"+strings.NewReplacer("+", "_plus").Replace(name)+ending)
}

func sourceFiles(name string) (source, key, pin string) {
	return sourceFile("sources.list.d", name, ".sources"), sourceFile("keyrings", name, ".asc"), sourceFile("preferences.d", name, ".pref")
}

// fromRepository lets apt look into the package's own repository and nowhere else,
// and installs exactly this version. What is not signed with its key is refused,
// whatever the system's settings say.
func (s Debian) fromRepository(ctx context.Context, d rollout.Declared) error {
	source, key, pin := sourceFiles(d.Name)
	r := d.Repository
	for _, file := range []struct{ path, text string }{
		{key, strings.TrimSpace(r.Key) + "\n"},
		// https://manpages.debian.org/sources.list.5
		{source, "Types: deb\nURIs: " + r.URL + "\nSuites: " + r.Suite + "\nComponents: " + strings.Join(r.Components, " ") + "\nSigned-By: " + key + "\nAllow-Insecure: no\n"},
		// An update of the system leaves it at this version. https://manpages.debian.org/apt_preferences.5
		{pin, "Package: " + d.Name + "\nPin: version " + d.Version + "\nPin-Priority: 1001\n"},
	} {
		if _, err := s.Tree.Write(file.path, []byte(file.text)); err != nil {
			return err
		}
	}
	strict := []string{"--option", "APT::Get::AllowUnauthenticated=false", "--option", "Acquire::AllowInsecureRepositories=false", "--option", "Acquire::AllowWeakRepositories=false", "--option", "Acquire::Retries=2"}
	alone := []string{"--option", "Dir::Etc::sourcelist=" + source, "--option", "Dir::Etc::sourceparts=-", "--option", "APT::Get::List-Cleanup=0", "--option", "APT::Update::Error-Mode=any"}
	err := s.apt(ctx, append(append(alone, strict...), "update")...)
	if err == nil {
		err = s.apt(ctx, append(strict, "install", "--allow-downgrades", "--allow-change-held-packages", d.Name+"="+d.Version)...)
	}
	if err != nil {
		// A source that does not hold what it should must not trouble the system's own.
		_ = s.Clean(ctx, d)
	}
	return err
}

// Clean takes the package's own source away.
func (s Debian) Clean(_ context.Context, d rollout.Declared) error {
	if s.Tree == nil {
		return nil
	}
	source, key, pin := sourceFiles(d.Name)
	for _, file := range []string{source, pin, key} {
		if err := s.Tree.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

package packages

import (
	"context"
	"strings"

	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

// Debian installs Debian packages with the system's own programs: from a file, or
// from a repository that is the package's own.
type Debian struct {
	Commands host.Commands
	// Tree is where apt reads its sources; nil for files only.
	Tree host.Tree
}

// Able says why the package cannot be had here.
func (s Debian) Able(d rollout.Declared) *ddm.Reason {
	switch {
	case d.Kind != rollout.Deb:
		return &ddm.Reason{Code: "package.kind", Details: map[string]string{"kind": string(d.Kind)}}
	case !s.Commands.Has("apt-get") || !s.Commands.Has("dpkg-query"):
		return &ddm.Reason{Code: "package.no-apt"}
	case d.Repository != nil && (s.Tree == nil || d.Repository.Mistake(d.Kind) != "" || !d.Kind.FromRepository(d.Name, d.Version, "")):
		return &ddm.Reason{Code: "package.bad-repository"}
	}
	return nil
}

// Half follows a version that the system names and that is not whole: an
// installation was cut off, or a script of the package failed.
const Half = " (half)"

// Present asks dpkg, whose word counts: dpkg-query(1), the status abbreviation.
func (s Debian) Present(ctx context.Context, d rollout.Declared) (string, error) {
	out, err := s.Commands.Run(ctx, host.Command{Name: "dpkg-query", Args: []string{"--show", "--showformat", "${db:Status-Abbrev}\t${Package}\t${Version}\n"}})
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) != 3 || fields[1] != d.Name || len(fields[0]) < 2 {
			continue
		}
		switch status := fields[0][1]; {
		case strings.IndexByte("iWt", status) >= 0 && len(strings.TrimSpace(fields[0])) == 2:
			return fields[2], nil
		case strings.IndexByte("iWtUFH", status) >= 0:
			return fields[2] + Half, nil
		}
	}
	return "", nil
}

// Install brings the file's version, and from the system's own sources what it
// depends on. What an interruption left half done is finished first.
func (s Debian) Install(ctx context.Context, d rollout.Declared, file string) error {
	s.mend(ctx)
	if d.Repository != nil {
		return s.fromRepository(ctx, d)
	}
	if err := s.Clean(ctx, d); err != nil {
		return err
	}
	return s.apt(ctx, "install", "--allow-downgrades", "--allow-change-held-packages", file)
}

// Remove purges the package. What came along with it the system knows to be no
// more needed, and clears away when it does so for itself.
func (s Debian) Remove(ctx context.Context, d rollout.Declared) error {
	s.mend(ctx)
	if err := s.Clean(ctx, d); err != nil {
		return err
	}
	if present, err := s.Present(ctx, d); err == nil && present == "" {
		return nil
	}
	return s.apt(ctx, "purge", d.Name)
}

// mend finishes what was cut off. What cannot be finished, as with a script that
// fails, gives way to the version that comes.
func (s Debian) mend(ctx context.Context) {
	_, _ = s.Commands.Run(ctx, host.Command{Name: "dpkg", Args: []string{"--configure", "--pending", "--force-confold"}, Env: quiet})
}

var quiet = []string{"DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=a"}

// apt runs apt-get so that it asks nothing and waits for whoever else installs.
func (s Debian) apt(ctx context.Context, args ...string) error {
	options := []string{"--yes", "--quiet", "--option", "DPkg::Lock::Timeout=300", "--option", "Dpkg::Options::=--force-confold", "--option", "Dpkg::Options::=--force-confdef"}
	// What went wrong it says in several lines, of which the last one is the emptiest.
	out, err := s.Commands.Run(ctx, host.Command{Name: "sh", Args: append([]string{"-c", `exec apt-get "$@" 2>&1`, "apt-get"}, append(options, args...)...), Env: quiet})
	if err != nil {
		return said{err, complaints(out)}
	}
	return nil
}

// said is a failure with what the program said of it.
type said struct {
	error
	text string
}

// Error is what the program said, or else how it ended.
func (s said) Error() string {
	if s.text == "" {
		return s.error.Error()
	}
	return s.text
}

// Unwrap returns how the program ended.
func (s said) Unwrap() error { return s.error }

// complaints are the lines of apt that begin with E: or W:, and those that are
// indented below one.
func complaints(out []byte) string {
	var lines []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "E: ") || strings.HasPrefix(line, "W: ") || strings.HasPrefix(line, "Err:") || len(lines) > 0 && strings.HasPrefix(line, " ") || strings.Contains(line, "nmet dependencies") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, " ")
}

package packages_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/packages"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// laptop is the real dpkg and apt over a copy of their books, so that nothing of
// the machine is touched.
type laptop struct {
	t      *testing.T
	dir    string
	store  *host.Dir
	system packages.System
	wanted []reconcile.Package
	files  map[string][]byte
}

func TestRealDebianPackagesComeGoBackAndLeave(t *testing.T) {
	if dir := apart(t, bookRoom, "apt-get", "dpkg-deb"); dir != "" {
		live(t, dir)
	}
}

// build makes a package with one file, and one script that may fail.
func (l *laptop) build(version, depends, postinst string) rollout.Declared {
	l.t.Helper()
	root := filepath.Join(l.dir, "build-"+version)
	write := func(name, content string, mode os.FileMode) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			l.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			l.t.Fatal(err)
		}
	}
	if depends != "" {
		depends = "Depends: " + depends + "\n"
	}
	write("DEBIAN/control", "Package: schulwart-test-app\nVersion: "+version+"\nArchitecture: all\nMaintainer: x <x@example.org>\n"+depends+"Description: x\n", 0o644)
	if postinst != "" {
		write("DEBIAN/postinst", "#!/bin/sh\n"+postinst+"\n", 0o755)
	}
	write("opt/schulwart-test-app/version", version, 0o644)
	file := filepath.Join(l.dir, version+".deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", root, file).CombinedOutput(); err != nil {
		l.t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		l.t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	d := rollout.Declared{
		Rollout: org.ID("r" + version), Action: rollout.Install, Try: 1, Kind: rollout.Deb, Name: "schulwart-test-app", Version: version, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
		Calendar: rollout.Calendar{Zone: "Europe/Berlin"},
	}
	d.Path = rollout.PathOf(d.SHA256)
	l.files[d.Path] = content
	return d
}

// Way is part of packages.Door.
func (l *laptop) Way(context.Context, string, rollout.Ask) (rollout.Way, error) {
	return rollout.Way{Lead: true, Again: 10}, nil
}

// Piece is part of packages.Door.
func (l *laptop) Piece(_ context.Context, path string, from int64, most int) ([]byte, error) {
	data := l.files[path][from:]
	return data[:min(most, len(data))], nil
}

// agent is one run of the agent, on a Saturday.
func (l *laptop) agent() *packages.Keeper {
	saturday := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	return packages.New(packages.Options{
		Wanted: func() []reconcile.Package { return l.wanted }, Announce: func() {}, Busy: func() bool { return false }, Now: func() time.Time { return saturday },
		Clock: host.NewFake(saturday), Store: l.store, System: l.system, Free: func() int64 { return 10 << 30 }, Spread: func(time.Duration) time.Duration { return 0 },
	})
}

// becomes lets a fresh agent work, and wants its word and what is there.
func (l *laptop) becomes(what string, state ddm.PackageState, version string) *ddm.Reason {
	l.t.Helper()
	k := l.agent()
	for range 3 {
		k.Turn(l.t.Context())
		if err := k.Carry(l.t.Context(), l); err != nil {
			l.t.Fatal(err)
		}
	}
	there, _ := os.ReadFile("/opt/schulwart-test-app/version")
	if string(there) != version {
		l.t.Errorf("%s: there is %q, want %q", what, there, version)
	}
	list := k.Statuses()
	if state == "" {
		if len(list) != 0 {
			l.t.Errorf("%s: still spoken of: %+v", what, list)
		}
		return nil
	}
	if len(list) != 1 || list[0].State != state || strings.TrimSuffix(list[0].Present, packages.Half) != version || state == ddm.PackageVerified && list[0].Present != version {
		l.t.Fatalf("%s: %+v", what, list)
	}
	return list[0].Reason
}

func (l *laptop) want(d rollout.Declared) {
	l.wanted = []reconcile.Package{{ID: rollout.Prefix + "deb." + d.Name, Declared: d}}
}

func live(t *testing.T, dir string) {
	store, err := host.OpenDir(filepath.Join(dir, "packages"))
	if err != nil {
		t.Fatal(err)
	}
	l := &laptop{t: t, dir: dir, store: store, system: packages.Debian{Commands: host.SystemCommands{}}, files: map[string][]byte{}}
	one, two := l.build("1.0", "", ""), l.build("2.0", "", "")
	l.want(one)
	l.becomes("installed", ddm.PackageVerified, "1.0")
	l.want(two)
	l.becomes("a newer version", ddm.PackageVerified, "2.0")
	back := one
	back.Rollout, back.IfPresent = two.Rollout, true
	l.want(back)
	l.becomes("the version before", ddm.PackageVerified, "1.0")

	l.want(l.build("3.0", "schulwart-test-nowhere", ""))
	if reason := l.becomes("one that needs what cannot be had", ddm.PackageFailed, "1.0"); reason == nil || reason.Code != "package.depends" {
		t.Errorf("it says why: %+v", reason)
	}
	l.want(l.build("4.0", "", "exit 1"))
	if reason := l.becomes("one whose script fails", ddm.PackageFailed, "4.0"); reason == nil || reason.Code != "package.install" {
		t.Errorf("it says why: %+v", reason)
	}
	back.Try, back.Rollout = 2, "r4.0"
	l.want(back)
	l.becomes("the version before, after a script that failed", ddm.PackageVerified, "1.0")

	// Cut off in the midst: unpacked, not configured.
	if out, err := exec.Command("dpkg", "--unpack", filepath.Join(dir, "2.0.deb")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	two.Try = 3
	l.want(two)
	l.becomes("after an installation that was cut off", ddm.PackageVerified, "2.0")

	l.wanted = nil
	l.becomes("left with its declaration", "", "")
}

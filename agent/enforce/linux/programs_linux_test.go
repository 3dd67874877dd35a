package linux_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/scripts/need"
)

// guard is the driver of programs in the small school.
func (s *school) guard(t *testing.T) enforce.Driver {
	t.Helper()
	holds, err := host.NewHolds(s.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holds.Drop(linux.ProgramsName) })
	doors := linux.Doors{Tree: host.SystemTree{Root: s.root}, Files: &host.FakeFiles{}, Commands: host.SystemCommands{}, Clock: host.NewClock(""), Holds: holds, Mounts: []string{s.root, s.stick}}
	for _, driver := range linux.Families(doors) {
		if driver.Part() == catalog.Part(catalog.Programs.Name) {
			return driver
		}
	}
	t.Fatal("no driver")
	return nil
}

func TestForbiddenProgramsStartUnderNoName(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	s := newSchool(t, time.Minute)
	at := func(name string) string { return filepath.Join(s.root, name) }
	// A game of its own content: the other programs here are copies of tools.
	game, err := os.ReadFile("/bin/echo")
	must(t, err)
	s.write(t, "usr/games/tux", string(game)+"game", 0o755)
	s.write(t, "usr/share/applications/org.tux.Tux.desktop", "[Desktop Entry]\nType=Application\nName=Tux\nExec=/usr/games/tux\n", 0o644)
	s.write(t, "usr/games/chess", string(game)+"chess", 0o755)
	s.write(t, "var/lib/dpkg/info/chess:amd64.list", "/.\n/usr/games\n/usr/games/chess\n", 0o644)
	copied := copyFile(t, at("usr/games/tux"), at("home/homework"), pupil)
	carried := copyFile(t, at("usr/games/chess"), filepath.Join(s.stick, "letter"), pupil)
	driver := s.guard(t)
	if !start(t, pupil, at("usr/games/tux")) {
		t.Fatal("refused before anything holds")
	}
	wanted := settings(t, catalog.Programs, map[string]any{"forbid": []any{"org.tux.Tux", "steam"}, "forbid-packages": []any{"chess"}})
	set(t, driver, wanted)
	guarding := func() {
		t.Helper()
		eventually(t, "the helper judges", func() bool {
			reading := driver.Check(t.Context())
			if reading.State == ddm.PartNotPossible {
				need.Missing(t, "fanotify permission events in this kernel")
			}
			if reading.State == ddm.PartDeviating {
				set(t, driver, wanted)
			}
			return reading.State == ddm.PartOK && reading.Reason != nil && reading.Reason.Details["names"] == "steam"
		})
	}
	guarding()
	for name, c := range map[string]struct {
		uid  int
		path string
		args []string
		want bool
	}{
		"the program":               {pupil, at("usr/games/tux"), nil, false},
		"a copy under another name": {pupil, copied, nil, false},
		"the package's program":     {pupil, at("usr/games/chess"), nil, false},
		"a copy on a stick":         {pupil, carried, nil, false},
		"a copy through the loader": {pupil, at("lib64/ld-linux-x86-64.so.2"), []string{copied}, false},
		"the program, as root":      {0, at("usr/games/tux"), nil, true},
		"another program":           {pupil, at("usr/bin/geogebra"), []string{"0"}, true},
		"a tool of the pupil's own": {pupil, copyFile(t, "/bin/echo", at("home/own"), pupil), nil, true},
		"a tool of the system":      {pupil, at("usr/bin/ls"), nil, true},
		"a script":                  {pupil, at("usr/bin/quiz"), nil, true},
		"a runner by hand":          {pupil, at("usr/bin/python3"), []string{"/etc/hostname"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := start(t, c.uid, c.path, c.args...); got != c.want {
				t.Errorf("started: %v, want %v", got, c.want)
			}
		})
	}
	t.Run("renamed", func(t *testing.T) {
		must(t, os.Rename(at("usr/games/tux"), at("usr/games/essay")))
		if start(t, pupil, at("usr/games/essay")) {
			t.Error("started")
		}
	})
	t.Run("the pupil is told", func(t *testing.T) {
		eventually(t, "a notice", func() bool {
			return strings.Contains(s.told(), "Tux startet nicht: Die Schule erlaubt dieses Programm auf diesem Gerät nicht.")
		})
	})
	t.Run("everything starts again", func(t *testing.T) {
		set(t, driver, nothing)
		if !start(t, pupil, copied) || !start(t, pupil, at("usr/games/chess")) {
			t.Error("still refused")
		}
		wantState(t, driver, ddm.PartOK, "")
	})
}

// repository makes packages and lets apt know of them and of no others.
func (b *realBook) repository() {
	b.t.Helper()
	repo := filepath.Join(b.own, "repo")
	for name, depends := range map[string]string{"schulwart-test-game": "Depends: schulwart-test-data\n", "schulwart-test-data": "", "schulwart-test-theirs": ""} {
		b.write(filepath.Join(repo, name, "DEBIAN/control"), "Package: "+name+"\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\n"+depends+"Description: x\n")
		b.write(filepath.Join(repo, name, "opt", name, "file"), name)
		b.run("dpkg-deb", "--build", filepath.Join(repo, name), repo)
	}
	b.run("bash", "-c", `cd "$1" && apt-ftparchive packages . >Packages`, "bash", repo)
	must(b.t, os.RemoveAll("/etc/apt/sources.list.d"))
	b.write("/etc/apt/sources.list", "deb [trusted=yes] file:"+repo+" ./\n")
	b.write("/etc/apt/apt.conf.d/00test", "APT::Sandbox::User \"root\";\n")
	b.run("apt-get", "update")
}

func (b *realBook) has(name string) bool {
	_, err := os.Stat("/opt/" + name + "/file")
	return err == nil
}

func TestPackagesComeAndGoWithThePolicy(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	for _, tool := range []string{"apt-get", "apt-ftparchive", "dpkg-deb"} {
		need.Tool(t, tool)
	}
	must(t, os.MkdirAll("/opt", 0o755))
	b := newRealBook(t, "/var/lib/dpkg", "/var/lib/apt", "/var/cache/apt", "/opt")
	b.repository()
	b.run("apt-get", "install", "--yes", "schulwart-test-theirs")
	b.keeps = &host.FakeHolds{Clock: b.clock}
	driver := b.driver("programs")
	list := func() string { return b.run("dpkg-query", "--show") }
	before := list()

	b.isSet(driver, map[string]any{"install": []any{"schulwart-test-game", "schulwart-test-theirs"}})
	if !b.has("schulwart-test-game") || !b.has("schulwart-test-data") {
		t.Fatal("the game or what it needs is not there")
	}
	b.mends(driver, map[string]any{"install": []any{"schulwart-test-game", "schulwart-test-theirs"}}, func() { b.run("apt-get", "remove", "--yes", "schulwart-test-game") })
	if !b.has("schulwart-test-game") {
		t.Error("after the repair the game is not there")
	}

	t.Log("another process takes back what we brought, and nothing else")
	driver = b.driver("programs")
	b.set(driver, nil)
	if b.has("schulwart-test-game") || b.has("schulwart-test-data") || !b.has("schulwart-test-theirs") {
		t.Error("the wrong things are there")
	}
	b.same("the list of packages", before, list())

	t.Log("a package that cannot be had")
	err := driver.Set(context.Background(), settings(t, catalog.Programs, map[string]any{"install": []any{"schulwart-test-none"}}))
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("setting it: %v", err)
	}
	b.reads(driver, ddm.PartDeviating, "family.unfinished")
	b.set(driver, nil)
	b.same("the list of packages", before, list())
}

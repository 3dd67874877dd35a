package linux_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
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

// realBook is a laptop made of this machine: its programs are real, and what they
// may write lies on a file system of the test's own.
type realBook struct {
	t     *testing.T
	clock *host.Fake
	files *host.FakeFiles
	own   string
	keeps host.Holds
}

// newRealBook needs inOwnMounts. The directories are copied, so that nothing of
// the machine itself is touched.
func newRealBook(t *testing.T, dirs ...string) *realBook {
	t.Helper()
	b := &realBook{t: t, clock: host.NewFake(time.Now()), files: &host.FakeFiles{}, own: t.TempDir()}
	b.clock.Advance(time.Hour)
	b.run("mount", "-t", "tmpfs", "-o", "mode=755", "own", b.own)
	t.Cleanup(func() { _, _ = b.try(nil, "umount", "--lazy", b.own) })
	for i, dir := range append([]string{"/etc"}, dirs...) {
		copied := filepath.Join(b.own, string(rune('a'+i)))
		if dir == "/run" { // what runs here is nobody's of the laptop's, and mounts of others are in it
			must(t, os.Mkdir(copied, 0o755))
		} else {
			b.run("cp", "-a", dir, copied)
		}
		b.run("mount", "--bind", copied, dir)
	}
	return b
}

// desktops pretends that these sessions are installed.
func (b *realBook) desktops(sessions ...string) {
	b.t.Helper()
	dir := filepath.Join(b.own, "sessions")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	for _, session := range sessions {
		b.write(filepath.Join(dir, session+".desktop"), "[Desktop Entry]\nType=Application\nExec=true\n")
	}
	if err := os.MkdirAll("/usr/share/xsessions", 0o755); err != nil {
		b.t.Fatal(err)
	}
	b.run("mount", "--bind", dir, "/usr/share/xsessions")
}

func (b *realBook) doors() linux.Doors {
	return linux.Doors{Tree: host.SystemTree{}, Files: b.files, Commands: host.SystemCommands{}, Programs: &host.FakePrograms{}, Desktops: &host.FakeDesktops{}, Clock: b.clock, Holds: b.keeps}
}

func (b *realBook) driver(name string) enforce.Driver {
	b.t.Helper()
	for _, driver := range linux.Families(b.doors()) {
		if string(driver.Part()) == name {
			return driver
		}
	}
	b.t.Fatalf("no driver for %s", name)
	return nil
}

func (b *realBook) set(driver enforce.Driver, raw map[string]any) {
	b.t.Helper()
	family, _ := catalog.Find(string(driver.Part()))
	if err := driver.Set(context.Background(), settings(b.t, family, raw)); err != nil {
		b.t.Fatal(err)
	}
}

// isSet sets and wants everything read back.
func (b *realBook) isSet(driver enforce.Driver, raw map[string]any) {
	b.t.Helper()
	b.set(driver, raw)
	b.reads(driver, ddm.PartOK, "")
}

func (b *realBook) reads(driver enforce.Driver, state ddm.PartState, code string) {
	b.t.Helper()
	b.clock.Advance(time.Hour)
	reading := driver.Check(context.Background())
	got := ""
	if reading.Reason != nil {
		got = reading.Reason.Code
	}
	if reading.State != state || got != code {
		b.t.Fatalf("read back %s %+v, want %s %s", reading.State, reading.Reason, state, code)
	}
}

// mends wants a change from outside to be seen, and gone after the next Set.
func (b *realBook) mends(driver enforce.Driver, raw map[string]any, change func()) {
	b.t.Helper()
	change()
	b.clock.Advance(time.Hour)
	if reading := driver.Check(context.Background()); reading.State != ddm.PartDeviating {
		b.t.Fatalf("a change from outside is not seen: %s %+v", reading.State, reading.Reason)
	}
	b.isSet(driver, raw)
}

func (b *realBook) run(name string, args ...string) string {
	b.t.Helper()
	out, err := b.try(nil, name, args...)
	if err != nil {
		b.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func (b *realBook) try(env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(need.Tool(b.t, name), args...)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=" + b.own}, env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, said.Bytes())
	}
	return strings.TrimSpace(string(out)), err
}

func (b *realBook) write(path, text string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// tree is everything below a directory, to compare before and after.
func (b *realBook) tree(dir string) string {
	b.t.Helper()
	return b.run("bash", "-c", `cd "$1" && find . -printf '%p %y %m %l ' \( -type f -exec sha256sum {} \; -o -printf '\n' \) | sort`, "bash", dir)
}

func (b *realBook) same(what, before, after string) {
	b.t.Helper()
	if before != after {
		b.t.Errorf("%s is not as it was:\n--- before\n%s\n--- after\n%s", what, linesOnlyIn(before, after), linesOnlyIn(after, before))
	}
}

func linesOnlyIn(a, b string) string {
	var lines []string
	for line := range strings.Lines(a) {
		if !strings.Contains(b, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

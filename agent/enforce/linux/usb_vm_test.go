//go:build vm

package linux_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
)

// A stick on a real kernel, in a machine of its own: scripts/vm/usb.sh starts it,
// plugs sticks in where this test says PLUG, and keeps what was said.
func TestAStickOnARealKernel(t *testing.T) {
	b := &realBook{t: t, clock: host.NewFake(time.Now()), files: &host.FakeFiles{}, own: t.TempDir()}
	usb := b.driver("usb-storage")
	disks := func() []string {
		var found []string
		all, _ := filepath.Glob("/sys/block/sd*")
		for _, disk := range all {
			if to, err := filepath.EvalSymlinks(disk); err == nil && strings.Contains(to, "/usb") {
				found = append(found, filepath.Base(disk))
			}
		}
		return found
	}
	// interfaces lists what hangs on USB, as class=authorized.
	interfaces := func() map[string]int {
		seen := map[string]int{}
		all, _ := filepath.Glob("/sys/bus/usb/devices/*:*")
		for _, at := range all {
			class, _ := os.ReadFile(at + "/bInterfaceClass")
			authorized, _ := os.ReadFile(at + "/authorized")
			seen[strings.TrimSpace(string(class))+"="+strings.TrimSpace(string(authorized))]++
		}
		return seen
	}
	say := func(what string) { fmt.Printf("%s: disks %v, interfaces %v\n", what, disks(), interfaces()) }
	run := func(name string, args ...string) error {
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s %v: %w: %s", name, args, err, strings.TrimSpace(string(out)))
		}
		return nil
	}
	stick := func() string { return "/dev/" + disks()[0] }
	mustDo := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	patiently(t, "a stick and a keyboard", func() bool { return len(disks()) == 1 && interfaces()["03=1"] == 1 })
	say("before any rule")
	mustDo(run("mkfs.ext2", "-q", "-F", stick()))
	at := t.TempDir()
	mustDo(run("mount", stick(), at))
	mustDo(os.WriteFile(filepath.Join(at, "work"), []byte("homework\n"), 0o644))

	b.isSet(usb, map[string]any{"access": "blocked"})
	patiently(t, "the stick is gone", func() bool { return len(disks()) == 0 })
	say("blocked, the mounted stick let go of")
	if interfaces()["03=1"] != 1 {
		t.Error("the keyboard is gone, too")
	}
	fmt.Println("PLUG")
	patiently(t, "a second stick, refused", func() bool { return interfaces()["08=0"] == 2 })
	time.Sleep(2 * time.Second) // the kernel's time to make a disk of it all the same
	if len(disks()) != 0 {
		t.Errorf("a stick that was plugged in under the rule is %v", disks())
	}
	if reading := usb.Check(t.Context()); reading.State != ddm.PartOK {
		t.Errorf("read back as %+v", reading)
	}
	say("blocked, a second stick plugged in")

	b.isSet(usb, map[string]any{"access": "read-only"})
	patiently(t, "both sticks", func() bool { return len(disks()) == 2 })
	for _, disk := range disks() {
		patiently(t, disk+" is read only", func() bool {
			ro, _ := os.ReadFile("/sys/block/" + disk + "/ro")
			return strings.TrimSpace(string(ro)) == "1"
		})
		if err := run("dd", "if=/dev/zero", "of=/dev/"+disk, "bs=512", "count=1", "oflag=direct", "conv=fsync"); err == nil {
			t.Errorf("%s was written to", disk)
		}
	}
	say("read only")

	mustDo(usb.Set(t.Context(), nothing))
	patiently(t, "both may be written to", func() bool {
		for _, disk := range disks() {
			if ro, _ := os.ReadFile("/sys/block/" + disk + "/ro"); strings.TrimSpace(string(ro)) != "0" {
				return false
			}
		}
		return len(disks()) == 2
	})
	say("nothing holds")
	found := false
	for _, disk := range disks() {
		if run("mount", "/dev/"+disk, at) == nil {
			kept, _ := os.ReadFile(filepath.Join(at, "work"))
			found = found || string(kept) == "homework\n"
			mustDo(run("umount", at))
		}
	}
	if !found {
		t.Error("what was written before is not on the stick")
	}
	if _, err := os.Stat("/etc/udev/rules.d/99-schulwart-usb-storage.rules"); err == nil {
		t.Error("the rule is left")
	}
}

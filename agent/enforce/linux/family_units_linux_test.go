package linux_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/scripts/need"
	"schulwart.org/scripts/rig"
)

// inSystemd runs the test again within a booted Debian system: real systemd, and
// services that do nothing but be there.
func inSystemd(t *testing.T, services ...string) bool {
	t.Helper()
	const mark = "SCHULWART_TEST_INSIDE"
	if os.Getenv(mark) == t.Name() {
		return true
	}
	if !inOwnMounts(t) {
		return false
	}
	nspawn, nsenter := need.Tool(t, "systemd-nspawn"), need.Tool(t, "nsenter")
	lower := rig.Debian(t)
	dir := t.TempDir()
	must(t, syscall.Mount("sw-units", dir, "tmpfs", 0, "mode=0755"))
	root := filepath.Join(dir, "root")
	for _, name := range []string{"root", "upper", "work"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	must(t, syscall.Mount("sw-units", root, "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, dir, dir)))
	t.Cleanup(func() {
		_ = syscall.Unmount(root, syscall.MNT_DETACH)
		_ = syscall.Unmount(dir, syscall.MNT_DETACH)
	})
	program, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(root, "units.test"), program, 0o755))
	units := filepath.Join(root, "etc/systemd/system")
	must(t, os.MkdirAll(filepath.Join(units, "multi-user.target.wants"), 0o755))
	for _, service := range services {
		text := "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
		must(t, os.WriteFile(filepath.Join(units, service), []byte(text), 0o644))
		must(t, os.Symlink("../"+service, filepath.Join(units, "multi-user.target.wants", service)))
	}
	container := exec.Command(nspawn, "--quiet", "--boot", "--directory="+root, "--machine=sw-units-"+strconv.Itoa(os.Getpid()), "--register=no", "--keep-unit", "--private-network", "--console=pipe", "--kill-signal=SIGRTMIN+4")
	must(t, container.Start())
	t.Cleanup(func() { _ = container.Process.Signal(syscall.SIGTERM); _ = container.Wait() })
	leader := ""
	patiently(t, "the system runs", func() bool {
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", container.Process.Pid, container.Process.Pid))
		leader = strings.TrimSpace(string(children))
		out, _ := exec.Command(nsenter, "--target", leader, "--all", "systemctl", "is-system-running").Output()
		return leader != "" && (strings.HasPrefix(string(out), "running") || strings.HasPrefix(string(out), "degraded"))
	})
	inside := exec.Command(nsenter, "--target", leader, "--all", "/units.test", "-test.run=^"+t.Name()+"$", "-test.v")
	inside.Env = append(os.Environ(), mark+"="+t.Name())
	out, err := inside.CombinedOutput()
	t.Logf("%s", out)
	must(t, err)
	return false
}

func runs(unit string) bool {
	return exec.Command("systemctl", "is-active", "--quiet", unit).Run() == nil
}

func TestServicesAreQuietUnderARealSystemd(t *testing.T) {
	if !inSystemd(t, "bluetooth.service", "smbd.service", "cups.service") {
		return
	}
	clock := host.NewFake(time.Now())
	clock.Advance(time.Hour)
	files := &host.FakeFiles{}
	drivers := map[string]enforce.Driver{}
	for _, driver := range linux.Families(linux.Doors{Tree: host.SystemTree{}, Files: files, Commands: host.SystemCommands{}, Programs: &host.FakePrograms{}, Desktops: &host.FakeDesktops{}, Clock: clock}) {
		drivers[string(driver.Part())] = driver
	}
	sharing, printing := drivers["sharing"], drivers["printing"]
	for _, unit := range []string{"bluetooth.service", "smbd.service", "cups.service"} {
		if !runs(unit) {
			t.Fatalf("%s does not run before", unit)
		}
	}
	set(t, sharing, settings(t, family("sharing"), map[string]any{"bluetooth": false}))
	wantState(t, sharing, ddm.PartOK, "")
	if runs("bluetooth.service") || !runs("smbd.service") {
		t.Errorf("bluetooth runs: %v, smbd runs: %v", runs("bluetooth.service"), runs("smbd.service"))
	}
	// Somebody who may start services cannot start this one.
	_ = exec.Command("systemctl", "start", "bluetooth.service").Run()
	if runs("bluetooth.service") {
		t.Error("started by hand")
	}
	set(t, sharing, settings(t, family("sharing"), map[string]any{"network-shares": false}))
	wantState(t, sharing, ddm.PartOK, "")
	eventually(t, "bluetooth runs again", func() bool { return runs("bluetooth.service") })
	if runs("smbd.service") {
		t.Error("smbd runs")
	}
	set(t, printing, settings(t, family("printing"), map[string]any{"allowed": false}))
	wantState(t, printing, ddm.PartOK, "")
	if runs("cups.service") {
		t.Error("CUPS runs")
	}
	set(t, sharing, nothing)
	set(t, printing, nothing)
	eventually(t, "everything runs again", func() bool { return runs("smbd.service") && runs("cups.service") && runs("bluetooth.service") })
	if left, _ := filepath.Glob("/etc/systemd/system/*.d"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

package rig

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"schulwart.org/scripts/need"
)

// debianPackages are those without which tests could not look.
const debianPackages = "systemd,systemd-sysv,dbus,nftables,iproute2,curl,procps"

// Debian returns a directory with a bare system that can boot, made once and kept
// for later. Tests lay a layer of their own over it and leave it as it is.
func Debian(t testing.TB) string {
	t.Helper()
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(home, ".cache")
	}
	dir := filepath.Join(cache, "schulwart", "bookworm")
	if _, err := os.Stat(filepath.Join(dir, "usr/bin/curl")); err == nil {
		return dir
	}
	debootstrap := need.Tool(t, "debootstrap")
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	building, err := os.MkdirTemp(filepath.Dir(dir), "building-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(building) }()
	if err := os.Chmod(building, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(debootstrap, "--variant=minbase", "--include="+debianPackages, "bookworm", building).CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		need.Missing(t, "a Debian mirror for debootstrap: "+lines[len(lines)-1])
	}
	_ = os.RemoveAll(dir)
	if err := os.Rename(building, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

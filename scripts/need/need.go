// Package need lets a test say which tool of the machine it cannot do without.
// It is imported by tests only.
package need

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// alone reports whether this run shall use nothing but Go, whatever the machine
// has: `make test` is the same everywhere, and takes no browsers' time.
func alone() bool { return os.Getenv("SCHULWART_GO_ALONE") == "1" && !Required() }

// Required reports whether a missing tool is a failure. It is so when
// SCHULWART_REQUIRE_ALL=1, as .ci/run sets it.
func Required() bool { return os.Getenv("SCHULWART_REQUIRE_ALL") == "1" }

// Missing skips the test with one line that says what is missing, or fails it
// when everything is required.
func Missing(t testing.TB, what string) {
	t.Helper()
	if Required() {
		t.Fatalf("missing: %s (SCHULWART_REQUIRE_ALL=1)", what)
	}
	t.Skipf("missing: %s", what)
}

// Tool returns the path of a program, or skips the test if it is not installed.
func Tool(t testing.TB, name string) string {
	t.Helper()
	if alone() {
		Missing(t, name+" (not used by a run with Go alone)")
	}
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, name)
	}
	return path
}

// Zone returns a time zone, or skips the test if the machine does not know it.
func Zone(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		Missing(t, "time zone data: "+err.Error())
	}
	return zone
}

// Beside returns a file of ../shared/data, which lies beside the repository and
// not in it: it is somebody else's, so a machine without it skips the test even
// where everything is required. Root is the repository.
func Beside(t testing.TB, root, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "..", "shared", "data", name))
	if err != nil {
		t.Skipf("missing: ../shared/data/%s", name)
	}
	return data
}

// Module returns a program that Go builds from a module that the project itself
// does not use, "example.org/tool/cmd/tool@v1.2.3", or skips the test where the
// module is not to be had.
func Module(t testing.TB, module string) string {
	t.Helper()
	if alone() {
		Missing(t, module+" (not used by a run with Go alone)")
	}
	folder := t.TempDir()
	build := exec.Command("go", "install", module)
	build.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=")
	if said, err := build.CombinedOutput(); err != nil {
		Missing(t, fmt.Sprintf("%s: %v\n%s", module, err, said))
	}
	program, _, _ := strings.Cut(module, "@")
	return filepath.Join(folder, path.Base(program))
}

// Root skips the test unless it runs as root, as tests with namespaces must.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 || alone() {
		Missing(t, "root (network namespaces)")
	}
}

// Env returns the value of an environment variable, or skips the test if it is
// not set.
func Env(t testing.TB, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" || alone() {
		Missing(t, name+" in the environment")
	}
	return value
}

package web

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/generated.sum anew, as go generate does after templ")

// sums names the content of every component and of what was generated from it.
// It needs Go alone: whoever changes a .templ file and does not run go generate
// leaves a sum behind that no longer fits.
func sums(t *testing.T) string {
	t.Helper()
	sources, err := filepath.Glob("*.templ")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, source := range sources {
		line := source
		for _, name := range []string{source, strings.TrimSuffix(source, ".templ") + "_templ.go"} {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatalf("%v; run go generate ./web", err)
			}
			sum := sha256.Sum256(data)
			line += " " + hex.EncodeToString(sum[:8])
		}
		lines = append(lines, line)
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n") + "\n"
}

func TestGeneratedFilesAreCurrent(t *testing.T) {
	const file = "testdata/generated.sum"
	now := sums(t)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(now), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(recorded) != now {
		t.Errorf("a component was changed without go generate ./web:\n%s", difference(string(recorded), now))
	}
	generated, err := filepath.Glob("*_templ.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range generated {
		if _, err := os.Stat(strings.TrimSuffix(name, "_templ.go") + ".templ"); err != nil {
			t.Errorf("%s comes from nothing", name)
		}
	}
}

// difference lists the lines of now that were not recorded.
func difference(recorded, now string) string {
	var lines []string
	for line := range strings.SplitSeq(now, "\n") {
		if !strings.Contains(recorded, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

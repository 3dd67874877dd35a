package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"schulwart.org/server/store"
)

// What the database knows of people is nobody's who merely has an account on
// the machine, in a directory that is open to all, too.
func TestTheDatabaseIsReadByItsOwnerAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // as an installer leaves it
		t.Fatal(err)
	}
	file := filepath.Join(dir, "schulwart.db")
	s, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + file, KeyFile: filepath.Join(dir, "key")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(found) < 3 {
		t.Fatalf("found %v, %v", found, err)
	}
	for _, one := range found {
		info, err := os.Stat(one)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", filepath.Base(one), info.Mode())
		}
	}
}

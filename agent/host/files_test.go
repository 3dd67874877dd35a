package host

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteReplacesWholeFiles(t *testing.T) {
	dir, err := OpenDir(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Read("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	for _, content := range []string{"first, longer", "second"} {
		if err := dir.Write("a", []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, _ := dir.Read("a"); string(got) != content {
			t.Errorf("got %q, want %q", got, content)
		}
	}
	info, _ := os.Stat(dir.Path("a"))
	if info.Mode().Perm() != 0o600 {
		t.Errorf("readable by others: %v", info.Mode())
	}
}

// A kill between write and rename leaves the new file beside the old one.
func TestAKillBeforeTheRenameLeavesTheFormerContent(t *testing.T) {
	path := t.TempDir()
	dir, _ := OpenDir(path)
	_ = dir.Write("a", []byte("former"))
	_ = os.WriteFile(filepath.Join(path, "a.new"), []byte("ha"), 0o600)
	if got, _ := dir.Read("a"); string(got) != "former" {
		t.Errorf("got %q", got)
	}
	if err := dir.Write("a", []byte("next")); err != nil {
		t.Fatal(err)
	}
	if got, _ := dir.Read("a"); string(got) != "next" {
		t.Errorf("got %q", got)
	}
}

func TestOverwriteKeepsTheSize(t *testing.T) {
	dir, _ := OpenDir(t.TempDir())
	_ = dir.Overwrite("c", []byte(strings.Repeat("a", 64)))
	_ = dir.Overwrite("c", []byte(strings.Repeat("b", 64)))
	got, _ := dir.Read("c")
	if !bytes.Equal(got, []byte(strings.Repeat("b", 64))) {
		t.Errorf("got %q", got)
	}
}

func TestALinkInThePlaceOfABoxGoesAway(t *testing.T) {
	base := t.TempDir()
	elsewhere, path := filepath.Join(base, "elsewhere"), filepath.Join(base, "box")
	if err := os.Mkdir(elsewhere, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, path); err != nil {
		t.Fatal(err)
	}
	box, err := OpenBox(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Write("name", []byte("text")); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) != 0 {
		t.Errorf("what is ours lies elsewhere: %v, %v", entries, err)
	}
	if info, err := os.Lstat(path); err != nil || !info.IsDir() {
		t.Errorf("there is no folder: %v, %v", info, err)
	}
}

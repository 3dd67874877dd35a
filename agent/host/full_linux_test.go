package host

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"schulwart.org/scripts/need"
)

// The disk of the test is a tmpfs in a mount namespace of its own, so the test
// runs itself again below unshare.
func TestAFullDiskKeepsWhatWasAndStoresOneMore(t *testing.T) {
	if dir := os.Getenv("SCHULWART_TEST_FULL"); dir != "" {
		fillDisk(t, dir)
		return
	}
	need.Root(t)
	need.Tool(t, "unshare")
	dir := t.TempDir()
	script := fmt.Sprintf("mount -t tmpfs -o size=1m tmpfs %s && exec %s -test.run '^%s$' -test.v", dir, os.Args[0], t.Name())
	cmd := exec.Command("unshare", "-m", "sh", "-c", script)
	cmd.Env = append(os.Environ(), "SCHULWART_TEST_FULL="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		if strings.Contains(string(out), "Operation not permitted") {
			need.Missing(t, "permission to mount in an own namespace")
		}
		t.Fatalf("%v\n%s", err, out)
	}
}

func fillDisk(t *testing.T, path string) {
	dir, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	slot := []byte(strings.Repeat("x", 512))
	if err := dir.Overwrite("clock", slot); err != nil {
		t.Fatal(err)
	}
	if err := dir.Write("memory", []byte("former")); err != nil {
		t.Fatal(err)
	}
	junk, _ := os.Create(filepath.Join(path, "junk"))
	for block := make([]byte, 4096); ; {
		if _, err := junk.Write(block); err != nil {
			break
		}
	}
	_ = junk.Close()
	if err := dir.Write("memory", []byte("one more")); err != nil {
		t.Errorf("the reserve did not help: %v", err)
	}
	junk, _ = os.OpenFile(filepath.Join(path, "junk"), os.O_APPEND|os.O_WRONLY, 0)
	for block := make([]byte, 4096); ; {
		if _, err := junk.Write(block); err != nil {
			break
		}
	}
	_ = junk.Close()
	err = dir.Write("memory", []byte(strings.Repeat("too much", 4096)))
	if err == nil || !IsFull(err) {
		t.Errorf("a full disk was not told: %v", err)
	}
	if got, _ := dir.Read("memory"); string(got) != "one more" {
		t.Errorf("what was is lost: %q", got)
	}
	if err := dir.Overwrite("clock", []byte(strings.Repeat("y", 512))); err != nil {
		t.Errorf("the clock could not be kept on a full disk: %v", err)
	}
	_ = os.Remove(filepath.Join(path, "junk"))
	if err := dir.Write("memory", []byte("after")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(path, reserveName)); err != nil {
		t.Error("the reserve was not taken again")
	}
}

package linux

import (
	"os"
	"path/filepath"
	"testing"

	"schulwart.org/agent/host"
)

func newOwned(root string, files host.Files) *owned {
	return &owned{tree: host.SystemTree{Root: root}, files: files, name: "test.json"}
}

// On a real file system: a link that led elsewhere, a directory that was not
// there, permissions.
func TestOwnedFilesLeaveARealDirectoryAsItWas(t *testing.T) {
	root, files := t.TempDir(), &host.FakeFiles{}
	at := func(path string) string { return filepath.Join(root, path) }
	if err := os.Mkdir(at("etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("etc/target"), []byte("through the link"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target", at("etc/link")); err != nil {
		t.Fatal(err)
	}
	o := newOwned(root, files)
	wanted := map[string]File{"/etc/link": {Data: []byte("ours")}, "/etc/deep/er/secret": {Data: []byte{0xff, 0x00, 0xfe}, Mode: 0o600}}
	if changed, err := o.set(wanted); err != nil || len(changed) != 2 {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if changed, err := o.set(wanted); err != nil || len(changed) != 0 {
		t.Fatalf("changed %v the second time, %v", changed, err)
	}
	if info, err := os.Stat(at("etc/deep/er/secret")); err != nil || info.Mode() != 0o600 {
		t.Errorf("the secret: %v, %v", info.Mode(), err)
	}
	if data, _ := os.ReadFile(at("etc/target")); string(data) != "through the link" {
		t.Errorf("written through the link: %q", data)
	}
	if differs := o.differs(wanted); differs != "" {
		t.Errorf("%s differs", differs)
	}
	if err := os.Chmod(at("etc/deep/er/secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	if differs := o.differs(wanted); differs != "/etc/deep/er/secret" {
		t.Errorf("that everybody can read the secret now is not seen: %q", differs)
	}
	if _, err := o.set(wanted); err != nil {
		t.Fatal(err)
	}
	// Another process takes it back.
	o = newOwned(root, files)
	if _, err := o.set(nil); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(at("etc/link")); err != nil || to != "target" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if _, err := os.Stat(at("etc/deep")); !os.IsNotExist(err) {
		t.Errorf("a directory stays: %v", err)
	}
}

func TestFilesThatAnEarlierAgentKeptAreGivenBack(t *testing.T) {
	root, files := t.TempDir(), &host.FakeFiles{}
	if err := files.Write("test.json", []byte(`{"foreign":{"/a":"theirs","/b":null},"ours":{"/a":"ours","/b":"ours"},"made":[]}`)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte("ours"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := newOwned(root, files).set(nil); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(root, "a")); string(data) != "theirs" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := os.Stat(filepath.Join(root, "b")); !os.IsNotExist(err) {
		t.Errorf("what was not there before stays: %v", err)
	}
}

func TestOnAFullDiskNothingIsTouchedAndAllOrNoneIsWritten(t *testing.T) {
	tree, files := &host.FakeTree{Fail: map[string]error{"/b": os.ErrPermission}}, &host.FakeFiles{}
	if _, err := tree.Write("/a", []byte("theirs")); err != nil {
		t.Fatal(err)
	}
	o := &owned{tree: tree, files: files, name: "test.json"}
	if _, err := o.set(map[string]File{"/a": {Data: []byte("ours")}, "/b": {Data: []byte("ours")}}); err == nil {
		t.Error("no fault although /b cannot be written")
	}
	if data, _ := tree.Read("/a"); string(data) != "theirs" {
		t.Errorf("half is written: %q", data)
	}
	files.SetFull(true)
	tree.Fail = nil
	o = &owned{tree: tree, files: files, name: "other.json"}
	if _, err := o.set(map[string]File{"/a": {Data: []byte("ours")}}); err == nil {
		t.Error("no fault although nothing can be remembered")
	}
	if data, _ := tree.Read("/a"); string(data) != "theirs" {
		t.Errorf("touched without a memory of what was there: %q", data)
	}
}

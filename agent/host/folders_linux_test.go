package host

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"schulwart.org/scripts/need"
)

const pupil = 54321

// home is a pupil's home with a desktop, and beside it something of root's that
// nobody else may read.
func home(t *testing.T) (d Desktop, desk, secret string) {
	t.Helper()
	need.Root(t)
	dir := t.TempDir()
	make := func(path string, uid int, mode os.FileMode) string {
		t.Helper()
		if err := os.MkdirAll(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Chown(path, uid, uid), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	make(dir, 0, 0o755)
	make(filepath.Join(dir, "home"), pupil, 0o700)
	make(filepath.Join(dir, "home", ".config"), pupil, 0o700)
	desk = make(filepath.Join(dir, "home", "Arbeitsfläche"), pupil, 0o755)
	write(t, filepath.Join(dir, "home", ".config", "user-dirs.dirs"), "# mine\nXDG_DESKTOP_DIR=\"$HOME/Arbeitsfläche\"\n", pupil)
	secret = make(filepath.Join(dir, "secret"), 0, 0o700)
	write(t, filepath.Join(secret, "shadow"), "root:secret", 0)
	return Desktop{UID: pupil, GID: pupil, Env: []string{"HOME=" + filepath.Join(dir, "home")}}, desk, secret
}

func write(t *testing.T, path, content string, uid int) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Lchown(path, uid, uid)); err != nil {
		t.Fatal(err)
	}
}

// plain reads all that can be handed in, and names what cannot.
func plain(t *testing.T, f Folder) (content map[string]string, left []string, err error) {
	t.Helper()
	content = map[string]string{}
	err = SystemFolders().Visit(f, 8, 100, func(file FolderFile) error {
		if !file.Plain {
			left = append(left, file.Path)
			return nil
		}
		if file.Size > 1<<20 {
			left = append(left, file.Path)
			return nil
		}
		var all bytes.Buffer
		if err := file.Read(1000, func(piece []byte) error { all.Write(piece); return nil }); err != nil {
			left = append(left, file.Path)
			return nil
		}
		content[file.Path] = all.String()
		return nil
	})
	return content, left, err
}

func lay(t *testing.T, f Folder, name, content string) error {
	t.Helper()
	return SystemFolders().Put(f, name, func(write func([]byte) error) error { return write([]byte(content)) })
}

func TestAFolderOnTheDesktopBelongsToThePupil(t *testing.T) {
	d, desk, _ := home(t)
	folders := SystemFolders()
	f, err := folders.Make(d, "Mathe")
	if err != nil || f.Path != desk+"/Mathe" {
		t.Fatalf("%+v %v", f, err)
	}
	if again, err := folders.Make(d, "Mathe"); err != nil || again != f {
		t.Errorf("made twice: %+v %v", again, err)
	}
	if err := lay(t, f, "Blatt.pdf", "Aufgabe 1"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{f.Path, f.Path + "/Blatt.pdf"} {
		var stat unix.Stat_t
		if err := unix.Lstat(path, &stat); err != nil || int(stat.Uid) != pupil || int(stat.Gid) != pupil || stat.Mode&0o077 != 0 || stat.Nlink > 2 {
			t.Errorf("%s: %+v %v", path, stat, err)
		}
	}
	write(t, f.Path+"/Blatt.pdf", "meine Antwort", pupil)
	if err := lay(t, f, "Blatt.pdf", "Aufgabe 1"); err != nil {
		t.Errorf("laid again: %v", err)
	}
	got, left, err := plain(t, f)
	if err != nil || len(left) > 0 || !maps.Equal(got, map[string]string{"Blatt.pdf": "meine Antwort"}) {
		t.Errorf("%v %v %v", got, left, err)
	}
	// Closed, the pupil gets no further; we do, and give it back.
	if err := folders.Close(f); err != nil {
		t.Fatal(err)
	}
	err = person{pupil, pupil}.do(func() error { _, err := os.ReadFile(f.Path + "/Blatt.pdf"); return err })
	if !errors.Is(err, os.ErrPermission) {
		t.Errorf("the pupil reads on: %v", err)
	}
	if got, _, err := plain(t, f); err != nil || got["Blatt.pdf"] != "meine Antwort" {
		t.Errorf("closed: %v %v", got, err)
	}
	if err := folders.Reopen(f); err != nil {
		t.Fatal(err)
	}
	err = person{pupil, pupil}.do(func() error { _, err := os.ReadFile(f.Path + "/Blatt.pdf"); return err })
	if err != nil {
		t.Errorf("given back: %v", err)
	}
	if os.Getuid() != 0 {
		t.Error("the test is somebody else now")
	}
}

func TestWhateverLiesInTheFolderOnlyThePupilsOwnIsRead(t *testing.T) {
	d, _, secret := home(t)
	f, err := SystemFolders().Make(d, "Mathe")
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(f.Path, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write(t, in("Aufsatz.txt"), "meins", pupil)
	must(os.Symlink(filepath.Join(secret, "shadow"), in("link")))
	must(os.Symlink(secret, in("folder-link")))
	must(os.Symlink("/proc/self/mem", in("memory")))
	must(os.Link(filepath.Join(secret, "shadow"), in("hard-link")))
	must(unix.Mkfifo(in("pipe"), 0o666))
	must(os.Lchown(in("pipe"), pupil, pupil))
	must(unix.Mknod(in("device"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))))
	must(os.Lchown(in("device"), pupil, pupil))
	write(t, in("sparse"), "", pupil)
	must(os.Truncate(in("sparse"), 1<<40))
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	must(err)
	defer unix.Close(socket)
	must(unix.Bind(socket, &unix.SockaddrUnix{Name: in("socket")}))
	must(os.Lchown(in("socket"), pupil, pupil))
	write(t, in("locked"), "x", pupil)
	must(os.Chmod(in("locked"), 0))
	must(os.Mkdir(in("loop"), 0o700))
	must(os.Lchown(in("loop"), pupil, pupil))
	must(os.Symlink("..", in("loop/up")))
	deep := f.Path
	for range 12 {
		deep += "/tief"
		must(os.Mkdir(deep, 0o700))
		must(os.Lchown(deep, pupil, pupil))
	}
	write(t, deep+"/unten.txt", "x", pupil)
	got, left, err := plain(t, f)
	if err != nil || !maps.Equal(got, map[string]string{"Aufsatz.txt": "meins"}) {
		t.Errorf("what is handed in: %v %v", got, err)
	}
	slices.Sort(left)
	if want := []string{"device", "folder-link", "hard-link", "link", "locked", "loop/up", "memory", "pipe", "socket", "sparse", strings.Repeat("tief/", 7) + "tief"}; !slices.Equal(left, want) {
		t.Errorf("what is left out: %v, not %v", left, want)
	}
	// What is deleted afterwards is what lies there, never what it leads to.
	if err := SystemFolders().Clear(f, []string{"Aufsatz.txt", "link", "folder-link/shadow", "loop/up"}); err == nil {
		t.Error("a path through a link was followed")
	}
	if data, err := os.ReadFile(filepath.Join(secret, "shadow")); err != nil || string(data) != "root:secret" {
		t.Errorf("root's file: %q %v", data, err)
	}
}

func TestNothingElseIsTakenForTheFolder(t *testing.T) {
	folders := SystemFolders()
	for name, swap := range map[string]func(f Folder, secret string) error{
		"a link to root's folder": func(f Folder, secret string) error {
			return errors.Join(os.Rename(f.Path, f.Path+" weg"), os.Symlink(secret, f.Path))
		},
		"root's folder itself": func(f Folder, secret string) error {
			return errors.Join(os.Rename(f.Path, f.Path+" weg"), os.Rename(secret, f.Path))
		},
		"a pipe": func(f Folder, _ string) error {
			return errors.Join(os.Rename(f.Path, f.Path+" weg"), unix.Mkfifo(f.Path, 0o666))
		},
		"nothing": func(f Folder, _ string) error { return os.Rename(f.Path, f.Path+" weg") },
		"a desktop that is a link": func(f Folder, secret string) error {
			desk := filepath.Dir(f.Path)
			return errors.Join(os.Rename(desk, desk+" weg"), os.Mkdir(secret+"/Mathe", 0o700), os.Symlink(secret, desk))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, _, secret := home(t)
			f, err := folders.Make(d, "Mathe")
			if err != nil {
				t.Fatal(err)
			}
			if err := swap(f, secret); err != nil {
				t.Fatal(err)
			}
			if got, left, err := plain(t, f); !errors.Is(err, ErrNoFolder) {
				t.Errorf("read: %v %v %v", got, left, err)
			}
			if err := lay(t, f, "Blatt.pdf", "x"); !errors.Is(err, ErrNoFolder) {
				t.Errorf("laid: %v", err)
			}
			for what, err := range map[string]error{"closed": folders.Close(f), "given": folders.Reopen(f), "cleared": folders.Clear(f, []string{"shadow"})} {
				if !errors.Is(err, ErrNoFolder) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if name != "root's folder itself" {
				var stat unix.Stat_t
				if err := unix.Stat(secret, &stat); err != nil || stat.Uid != 0 || stat.Mode&0o777 != 0o700 {
					t.Errorf("root's folder: %+v %v", stat, err)
				}
			}
		})
	}
}

func TestTheFolderTakesAnotherNameBesideWhatIsNotThePupils(t *testing.T) {
	d, desk, secret := home(t)
	if err := os.Symlink(secret, desk+"/Mathe"); err != nil {
		t.Fatal(err)
	}
	f, err := SystemFolders().Make(d, "Mathe")
	if err != nil || f.Path != desk+"/Mathe (2)" {
		t.Errorf("%+v %v", f, err)
	}
	for _, bad := range []Desktop{{UID: 0, Env: d.Env}, {UID: pupil, GID: pupil}, {UID: pupil, GID: pupil, Env: []string{"HOME=relative"}}, {UID: pupil, GID: pupil, Env: []string{"HOME=" + secret}}} {
		if f, err := SystemFolders().Make(bad, "Mathe"); err == nil {
			t.Errorf("made for %+v: %+v", bad, f)
		}
	}
	if entries, _ := os.ReadDir(secret); len(entries) != 1 {
		t.Errorf("root's folder holds %v", entries)
	}
}

func TestAFolderIsClearedWithItsFoldersAndKeepsWhatElseIsThere(t *testing.T) {
	d, _, _ := home(t)
	folders := SystemFolders()
	f, err := folders.Make(d, "Mathe")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/a", "/a/b"} {
		if err := errors.Join(os.Mkdir(f.Path+dir, 0o700), os.Lchown(f.Path+dir, pupil, pupil)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"eins.txt", "a/zwei.txt", "a/b/drei.txt", "a/mehr.txt"} {
		write(t, f.Path+"/"+name, name, pupil)
	}
	if err := folders.Close(f); err != nil {
		t.Fatal(err)
	}
	if err := folders.Clear(f, []string{"eins.txt", "a/zwei.txt", "a/b/drei.txt"}); err == nil {
		t.Error("the folder is gone with what was not handed in")
	}
	if got, _, err := plain(t, f); err != nil || !maps.Equal(got, map[string]string{"a/mehr.txt": "a/mehr.txt"}) {
		t.Errorf("%v %v", got, err)
	}
	if err := folders.Clear(f, []string{"a/mehr.txt"}); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(f.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder stays: %v", err)
	}
}

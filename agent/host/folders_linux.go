package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// SystemFolders returns the folders of this machine.
func SystemFolders() Folders { return systemFolders{} }

type systemFolders struct{}

// person does things with somebody's rights on files and no others: where a link
// leads, the kernel lets us go no further than them. It holds for one thread, and
// only for what is opened: through what is open, anybody of ours may read.
type person struct{ uid, gid int }

// root is nobody else.
var root = person{-1, -1}

func (p person) do(what func() error) error {
	if p.uid < 0 || os.Geteuid() != 0 {
		return what()
	}
	runtime.LockOSThread()
	// A thread that cannot be made ours again ends with its goroutine.
	if err := unix.Setfsgid(p.gid); err != nil {
		return err
	}
	if err := unix.Setfsuid(p.uid); err != nil {
		return err
	}
	// Neither call says whether it worked; asked for nobody, they say who it is.
	if uid, _ := unix.SetfsuidRetUid(-1); uid != p.uid {
		return fmt.Errorf("acting as %d: %w", p.uid, unix.EPERM)
	}
	err := what()
	_, _ = unix.Setfsuid(0), unix.Setfsgid(0)
	if uid, _ := unix.SetfsuidRetUid(-1); uid == 0 {
		runtime.UnlockOSThread()
	}
	return err
}

// open opens something by its name in a directory, never through a link, and waits
// for no pipe.
func (p person) open(dir int, name string, flags int, mode uint32) (fd int, err error) {
	err = p.do(func() error {
		fd, err = unix.Openat(dir, name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, mode)
		return err
	})
	return fd, err
}

// directory opens a directory. Up to it, links are followed: homes are often
// behind one. The kernel asks for the person's rights on all of it.
func (p person) directory(name string) (int, error) {
	return p.open(unix.AT_FDCWD, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
}

func env(d Desktop, name string) string {
	for _, entry := range d.Env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// desk finds the person's desktop, in the language that it was made in; without
// one it is the home.
// https://www.freedesktop.org/wiki/Software/xdg-user-dirs/
func (p person) desk(home string) string {
	if fd, err := p.open(unix.AT_FDCWD, home+"/.config/user-dirs.dirs", unix.O_RDONLY, 0); err == nil {
		file := os.NewFile(uintptr(fd), "user-dirs")
		text, _ := io.ReadAll(io.LimitReader(file, 64<<10))
		file.Close()
		for line := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), `XDG_DESKTOP_DIR="$HOME/`); ok {
				if name := strings.Trim(value, `"/`); name != "" && p.is(home+"/"+name) {
					return home + "/" + name
				}
			}
		}
	}
	for _, name := range []string{"/Schreibtisch", "/Desktop"} {
		if p.is(home + name) {
			return home + name
		}
	}
	return home
}

func (p person) is(dir string) bool {
	fd, err := p.directory(dir)
	if err == nil {
		unix.Close(fd)
	}
	return err == nil
}

// Make makes the folder as the person would. Where something else has the name, it
// takes another one.
func (systemFolders) Make(d Desktop, name string) (Folder, error) {
	home := env(d, "HOME")
	if !IsPerson(d.UID) || !path.IsAbs(home) || strings.Contains(name, "/") {
		return Folder{}, errors.New("host: this session has no home")
	}
	who := person{d.UID, d.GID}
	desk := who.desk(path.Clean(home))
	for n := 1; n < 10; n++ {
		f := Folder{UID: d.UID, GID: d.GID, Path: desk + "/" + name}
		if n > 1 {
			f.Path += " (" + strconv.Itoa(n) + ")"
		}
		err := who.do(func() error { return unix.Mkdir(f.Path, 0o700) })
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return Folder{}, fmt.Errorf("making folder: %w", err)
		}
		fd, err := who.directory(f.Path)
		if err != nil {
			continue
		}
		var stat unix.Stat_t
		err = unix.Fstat(fd, &stat)
		unix.Close(fd)
		if err == nil && int(stat.Uid) == d.UID {
			f.Device, f.Inode = stat.Dev, stat.Ino
			return f, nil
		}
	}
	return Folder{}, errors.New("host: every name of the folder is taken")
}

// handle opens the folder, and says with whose rights: the person's, or ours while
// it is closed.
func (f Folder) handle() (int, person, error) {
	for _, who := range []person{{f.UID, f.GID}, root} {
		fd, err := who.directory(f.Path)
		if err != nil {
			continue
		}
		var stat unix.Stat_t
		err = unix.Fstat(fd, &stat)
		same := stat.Dev == f.Device && stat.Ino == f.Inode
		if err == nil && (who != root && int(stat.Uid) == f.UID || who == root && same) {
			return fd, who, nil
		}
		unix.Close(fd)
	}
	return -1, root, ErrNoFolder
}

// Put writes beside and gives the file its name when it is whole.
func (systemFolders) Put(f Folder, name string, content func(write func([]byte) error) error) error {
	fd, who, err := f.handle()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	const beside = ".schulwart-part"
	_ = who.do(func() error { return unix.Unlinkat(fd, beside, 0) })
	part, err := who.open(fd, beside, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("laying %s: %w", name, err)
	}
	file := os.NewFile(uintptr(part), beside)
	err = content(func(data []byte) error { _, err := file.Write(data); return err })
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = who.do(func() error { return unix.Linkat(fd, beside, fd, name, 0) })
		if errors.Is(err, unix.EEXIST) {
			err = nil
		} else if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOTSUP) { // no hard links there
			err = who.do(func() error { return unix.Renameat2(fd, beside, fd, name, unix.RENAME_NOREPLACE) })
		}
	}
	_ = who.do(func() error { return unix.Unlinkat(fd, beside, 0) })
	if err != nil {
		return fmt.Errorf("laying %s: %w", name, err)
	}
	return nil
}

// walk is a walk through a folder.
type walk struct {
	who    person
	uid    uint32
	device uint64
	most   int
	depth  int
	each   func(FolderFile) error
}

// Visit walks through the folder. It leaves the file system on which the folder
// lies for nothing: what somebody mounted into it is not theirs to hand in.
func (systemFolders) Visit(f Folder, depth, most int, each func(FolderFile) error) error {
	fd, who, err := f.handle()
	if err != nil {
		return err
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		unix.Close(fd)
		return err
	}
	w := &walk{who: who, uid: uint32(f.UID), device: stat.Dev, most: most, depth: depth, each: each}
	return w.into(fd, "")
}

func (w *walk) into(fd int, below string) error {
	dir := os.NewFile(uintptr(fd), "folder")
	defer dir.Close()
	names, err := dir.Readdirnames(w.most)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if w.most--; w.most < 0 {
			return nil
		}
		if err := w.entry(fd, name, path.Join(below, name)); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) entry(dir int, name, full string) error {
	var stat unix.Stat_t
	if err := w.who.do(func() error { return unix.Fstatat(dir, name, &stat, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT) }); err != nil {
		return nil // it went meanwhile
	}
	found := FolderFile{Path: full, Size: stat.Size, Modified: time.Unix(stat.Mtim.Sec, stat.Mtim.Nsec).UTC()}
	kind := stat.Mode & unix.S_IFMT
	if stat.Uid != w.uid || stat.Dev != w.device || kind != unix.S_IFREG && kind != unix.S_IFDIR {
		return w.each(found)
	}
	if kind == unix.S_IFDIR {
		if strings.Count(full, "/")+1 >= w.depth {
			return w.each(found)
		}
		fd, err := w.who.open(dir, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil || !sameFile(fd, stat) {
			return w.each(found)
		}
		return w.into(fd, full)
	}
	found.Plain = true
	found.Stamp = fmt.Sprint(stat.Ino, stat.Size, stat.Mtim.Nano(), stat.Ctim.Nano())
	found.Read = func(piece int, each func([]byte) error) error {
		fd, err := w.who.open(dir, name, unix.O_RDONLY, 0)
		if err != nil {
			return err
		}
		if !sameFile(fd, stat) {
			return ErrNoFolder
		}
		file := os.NewFile(uintptr(fd), "file")
		defer file.Close()
		return inPieces(io.LimitReader(file, stat.Size), piece, each)
	}
	return w.each(found)
}

// sameFile reports whether what was opened is what was looked at; otherwise it
// closes it.
func sameFile(fd int, stat unix.Stat_t) bool {
	var now unix.Stat_t
	if unix.Fstat(fd, &now) == nil && now.Ino == stat.Ino && now.Dev == stat.Dev && now.Uid == stat.Uid && now.Mode&unix.S_IFMT == stat.Mode&unix.S_IFMT {
		return true
	}
	unix.Close(fd)
	return false
}

// Close makes the folder root's. On a file system where root is nobody it stays
// the person's.
func (systemFolders) Close(f Folder) error { return f.own(0, 0) }

// Reopen gives it back.
func (systemFolders) Reopen(f Folder) error { return f.own(f.UID, f.GID) }

func (f Folder) own(uid, gid int) error {
	fd, _, err := f.handle()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if os.Geteuid() != 0 {
		return fs.ErrPermission
	}
	return errors.Join(unix.Fchmod(fd, 0o700), unix.Fchown(fd, uid, gid))
}

// Clear deletes by name within directories that are open, and never what a link
// leads to.
func (s systemFolders) Clear(f Folder, files []string) error {
	fd, who, err := f.handle()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var dirs []string
	for _, file := range files {
		dir := path.Dir(file)
		if err := who.in(fd, dir, func(in int) error { return unix.Unlinkat(in, path.Base(file), 0) }); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("clearing folder: %w", err)
		}
		for ; dir != "."; dir = path.Dir(dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	dirs = slices.Compact(dirs)
	slices.Reverse(dirs)
	for _, dir := range dirs { // the inner ones first; what is not empty stays
		_ = who.in(fd, path.Dir(dir), func(in int) error { return unix.Unlinkat(in, path.Base(dir), unix.AT_REMOVEDIR) })
	}
	// Only an empty directory goes: whatever it is by now, nothing is lost with it.
	return person{f.UID, f.GID}.do(func() error { return unix.Rmdir(f.Path) })
}

// in does something in a directory below an open one.
func (p person) in(fd int, dir string, do func(in int) error) error {
	at, err := unix.Dup(fd)
	if err != nil {
		return err
	}
	if dir != "." {
		for part := range strings.SplitSeq(dir, "/") {
			next, err := p.open(at, part, unix.O_RDONLY|unix.O_DIRECTORY, 0)
			unix.Close(at)
			if err != nil {
				return err
			}
			at = next
		}
	}
	defer unix.Close(at)
	return p.do(func() error { return do(at) })
}

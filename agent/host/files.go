package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// Dir keeps files in a directory.
type Dir struct {
	path  string
	sync  bool
	guest bool // takes no reserve

	mu sync.Mutex
}

// reserve is held back on disk and given up when the disk is full, so that one
// more lease, or the end of one, can be stored.
const (
	reserveName = "reserve"
	reserveSize = 256 << 10
)

// OpenDir returns files in a directory, which it creates. Others may pass
// through the directory to the agent's socket but not list it.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o711); err != nil {
		return nil, fmt.Errorf("opening state directory: %w", err)
	}
	d := &Dir{path: path, sync: true}
	d.hold()
	return d, nil
}

// LookDir returns files in a directory as it is, for a look or a sweep beside the
// agent. Nothing is created before something is written.
func LookDir(path string) *Dir { return &Dir{path: path, sync: true, guest: true} }

// OpenBox returns files in a directory beside others, which it creates. It takes no
// reserve and gives none up: what lies there is large, and must not use up what the
// agent needs to go on. A link in its place goes away: whoever laid it would choose
// where files lie that the system's own installers read.
func OpenBox(path string) (*Dir, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("opening box: %w", err)
		}
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("opening box: %w", err)
	}
	return LookDir(path), nil
}

// OpenCasual returns files in a directory that need not survive a power cut, for
// many simulated devices on one disk.
func OpenCasual(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("opening state directory: %w", err)
	}
	return &Dir{path: path}, nil
}

// Names lists the files.
func (d *Dir) Names() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("listing files: %w", err)
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, nil
}

// Path returns where a file lies.
func (d *Dir) Path(name string) string { return filepath.Join(d.path, name) }

// Read returns the content of a file.
func (d *Dir) Read(name string) ([]byte, error) { return os.ReadFile(d.Path(name)) }

// Write replaces a file: write beside, fsync, rename, fsync the directory.
func (d *Dir) Write(name string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.write(name, data)
	if full(err) && d.sync && os.Remove(d.Path(reserveName)) == nil {
		err = d.write(name, data)
	} else if err == nil {
		d.hold()
	}
	return err
}

func (d *Dir) write(name string, data []byte) error {
	beside := d.Path(name + ".new")
	if err := d.fill(beside, os.O_TRUNC, data); err != nil {
		_ = os.Remove(beside)
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Rename(beside, d.Path(name)); err != nil {
		return fmt.Errorf("replacing %s: %w", name, err)
	}
	return d.syncDir()
}

// Overwrite writes a file in place.
func (d *Dir) Overwrite(name string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fill(d.Path(name), 0, data); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// Remove deletes a file.
func (d *Dir) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := os.Remove(d.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", name, err)
	}
	return d.syncDir()
}

func (d *Dir) fill(path string, flags int, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flags, 0o600)
	if err != nil {
		return err
	}
	if _, err = file.Write(data); err == nil && d.sync {
		err = file.Sync()
	}
	// A full disk may show itself as late as here.
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

func (d *Dir) syncDir() error {
	if !d.sync || runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(d.path)
	if err != nil {
		return fmt.Errorf("syncing state directory: %w", err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("syncing state directory: %w", err)
	}
	return nil
}

// hold takes the reserve if it is missing. Zeros would be stored as a hole on
// some file systems, so the bytes differ.
func (d *Dir) hold() {
	if !d.sync || d.guest {
		return
	}
	path := d.Path(reserveName)
	if info, err := os.Stat(path); err == nil && info.Size() == reserveSize {
		return
	}
	data := make([]byte, reserveSize)
	for i := range data {
		data[i] = byte(i*7 + i>>8)
	}
	if err := d.fill(path, os.O_TRUNC, data); err != nil {
		_ = os.Remove(path)
	}
}

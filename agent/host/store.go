package host

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Store keeps large files that come piece by piece.
type Store interface {
	Files
	// Path returns where a file lies, for programs of the system.
	Path(name string) string
	// Size returns how long a file is, in bytes; 0 if there is none.
	Size(name string) (int64, error)
	// Grow writes at the offset, durably, and drops what lay behind it.
	Grow(name string, at int64, data []byte) error
	// Sum returns the SHA-256 of the content.
	Sum(name string) ([]byte, error)
	// Part returns bytes from an offset on, at most so many; fewer, or none, where the
	// file ends.
	Part(name string, at int64, most int) ([]byte, error)
}

// ErrSum says that a file's content is not what it should be.
var ErrSum = errors.New("host: the content is another one")

// Size returns how long a file is.
func (d *Dir) Size(name string) (int64, error) {
	info, err := os.Stat(d.Path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("looking at %s: %w", name, err)
	}
	return info.Size(), nil
}

// Grow writes at the offset and drops what lay behind it. A crash leaves a
// beginning of the file.
func (d *Dir) Grow(name string, at int64, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	file, err := os.OpenFile(d.Path(name), os.O_WRONLY|os.O_CREATE, 0o644) //nolint:gosec // the system's installers read it, each as its own user
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err = file.Truncate(at); err == nil {
		_, err = file.WriteAt(data, at)
	}
	if err == nil && d.sync {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return d.syncDir()
}

// Sum returns the SHA-256 of the content.
func (d *Dir) Sum(name string) ([]byte, error) {
	file, err := os.Open(d.Path(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return sum.Sum(nil), nil
}

// Part returns bytes from an offset on.
func (d *Dir) Part(name string, at int64, most int) ([]byte, error) {
	file, err := os.Open(d.Path(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data := make([]byte, most)
	n, err := file.ReadAt(data, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return data[:n], nil
}

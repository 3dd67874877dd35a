package host

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Place copies a file to the path, in one step, and as large as it may be: what
// is there afterwards has the SHA-256, or nothing has changed and the error is
// ErrSum. It follows no link to the file.
func (t SystemTree) Place(path, from string, mode fs.FileMode, sum []byte) error {
	if _, err := t.makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	source, err := openPlain(from)
	if err != nil {
		return fmt.Errorf("placing %s: %w", path, err)
	}
	defer source.Close()
	dir := filepath.Dir(t.at(path))
	beside, err := os.CreateTemp(dir, ".schulwart-*") // root's alone until it is whole
	if err != nil {
		return fmt.Errorf("placing %s: %w", path, err)
	}
	defer os.Remove(beside.Name())
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(beside, hash), source)
	if err == nil && string(hash.Sum(nil)) != string(sum) {
		err = ErrSum
	}
	for _, step := range []func() error{func() error { return beside.Chmod(mode) }, beside.Sync, beside.Close} {
		if failed := step(); err == nil {
			err = failed
		}
	}
	if err == nil {
		err = os.Rename(beside.Name(), t.at(path))
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("placing %s: %w", path, err)
	}
	return nil
}

// SumOf returns the SHA-256 of a plain file that everybody may run, or an error
// that is fs.ErrNotExist. A link is none.
func (t SystemTree) SumOf(path string) ([]byte, error) {
	file, err := openPlain(t.at(path))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	const everybody = 0o555
	if info, err := file.Stat(); err != nil || info.Mode().Perm()&everybody != everybody {
		return nil, errors.Join(ErrSum, err)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return hash.Sum(nil), nil
}

// openPlain opens a file that is one: no link, no pipe.
func openPlain(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is no file", path), err, file.Close())
	}
	return file, nil
}

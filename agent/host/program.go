package host

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// LayProgram copies a part of a file to the path, in one step: what is there
// afterwards has the SHA-256 and can be run, or nothing has changed. A part that is
// another one is ErrSum. What still runs from that path goes on with what it was.
func LayProgram(path, from string, at, size int64, sum []byte) error {
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("laying program: %w", err)
	}
	defer source.Close()
	beside, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("laying program: %w", err)
	}
	defer os.Remove(beside.Name())
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(beside, hash), io.NewSectionReader(source, at, size))
	if err == nil && (n != size || string(hash.Sum(nil)) != string(sum)) {
		err = ErrSum
	}
	for _, step := range []func() error{func() error { return beside.Chmod(0o755) }, beside.Sync, beside.Close} {
		if failed := step(); err == nil {
			err = failed
		}
	}
	if err == nil {
		err = os.Rename(beside.Name(), path)
	}
	if err == nil {
		err = LookDir(filepath.Dir(path)).syncDir()
	}
	if err != nil {
		return fmt.Errorf("laying program: %w", err)
	}
	return nil
}

// HeadOf returns the first bytes of a file, at most so many, and how long it is.
func HeadOf(path string, most int) (head []byte, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	head, err = io.ReadAll(io.LimitReader(file, int64(most)))
	return head, info.Size(), err
}

// ClearBox removes a directory of OpenBox with all that lies in it.
func ClearBox(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("clearing box: %w", err)
	}
	return nil
}

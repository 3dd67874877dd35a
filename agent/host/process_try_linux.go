package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// RunAs runs a program for somebody and returns what it printed, output first and
// complaints after it. An error that is ErrRefused says that the system did not let it start.
func RunAs(ctx context.Context, uid int, path string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "LANG=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if errors.Is(err, syscall.EPERM) {
		return nil, ErrRefused
	}
	printed := append(out.Bytes(), said.Bytes()...)
	if err != nil {
		return printed, fmt.Errorf("running %s: %w: %s", filepath.Base(path), err, strings.TrimSpace(said.String()))
	}
	return printed, nil
}

// RunSelfAs runs a hidden command of this very program for somebody.
func RunSelfAs(ctx context.Context, uid int, args ...string) ([]byte, error) {
	out, err := RunAs(ctx, uid, "/proc/self/exe", args...)
	if err != nil && !errors.Is(err, ErrRefused) {
		// What it said is the reason; that it ended badly follows from it.
		if _, said, ok := strings.Cut(err.Error(), "try: "); ok {
			err = errors.New(said)
		}
	}
	return out, err
}

// CopyFor copies a program into a new directory that belongs to somebody, as a
// pupil might, and returns the copy and how to remove it.
func CopyFor(uid int, path string) (copied string, remove func(), err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", nil, fmt.Errorf("copying a program: %w", err)
	}
	dir, remove, err := DirFor(uid)
	if err != nil {
		return "", nil, err
	}
	copied = filepath.Join(dir, filepath.Base(path))
	if err = os.WriteFile(copied, data, 0o755); err == nil {
		err = os.Chown(copied, uid, uid)
	}
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("copying a program: %w", err)
	}
	return copied, remove, nil
}

// DirFor makes a directory that belongs to somebody, and says how to remove it.
func DirFor(uid int) (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("/var/tmp", "schulwart-try-")
	if err != nil {
		return "", nil, fmt.Errorf("making a directory: %w", err)
	}
	remove = func() { _ = os.RemoveAll(dir) }
	if err = os.Chmod(dir, 0o755); err == nil {
		err = os.Chown(dir, uid, uid)
	}
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("making a directory: %w", err)
	}
	return dir, remove, nil
}

//go:build unix

package host

import (
	"fmt"
	"os"
	"syscall"
)

// Become lets another program take the place of this one, with the same process,
// arguments and environment. It returns only if that cannot be.
func Become(path string) error {
	if err := syscall.Exec(path, append([]string{path}, os.Args[1:]...), os.Environ()); err != nil {
		return fmt.Errorf("starting %s: %w", path, err)
	}
	return nil
}

// RootOnly reports whether a file belongs to root and nobody else may write it.
func RootOnly(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o022 != 0 {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && owner.Uid == 0
}

//go:build unix

package app

import "golang.org/x/sys/unix"

// free returns how many bytes the disk of a folder has left, -1 if unknown.
func free(folder string) int64 {
	var stat unix.Statfs_t
	if unix.Statfs(folder, &stat) != nil {
		return -1
	}
	return int64(stat.Bavail) * int64(stat.Bsize) //nolint:unconvert // the type differs by system
}

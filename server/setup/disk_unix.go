//go:build linux || darwin

package setup

import "syscall"

// disk returns the free bytes of a folder, and whether another one lies on the
// same disk.
func disk(folder, other string) (free int64, same bool, err error) {
	var there syscall.Statfs_t
	if err := syscall.Statfs(folder, &there); err != nil {
		return 0, false, err
	}
	var one, two syscall.Stat_t
	if syscall.Stat(folder, &one) == nil && syscall.Stat(other, &two) == nil {
		same = one.Dev == two.Dev
	}
	return int64(there.Bavail) * int64(there.Bsize), same, nil //nolint:gosec,unconvert // the types differ between systems; no disk has 2^63 blocks
}

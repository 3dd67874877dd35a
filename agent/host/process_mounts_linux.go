package host

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mounts tells which device a file lies on as the table of mounts names it. What
// stat says will not do: on layered and on branching file systems (overlay,
// btrfs) it differs between files of one file system.
type mounts struct{ devices map[uint64]uint64 }

// readMounts reads the table of a process, "self" for our own.
func readMounts(pid string) mounts {
	m := mounts{map[uint64]uint64{}}
	data, err := os.ReadFile("/proc/" + pid + "/mountinfo")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		id, err := strconv.ParseUint(fields[0], 10, 64)
		if device, ok := deviceNumber(fields[2]); ok && err == nil {
			m.devices[id] = device
		}
	}
	return m
}

// deviceOf returns the device of an open file, or of a path where fd is
// unix.AT_FDCWD. pid is who sees the file, asked where we do not.
func (m mounts) deviceOf(fd int, path string, pid int) (uint64, bool) {
	flags := 0
	if path == "" {
		flags = unix.AT_EMPTY_PATH
	}
	var stat unix.Statx_t
	if err := unix.Statx(fd, path, flags, unix.STATX_MNT_ID, &stat); err != nil {
		return 0, false
	}
	if stat.Mask&unix.STATX_MNT_ID == 0 {
		// Before Linux 5.8 nobody could ask.
		return uint64(stat.Dev_major)<<32 | uint64(stat.Dev_minor), true
	}
	if device, ok := m.devices[stat.Mnt_id]; ok {
		return device, true
	}
	device, ok := readMounts(strconv.Itoa(pid)).devices[stat.Mnt_id]
	return device, ok
}

package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// SystemPrograms is the processes of this machine.
type SystemPrograms struct{}

// ticks is the kernel's unit of process start times (USER_HZ, fixed on Linux).
const ticks = 100

// Programs lists the processes of people. Those that end meanwhile are left out.
func (SystemPrograms) Programs() ([]Program, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var programs []Program
	table := readMounts("self")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if p, ok := readProgram(pid, table); ok {
			programs = append(programs, p)
		}
	}
	return programs, nil
}

func readProgram(pid int, table mounts) (Program, bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	p, ok := ownerOf(pid)
	if !ok || !IsPerson(p.UID) {
		return Program{}, false
	}
	var err error
	// Processes of the kernel have no file.
	if p.Path, err = os.Readlink(dir + "/exe"); err != nil {
		return Program{}, false
	}
	p.Path = strings.TrimSuffix(p.Path, " (deleted)")
	var stat unix.Stat_t
	if err := unix.Stat(dir+"/exe", &stat); err != nil {
		return Program{}, false
	}
	p.File, p.Owner, p.Group, p.Mode = FileID{uint64(stat.Dev), stat.Ino}, int(stat.Uid), int(stat.Gid), stat.Mode
	// A program from memory lies on no mount that anybody sees: on no device.
	p.Device, _ = table.deviceOf(unix.AT_FDCWD, dir+"/exe", pid)
	if line, err := os.ReadFile(dir + "/cmdline"); err == nil {
		p.Args = strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
	}
	p.Started, err = startOf(pid)
	return p, err == nil
}

// ownerOf reads for whom a process acts: effective user and group, and further
// groups, so that a program started in its place may use sound and camera as
// before. The owner of /proc/PID will not do: it is root where a process hides
// its memory.
func ownerOf(pid int) (Program, bool) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return Program{}, false
	}
	p := Program{PID: pid, UID: -1, GID: -1}
	for line := range strings.Lines(string(status)) {
		name, list, _ := strings.Cut(line, ":")
		switch name {
		case "PPid":
			p.Parent, _ = strconv.Atoi(strings.TrimSpace(list))
		case "Uid":
			p.UID = numbers(list).second()
		case "Gid":
			p.GID = numbers(list).second()
		case "Groups":
			p.Groups = numbers(list)
		}
	}
	return p, p.UID >= 0 && p.GID >= 0
}

type ids []int

func numbers(text string) ids {
	var list ids
	for _, field := range strings.Fields(text) {
		if number, err := strconv.Atoi(field); err == nil {
			list = append(list, number)
		}
	}
	return list
}

// second is the effective id among real, effective, saved and that of files.
func (l ids) second() int {
	if len(l) < 2 {
		return -1
	}
	return l[1]
}

// startOf reads field 22 of /proc/PID/stat (proc(5)); the name in brackets
// before it may hold blanks and brackets itself.
func startOf(pid int) (time.Duration, error) {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(line[bytes.LastIndexByte(line, ')')+1:]))
	if len(fields) < 20 {
		return 0, fmt.Errorf("reading start of process %d: line too short", pid)
	}
	count, err := strconv.ParseInt(fields[19], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading start of process %d: %w", pid, err)
	}
	return time.Duration(count) * time.Second / ticks, nil
}

func fileID(path string) (FileID, error) {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return FileID{}, err
	}
	return FileID{uint64(stat.Dev), stat.Ino}, nil
}

// Environ reads what the process was started with.
func (SystemPrograms) Environ(p Program) ([]string, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/environ")
	if err != nil {
		return nil, fmt.Errorf("reading environment: %w", err)
	}
	var env []string
	for _, entry := range strings.Split(string(data), "\x00") {
		if strings.Contains(entry, "=") {
			env = append(env, entry)
		}
	}
	return env, nil
}

// Running asks the kernel's handle, which tells when the last thread has ended.
// What /proc shows goes earlier: a process that is ending has no program any
// more, and still holds its locks.
func (SystemPrograms) Running(p Program) bool {
	handle, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		return !errors.Is(err, unix.ESRCH)
	}
	defer unix.Close(handle)
	if started, err := startOf(p.PID); err != nil || started != p.Started {
		return false
	}
	ended, err := unix.Poll([]unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}}, 0)
	return err != nil || ended == 0
}

// AskToEnd sends SIGTERM.
func (SystemPrograms) AskToEnd(p Program) error { return signal(p, unix.SIGTERM) }

// End sends SIGKILL.
func (SystemPrograms) End(p Program) error { return signal(p, unix.SIGKILL) }

// signal reaches the very process that was looked at: the handle is taken before
// the start time is compared, so a reused id is not hit.
func signal(p Program, what unix.Signal) error {
	handle, err := unix.PidfdOpen(p.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening process: %w", err)
	}
	defer unix.Close(handle)
	if started, err := startOf(p.PID); err != nil || started != p.Started {
		return nil
	}
	if err := unix.PidfdSendSignal(handle, what, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("ending process: %w", err)
	}
	return nil
}

// Launch starts the program through systemd where that runs: so it inherits
// neither our restrictions nor our end.
func (SystemPrograms) Launch(l Launch) error {
	if !systemdRuns() {
		return l.fork()
	}
	args := []string{"--quiet", "--collect", "--no-ask-password", "--uid=" + strconv.Itoa(l.UID), "--gid=" + strconv.Itoa(l.GID), "--slice=user-" + strconv.Itoa(l.UID) + ".slice"}
	if l.Dir != "" {
		args = append(args, "--working-directory="+l.Dir)
	}
	for _, entry := range l.Env {
		args = append(args, "--setenv="+entry)
	}
	args = append(append(args, "--", l.Path), l.Args...)
	if out, err := exec.Command("systemd-run", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("starting %s: %w: %s", filepath.Base(l.Path), err, bytes.TrimSpace(out))
	}
	return nil
}

func (l Launch) fork() error {
	cmd := exec.Command(l.Path, l.Args...)
	cmd.Env, cmd.Dir = l.Env, l.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if l.UID != os.Getuid() {
		groups := make([]uint32, len(l.Groups))
		for i, gid := range l.Groups {
			groups[i] = uint32(gid)
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(l.UID), Gid: uint32(l.GID), Groups: groups}
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", filepath.Base(l.Path), err)
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

func systemdRuns() bool {
	info, err := os.Lstat("/run/systemd/system")
	return err == nil && info.IsDir()
}

// SystemTree is the file system of this machine, or a directory of it that tests
// take for one.
type SystemTree struct{ Root string }

func (t SystemTree) at(path string) string { return filepath.Join(t.Root+"/", path) }

// Read returns the content of a file.
func (t SystemTree) Read(path string) ([]byte, error) { return os.ReadFile(t.at(path)) }

// Write writes beside, syncs and renames: a browser that starts at this moment
// reads the former or the new file, never half of one.
func (t SystemTree) Write(path string, data []byte) ([]string, error) {
	return t.Put(path, data, FileStatus{Mode: 0o644, UID: os.Geteuid(), GID: os.Getegid()})
}

// Put does so with an owner and permissions, or makes a link.
func (t SystemTree) Put(path string, data []byte, status FileStatus) ([]string, error) {
	made, err := t.makeDir(filepath.Dir(path))
	if err != nil {
		return made, err
	}
	path = t.at(path)
	dir := filepath.Dir(path)
	beside, err := putBeside(dir, data, status)
	if err == nil {
		defer os.Remove(beside)
		err = os.Rename(beside, path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return made, fmt.Errorf("writing %s: %w", path, err)
	}
	return made, nil
}

func putBeside(dir string, data []byte, status FileStatus) (string, error) {
	beside, err := os.CreateTemp(dir, ".schulwart-*") // root's alone until it is whole
	if err != nil {
		return "", err
	}
	if status.Link != "" {
		err = errors.Join(beside.Close(), os.Remove(beside.Name()), os.Symlink(status.Link, beside.Name()))
		return beside.Name(), err
	}
	_, err = beside.Write(data)
	for _, step := range []func() error{
		func() error { return beside.Chown(status.UID, status.GID) }, func() error { return beside.Chmod(status.Mode) }, beside.Sync, beside.Close,
	} {
		if failed := step(); err == nil {
			err = failed
		}
	}
	if err != nil {
		_ = os.Remove(beside.Name())
	}
	return beside.Name(), err
}

// Status looks at a file and does not follow a link.
func (t SystemTree) Status(path string) (FileStatus, error) {
	info, err := os.Lstat(t.at(path))
	if err != nil {
		return FileStatus{}, err
	}
	status := FileStatus{Mode: info.Mode().Perm()}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		status.UID, status.GID = int(owner.Uid), int(owner.Gid)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		status.Link, err = os.Readlink(t.at(path))
	}
	return status, err
}

func (t SystemTree) makeDir(dir string) ([]string, error) {
	if _, err := os.Stat(t.at(dir)); err == nil || dir == "/" {
		return nil, nil
	}
	made, err := t.makeDir(filepath.Dir(dir))
	if err != nil {
		return made, err
	}
	if err := os.Mkdir(t.at(dir), 0o755); err != nil {
		return made, fmt.Errorf("making %s: %w", dir, err)
	}
	return append(made, dir), nil
}

// Remove deletes a file or an empty directory.
func (t SystemTree) Remove(path string) error {
	path = t.at(path)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", path, err)
	} else if err != nil {
		return nil
	}
	return syncDir(filepath.Dir(path))
}

// List returns the names in a directory.
func (t SystemTree) List(dir string) []string {
	entries, err := os.ReadDir(t.at(dir))
	if err != nil {
		return nil
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	sort.Strings(names)
	return names
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

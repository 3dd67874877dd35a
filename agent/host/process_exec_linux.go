package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrNoGate says that this kernel lets nobody judge which programs start.
var ErrNoGate = errors.New("host: kernel cannot ask about starting programs")

// ExecGate is asked by the kernel before each program starts (fanotify(7),
// FAN_OPEN_EXEC_PERM). It goes by files, not by names: a copy is another file, a
// renamed one is the same. When the gate closes, for whatever reason, every
// program starts again.
type ExecGate struct {
	fd     int
	marked map[uint64]bool
	own    string // our mount namespace
	table  mounts

	mu    sync.Mutex
	blind []string
}

// headSize is enough for an ELF header with its interpreter, or a "#!" line.
const headSize = 4096

// OpenExecGate begins to ask about programs on the file systems of these mount
// points, or of all that are mounted if there are none. It returns ErrNoGate
// where the kernel has no such thing.
func OpenExecGate(mounts ...string) (*ExecGate, error) {
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK|unix.FAN_UNLIMITED_QUEUE|unix.FAN_UNLIMITED_MARKS, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_LARGEFILE)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoGate, err)
	}
	g := &ExecGate{fd: fd, marked: map[uint64]bool{}}
	g.own, _ = os.Readlink("/proc/self/ns/mnt")
	g.table = readMounts("self")
	if err := g.spare("/proc/self/exe"); err != nil {
		g.Close()
		return nil, fmt.Errorf("%w: %w", ErrNoGate, err)
	}
	if len(mounts) > 0 {
		for _, mount := range mounts {
			if err := g.mark(mount); err != nil {
				g.Close()
				return nil, fmt.Errorf("%w: %w", ErrNoGate, err)
			}
		}
		// Told where to look, it looks nowhere else.
		g.own = ""
		return g, nil
	}
	g.markAll("/proc/self/mountinfo", "")
	if len(g.marked) == 0 {
		g.Close()
		return nil, ErrNoGate
	}
	return g, nil
}

// spare keeps the kernel from asking about a file at all. Our own program must be
// spared: a process that starts one waits in the kernel without giving way, and
// could then not answer for itself.
func (g *ExecGate) spare(path string) error {
	return unix.FanotifyMark(g.fd, unix.FAN_MARK_ADD|unix.FAN_MARK_IGNORED_MASK|unix.FAN_MARK_IGNORED_SURV_MODIFY, unix.FAN_OPEN_EXEC_PERM, unix.AT_FDCWD, path)
}

// Close lets every program start again.
func (g *ExecGate) Close() { _ = unix.Close(g.fd) }

func (g *ExecGate) mark(mount string) error {
	return unix.FanotifyMark(g.fd, unix.FAN_MARK_ADD|unix.FAN_MARK_FILESYSTEM, unix.FAN_OPEN_EXEC_PERM, unix.AT_FDCWD, mount)
}

// kernelSystems hold no programs.
var kernelSystems = map[string]bool{
	"proc": true, "sysfs": true, "cgroup": true, "cgroup2": true, "devpts": true, "mqueue": true, "debugfs": true, "tracefs": true, "securityfs": true, "pstore": true,
	"bpf": true, "configfs": true, "binfmt_misc": true, "autofs": true, "rpc_pipefs": true, "efivarfs": true, "nsfs": true, "hugetlbfs": true, "fusectl": true, "selinuxfs": true,
}

// markAll marks every file system in a table of mounts (proc(5)) that is not
// marked yet. The paths in it are seen from root.
func (g *ExecGate) markAll(table, root string) {
	data, err := os.ReadFile(table)
	if err != nil {
		return
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		dash := -1
		for i, field := range fields {
			if field == "-" {
				dash = i
				break
			}
		}
		if len(fields) < 6 || dash < 0 || dash+1 >= len(fields) || kernelSystems[fields[dash+1]] || strings.Contains(","+fields[5]+",", ",noexec,") {
			continue
		}
		device, ok := deviceNumber(fields[2])
		if !ok || g.marked[device] {
			continue
		}
		// What cannot be marked is not tried at every program.
		g.marked[device] = true
		if err := g.mark(root + unescape(fields[4])); err != nil {
			g.mu.Lock()
			g.blind = append(g.blind, unescape(fields[4]))
			g.mu.Unlock()
		}
	}
}

func deviceNumber(text string) (uint64, bool) {
	major, minor, ok := strings.Cut(text, ":")
	high, err := strconv.ParseUint(major, 10, 32)
	low, err2 := strconv.ParseUint(minor, 10, 32)
	return high<<32 | low, ok && err == nil && err2 == nil
}

// unescape reads the octal blanks of a mount table.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// Run answers the kernel until the context ends. Programs that are started for
// nobody in particular start at once; decide is asked about those of people and
// must be quick, since they wait. It must start no program itself.
func (g *ExecGate) Run(ctx context.Context, decide func(Execution) bool) error {
	mounts, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("watching mounts: %w", err)
	}
	defer unix.Close(mounts)
	buffer := make([]byte, 16<<10)
	for ctx.Err() == nil {
		waiting := []unix.PollFd{{Fd: int32(g.fd), Events: unix.POLLIN}, {Fd: int32(mounts), Events: unix.POLLPRI}}
		if _, err := unix.Poll(waiting, 200); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("waiting for programs: %w", err)
		}
		if waiting[1].Revents&(unix.POLLPRI|unix.POLLERR) != 0 {
			g.table = readMounts("self")
			if g.own != "" {
				g.markAll("/proc/self/mountinfo", "")
			}
		}
		n, err := unix.Read(g.fd, buffer)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading which program starts: %w", err)
		}
		g.answer(buffer[:n], decide)
	}
	return nil
}

func (g *ExecGate) answer(events []byte, decide func(Execution) bool) {
	const size = int(unsafe.Sizeof(unix.FanotifyEventMetadata{}))
	for len(events) >= size {
		var event unix.FanotifyEventMetadata
		// The kernel writes in the machine's own byte order.
		if _, err := binary.Decode(events, binary.NativeEndian, &event); err != nil || int(event.Event_len) < size {
			return
		}
		events = events[event.Event_len:]
		if event.Fd < 0 {
			continue
		}
		if event.Mask&unix.FAN_OPEN_EXEC_PERM != 0 {
			g.reply(event, g.may(event, decide))
		}
		unix.Close(int(event.Fd))
	}
}

func (g *ExecGate) reply(event unix.FanotifyEventMetadata, may bool) {
	response := unix.FanotifyResponse{Fd: event.Fd, Response: unix.FAN_DENY}
	if may {
		response.Response = unix.FAN_ALLOW
	}
	var answer bytes.Buffer
	_ = binary.Write(&answer, binary.NativeEndian, response)
	_, _ = unix.Write(g.fd, answer.Bytes())
}

func (g *ExecGate) may(event unix.FanotifyEventMetadata, decide func(Execution) bool) bool {
	// A process outside our view (0), or one that is gone, is nobody's at a desk.
	who, ok := ownerOf(int(event.Pid))
	if event.Pid <= 0 || !ok || !IsPerson(who.UID) {
		return true
	}
	g.enter(int(event.Pid))
	e := Execution{PID: int(event.Pid), UID: who.UID}
	var stat unix.Stat_t
	if err := unix.Fstat(int(event.Fd), &stat); err != nil {
		return false
	}
	e.File, e.Owner, e.Group, e.Mode = FileID{uint64(stat.Dev), stat.Ino}, int(stat.Uid), int(stat.Gid), stat.Mode
	e.Size, e.Sum = stat.Size, func() [32]byte { return sumOf(int(event.Fd)) }
	device, known := g.table.deviceOf(int(event.Fd), "", e.PID)
	e.Device, e.Hidden = device, !known
	e.Path, _ = os.Readlink("/proc/self/fd/" + strconv.Itoa(int(event.Fd)))
	e.By, _ = os.Readlink("/proc/" + strconv.Itoa(e.PID) + "/exe")
	head := make([]byte, headSize)
	if n, err := unix.Pread(int(event.Fd), head, 0); err == nil {
		e.Head = head[:n]
	}
	if name := interpreterOf(e.Head); name != "" {
		// Seen from where the process is: it may have a root of its own.
		e.Interpreter, _ = fileID("/proc/" + strconv.Itoa(e.PID) + "/root" + name)
	}
	return decide(e)
}

// sumOf reads a whole file without moving in it.
func sumOf(fd int) (sum [32]byte) {
	hash, buffer, at := sha256.New(), make([]byte, 256<<10), int64(0)
	for {
		n, err := unix.Pread(fd, buffer, at)
		if err != nil || n == 0 {
			return [32]byte(hash.Sum(nil))
		}
		_, _ = hash.Write(buffer[:n])
		at += int64(n)
	}
}

// Lineage lists a process and those that it descends from, nearest first.
func Lineage(pid int) []Birth {
	var births []Birth
	const most = 64
	for pid > 1 && len(births) < most {
		p, ok := ownerOf(pid)
		started, err := startOf(pid)
		if !ok || err != nil {
			break
		}
		births = append(births, Birth{pid, started})
		pid = p.Parent
	}
	return births
}

// Blind lists places whose programs are not asked about.
func (g *ExecGate) Blind() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.blind...)
}

// enter marks what a process sees that has mounts of its own: a person may make
// a file system that nobody else sees, and lay a copy there.
func (g *ExecGate) enter(pid int) {
	dir := "/proc/" + strconv.Itoa(pid)
	if g.own == "" {
		return
	}
	if space, err := os.Readlink(dir + "/ns/mnt"); err == nil && space != g.own {
		g.markAll(dir+"/mountinfo", dir+"/root")
	}
}

// interpreterOf reads which program runs this one: the line of a script, or the
// loader of a dynamic program.
func interpreterOf(head []byte) string {
	if line, ok := bytes.CutPrefix(head, []byte("#!")); ok {
		line, _, _ = bytes.Cut(line, []byte("\n"))
		if fields := strings.Fields(string(line)); len(fields) > 0 {
			return fields[0]
		}
		return ""
	}
	return loaderOf(head)
}

// elfLayout says where the two kinds of ELF headers keep what we look for
// (elf(5)).
type elfLayout struct{ table, size, count, entry, offset, length, width int }

// Values of an ELF header (elf(5)).
const (
	elfMagic      = "\x7fELF"
	elfClass      = 4 // where its word size stands, and the size of 32 bits
	elfClass32    = 1
	elfData       = 5 // where its byte order stands, and the big one
	elfDataBig    = 2
	elfPartLoader = 3 // PT_INTERP
)

var (
	elf32 = elfLayout{28, 42, 44, 32, 4, 16, 4}
	elf64 = elfLayout{32, 54, 56, 56, 8, 32, 8}
)

// loaderOf reads the loader of a dynamic program from its beginning. The
// library's debug/elf wants the whole file, whose section table lies at the end.
func loaderOf(head []byte) string {
	if len(head) < 64 || !bytes.HasPrefix(head, []byte(elfMagic)) {
		return ""
	}
	layout := elf64
	if head[elfClass] == elfClass32 {
		layout = elf32
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if head[elfData] == elfDataBig {
		order = binary.BigEndian
	}
	word := func(at int) int {
		if at < 0 || at+layout.width > len(head) {
			return -1
		}
		if layout.width == 4 {
			return int(order.Uint32(head[at:]))
		}
		return int(order.Uint64(head[at:]))
	}
	table, size, count := word(layout.table), int(order.Uint16(head[layout.size:])), int(order.Uint16(head[layout.count:]))
	for i := range count {
		entry := table + i*size
		if table < 0 || size < layout.entry || entry < 0 || entry+size > len(head) {
			return ""
		}
		if order.Uint32(head[entry:]) != elfPartLoader {
			continue
		}
		from, length := word(entry+layout.offset), word(entry+layout.length)
		if from < 0 || length < 0 || from > len(head) || length > len(head)-from {
			return ""
		}
		return strings.TrimRight(string(head[from:from+length]), "\x00")
	}
	return ""
}

// Identify follows links to a regular file that somebody may start.
func (t SystemTree) Identify(path string) (string, FileID, bool) {
	real, err := filepath.EvalSymlinks(t.at(path))
	if err != nil {
		return "", FileID{}, false
	}
	var stat unix.Stat_t
	if err := unix.Stat(real, &stat); err != nil || stat.Mode&unix.S_IFMT != unix.S_IFREG || stat.Mode&0o111 == 0 {
		return "", FileID{}, false
	}
	if t.Root != "" {
		real = "/" + strings.TrimPrefix(strings.TrimPrefix(real, filepath.Clean(t.Root)), "/")
	}
	return real, FileID{uint64(stat.Dev), stat.Ino}, true
}

// Walk lists files below a directory and does not follow links out of it.
func (t SystemTree) Walk(dir string, most int) []string {
	var paths []string
	root := filepath.Clean(t.Root + "/")
	_ = filepath.WalkDir(t.at(dir), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if len(paths) >= most {
			return filepath.SkipAll
		}
		if entry.Type().IsRegular() {
			paths = append(paths, "/"+strings.TrimPrefix(strings.TrimPrefix(path, root), "/"))
		}
		return nil
	})
	return paths
}

// Device returns the file system that holds what the path leads to.
func (t SystemTree) Device(path string) (uint64, bool) {
	return readMounts("self").deviceOf(unix.AT_FDCWD, t.at(path), os.Getpid())
}

// OwnFile is the file of this very program.
func OwnFile() FileID {
	id, _ := fileID("/proc/self/exe")
	return id
}

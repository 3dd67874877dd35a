package host

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// Program is one running process.
type Program struct {
	PID, UID, GID int
	Parent        int   // process id
	Groups        []int // further groups
	// Path is the file that it runs, also if that was deleted meanwhile.
	Path string
	File FileID
	// Owner, Group and Mode are those of the file, Device is what it lies on
	// (Binaries.Device).
	Owner, Group int
	Mode         uint32
	Device       uint64
	Args         []string
	// Started is the time since the start of the system (Reading.Elapsed) at which
	// the process began, in steps of 10 ms.
	Started time.Duration
}

// FileID names a file whatever it is called: copies differ, renames do not.
type FileID struct{ Device, Inode uint64 }

// IsPerson reports whether a user id belongs to somebody who sits at a desk.
// Below 1000 are services; 61184 to 65535 are ids that systemd lends to services
// and "nobody" (https://systemd.io/UIDS-GIDS). Directory services number people
// far above.
func IsPerson(uid int) bool { return uid >= 1000 && (uid < 61184 || uid > 65535) }

// Programs looks at running processes of people and starts or ends them.
type Programs interface {
	// Programs lists the processes of people.
	Programs() ([]Program, error)
	// Environ returns the environment that a process was started with.
	Environ(p Program) ([]string, error)
	// Running reports whether a process is still there, in whole or in part: until
	// its last thread has ended it holds its files, locks and connections.
	Running(p Program) bool
	// AskToEnd asks a process to end as logging out would (SIGTERM); it may save
	// and it may refuse. A process that has ended already is no error.
	AskToEnd(p Program) error
	// End ends a process without asking (SIGKILL). One that has ended already is no
	// error.
	End(p Program) error
	// Launch starts a program that outlives the agent and inherits nothing of it.
	Launch(l Launch) error
}

// Launch is a program to start.
type Launch struct {
	UID, GID int // whose program it is
	Groups   []int
	Path     string
	Args     []string // without the program's own name
	Env      []string
	Dir      string
}

// Tree is the file system outside our own state, where other programs read what
// we write for them. Paths are absolute.
type Tree interface {
	// Read returns the content, or an error that is fs.ErrNotExist.
	Read(path string) ([]byte, error)
	// Write replaces a file, readable by everybody, durably and in one step. It
	// returns the directories that it had to make, outermost first.
	Write(path string, data []byte) (made []string, err error)
	// Remove deletes a file or an empty directory; a missing one is no error.
	Remove(path string) error
	// List returns the names in a directory, sorted; none if it does not exist.
	List(dir string) []string
}

// Disk is a Tree whose files have owners and permissions, and may be links.
type Disk interface {
	Tree
	// Status describes what lies at the path itself, or returns an error that is
	// fs.ErrNotExist.
	Status(path string) (FileStatus, error)
	// Put replaces what lies at the path, as Write does. At no moment may more
	// people read the content than the status says.
	Put(path string, data []byte, status FileStatus) (made []string, err error)
}

// FileStatus is who may do what with a file, or where a link leads.
type FileStatus struct {
	Mode     fs.FileMode // permission bits
	UID, GID int
	Link     string // of a symbolic link, which has no content of its own
}

// Holds keeps helpers running that stand between the agent's death and an open
// device: processes of their own which hold something until an instant, end by
// themselves then, and are started again if somebody ends them before.
type Holds interface {
	// Hold sees to it that the helper runs with this content for so long from now.
	// Told the same again, it does nothing.
	Hold(name string, content []byte, release time.Duration) error
	// Drop ends the helper and returns when it has let go.
	Drop(name string) error
	// Held looks at the helper.
	Held(name string) Held
}

// Held is what a helper does.
type Held struct {
	Wanted  bool   // told to hold, and its time is not over
	Running bool   // a process holds
	Content []byte // what it was told
	// Left is the time that remains to it.
	Left time.Duration
	// Report is the helper's latest word on what it sees, Age its age.
	Report []byte
	Age    time.Duration
}

// Desktop is one graphical session of a person.
type Desktop struct {
	UID, GID int
	Groups   []int
	Wayland  bool   // windows are drawn by Wayland, whose screen nobody can cover
	Display  string // ":0"
	// Authority is the file with the key to the display; empty if it needs none.
	Authority string
	// Env is what a program needs to speak to the session: display, message bus,
	// runtime directory, language.
	Env []string
}

// Desktops finds the graphical sessions of people.
type Desktops interface {
	Desktops() ([]Desktop, error)
}

// Notices shows short texts on a desktop.
type Notices interface {
	// Notify shows the text, or returns an error if the desktop shows none.
	Notify(d Desktop, title, body string) error
}

// Execution is a program that is about to start. The system waits for the
// answer whether it may.
type Execution struct {
	PID, UID int // who starts it; a person (IsPerson)
	File     FileID
	Owner    int    // user id of the file's owner
	Group    int    // group id of the file
	Mode     uint32 // permission bits
	Device   uint64 // what the file lies on (Binaries.Device)
	Path     string // as far as it can be told
	// Hidden says that the file lies on a mount that nobody sees: the file beneath
	// one of a layered file system, about which the kernel asks right after.
	Hidden bool
	// Head is the file's first bytes, enough to see what kind of program it is.
	Head []byte
	// Interpreter is the file that the head names to run it, if it does.
	Interpreter FileID
	// Size is the file's, in bytes. Sum reads all of it (SHA-256); it may be asked
	// only while the system waits for the answer.
	Size int64
	Sum  func() [32]byte
	// By is the program out of which this one is started: the path of the file
	// that the process still runs.
	By string
}

// Birth names a process for good: ids are used again, ids with a start are not.
type Birth struct {
	PID     int
	Started time.Duration
}

// Binaries finds files that can be started.
type Binaries interface {
	Tree
	// Identify returns the file that a path leads to, following links, if it is one
	// that can be started.
	Identify(path string) (resolved string, id FileID, ok bool)
	// Walk returns all files below a directory, at most so many.
	Walk(dir string, most int) []string
	// Device returns the file system that holds what a path leads to, by the number
	// that the table of mounts gives it.
	Device(path string) (uint64, bool)
}

// ErrRefused says that the system did not let a program start.
var ErrRefused = errors.New("host: program was not let start")

// Readable returns the first of the paths that exists, or nothing.
func Readable(paths []string) string {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

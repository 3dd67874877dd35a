package linux

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"schulwart.org/agent/host"
)

// appIndex knows of every file that belongs to a program whether the program may
// start now.
type appIndex struct {
	allowed map[host.FileID]bool
	refused map[host.FileID]string // name of the program
	// runners run other people's text: a person's own game needs nothing else.
	runners map[host.FileID]bool
	// quiet are those of the refused that nobody is told of.
	quiet map[host.FileID]bool
	// single are allowed ones that lend nothing to what they start.
	single  map[host.FileID]bool
	loaders map[host.FileID]bool // load a program given to them as a file
	trusted map[uint64]bool      // devices that only root can fill
	unknown []string             // programs that the order names and that are not there
	// forbids says that only what is refused does not start; then what is refused
	// is also known by its content.
	forbids bool
	sums    map[[32]byte]string     // name of the program
	sizes   map[int64]bool          // of what is refused
	read    map[host.FileID]fileSum // what was read already
}

// runnerNames are programs that run what a person wrote or copied. Scripts of
// the system still find them: the kernel asks about the script first.
var runnerNames = []string{
	"python", "python2", "python3", "perl", "ruby", "node", "nodejs", "deno", "lua", "luajit", "php", "java", "mono", "wine", "wine64", "tclsh", "wish", "guile", "gst-launch-1.0",
	"qemu-system-x86_64", "qemu-x86_64", "qemu-i386", "busybox", "gdb",
}

// loaderFiles are where dynamic loaders lie; called by hand, one runs any copy.
var loaderFiles = []string{
	"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-linux-armhf.so.3", "/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1",
}

// trustedDirs hold what root installed.
var trustedDirs = []string{"/", "/usr", "/usr/local", "/opt", "/var", "/var/lib/flatpak", "/snap", "/nix", "/gnu"}

// commonDirs hold files of many programs; all others around a program's file are
// taken for its own.
var commonDirs = []string{"/", "/usr", "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/games", "/usr/local", "/usr/local/bin", "/usr/local/sbin", "/usr/local/games", "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/libexec", "/usr/share", "/opt", "/snap/bin"}

// mostFiles bounds what is looked at around one program.
const mostFiles = 20000

// newAppIndex finds out what belongs to which program. It reads the desktop
// entries and the lists of dpkg; where there are none, a program is its file and
// the directory around it.
func newAppIndex(files host.Binaries, order appsOrder) *appIndex {
	allow := order.Allow
	x := &appIndex{allowed: map[host.FileID]bool{}, refused: map[host.FileID]string{}, runners: map[host.FileID]bool{}, loaders: map[host.FileID]bool{}, quiet: map[host.FileID]bool{}, single: map[host.FileID]bool{}, trusted: map[uint64]bool{}}
	x.mark(files)
	entries := readEntries(files)
	packages := ownersOf(files, entries)
	open := sessionFiles(files)
	found := map[string]bool{}
	for _, e := range entries {
		wanted := e.alwaysOpen() && !slices.ContainsFunc(order.Aids, e.called)
		for _, id := range allow {
			if e.called(id) {
				wanted, found[id] = true, true
			}
		}
		if !wanted && (!e.shown || e.web) {
			continue
		}
		for _, id := range x.filesOf(files, e, wanted, packages) {
			if wanted {
				x.allowed[id] = true
				x.single[id] = x.single[id] || order.Browser != "" && e.called(order.Browser)
			} else if !open[id] {
				x.refused[id] = e.name
			}
		}
	}
	for _, id := range allow {
		if !found[id] {
			x.unknown = append(x.unknown, id)
		}
	}
	x.refuse(files, order.Refuse, false)
	x.refuse(files, order.Quiet, true)
	return x
}

// refuse keeps commands from starting that no menu offers, but for those that
// belong to an allowed program.
func (x *appIndex) refuse(files host.Binaries, names []string, quietly bool) {
	for _, name := range names {
		for _, dir := range slices.Concat(programDirs, helperDirs) {
			_, id, ok := files.Identify(path.Join(dir, name))
			if !ok || x.allowed[id] {
				continue
			}
			x.refused[id] = name
			if quietly {
				x.quiet[id] = true
			}
		}
	}
}

// helperDirs hold programs that other programs start.
var helperDirs = []string{"/usr/libexec", "/usr/lib", "/usr/lib/x86_64-linux-gnu/libexec", "/usr/libexec/bluetooth", "/usr/lib/bluetooth"}

func (x *appIndex) mark(files host.Binaries) {
	for _, name := range runnerNames {
		for _, dir := range programDirs {
			if _, id, ok := files.Identify(path.Join(dir, name)); ok {
				x.runners[id] = true
			}
		}
	}
	for _, name := range loaderFiles {
		if _, id, ok := files.Identify(name); ok {
			x.loaders[id] = true
		}
	}
	dirs := slices.Clone(trustedDirs)
	// Each snap is a file system of its own.
	for _, name := range files.List("/snap") {
		for _, revision := range files.List("/snap/" + name) {
			dirs = append(dirs, "/snap/"+name+"/"+revision)
		}
	}
	for _, dir := range dirs {
		if device, ok := files.Device(dir); ok {
			x.trusted[device] = true
		}
	}
}

// filesOf lists the files of a program that can be started.
func (x *appIndex) filesOf(files host.Binaries, e entry, wanted bool, packages map[string]*owner) []host.FileID {
	if e.flatpak != "" {
		return identify(files, files.Walk("/var/lib/flatpak/app/"+path.Base(e.flatpak), mostFiles))
	}
	asked, resolved, id, ok := e.program(files)
	if !ok {
		return nil
	}
	if snap, ok := snapOf(asked, resolved); ok {
		return identify(files, files.Walk("/snap/"+snap, mostFiles))
	}
	ids := []host.FileID{id}
	if x.runners[id] || isShell(resolved) {
		// What runs is a text beside it; the runner is not the program itself, but
		// nothing runs without it.
		texts := identify(files, e.exec[1:])
		if wanted {
			return append(texts, id)
		}
		return texts
	}
	for _, name := range []string{e.file, asked, resolved} {
		if o := packages[name]; o != nil && !o.session {
			ids = append(ids, identify(files, o.files)...)
		}
	}
	if dir := path.Dir(resolved); !slices.Contains(commonDirs, dir) {
		ids = append(ids, identify(files, files.Walk(dir, mostFiles))...)
	}
	return ids
}

func isShell(file string) bool {
	return slices.Contains([]string{"sh", "bash", "dash", "zsh", "ksh"}, path.Base(file))
}

// snapOf names the snap that a command belongs to: its commands are links to one
// program of the system.
func snapOf(asked, resolved string) (string, bool) {
	if path.Dir(asked) != "/snap/bin" || path.Base(resolved) != "snap" {
		return "", false
	}
	name, _, _ := strings.Cut(path.Base(asked), ".")
	return name, true
}

func identify(files host.Binaries, paths []string) []host.FileID {
	var ids []host.FileID
	for _, p := range paths {
		if !strings.HasPrefix(p, "/") {
			continue
		}
		if _, id, ok := files.Identify(p); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// sessionDirs name programs without which nobody could log in.
var sessionDirs = []string{"/usr/share/xsessions", "/usr/share/wayland-sessions", "/etc/xdg/autostart"}

// sessionFiles are the files that sessions start with.
func sessionFiles(files host.Binaries) map[host.FileID]bool {
	open := map[host.FileID]bool{}
	for _, dir := range sessionDirs {
		for _, name := range files.List(dir) {
			data, err := files.Read(path.Join(dir, name))
			if err != nil {
				continue
			}
			if e, ok := parseEntry(string(data)); ok {
				if _, _, id, ok := e.program(files); ok {
					open[id] = true
				}
			}
		}
	}
	return open
}

// owner is a package of dpkg.
type owner struct {
	files   []string
	session bool // a desktop itself comes from it: its other files are left alone
}

const dpkgLists = "/var/lib/dpkg/info"

// ownersOf finds the packages of the programs that entries start, and of the
// entries.
func ownersOf(files host.Binaries, entries []entry) map[string]*owner {
	wanted := map[string]bool{}
	for _, e := range entries {
		wanted[e.file] = true
		if asked, resolved, _, ok := e.program(files); ok {
			wanted[asked], wanted[resolved] = true, true
		}
	}
	owners := map[string]*owner{}
	for _, name := range files.List(dpkgLists) {
		if !strings.HasSuffix(name, ".list") {
			continue
		}
		data, err := files.Read(path.Join(dpkgLists, name))
		if err != nil {
			continue
		}
		var o *owner
		for line := range bytes.Lines(data) {
			file := string(bytes.TrimSpace(line))
			if wanted[file] || wanted["/usr"+file] {
				if o == nil {
					o = readOwner(data)
				}
				owners[file], owners["/usr"+file] = o, o
			}
		}
	}
	return owners
}

func readOwner(data []byte) *owner {
	o := &owner{}
	for line := range bytes.Lines(data) {
		file := string(bytes.TrimSpace(line))
		o.files = append(o.files, file)
		// The directories themselves are in many lists.
		if slices.Contains(sessionDirs, path.Dir(file)) {
			o.session = true
		}
	}
	return o
}

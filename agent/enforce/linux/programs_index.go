package linux

import (
	"crypto/sha256"
	"path"
	"slices"

	"schulwart.org/agent/host"
)

// fileSum is a file's content in brief.
type fileSum struct {
	size int64
	sum  [32]byte
}

// newForbiddenIndex finds the files of forbidden programs. A former index tells
// what was read already: the content of a file does not change, a new version is
// another file.
func newForbiddenIndex(files host.Binaries, order appsOrder, former *appIndex) *appIndex {
	x := &appIndex{
		forbids: true, allowed: map[host.FileID]bool{}, refused: map[host.FileID]string{}, runners: map[host.FileID]bool{}, loaders: map[host.FileID]bool{}, trusted: map[uint64]bool{},
		sums: map[[32]byte]string{}, sizes: map[int64]bool{}, read: map[host.FileID]fileSum{},
	}
	x.mark(files)
	open := sessionFiles(files)
	refuse := func(name, file string) bool {
		resolved, id, ok := files.Identify(file)
		if !ok || open[id] || x.runners[id] || x.loaders[id] || isShell(resolved) {
			return false
		}
		x.refused[id] = name
		x.remember(files, file, id, name, former)
		return true
	}
	found := map[string]bool{}
	entries := readEntries(files)
	owners := ownersOf(files, entries)
	for _, e := range entries {
		for _, id := range order.Forbid {
			if e.called(id) && !e.alwaysOpen() {
				found[id] = true
				for _, file := range x.pathsOf(files, e, owners) {
					refuse(e.name, file)
				}
			}
		}
	}
	for _, id := range order.Forbid {
		for _, dir := range programDirs {
			if !found[id] && refuse(id, path.Join(dir, id)) {
				found[id] = true
			}
		}
	}
	for _, name := range order.Packages {
		for _, file := range filesOfPackage(files, name) {
			found[name] = true
			refuse(name, file)
		}
	}
	for _, name := range slices.Concat(order.Forbid, order.Packages) {
		if !found[name] {
			x.unknown = append(x.unknown, name)
		}
	}
	return x
}

// pathsOf lists the files of a program, as filesOf does by their ids.
func (x *appIndex) pathsOf(files host.Binaries, e entry, owners map[string]*owner) []string {
	if e.web {
		return nil
	}
	if e.flatpak != "" {
		return files.Walk("/var/lib/flatpak/app/"+path.Base(e.flatpak), mostFiles)
	}
	asked, resolved, id, ok := e.program(files)
	if !ok {
		return nil
	}
	if snap, ok := snapOf(asked, resolved); ok {
		return files.Walk("/snap/"+snap, mostFiles)
	}
	if x.runners[id] || isShell(resolved) {
		return e.exec[1:]
	}
	paths := []string{asked}
	for _, name := range []string{e.file, asked, resolved} {
		if o := owners[name]; o != nil && !o.session {
			paths = append(paths, o.files...)
		}
	}
	if dir := path.Dir(resolved); !slices.Contains(commonDirs, dir) {
		paths = append(paths, files.Walk(dir, mostFiles)...)
	}
	return paths
}

// filesOfPackage lists what dpkg put there for a package of any architecture.
func filesOfPackage(files host.Binaries, name string) []string {
	for _, list := range files.List(dpkgLists) {
		if base := list[:len(list)-len(path.Ext(list))]; path.Ext(list) == ".list" && (base == name || len(base) > len(name) && base[:len(name)+1] == name+":") {
			data, err := files.Read(path.Join(dpkgLists, list))
			if err != nil {
				return nil
			}
			o := readOwner(data)
			if o.session {
				return nil // a desktop itself comes from it
			}
			return o.files
		}
	}
	return nil
}

// largestCopy bounds what is read to know a copy again.
const largestCopy = 256 << 20

func (x *appIndex) remember(files host.Binaries, file string, id host.FileID, name string, former *appIndex) {
	known, ok := x.read[id]
	if !ok && former != nil {
		known, ok = former.read[id]
	}
	if !ok {
		data, err := files.Read(file)
		if err != nil || len(data) > largestCopy {
			return
		}
		known = fileSum{int64(len(data)), sha256.Sum256(data)}
	}
	x.read[id], x.sums[known.sum], x.sizes[known.size] = known, name, true
}

// judgeForbidden refuses what is forbidden: the files themselves, whatever they
// are called, copies of them, and loaders by hand, which would start any copy.
func (x *appIndex) judgeForbidden(e host.Execution) verdict {
	switch {
	case x.refused[e.File] != "":
		return verdict{name: x.refused[e.File]}
	case x.loaders[e.File]:
		return verdict{name: path.Base(e.Path)}
	case x.installed(e) || !x.sizes[e.Size] || e.Sum == nil:
		return verdict{may: true}
	}
	if name := x.sums[e.Sum()]; name != "" {
		return verdict{name: name}
	}
	return verdict{may: true}
}

package host

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"
)

// FakeFolders are folders in memory. The zero value is empty and ready.
type FakeFolders struct {
	mu      sync.Mutex
	folders map[string]*FakeFolder
	changes int
}

// FakeFolder is what lies in one.
type FakeFolder struct {
	Files  map[string][]byte
	Closed bool
	stamps map[string]string
}

// Make returns a folder by its name, for everybody the same.
func (f *FakeFolders) Make(d Desktop, name string) (Folder, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.folders == nil {
		f.folders = map[string]*FakeFolder{}
	}
	path := strconv.Itoa(d.UID) + "/" + name
	if f.folders[path] == nil {
		f.folders[path] = &FakeFolder{Files: map[string][]byte{}, stamps: map[string]string{}}
	}
	return Folder{UID: d.UID, GID: d.GID, Path: path}, nil
}

// Put lays a file into the folder.
func (f *FakeFolders) Put(folder Folder, name string, content func(write func([]byte) error) error) error {
	var all bytes.Buffer
	if err := content(func(data []byte) error { all.Write(data); return nil }); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	in := f.folders[folder.Path]
	if in == nil {
		return ErrNoFolder
	}
	if in.Files[name] == nil {
		f.put(in, name, all.Bytes())
	}
	return nil
}

func (f *FakeFolders) put(in *FakeFolder, name string, content []byte) {
	f.changes++
	in.Files[name], in.stamps[name] = content, strconv.Itoa(f.changes)
}

// Write is the person writing a file, in the folder that there is. It is false
// where there is none, or it is closed.
func (f *FakeFolders) Write(name string, content []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, in := range f.folders {
		if !in.Closed {
			f.put(in, name, content)
			return true
		}
	}
	return false
}

// Drop is the person deleting a folder.
func (f *FakeFolders) Drop(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.folders, path)
}

// Look returns the content of the folders by path.
func (f *FakeFolders) Look() map[string]FakeFolder {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]FakeFolder{}
	for path, in := range f.folders {
		all[path] = FakeFolder{Files: maps.Clone(in.Files), Closed: in.Closed}
	}
	return all
}

// Visit shows what lies in the folder.
func (f *FakeFolders) Visit(folder Folder, _, most int, each func(FolderFile) error) error {
	f.mu.Lock()
	in := f.folders[folder.Path]
	if in == nil {
		f.mu.Unlock()
		return ErrNoFolder
	}
	files, stamps := maps.Clone(in.Files), maps.Clone(in.stamps)
	f.mu.Unlock()
	for i, name := range slices.Sorted(maps.Keys(files)) {
		if i >= most {
			break
		}
		content := files[name]
		err := each(FolderFile{Path: name, Size: int64(len(content)), Modified: time.Unix(1e9, 0).UTC(), Stamp: stamps[name], Plain: true, Read: func(piece int, each func([]byte) error) error {
			return inPieces(bytes.NewReader(content), piece, each)
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// Close closes it.
func (f *FakeFolders) Close(folder Folder) error { return f.close(folder, true) }

// Reopen gives it back.
func (f *FakeFolders) Reopen(folder Folder) error { return f.close(folder, false) }

func (f *FakeFolders) close(folder Folder, closed bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.folders[folder.Path] == nil {
		return ErrNoFolder
	}
	f.folders[folder.Path].Closed = closed
	return nil
}

// Clear deletes files, and the folder if nothing is left.
func (f *FakeFolders) Clear(folder Folder, files []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	in := f.folders[folder.Path]
	if in == nil {
		return ErrNoFolder
	}
	for _, name := range files {
		delete(in.Files, name)
	}
	if len(in.Files) > 0 {
		return errors.New("host: the folder is not empty")
	}
	delete(f.folders, folder.Path)
	return nil
}

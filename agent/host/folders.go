package host

import (
	"errors"
	"io"
	"time"
)

// Folder is a folder on somebody's desktop that we look after, by what it is and
// not only by where it lies: a person can lay something else in its place.
type Folder struct {
	UID    int    `json:"uid"` // whose it is
	GID    int    `json:"gid"`
	Path   string `json:"path"`
	Device uint64 `json:"dev"`
	Inode  uint64 `json:"ino"`
}

// FolderFile is something in a folder.
type FolderFile struct {
	Path     string // from the folder, with slashes, as the file system has it
	Size     int64  // bytes
	Modified time.Time
	// Stamp changes whenever the content may have.
	Stamp string
	// Plain says that it is a plain file of the person's own that can be read.
	Plain bool
	// Read reads the content in pieces of at most so many bytes; the slice is used
	// again. It ends at the size that the file had, whatever grows meanwhile.
	Read func(piece int, each func([]byte) error) error
}

// Folders keep folders of people. Whatever somebody does to a folder (links, pipes,
// another one in its place), nothing but what is their own is read or changed.
type Folders interface {
	// Make returns a folder of the name on the desktop, made if it is missing.
	Make(d Desktop, name string) (Folder, error)
	// Put lays a file into the folder; content writes it. What has the name already
	// stays.
	Put(f Folder, name string, content func(write func([]byte) error) error) error
	// Visit shows what lies in the folder, in the order of paths, folders within it
	// included down to the depth, at most so many entries. It is ErrNoFolder where
	// the folder is there no more.
	Visit(f Folder, depth, most int, each func(FolderFile) error) error
	// Close keeps everybody but us from the folder; Reopen gives it back.
	Close(f Folder) error
	Reopen(f Folder) error
	// Clear deletes the files from the folder, and then the folder with all that is
	// empty. What else lies there stays, and so does the folder then.
	Clear(f Folder, files []string) error
}

// ErrNoFolder says that a folder is there no more, or is somebody else's.
var ErrNoFolder = errors.New("host: the folder is gone")

// Box is Files that can be listed.
type Box interface {
	Files
	// Names lists what is kept, in any order.
	Names() ([]string, error)
}

// inPieces reads to the end, piece by piece.
func inPieces(from io.Reader, size int, each func([]byte) error) error {
	piece := make([]byte, size)
	for {
		n, err := io.ReadFull(from, piece)
		if n > 0 {
			if err := each(piece[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

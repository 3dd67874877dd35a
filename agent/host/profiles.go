package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ProfileDir is where browsers of examinations keep what they remember: it
// survives a restart of the system, and nothing of it survives the examination.
const ProfileDir = "/var/lib/schulwart-exam"

// Profiles keeps directories that belong to people and lie where only root could
// have put them.
type Profiles interface {
	// Make returns a directory of the person's own under the name; what lies there
	// stays.
	Make(name string, uid, gid int) (path string, err error)
	// Clear deletes all of them.
	Clear() error
	// Any reports whether there are any.
	Any() bool
}

// DirProfiles are Profiles below a directory.
type DirProfiles string

// Make returns a directory that belongs to the person, whoever had it before.
func (d DirProfiles) Make(name string, uid, gid int) (string, error) {
	if err := os.MkdirAll(string(d), 0o711); err != nil {
		return "", fmt.Errorf("making profile: %w", err)
	}
	path := filepath.Join(string(d), filepath.Base(name))
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("making profile: %w", err)
	}
	// The directory above belongs to root, so nobody lays a link in its place.
	if err := os.Lchown(path, uid, gid); err != nil {
		return "", fmt.Errorf("making profile: %w", err)
	}
	return path, nil
}

// Clear deletes everything below the directory, links themselves and not what
// they lead to.
func (d DirProfiles) Clear() error {
	if err := os.RemoveAll(string(d)); err != nil {
		return fmt.Errorf("deleting profiles: %w", err)
	}
	return nil
}

// Any reports whether anything lies there.
func (d DirProfiles) Any() bool {
	entries, err := os.ReadDir(string(d))
	return err == nil && len(entries) > 0
}

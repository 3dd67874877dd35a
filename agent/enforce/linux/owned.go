package linux

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"schulwart.org/agent/host"
)

// File is a file as a driver wants it. It belongs to root.
type File struct {
	Data []byte
	Mode fs.FileMode // zero stands for 0644; secrets are 0600
	// Link makes it a symbolic link, which has no content and no mode of its own.
	Link string
}

func (f File) status() host.FileStatus {
	if f.Link != "" {
		return host.FileStatus{Link: f.Link}
	}
	return host.FileStatus{Mode: f.mode()}
}

// hash names what the file is, by which it is known as ours later.
func (f File) hash() string {
	if f.Link != "" {
		return hashOf([]byte("link to " + f.Link))
	}
	return hashOf(f.Data)
}

func (f File) mode() fs.FileMode {
	if f.Mode == 0 {
		return 0o644
	}
	return f.Mode
}

// owned keeps files of the system that are ours for as long as somebody wants
// them. What was there before our first touch is on disk before that touch, and
// returns when nobody wants the file any more, unless somebody else has written
// it since: then it is theirs already.
type owned struct {
	tree  host.Disk
	files host.Files
	name  string // of the file among ours that remembers
	kept  *ownedKept
}

// ownedKept survives everything.
type ownedKept struct {
	// Foreign is what lay at a path before our first touch.
	Foreign map[string]*foreignFile `json:"foreign"`
	// Ours is the content that we wrote last, as a hash: it may be a secret.
	Ours map[string]string `json:"ours"`
	// Made are directories that did not exist before us.
	Made []string `json:"made"`
	// Done names what took effect completely, files and what had to be done after.
	Done string `json:"done,omitempty"`
}

// foreignFile is a file of somebody else. Nil stands for none.
type foreignFile struct {
	Data   []byte          `json:"data"`
	Status host.FileStatus `json:"status"`
}

// UnmarshalJSON also reads the bare content that earlier agents kept.
func (f *foreignFile) UnmarshalJSON(data []byte) error {
	var content string
	if json.Unmarshal(data, &content) == nil {
		*f = foreignFile{Data: []byte(content), Status: host.FileStatus{Mode: 0o644}}
		return nil
	}
	type plain foreignFile
	return json.Unmarshal(data, (*plain)(f))
}

func (o *owned) load() error {
	if o.kept != nil {
		return nil
	}
	kept := &ownedKept{}
	data, err := o.files.Read(o.name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading what was there before: %w", err)
	}
	if err == nil {
		if err := json.Unmarshal(data, kept); err != nil {
			return fmt.Errorf("reading what was there before: %w", err)
		}
	}
	if kept.Foreign == nil {
		kept.Foreign = map[string]*foreignFile{}
	}
	if kept.Ours == nil {
		kept.Ours = map[string]string{}
	}
	o.kept = kept
	return nil
}

func (o *owned) save() error {
	data, err := json.Marshal(o.kept)
	if err != nil {
		return fmt.Errorf("encoding what was there before: %w", err)
	}
	if err := o.files.Write(o.name, data); err != nil {
		return fmt.Errorf("saving what was there before: %w", err)
	}
	return nil
}

// foreign returns what the file says without us, nil if there is none.
func (o *owned) foreign(path string) ([]byte, error) {
	if saved, ok := o.kept.Foreign[path]; ok {
		if saved == nil {
			return nil, nil
		}
		return saved.Data, nil
	}
	found, err := o.look(path)
	if err != nil || found == nil {
		return nil, err
	}
	return found.Data, nil
}

// look returns what lies at a path now, nil for nothing.
func (o *owned) look(path string) (*foreignFile, error) {
	status, err := o.tree.Status(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", path, err)
	}
	data, err := o.tree.Read(path)
	if err != nil && (status.Link == "" || !errors.Is(err, fs.ErrNotExist)) {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return &foreignFile{Data: data, Status: status}, nil
}

func (o *owned) touched(path string) bool {
	_, ok := o.kept.Foreign[path]
	return ok
}

// is reports whether what was found is exactly what is wanted.
func (f File) is(found *foreignFile) bool {
	if f.Link != "" {
		return found != nil && found.Status.Link == f.Link
	}
	return found != nil && found.Status.Link == "" && found.Status.Mode == f.mode() && bytes.Equal(found.Data, f.Data)
}

// set brings every file to what is wanted, all or none, gives back what is wanted
// no more, and returns which paths it changed.
func (o *owned) set(wanted map[string]File) ([]string, error) {
	if err := o.load(); err != nil {
		return nil, err
	}
	paths := slices.Sorted(maps.Keys(wanted))
	for path := range o.kept.Foreign {
		if _, claimed := wanted[path]; !claimed {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	former, changed := map[string]*foreignFile{}, []string(nil)
	for _, path := range paths {
		current, err := o.look(path)
		if err != nil {
			return nil, errors.Join(err, o.back(former))
		}
		want, claimed := wanted[path]
		if claimed && want.is(current) && o.touched(path) {
			continue
		}
		former[path] = current
		if claimed {
			err = o.claim(path, current, want)
		} else {
			err = o.release(path, current)
		}
		if err != nil {
			return nil, errors.Join(err, o.back(former))
		}
		changed = append(changed, path)
	}
	if len(wanted) > 0 {
		return changed, nil
	}
	return changed, o.tidy()
}

// claim writes ours. What was there before is on disk before the first touch.
func (o *owned) claim(path string, current *foreignFile, want File) error {
	first := !o.touched(path)
	if first {
		o.kept.Foreign[path] = current
	}
	former, had := o.kept.Ours[path]
	o.kept.Ours[path] = want.hash()
	if err := o.save(); err != nil {
		// Without a durable memory of what was there, nothing is touched.
		if had {
			o.kept.Ours[path] = former
		} else {
			delete(o.kept.Ours, path)
		}
		if first {
			delete(o.kept.Foreign, path)
		}
		return err
	}
	made, err := o.tree.Put(path, want.Data, want.status())
	o.kept.Made = append(o.kept.Made, made...)
	if err != nil {
		return fmt.Errorf("writing for the system: %w", err)
	}
	if len(made) > 0 {
		return o.save()
	}
	return nil
}

// release gives the file back, unless somebody else has written it since.
func (o *owned) release(path string, current *foreignFile) error {
	saved := o.kept.Foreign[path]
	if current != nil && o.wrote(path, current) {
		if err := o.put(path, saved); err != nil {
			return err
		}
	}
	delete(o.kept.Foreign, path)
	delete(o.kept.Ours, path)
	return o.save()
}

// wrote reports whether the content is what we wrote last. Earlier agents kept
// the content itself.
func (o *owned) wrote(path string, found *foreignFile) bool {
	ours := o.kept.Ours[path]
	if found.Status.Link != "" {
		return ours == File{Link: found.Status.Link}.hash()
	}
	return ours == hashOf(found.Data) || ours == string(found.Data)
}

func (o *owned) put(path string, content *foreignFile) error {
	var err error
	if content == nil {
		err = o.tree.Remove(path)
	} else {
		_, err = o.tree.Put(path, content.Data, content.Status)
	}
	if err != nil {
		return fmt.Errorf("restoring for the system: %w", err)
	}
	return nil
}

func (o *owned) back(former map[string]*foreignFile) error {
	var failed error
	for path, content := range former {
		failed = errors.Join(failed, o.put(path, content))
	}
	return failed
}

// tidy removes directories that we made, innermost first, where they are empty.
func (o *owned) tidy() error {
	if len(o.kept.Made) == 0 {
		return nil
	}
	for i := len(o.kept.Made) - 1; i >= 0; i-- {
		_ = o.tree.Remove(o.kept.Made[i])
	}
	o.kept.Made = nil
	return o.save()
}

// differs returns the first path that is not as wanted, or is still ours although
// nobody wants it; empty if all is well.
func (o *owned) differs(wanted map[string]File) string {
	if err := o.load(); err != nil {
		return o.name
	}
	for _, path := range slices.Sorted(maps.Keys(wanted)) {
		if found, err := o.look(path); err != nil || !wanted[path].is(found) || !o.touched(path) {
			return path
		}
	}
	for _, path := range slices.Sorted(maps.Keys(o.kept.Foreign)) {
		if _, claimed := wanted[path]; !claimed {
			return path
		}
	}
	return ""
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

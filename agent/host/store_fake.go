package host

import (
	"crypto/sha256"
	"io/fs"
	"slices"
)

// Path is the name: there is no directory.
func (f *FakeFiles) Path(name string) string { return name }

// Size returns how long a file is.
func (f *FakeFiles) Size(name string) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int64(len(f.files[name])), nil
}

// Grow writes at the offset and drops what lay behind it.
func (f *FakeFiles) Grow(name string, at int64, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return ErrFull
	}
	if f.files == nil {
		f.files = map[string][]byte{}
	}
	// What Read and Part gave out are copies, so it may grow in place.
	f.files[name] = append(f.files[name][:min(int(at), len(f.files[name]))], data...)
	return nil
}

// Sum returns the SHA-256 of the content.
func (f *FakeFiles) Sum(name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, ok := f.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	sum := sha256.Sum256(data)
	return sum[:], nil
}

// Part returns bytes from an offset on.
func (f *FakeFiles) Part(name string, at int64, most int) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, ok := f.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	at = min(at, int64(len(data)))
	return slices.Clone(data[at:min(at+int64(most), int64(len(data)))]), nil
}

package peek

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"schulwart.org/policies/rollout"
)

// flatpakMagic is the first entry of a bundle's metadata: the name and a number
// that says at once which byte order the rest has.
// https://github.com/flatpak/flatpak/blob/main/common/flatpak-bundle-ref.c
const flatpakMagic = "flatpak\x00\x01\x00\x89\xe5\x00u"

const mostMetadata = 16 << 20

var errVariant = errors.New("flatpak: bad metadata")

// flatpak reads the metadata in front of a single-file bundle: a GVariant tuple
// whose first child is a dictionary. A number follows, then from which commit and
// to which one the bundle leads; where the children end stands at its very end,
// backwards.
// https://developer-old.gnome.org/documentation/specifications/gvariant-specification-1.0.html
func flatpak(file io.ReaderAt, size int64) (Found, error) {
	found := Found{Kind: rollout.Flatpak}
	width := offsetWidth(size)
	if size < int64(3*width) {
		return found, damaged(errVariant)
	}
	last := make([]byte, 3*width)
	if _, err := file.ReadAt(last, size-int64(len(last))); err != nil && err != io.EOF {
		return found, damaged(err)
	}
	end, from, to := offset(last[2*width:]), offset(last[width:2*width]), offset(last[:width])
	if end <= 0 || end > min(size, mostMetadata) {
		return found, damaged(errVariant)
	}
	data := make([]byte, end)
	if _, err := file.ReadAt(data, 0); err != nil && err != io.EOF {
		return found, damaged(err)
	}
	entries, err := dictionary(data)
	if err != nil {
		return found, damaged(err)
	}
	kind, rest, _ := strings.Cut(entries["ref"], "/")
	parts := strings.Split(rest, "/")
	if len(parts) != 3 || kind != "app" && kind != "runtime" || !validID(parts[0]) || parts[1] == "" || parts[2] == "" {
		return found, damaged(errors.New("flatpak: no ref"))
	}
	commit := make([]byte, sha256.Size)
	if from < end || to-from != sha256.Size || to > size {
		return found, damaged(errors.New("flatpak: no commit"))
	}
	if _, err := file.ReadAt(commit, from); err != nil && err != io.EOF {
		return found, damaged(err)
	}
	found.Commit = hex.EncodeToString(commit)
	found.Name, found.Architecture, found.Version = parts[0], clip(parts[1], 40), clip(parts[2], 128)
	// "runtime=org.gnome.Platform/x86_64/47" in the group of the application.
	for line := range strings.Lines(entries["metadata"]) {
		if runtime, ok := strings.CutPrefix(strings.TrimSpace(line), "runtime="); ok {
			found.Depends = append(found.Depends, clip(runtime, 200))
			break
		}
	}
	return found, nil
}

// dictionary reads the texts of a GVariant of the type a{sv}; others are passed
// over.
func dictionary(data []byte) (map[string]string, error) {
	width := offsetWidth(int64(len(data)))
	if len(data) < width {
		return nil, errVariant
	}
	table := offset(data[len(data)-width:])
	if table < 0 || table > int64(len(data)-width) || (int64(len(data))-table)%int64(width) != 0 {
		return nil, errVariant
	}
	entries, start := map[string]string{}, int64(0)
	for at := table; at < int64(len(data)); at += int64(width) {
		end := offset(data[at : at+int64(width)])
		if end < start || end > table {
			return nil, errVariant
		}
		key, value, err := entry(data[start:end])
		if err != nil {
			return nil, err
		}
		entries[key] = value
		start = (end + 7) &^ 7
		if start > table && at+int64(width) < int64(len(data)) {
			return nil, errVariant
		}
	}
	return entries, nil
}

// entry reads one {sv}: a key, and a variant that begins at the next multiple of
// eight.
func entry(data []byte) (key, value string, err error) {
	width := offsetWidth(int64(len(data)))
	if len(data) < width+2 {
		return "", "", errVariant
	}
	end := offset(data[len(data)-width:])
	if end < 1 || end > int64(len(data)-width) || data[end-1] != 0 {
		return "", "", errVariant
	}
	key = string(data[:end-1])
	begin := (end + 7) &^ 7
	if begin > int64(len(data)-width) {
		return "", "", errVariant
	}
	variant := data[begin : len(data)-width]
	if text, ok := strings.CutSuffix(string(variant), "\x00\x00s"); ok {
		value = text
	}
	return key, value, nil
}

// offsetWidth is how many bytes an offset has in a container of the size.
func offsetWidth(size int64) int {
	switch {
	case size <= 0xff:
		return 1
	case size <= 0xffff:
		return 2
	case size <= 0xffffffff:
		return 4
	}
	return 8
}

func offset(data []byte) int64 {
	var wide [8]byte
	copy(wide[:], data)
	return int64(binary.LittleEndian.Uint64(wide[:])) //nolint:gosec // a negative one is refused by whoever asked
}

// validID is an application's id: "org.geogebra.GeoGebra".
func validID(id string) bool {
	return len(id) >= 3 && len(id) <= 255 && strings.Contains(id, ".") && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

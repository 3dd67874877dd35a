// Package work is what a device hands in of an examination: pieces of files, each
// sealed so that only the installation opens it, and a list that says which files
// they make. It is the wire between device and server; neither files nor network
// are in it.
package work

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of what is handed in from one device at one time.
const (
	Piece     = 512 << 10 // bytes of a file in one piece
	MostFiles = 200
	MostFile  = 25 << 20 // bytes
	MostBytes = 50 << 20 // of all files together
	MostDepth = 8        // folders within each other
	mostPath  = 400      // bytes
	mostLeft  = 50       // names of files that were left out
	mostList  = 512 << 10
)

// Why a file was left out.
const (
	LeftSize  = "size"  // it alone is too large
	LeftCount = "count" // there were too many, or too much in all
	LeftKind  = "kind"  // no plain file, or not the pupil's own
	LeftRead  = "read"  // it could not be read
)

// List is one state of a pupil's folder.
type List struct {
	// At is when it was taken, by the clock that counts for the end of the
	// examination. Whole milliseconds, UTC.
	At time.Time `json:"at"`
	// Final says that it was taken after the end.
	Final bool   `json:"final,omitempty"`
	Files []File `json:"files,omitempty"`
	Left  []Left `json:"left,omitempty"`
	// Asked is the latest ask for the work that the device knew of when it took this
	// state, as lease.Work.Now.
	Asked int64 `json:"asked,omitempty"`
	// Nobody says that nobody had a session on the device: there was no folder.
	Nobody bool `json:"nobody,omitempty"`
}

// File is one file of the folder.
type File struct {
	Path     string    `json:"path"` // from the folder, with slashes
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"` // as the file system says, which people can change
	Pieces   []string  `json:"pieces,omitempty"`
	// Given says that it is as it was given out.
	Given bool `json:"given,omitempty"`
}

// Left is a file that was left out.
type Left struct {
	Path string `json:"path"`
	Why  string `json:"why"`
}

// Receipt is the server's answer to a list: either it names pieces that it does
// not have yet, or all is received and durable.
type Receipt struct {
	Received bool     `json:"received"`
	Missing  []string `json:"missing,omitempty"`
}

// Hash names content.
func Hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// IsHash reports whether text can be the name of content.
func IsHash(text string) bool {
	if len(text) != 2*sha256.Size {
		return false
	}
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// ErrList says that a list is none.
var ErrList = errors.New("work: not a list of files")

// Encode returns the list as it is sealed.
func (l List) Encode() ([]byte, error) { return json.Marshal(l) }

// Read reads a list that a device sent, and believes nothing of it: paths lead
// nowhere else, sizes and pieces fit, no name comes twice. It is ErrList
// otherwise.
func Read(data []byte) (List, error) {
	var list List
	if len(data) > mostList || json.Unmarshal(data, &list) != nil {
		return List{}, ErrList
	}
	if list.At.IsZero() || !decent(list.At) || len(list.Files) > MostFiles || len(list.Left) > mostLeft {
		return List{}, ErrList
	}
	var total int64
	seen := map[string]bool{}
	for _, file := range list.Files {
		folded := strings.ToLower(file.Path)
		if !IsPath(file.Path) || seen[folded] || !decent(file.Modified) || file.Size < 0 || file.Size > MostFile || int64(len(file.Pieces)) != pieces(file.Size) {
			return List{}, ErrList
		}
		if slices.ContainsFunc(file.Pieces, func(hash string) bool { return !IsHash(hash) }) {
			return List{}, ErrList
		}
		seen[folded] = true
		total += file.Size
	}
	if total > MostBytes {
		return List{}, ErrList
	}
	for i, left := range list.Left {
		if len(left.Path) > mostPath || !utf8.ValidString(left.Path) {
			return List{}, ErrList
		}
		if !slices.Contains([]string{LeftSize, LeftCount, LeftKind, LeftRead}, left.Why) {
			list.Left[i].Why = LeftRead // of a newer agent
		}
	}
	return list, nil
}

// decent keeps times in the years that can be written.
func decent(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }

// Pieces returns how many pieces a file of the size has.
func pieces(size int64) int64 { return (size + Piece - 1) / Piece }

// All lists the pieces of all files, each once.
func (l List) All() []string {
	var all []string
	for _, file := range l.Files {
		all = append(all, file.Pieces...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Size is how large the files are together, in bytes.
func (l List) Size() (total int64) {
	for _, file := range l.Files {
		total += file.Size
	}
	return total
}

// IsPath reports whether a path stays below the folder from which it goes, on
// every system that may unpack it.
func IsPath(path string) bool {
	if path == "" || len(path) > mostPath || !utf8.ValidString(path) || strings.Count(path, "/") >= MostDepth {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if !IsName(part) {
			return false
		}
	}
	return true
}

// IsName reports whether a text can be the name of a file everywhere.
func IsName(name string) bool {
	if name == "" || name == "." || name == ".." || len(name) > 200 || !utf8.ValidString(name) || strings.TrimSpace(name) != name || strings.HasSuffix(name, ".") {
		return false
	}
	return !strings.ContainsFunc(name, unfit)
}

// unfit are characters that some system takes for something else, and those that
// turn the order of reading.
func unfit(r rune) bool {
	switch {
	case r < ' ', r == 0x7f, r == utf8.RuneError, r >= 0x80 && r < 0xa0:
		return true
	case r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return strings.ContainsRune(`/\:*?"<>|`, r)
}

// Name turns a text into the name of a file: what does not fit goes, of a path the
// last part stays. It returns instead where nothing is left.
func Name(text, instead string) string {
	if at := strings.LastIndexAny(text, `/\`); at >= 0 {
		text = text[at+1:]
	}
	text = strings.Map(func(r rune) rune {
		if unfit(r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.TrimSpace(strings.TrimLeft(text, ". "))
	for len(text) > 120 {
		// The ending says what kind of file it is.
		dot := strings.LastIndexByte(text, '.')
		if dot < 0 || len(text)-dot > 16 {
			dot = len(text)
		}
		_, size := utf8.DecodeLastRuneInString(text[:dot])
		text = text[:dot-size] + text[dot:]
	}
	text = strings.TrimRight(text, ". ")
	if !IsName(text) {
		return instead
	}
	return text
}

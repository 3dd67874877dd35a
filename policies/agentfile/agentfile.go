// Package agentfile is the file in which a new version of the agent comes: a short
// head with a signed manifest, and the program behind it. It says what the file
// promises, who signed it, and when a device may take it. It reads no files and
// asks no clock.
package agentfile

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/version"
)

// Magic is the first line of a file of ours.
const Magic = "schulwart-agent-file 1\n"

// MostHead bounds the head, in bytes: all before the program.
const MostHead = 8 << 10

// MostProgram bounds the program, in bytes.
const MostProgram = 256 << 20

// Manifest is what the signature is over.
type Manifest struct {
	Version string    `json:"version"`
	OS      string    `json:"os"`     // as Go names it: "linux"
	Arch    string    `json:"arch"`   // as Go names it: "amd64"
	Size    int64     `json:"size"`   // of the program, in bytes
	SHA256  string    `json:"sha256"` // of the program, hexadecimal
	Floor   string    `json:"floor"`  // the lowest version that may step directly to this one
	Expires time.Time `json:"expires"`
}

// Name is how the package is called. Each platform has a package of its own, so
// that a school with two sorts of devices has two rollouts.
func (m Manifest) Name() string { return NameOf(m.OS, m.Arch) }

// NameOf returns the package's name for a platform.
func NameOf(os, arch string) string { return "schulwart-agent-" + os + "-" + arch }

// File is a head that was read. Nothing in it is to be believed before Signed.
type File struct {
	Manifest
	Offset int64 // where the program begins

	manifest  []byte // as it was signed
	signature signature
}

// ErrForm says that a file is none of ours, or damaged.
var ErrForm = errors.New("agentfile: not an agent's file, or damaged")

// lines of the head: the magic, the manifest, four of the signature, an empty one.
const lines = 7

// Read reads the head of a file; head is its beginning, MostHead bytes or all.
func Read(head []byte) (File, error) {
	head = head[:min(len(head), MostHead)]
	rest, ok := bytes.CutPrefix(head, []byte(Magic))
	if !ok {
		return File{}, ErrForm
	}
	var line [lines - 1][]byte
	for i := range line {
		if line[i], rest, ok = bytes.Cut(rest, []byte("\n")); !ok {
			return File{}, ErrForm
		}
	}
	if len(line[5]) != 0 {
		return File{}, ErrForm
	}
	f := File{Offset: int64(len(head) - len(rest)), manifest: append(slices.Clone(line[0]), '\n')}
	decoder := json.NewDecoder(bytes.NewReader(line[0]))
	decoder.DisallowUnknownFields() // what is signed is understood, or not taken
	if decoder.Decode(&f.Manifest) != nil || decoder.More() || !f.Manifest.valid() {
		return File{}, ErrForm
	}
	if f.signature, ok = readSignature(line[1:5]); !ok {
		return File{}, ErrForm
	}
	return f, nil
}

func (m Manifest) valid() bool {
	sum, err := hex.DecodeString(m.SHA256)
	return err == nil && len(sum) == 32 && strings.ToLower(m.SHA256) == m.SHA256 && m.Size > 0 && m.Size <= MostProgram &&
		version.Valid(m.Version) && version.Valid(m.Floor) && !version.Older(m.Version, m.Floor) && word(m.OS) && word(m.Arch) && !m.Expires.IsZero()
}

func word(text string) bool {
	return text != "" && len(text) <= 20 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// Refusal is why a device does not take a version, by the end of the code under
// which people read it.
type Refusal string

// The refusals.
const (
	Taken    Refusal = ""
	Platform Refusal = "platform" // for another system or processor
	Older    Refusal = "older"    // not newer than what runs
	Floor    Refusal = "floor"    // what runs is too old to step there directly
	Expired  Refusal = "expired"
)

// Refuse says why a device that runs a version does not step forward to this one.
// at is the latest time that it can know of: a clock that was put back must not
// make an old file young again.
func (m Manifest) Refuse(os, arch, runs string, at time.Time) Refusal {
	switch {
	case m.OS != os || m.Arch != arch:
		return Platform
	case !version.Older(runs, m.Version):
		return Older
	case version.Older(runs, m.Floor):
		return Floor
	case !at.Before(m.Expires):
		return Expired
	}
	return Taken
}

// Head returns the head of a file: the manifest as it was signed, one line with its
// end, and the text of its signature as minisign writes it. The program follows.
func Head(manifest, signature []byte) []byte {
	return slices.Concat([]byte(Magic), manifest, bytes.TrimRight(signature, "\n"), []byte("\n\n"))
}

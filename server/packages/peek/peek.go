// Package peek says what an uploaded file is, by its content and never by its
// name. It runs nothing and writes nothing: it reads as little as it needs,
// within bounds, and refuses what would do harm where it is unpacked.
package peek

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"path"
	"strings"

	"schulwart.org/policies/agentfile"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
)

// Found is what a file says of itself. What it does not say is empty.
type Found struct {
	Kind         rollout.Kind
	Name         string
	Version      string
	Architecture string
	Depends      []string
	Summary      string // in one line, English
	Source       string // home page
	Commit       string // of a Flatpak, hexadecimal
	// Agent is the head of a version of our own agent; its signature is not yet looked at.
	Agent *agentfile.File
}

// endings are the usual ends of names, by kind.
var endings = map[string]rollout.Kind{
	".deb": rollout.Deb, ".flatpak": rollout.Flatpak, ".appimage": rollout.AppImage, ".rpm": rollout.RPM, ".msi": rollout.MSI, ".exe": rollout.EXE, ".pkg": rollout.MacPkg, ".swagent": rollout.Agent,
}

// magics are the beginnings of files that people confuse with packages.
var magics = []struct {
	is    string
	begin string
}{
	{"rpm", "\xed\xab\xee\xdb"}, {"msi", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}, {"exe", "MZ"}, {"pkg", "xar!"}, {"zip", "PK\x03\x04"}, {"elf", "\x7fELF"},
	{"ar", arMagic}, {"gzip", "\x1f\x8b"}, {"xz", "\xfd7zXZ\x00"}, {"zstd", "\x28\xb5\x2f\xfd"}, {"pdf", "%PDF-"}, {"script", "#!"}, {"html", "<!DOCTYPE"}, {"html", "<html"},
}

// Look reads a file. Its faults are those of the person who brought it: a name
// that promises something else, a kind that nobody here knows, damage, and
// contents that do harm.
func Look(file io.ReaderAt, size int64, name string) (Found, error) {
	head := make([]byte, min(size, 512))
	if _, err := file.ReadAt(head, 0); err != nil && err != io.EOF {
		return Found{}, err
	}
	kind, is := kindOf(head)
	promised, named := endings[strings.ToLower(path.Ext(name))]
	if named && (kind == "" || promised != kind) {
		return Found{}, errs.E(errs.Invalid, "package.renamed", "named", string(promised), "is", is).In("file")
	}
	switch kind {
	case rollout.Deb:
		return debian(io.NewSectionReader(file, 0, size), size)
	case rollout.Flatpak:
		return flatpak(file, size)
	case rollout.AppImage:
		return appImage(file)
	case rollout.Agent:
		return agent(file, size)
	}
	return Found{}, errs.E(errs.Invalid, "package.unknown", "is", is).In("file")
}

// kindOf tells kinds of packages apart; is names anything else.
func kindOf(head []byte) (kind rollout.Kind, is string) {
	switch {
	case bytes.HasPrefix(head, []byte(arMagic+"debian-binary ")):
		return rollout.Deb, string(rollout.Deb)
	case bytes.HasPrefix(head, []byte(agentfile.Magic)):
		return rollout.Agent, string(rollout.Agent)
	case bytes.HasPrefix(head, []byte(flatpakMagic)):
		return rollout.Flatpak, string(rollout.Flatpak)
	case bytes.HasPrefix(head, []byte("\x7fELF")) && len(head) > 10 && head[8] == 'A' && head[9] == 'I' && (head[10] == 1 || head[10] == 2):
		return rollout.AppImage, string(rollout.AppImage)
	}
	for _, magic := range magics {
		if bytes.HasPrefix(head, []byte(magic.begin)) {
			return "", magic.is
		}
	}
	return "", "unknown"
}

func damaged(err error) error { return errs.E(errs.Invalid, "package.damaged").In("file").Because(err) }

// appImage reads for which processor the program is. Name and version stand in a
// file system inside, which nobody here mounts.
// https://github.com/AppImage/AppImageSpec/blob/master/draft.md
func appImage(file io.ReaderAt) (Found, error) {
	header := make([]byte, 20)
	if _, err := file.ReadAt(header, 0); err != nil {
		return Found{}, damaged(err)
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if header[5] == byte(elf.ELFDATA2MSB) {
		order = binary.BigEndian
	}
	found := Found{Kind: rollout.AppImage}
	switch elf.Machine(order.Uint16(header[18:])) {
	case elf.EM_X86_64:
		found.Architecture = "x86_64"
	case elf.EM_386:
		found.Architecture = "i686"
	case elf.EM_AARCH64:
		found.Architecture = "aarch64"
	case elf.EM_ARM:
		found.Architecture = "armhf"
	default:
		return found, errs.E(errs.Invalid, "package.architecture").In("file")
	}
	return found, nil
}

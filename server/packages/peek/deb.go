package peek

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/xi2/xz"

	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
)

const arMagic = "!<arch>\n"

// Bounds of what is unpacked while looking. The dictionaries are those of the
// strongest usual settings (xz -9, zstd --long=27).
const (
	mostControl    = 8 << 20
	mostEntries    = 300_000
	mostUnpacked   = 32 << 30
	unpackedRatio  = 300
	unpackedAlways = 64 << 20
	xzDictionary   = 64 << 20
	zstdWindow     = 128 << 20
)

// member is the head of a member of an ar archive.
type member struct {
	name string
	size int64
}

// nextMember reads the head of the next member; io.EOF at the clean end.
func nextMember(r io.Reader) (member, error) {
	var head [60]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return member{}, err
	}
	if head[58] != '`' || head[59] != '\n' {
		return member{}, errors.New("ar: bad head of a member")
	}
	size, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
	if err != nil || size < 0 {
		return member{}, errors.New("ar: bad size of a member")
	}
	return member{strings.TrimSuffix(strings.TrimRight(string(head[:16]), " "), "/"), size}, nil
}

// debian reads a Debian package: what its control file says, and whether what it
// would unpack stays in its place. https://manpages.debian.org/deb.5
func debian(file io.Reader, size int64) (Found, error) {
	if _, err := io.CopyN(io.Discard, file, int64(len(arMagic))); err != nil {
		return Found{}, damaged(err)
	}
	found, want := Found{Kind: rollout.Deb}, []string{"debian-binary", "control.tar", "data.tar"}
	for {
		head, err := nextMember(file)
		if err == io.EOF {
			break
		}
		if err != nil {
			return found, damaged(err)
		}
		content := &io.LimitedReader{R: file, N: head.size}
		switch {
		case strings.HasPrefix(head.name, "_"):
			// Members that begin so are for others, and may be passed over.
		case len(want) == 0:
			return found, damaged(fmt.Errorf("ar: member %q after the last", head.name))
		case head.name != want[0] && !strings.HasPrefix(head.name, want[0]+"."):
			return found, damaged(fmt.Errorf("ar: member %q where %s belongs", head.name, want[0]))
		default:
			if err := found.part(want[0], head, content, size); err != nil {
				return found, err
			}
			want = want[1:]
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			return found, damaged(err)
		}
		if content.N > 0 {
			return found, damaged(io.ErrUnexpectedEOF)
		}
		if head.size%2 == 1 {
			if _, err := io.CopyN(io.Discard, file, 1); err != nil && err != io.EOF {
				return found, damaged(err)
			}
		}
	}
	if len(want) > 0 {
		return found, damaged(fmt.Errorf("ar: no member %s", want[0]))
	}
	return found, nil
}

func (f *Found) part(what string, head member, content io.Reader, size int64) error {
	if what == "debian-binary" {
		version, err := io.ReadAll(io.LimitReader(content, 16))
		if err != nil || !strings.HasPrefix(string(version), "2.") {
			return damaged(fmt.Errorf("format %q", version))
		}
		return nil
	}
	unpacked, err := unpack(strings.TrimPrefix(head.name, what), content)
	if err != nil {
		return damaged(err)
	}
	defer unpacked.Close()
	if what == "control.tar" {
		return f.control(unpacked)
	}
	return contents(unpacked, size)
}

// unpack undoes the compression that the end of a member's name tells.
func unpack(ending string, r io.Reader) (io.ReadCloser, error) {
	switch ending {
	case "":
		return io.NopCloser(r), nil
	case ".gz":
		return gzip.NewReader(r)
	case ".xz":
		unpacked, err := xz.NewReader(r, xzDictionary)
		return io.NopCloser(unpacked), err
	case ".zst":
		unpacked, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderMaxMemory(mostUnpacked))
		if err != nil {
			return nil, err
		}
		return unpacked.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("compression %q", ending)
}

// control reads the facts from control.tar.
func (f *Found) control(r io.Reader) error {
	bounded := &bound{r: r, left: mostControl}
	archive := tar.NewReader(bounded)
	seen := false
	for {
		head, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return bounded.fault(err)
		}
		if err := place(head); err != nil {
			return err
		}
		if path.Clean(head.Name) != "control" || seen {
			continue
		}
		seen = true
		if err := f.fields(io.LimitReader(archive, 1<<20)); err != nil {
			return bounded.fault(err)
		}
	}
	if !seen || !validName(f.Name) || !validVersion(f.Version) || !validName(f.Architecture) {
		return damaged(errors.New("control: names no package, version or architecture"))
	}
	return nil
}

// fields reads the control file. https://www.debian.org/doc/debian-policy/ch-controlfields.html
func (f *Found) fields(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	last, values := "", map[string]string{}
	for lines.Scan() {
		line := lines.Text()
		switch name, value, ok := strings.Cut(line, ":"); {
		case line == "" || line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if last == "depends" || last == "pre-depends" {
				values[last] += " " + strings.TrimSpace(line)
			}
		case ok:
			last = strings.ToLower(name)
			values[last] = strings.TrimSpace(value)
		}
	}
	f.Name, f.Version, f.Architecture = values["package"], values["version"], values["architecture"]
	f.Summary, f.Source = clip(values["description"], 200), clip(values["homepage"], 500)
	for _, list := range []string{values["pre-depends"], values["depends"]} {
		for one := range strings.SplitSeq(list, ",") {
			if one = strings.Join(strings.Fields(one), " "); one != "" && len(f.Depends) < 500 {
				f.Depends = append(f.Depends, clip(one, 200))
			}
		}
	}
	return lines.Err()
}

// contents walks through what the package would unpack and refuses what leaves
// its place, or is far more than its size promises.
func contents(r io.Reader, size int64) error {
	bounded := &bound{r: r, left: min(mostUnpacked, unpackedAlways+unpackedRatio*size)}
	archive := tar.NewReader(bounded)
	links := map[string]bool{}
	for n := 0; ; n++ {
		head, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return bounded.fault(err)
		}
		if n >= mostEntries {
			return errs.E(errs.Invalid, "package.bomb").In("file")
		}
		if err := place(head); err != nil {
			return err
		}
		name := path.Clean("/" + head.Name)
		for above := path.Dir(name); above != "/"; above = path.Dir(above) {
			if links[above] {
				return errs.E(errs.Invalid, "package.through_link", "path", clip(head.Name, 200)).In("file")
			}
		}
		if head.Typeflag == tar.TypeSymlink {
			links[name] = true
		}
	}
	// What stands behind the end of the archive counts, too.
	if _, err := io.Copy(io.Discard, bounded); err != nil {
		return bounded.fault(err)
	}
	return nil
}

// place refuses entries that would be written, or would point, outside of the
// tree, and those that are no files.
func place(head *tar.Header) error {
	escapes := errs.E(errs.Invalid, "package.escapes", "path", clip(head.Name, 200)).In("file")
	if climbs(head.Name) || strings.HasPrefix(head.Name, "/") {
		return escapes
	}
	switch head.Typeflag {
	case tar.TypeReg, tar.TypeDir, tar.TypeXGlobalHeader:
		return nil
	case tar.TypeSymlink:
		// A link from / is one inside the system that it is unpacked into; one that
		// climbs above it is none.
		target := head.Linkname
		if !strings.HasPrefix(target, "/") {
			target = path.Join("x", path.Dir(path.Clean("./"+head.Name)), target) //nolint:gosec // nothing is written: it is asked where it would lead
			if target != "x" && !strings.HasPrefix(target, "x/") {
				return escapes
			}
		}
		return nil
	case tar.TypeLink:
		if climbs(head.Linkname) || strings.HasPrefix(head.Linkname, "/") {
			return escapes
		}
		return nil
	}
	return errs.E(errs.Invalid, "package.no_file", "path", clip(head.Name, 200)).In("file")
}

func climbs(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return true
		}
	}
	return strings.ContainsRune(name, 0)
}

// bound ends a reader that gives more than it may.
type bound struct {
	r    io.Reader
	left int64
	over bool
}

var errOver = errors.New("peek: unpacks to more than is allowed")

// Read reads, until too much was read.
func (b *bound) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.over = true
		return 0, errOver
	}
	return n, err
}

func (b *bound) fault(err error) error {
	if b.over || errors.Is(err, errOver) || errors.Is(err, xz.ErrMemlimit) || errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return errs.E(errs.Invalid, "package.bomb").In("file").Because(err)
	}
	return damaged(err)
}

// validName is what Debian allows in names of packages and architectures.
func validName(name string) bool {
	return len(name) >= 2 && len(name) <= 128 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == "" && !strings.ContainsAny(name[:1], "+-.")
}

func validVersion(version string) bool {
	return version != "" && len(version) <= 128 && strings.Trim(version, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-:~") == ""
}

func clip(text string, most int) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "")
	for i := range text {
		if i >= most {
			return text[:i]
		}
	}
	return text
}

package peek_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"schulwart.org/policies/rollout"
	"schulwart.org/scripts/need"
	"schulwart.org/server/errs"
	"schulwart.org/server/packages/peek"
)

const control = "Package: geogebra-classic\nVersion: 6.2-1\nArchitecture: amd64\nMaintainer: A <a@example.org>\nDepends: libc6 (>= 2.36), libgtk-3-0,\n libnss3\nHomepage: https://geogebra.example\nDescription: Dynamic mathematics\n for all\n"

func look(data []byte, name string) (peek.Found, error) {
	return peek.Look(bytes.NewReader(data), int64(len(data)), name)
}

// entry is a file in an archive.
type entry struct {
	head tar.Header
	data string
}

func file(name, data string) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644}, data}
}

func link(kind byte, name, to string) entry {
	return entry{tar.Header{Name: name, Typeflag: kind, Linkname: to}, ""}
}

func archive(entries ...entry) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		e.head.Size = int64(len(e.data))
		if err := w.WriteHeader(&e.head); err != nil {
			panic(err)
		}
		_, _ = w.Write([]byte(e.data))
	}
	_ = w.Close()
	return out.Bytes()
}

func zipped(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(data)
	_ = w.Close()
	return out.Bytes()
}

func ar(members ...any) []byte {
	out := []byte("!<arch>\n")
	for i := 0; i < len(members); i += 2 {
		name, data := members[i].(string), members[i+1].([]byte)
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", name, 0, 0, 0, "100644", len(data))
		out = append(out, data...)
		if len(data)%2 == 1 {
			out = append(out, '\n')
		}
	}
	return out
}

func deb(entries ...entry) []byte {
	return ar("debian-binary", []byte("2.0\n"), "control.tar.gz", zipped(archive(file("./control", control))), "data.tar.gz", zipped(archive(entries...)))
}

var plain = []entry{
	{tar.Header{Name: "./", Typeflag: tar.TypeDir}, ""}, {tar.Header{Name: "./usr/", Typeflag: tar.TypeDir}, ""}, file("./usr/bin/geogebra", "#!/bin/sh\n"),
	link(tar.TypeSymlink, "./usr/bin/gg", "geogebra"), link(tar.TypeSymlink, "./etc/alternatives/gg", "/usr/bin/gg"), link(tar.TypeSymlink, "./usr/lib/x/up", "../../share/x"), link(tar.TypeLink, "./usr/bin/hard", "./usr/bin/geogebra"),
}

func TestADebianPackageSaysWhatItIs(t *testing.T) {
	got, err := look(deb(plain...), "geogebra.deb")
	if err != nil {
		t.Fatal(err)
	}
	if got.Kind != rollout.Deb || got.Name != "geogebra-classic" || got.Version != "6.2-1" || got.Architecture != "amd64" || got.Summary != "Dynamic mathematics" || got.Source != "https://geogebra.example" ||
		!slices.Equal(got.Depends, []string{"libc6 (>= 2.36)", "libgtk-3-0", "libnss3"}) {
		t.Errorf("%+v", got)
	}
}

// Debian's own tool packs, in every way that it knows.
func TestPackagesOfDebiansOwnTool(t *testing.T) {
	need.Tool(t, "dpkg-deb")
	dir := t.TempDir()
	for path, text := range map[string]string{"DEBIAN/control": control, "usr/share/x/readme": strings.Repeat("x", 100_000)} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, with := range []string{"none", "gzip", "xz", "zstd"} {
		t.Run(with, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "x.deb")
			if said, err := exec.CommandContext(t.Context(), "dpkg-deb", "--root-owner-group", "-Z"+with, "--build", dir, out).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			data, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := look(data, "x.deb"); err != nil || got.Name != "geogebra-classic" {
				t.Fatalf("%+v, %v", got, err)
			}
			for _, length := range []int{len(data) - 2, len(data) / 2, 200, 70, 8, 0} {
				if got, err := look(data[:length], "x.deb"); err == nil {
					t.Errorf("%d of %d bytes are taken for %+v", length, len(data), got)
				}
			}
		})
	}
}

func TestHostilePackagesAreRefused(t *testing.T) {
	long := strings.Repeat("\x00", 160<<20)
	var tight bytes.Buffer
	w, err := zstd.NewWriter(&tight, zstd.WithWindowSize(256<<20), zstd.WithSingleSegment(false))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(archive(file("./x", strings.Repeat("abcdefgh", 40<<20/8))))
	_ = w.Close()
	with := func(e ...entry) []byte { return deb(append(slices.Clone(plain), e...)...) }
	cases := map[string]struct {
		data []byte
		name string
		key  string
	}{
		"climbs above the tree":           {with(file("./usr/../../etc/passwd", "x")), "x.deb", "package.escapes"},
		"an absolute name":                {with(file("/etc/passwd", "x")), "x.deb", "package.escapes"},
		"a link that climbs":              {with(link(tar.TypeSymlink, "./usr/lib/up", "../../../etc")), "x.deb", "package.escapes"},
		"a hard link that climbs":         {with(link(tar.TypeLink, "./x", "../etc/shadow")), "x.deb", "package.escapes"},
		"a hard link from the root":       {with(link(tar.TypeLink, "./x", "/etc/shadow")), "x.deb", "package.escapes"},
		"a file through its own link":     {with(link(tar.TypeSymlink, "./opt/x", "/etc"), file("./opt/x/passwd", "x")), "x.deb", "package.through_link"},
		"a device":                        {with(entry{tar.Header{Name: "./dev/sda", Typeflag: tar.TypeBlock, Devmajor: 8}, ""}), "x.deb", "package.no_file"},
		"a pipe":                          {with(entry{tar.Header{Name: "./run/p", Typeflag: tar.TypeFifo}, ""}), "x.deb", "package.no_file"},
		"a bomb":                          {with(file("./usr/zero", long)), "x.deb", "package.bomb"},
		"a bomb in the control file":      {ar("debian-binary", []byte("2.0\n"), "control.tar.gz", zipped(archive(file("./zero", long[:10<<20]), file("./control", control))), "data.tar.gz", zipped(archive())), "x.deb", "package.bomb"},
		"a window that takes all memory":  {ar("debian-binary", []byte("2.0\n"), "control.tar.gz", zipped(archive(file("./control", control))), "data.tar.zst", tight.Bytes()), "x.deb", "package.bomb"},
		"no control file":                 {ar("debian-binary", []byte("2.0\n"), "control.tar.gz", zipped(archive(file("./postinst", "x"))), "data.tar.gz", zipped(archive())), "x.deb", "package.damaged"},
		"a control file without a name":   {ar("debian-binary", []byte("2.0\n"), "control.tar.gz", zipped(archive(file("./control", "Version: 1\nArchitecture: all\n"))), "data.tar.gz", zipped(archive())), "x.deb", "package.damaged"},
		"a name with a way in it":         {ar("debian-binary", []byte("2.0\n"), "control.tar.gz", zipped(archive(file("./control", "Package: ../../x\nVersion: 1\nArchitecture: all\n"))), "data.tar.gz", zipped(archive())), "x.deb", "package.damaged"},
		"parts in another order":          {ar("debian-binary", []byte("2.0\n"), "data.tar.gz", zipped(archive()), "control.tar.gz", zipped(archive(file("./control", control)))), "x.deb", "package.damaged"},
		"a part too many":                 {append(deb(plain...), ar("more", []byte("x"))[8:]...), "x.deb", "package.damaged"},
		"a compression that is not known": {ar("debian-binary", []byte("2.0\n"), "control.tar.gz", zipped(archive(file("./control", control))), "data.tar.lzma", []byte("x")), "x.deb", "package.damaged"},
		"a zip with another name":         {[]byte("PK\x03\x04 and so on"), "geogebra.deb", "package.renamed"},
		"a package with another name":     {deb(plain...), "geogebra.AppImage", "package.renamed"},
		"an installer of Windows":         {[]byte("MZ and so on"), "setup", "package.unknown"},
		"a program that is no AppImage":   {[]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00"), "x.AppImage", "package.renamed"},
		"nothing":                         {nil, "x", "package.unknown"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := look(c.data, c.name)
			fault := errs.Find(err)
			if fault == nil || fault.Key != c.key || fault.Kind != errs.Invalid || fault.Field != "file" {
				t.Errorf("%+v: %v", got, err)
			}
		})
	}
	if fault := errs.Find(second(look([]byte("MZ"), "x.deb"))); fault == nil || fault.Args["is"] != "exe" || fault.Args["named"] != "deb" {
		t.Errorf("a renamed file is not told what it is: %v", fault)
	}
}

func second(_ peek.Found, err error) error { return err }

func TestAnAppImageSaysItsProcessor(t *testing.T) {
	for machine, want := range map[uint16]string{0x3e: "x86_64", 0xb7: "aarch64", 0x28: "armhf", 3: "i686"} {
		head := append([]byte("\x7fELF\x02\x01\x01\x00AI\x02\x00\x00\x00\x00\x00\x02\x00"), byte(machine), byte(machine>>8))
		if got, err := look(head, "Krita.AppImage"); err != nil || got.Kind != rollout.AppImage || got.Architecture != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if _, err := look([]byte("\x7fELF\x02\x01\x01\x00AI\x02\x00\x00\x00\x00\x00\x02\x00\xff\xff"), "x"); errs.Find(err) == nil || errs.Find(err).Key != "package.architecture" {
		t.Errorf("%v", err)
	}
}

// bundle writes the beginning of a Flatpak bundle as GVariant has it.
func bundle(texts ...string) []byte {
	variant := func(key string, value []byte, kind string) []byte {
		out := append([]byte(key), 0)
		end := len(out)
		for len(out)%8 != 0 {
			out = append(out, 0)
		}
		out = append(append(append(out, value...), 0), kind...)
		if len(out)+1 <= 0xff {
			return append(out, byte(end))
		}
		return binary.LittleEndian.AppendUint16(out, uint16(end))
	}
	entries := [][]byte{variant("flatpak", []byte{1, 0, 0x89, 0xe5}, "u")}
	for i := 0; i < len(texts); i += 2 {
		entries = append(entries, variant(texts[i], append([]byte(texts[i+1]), 0), "s"))
	}
	var data []byte
	var ends []int
	for _, e := range entries {
		for len(data)%8 != 0 {
			data = append(data, 0)
		}
		data = append(data, e...)
		ends = append(ends, len(data))
	}
	for _, end := range ends {
		data = binary.LittleEndian.AppendUint16(data, uint16(end))
	}
	end := len(data)
	for len(data)%8 != 0 {
		data = append(data, 0)
	}
	from := len(data) + 8 // behind the number; there is no former commit
	data = append(data, make([]byte, 8)...)
	data = append(data, bytes.Repeat([]byte{0xab}, 32)...)
	to := len(data)
	data = append(data, make([]byte, 70_000)...) // the parts
	for _, at := range []int{to, from, end} {
		data = binary.LittleEndian.AppendUint32(data, uint32(at))
	}
	return data
}

// Flatpak's own tool builds a bundle without anything of the network.
func TestABundleOfFlatpaksOwnTool(t *testing.T) {
	need.Tool(t, "flatpak")
	dir := t.TempDir()
	script := `set -e
mkdir -p app/files/bin app/export
printf '[Application]\nname=org.example.App\nruntime=org.example.Tiny/x86_64/1\ncommand=app\n' >app/metadata
echo text >app/files/bin/app
flatpak build-export --arch=x86_64 repo app stable
flatpak build-bundle --arch=x86_64 repo app.flatpak org.example.App stable`
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "FLATPAK_SYSTEM_DIR="+filepath.Join(dir, "system"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "app.flatpak"))
	if err != nil {
		t.Fatal(err)
	}
	commit, err := os.ReadFile(filepath.Join(dir, "repo/refs/heads/app/org.example.App/x86_64/stable"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := look(data, "app.flatpak")
	if err != nil || got.Name != "org.example.App" || got.Version != "stable" || got.Commit != strings.TrimSpace(string(commit)) {
		t.Errorf("%+v, %v; the repository says %s", got, err, commit)
	}
}

func TestAFlatpakSaysWhatItIs(t *testing.T) {
	meta := "[Application]\nname=org.geogebra.GeoGebra\nruntime=org.freedesktop.Platform/x86_64/24.08\n" + strings.Repeat("# x\n", 60)
	data := bundle("ref", "app/org.geogebra.GeoGebra/x86_64/stable", "metadata", meta)
	got, err := look(data, "geogebra.flatpak")
	if err != nil || got.Kind != rollout.Flatpak || got.Name != "org.geogebra.GeoGebra" || got.Architecture != "x86_64" || got.Version != "stable" || got.Commit != strings.Repeat("ab", 32) || !slices.Equal(got.Depends, []string{"org.freedesktop.Platform/x86_64/24.08"}) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, bad := range map[string][]byte{
		"no ref": bundle("metadata", meta), "a ref with a way in it": bundle("ref", "app/../../etc/x/y"), "cut off": data[:len(data)-3], "only its head": data[:20],
	} {
		if _, err := look(bad, "x.flatpak"); errs.Find(err) == nil || errs.Find(err).Key != "package.damaged" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzLook(f *testing.F) {
	f.Add(deb(plain...), "x.deb")
	f.Add(bundle("ref", "app/org.x.Y/x86_64/stable"), "x.flatpak")
	f.Add([]byte("\x7fELF\x02\x01\x01\x00AI\x02\x00\x00\x00\x00\x00\x02\x00\x3e\x00"), "x.AppImage")
	f.Add(ar("debian-binary", []byte("2.0\n"), "control.tar.xz", []byte("\xfd7zXZ\x00\x00\x04"), "data.tar.zst", []byte("\x28\xb5\x2f\xfd")), "")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		found, err := look(data, name)
		if err == nil && (found.Kind == "" || found.Architecture == "" || found.Kind != rollout.AppImage && (found.Name == "" || found.Version == "" || strings.Contains(found.Name, "/"))) {
			t.Fatalf("taken for %+v", found)
		}
		if err != nil && errs.KindOf(err) != errs.Invalid {
			t.Fatalf("a file is our own fault: %v", err)
		}
	})
}

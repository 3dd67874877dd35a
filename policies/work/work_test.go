package work_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/work"
)

func key(t interface{ Fatal(...any) }) *ecdh.PrivateKey {
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOnlyTheHolderOfTheKeyOpensAndOnlyForWhatItIsAbout(t *testing.T) {
	mine, other := key(t), key(t)
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "content")
		sealed, err := work.Seal(mine.PublicKey().Bytes(), content, "exam 1")
		if err != nil {
			t.Fatal(err)
		}
		if len(sealed) != len(content)+work.Overhead {
			t.Fatalf("%d bytes became %d", len(content), len(sealed))
		}
		if got, err := work.Open(mine, sealed, "exam 1"); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%v", err)
		}
		if _, err := work.Open(other, sealed, "exam 1"); err == nil {
			t.Fatal("another key opens it")
		}
		if _, err := work.Open(mine, sealed, "exam 2"); err == nil {
			t.Fatal("it opens for something else")
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(t, "at")
		sealed[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if got, err := work.Open(mine, sealed, "exam 1"); err == nil {
			t.Fatalf("byte %d was changed and nobody sees it: %q", at, got)
		}
	})
}

func TestNamesFitEveryWhere(t *testing.T) {
	for given, want := range map[string]string{
		"Blatt 1.pdf": "Blatt 1.pdf", `C:\x\Blatt.pdf`: "Blatt.pdf", "../../etc/passwd": "passwd", "..": "Datei", "": "Datei", ".bashrc": "bashrc", "a:b?.txt": "a_b_.txt",
		"Prüfung „Mathe“": "Prüfung „Mathe“", "ende.": "ende", "a\u202egpj.exe": "a_gpj.exe", "zeile\nzwei": "zeile_zwei",
	} {
		if got := work.Name(given, "Datei"); got != want {
			t.Errorf("%q became %q, not %q", given, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if name := work.Name(rapid.String().Draw(t, "text"), "Datei"); !work.IsName(name) || !work.IsPath(name) {
			t.Fatalf("%q", name)
		}
	})
	long := work.Name(strings.Repeat("ü", 300)+".docx", "Datei")
	if len(long) > 120 || !strings.HasSuffix(long, ".docx") {
		t.Errorf("%q", long)
	}
}

// FuzzRead reads what a device says. Whatever is taken stays below its folder,
// within bounds, and reads the same again.
func FuzzRead(f *testing.F) {
	good, err := work.List{At: time.Now(), Final: true, Files: []work.File{{Path: "a/b.txt", Size: 3, Modified: time.Now(), Pieces: []string{work.Hash([]byte("abc"))}}}, Left: []work.Left{{Path: "x", Why: work.LeftSize}}}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"at":"2026-11-26T10:00:00Z","files":[{"path":"../x","size":0}]}`))
	f.Add([]byte(`{"at":"2026-11-26T10:00:00Z","files":[{"path":"a","size":-1},{"path":"A","size":1e18}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := work.Read(data)
		if err != nil {
			return
		}
		if list.Size() > work.MostBytes || list.Size() < 0 || len(list.Files) > work.MostFiles {
			t.Fatalf("too much: %d bytes, %d files", list.Size(), len(list.Files))
		}
		seen := map[string]bool{}
		for _, file := range list.Files {
			if !work.IsPath(file.Path) || strings.HasPrefix(file.Path, "/") || strings.Contains("/"+file.Path+"/", "/../") || seen[strings.ToLower(file.Path)] {
				t.Fatalf("path %q", file.Path)
			}
			seen[strings.ToLower(file.Path)] = true
		}
		again, err := list.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := work.Read(again); err != nil {
			t.Fatalf("what was read does not read again: %v", err)
		}
	})
}

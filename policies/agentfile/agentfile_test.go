package agentfile_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/agentfile"
	"schulwart.org/policies/agentfile/agentfiletest"
	"schulwart.org/scripts/need"
)

var expires = time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC)

func manifest() agentfile.Manifest {
	return agentfile.Manifest{Version: "0.2.0", OS: "linux", Arch: "amd64", Floor: "0.1.0", Expires: expires}
}

func TestOnlyWhatAKnownKeySignedIsBelieved(t *testing.T) {
	ours, others := agentfiletest.New("ours"), agentfiletest.New("others")
	file := ours.File(manifest(), []byte("the program"))
	f, err := agentfile.Read(file)
	if err != nil || string(file[f.Offset:]) != "the program" || f.Name() != "schulwart-agent-linux-amd64" {
		t.Fatalf("%+v, %v", f, err)
	}
	known, err := agentfile.Keys("untrusted comment: minisign public key\n" + ours.Public() + "\n")
	if err != nil || f.Signed(known) != nil {
		t.Errorf("%v, %v", err, f.Signed(known))
	}
	strange, _ := agentfile.Keys(others.Public())
	if err := f.Signed(strange); !errors.Is(err, agentfile.ErrStranger) {
		t.Errorf("a strange key: %v", err)
	}
	if err := f.Signed(nil); !errors.Is(err, agentfile.ErrStranger) {
		t.Errorf("no key: %v", err)
	}
	for old, forged := range map[string]string{`"floor":"0.1.0"`: `"floor":"0.0.0"`, "2027": "2037", "trusted comment: agent 0.2.0": "trusted comment: agent 0.3.0"} {
		changed, err := agentfile.Read(bytes.Replace(file, []byte(old), []byte(forged), 1))
		if err != nil {
			t.Fatalf("%s: %v", forged, err)
		}
		if err := changed.Signed(known); !errors.Is(err, agentfile.ErrSignature) {
			t.Errorf("%s: %v", forged, err)
		}
	}
}

func TestWhichVersionsADeviceSteps(t *testing.T) {
	for name, c := range map[string]struct {
		runs, arch string
		at         time.Time
		want       agentfile.Refusal
	}{
		"the next one":      {"0.1.0", "amd64", expires.AddDate(0, 0, -1), agentfile.Taken},
		"the same again":    {"0.2.0", "amd64", expires.AddDate(0, 0, -1), agentfile.Older},
		"an old one":        {"0.3.0", "amd64", expires.AddDate(0, 0, -1), agentfile.Older},
		"from too far":      {"0.0.9", "amd64", expires.AddDate(0, 0, -1), agentfile.Floor},
		"too late":          {"0.1.0", "amd64", expires, agentfile.Expired},
		"another processor": {"0.1.0", "arm64", expires.AddDate(0, 0, -1), agentfile.Platform},
		"built by hand":     {"dev", "amd64", expires.AddDate(0, 0, -1), agentfile.Older},
	} {
		if got := manifest().Refuse("linux", c.arch, c.runs, c.at); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What the real program signs is believed, in both of its ways.
func TestWhatMinisignWrites(t *testing.T) {
	tool := need.Tool(t, "minisign")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	run("-G", "-W", "-p", at("pub"), "-s", at("sec"))
	text := `{"version":"0.2.0","os":"linux","arch":"amd64","size":7,"sha256":"` + strings.Repeat("ab", 32) + `","floor":"0.1.0","expires":"2027-05-01T00:00:00Z"}` + "\n"
	for _, way := range []string{"-H", "-l"} {
		if err := os.WriteFile(at("manifest"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		run("-S", way, "-s", at("sec"), "-m", at("manifest"), "-x", at("sig"), "-t", "agent 0.2.0")
		signature, err := os.ReadFile(at("sig"))
		if err != nil {
			t.Fatal(err)
		}
		public, err := os.ReadFile(at("pub"))
		if err != nil {
			t.Fatal(err)
		}
		keys, err := agentfile.Keys(string(public))
		if err != nil {
			t.Fatal(err)
		}
		f, err := agentfile.Read(append(agentfile.Head([]byte(text), signature), "program"...))
		if err != nil || f.Signed(keys) != nil || f.Version != "0.2.0" {
			t.Errorf("%s: %v, %v", way, err, f.Signed(keys))
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(agentfiletest.New("x").File(manifest(), []byte("the program")))
	f.Add([]byte(agentfile.Magic + "{}\n\n\n\n\n\n"))
	keys, err := agentfile.Keys(agentfiletest.New("another").Public())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := agentfile.Read(data)
		if err != nil {
			return
		}
		if file.Offset > int64(len(data)) || file.Size <= 0 || len(file.SHA256) != 64 {
			t.Errorf("%+v", file)
		}
		if file.Signed(keys) == nil {
			t.Error("nobody signed this with that key")
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add(agentfiletest.New("x").Public() + "," + agentfiletest.New("y").Public())
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := agentfile.Keys(text)
		if err != nil && len(keys) > 0 {
			t.Error("keys and an error")
		}
	})
}

package rollout_test

import (
	"strings"
	"testing"

	"schulwart.org/policies/rollout"
)

var key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + strings.Repeat("mDMEZabc/+0123456789\n", 10) + "=ab12\n-----END PGP PUBLIC KEY BLOCK-----\n"

func TestARepositoryHoldsNothingButWhatItMeans(t *testing.T) {
	good := rollout.Repository{URL: "https://packages.example.org:8443/debian", Suite: "bookworm/updates", Components: []string{"main", "contrib"}, Key: key}
	if field := good.Mistake(rollout.Deb); field != "" {
		t.Errorf("%s is refused", field)
	}
	if field := (rollout.Repository{URL: "http://127.0.0.1/repo", Suite: "stable", Key: key}).Mistake(rollout.Flatpak); field != "" {
		t.Errorf("%s is refused", field)
	}
	for _, address := range []string{
		"", "file:///etc", "ftp://x.example", "copy:/x", "cdrom:x", "https://", "https://a@x.example/", "https://x.example/\nTrusted: yes", "https://x.example/ https://y.example", "https://x.example/[trusted=yes]",
		"-oDir::Etc=x", "https://x.example/?a=b", "https://x.example/\t", "https://x.example/\x00", "https://x.example/\"", "mirror+file:/x", "https://" + strings.Repeat("a", 600),
	} {
		r := good
		r.URL = address
		if r.Mistake(rollout.Deb) != "url" {
			t.Errorf("the address %q passes", address)
		}
	}
	for _, name := range []string{"", "-o", "a b", "a\nTrusted: yes", "..", "a/../b", "/", "a//b", "a/", "ä", "$(id)"} {
		r := good
		r.Suite = name
		if r.Mistake(rollout.Deb) != "suite" {
			t.Errorf("the suite %q passes", name)
		}
		r = good
		r.Components = []string{"main", name}
		if r.Mistake(rollout.Deb) != "components" {
			t.Errorf("the component %q passes", name)
		}
	}
	for _, bad := range []string{
		"", "key", strings.ReplaceAll(key, "PUBLIC", "PRIVATE"), key + key, key + "\nTrusted: yes", strings.Replace(key, "mDME", "mD\x00E", 1), strings.Replace(key, "mDME", "mDMÜ", 1),
		"-----BEGIN PGP PUBLIC KEY BLOCK-----\n-----END PGP PUBLIC KEY BLOCK-----", strings.Replace(key, "=ab12", strings.Repeat("a", 30<<10), 1),
	} {
		r := good
		r.Key = bad
		if r.Mistake(rollout.Deb) != "key" {
			t.Errorf("the key %.80q passes", bad)
		}
	}
	if good.Mistake(rollout.AppImage) != "kind" {
		t.Error("an AppImage comes from a repository")
	}
}

func TestWhatIsAskedOfARepositoryIsNoOption(t *testing.T) {
	commit := strings.Repeat("0a", 32)
	for _, good := range []struct {
		kind                  rollout.Kind
		name, version, commit string
	}{{rollout.Deb, "g++", "4:12.2.0-3", ""}, {rollout.Deb, "libc6", "2.36-9+deb12u9", ""}, {rollout.Deb, "0ad", "0.0.26~rc1", ""}, {rollout.Flatpak, "org.example.App", "stable", commit}} {
		if !good.kind.FromRepository(good.name, good.version, good.commit) {
			t.Errorf("%+v is refused", good)
		}
	}
	for _, bad := range []struct {
		kind                  rollout.Kind
		name, version, commit string
	}{
		{rollout.Deb, "-o", "1", ""}, {rollout.Deb, "bash-", "1", ""}, {rollout.Deb, "bash", "1-", ""}, {rollout.Deb, "bash", "1+", ""}, {rollout.Deb, "Bash", "1", ""}, {rollout.Deb, "a/b", "1", ""}, {rollout.Deb, "bash:amd64", "1", ""},
		{rollout.Deb, "bash", "", ""}, {rollout.Deb, "bash", "1 2", ""}, {rollout.Deb, "", "1", ""}, {rollout.Deb, "a*", "1", ""}, {rollout.Deb, "+x", "1", ""},
		{rollout.Flatpak, "org.example.App", "stable", ""}, {rollout.Flatpak, "org.example.App", "stable", "xyz"}, {rollout.Flatpak, "--system", "stable", commit}, {rollout.WebApp, "x.example", "1", ""},
	} {
		if bad.kind.FromRepository(bad.name, bad.version, bad.commit) {
			t.Errorf("%+v passes", bad)
		}
	}
}

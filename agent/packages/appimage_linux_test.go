package packages_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"schulwart.org/agent/host"
	"schulwart.org/agent/packages"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

const launcher = "/usr/local/share/applications/app.schulwart.rechner.desktop"

func TestAppImagesComeGoBackAndLeave(t *testing.T) {
	dir := apart(t, emptyRoom)
	if dir == "" {
		return
	}
	l := newLaptop(t, dir, packages.Kinds{rollout.AppImage: packages.AppImage{Places: host.SystemTree{}}})
	image := func(version, text string) rollout.Declared {
		t.Helper()
		file := filepath.Join(dir, "image")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return l.offer(rollout.AppImage, "rechner", version, file)
	}
	there := func(want string) {
		t.Helper()
		if got := l.sh("cat /opt/schulwart/apps/rechner/* 2>/dev/null || true"); got != want {
			t.Errorf("there is %q, want %q", got, want)
		}
	}
	one, two := image("1.0", "first"), image("2.0", "second")
	l.declare(one)
	l.says("installed", ddm.PackageVerified, "1.0", "")
	there("first")
	if got := l.sh("stat -c '%U %a' /opt/schulwart/apps/rechner/rechner-1.0.AppImage"); got != "root 755" {
		t.Errorf("it is %s", got)
	}
	entry, err := os.ReadFile(launcher)
	if err != nil || !strings.Contains(string(entry), "\nExec=/opt/schulwart/apps/rechner/rechner-1.0.AppImage %U\n") || strings.Count(string(entry), "\nExec=") != 1 || !strings.Contains(string(entry), "Name[de]=Rechner Exec=böse\n") {
		t.Errorf("the menu has %q, %v", entry, err)
	}
	l.declare(two)
	l.says("a newer version", ddm.PackageVerified, "2.0", "")
	there("second")
	back := one
	back.Rollout, back.IfPresent = two.Rollout, true
	l.declare(back)
	l.says("the version before", ddm.PackageVerified, "1.0", "")

	// Whatever somebody does to it is seen, and mended.
	for what, does := range map[string]string{
		"another content": "echo x >/opt/schulwart/apps/rechner/rechner-1.0.AppImage", "not to be run": "chmod 600 /opt/schulwart/apps/rechner/rechner-1.0.AppImage",
		"a link in its place": "ln -sf /bin/true /opt/schulwart/apps/rechner/rechner-1.0.AppImage", "gone": "rm /opt/schulwart/apps/rechner/rechner-1.0.AppImage",
		"gone from the menu": "rm " + launcher, "another start": "echo Exec=/bin/false >>" + launcher, "what an interruption left": "cp /bin/true /opt/schulwart/apps/rechner/.schulwart-12",
	} {
		l.sh(does)
		l.says(what, ddm.PackageVerified, "1.0", "")
		there("first")
		if after, err := os.ReadFile(launcher); err != nil || string(after) != string(entry) {
			t.Errorf("%s: the menu has %q, %v", what, after, err)
		}
	}
	l.declare()
	l.says("left with its declaration", "", "", "")
	if left := l.sh("ls -A /opt/schulwart/apps /usr/local/share/applications"); strings.Contains(left, "rechner") {
		t.Errorf("left behind: %s", left)
	}
}

// Between the coming of a file and its installation somebody lays another one in
// its place.
func TestAFileThatWasSwappedIsNotInstalled(t *testing.T) {
	dir := apart(t, emptyRoom)
	if dir == "" {
		return
	}
	swapping := &swap{AppImage: packages.AppImage{Places: host.SystemTree{}}, t: t}
	l := newLaptop(t, dir, packages.Kinds{rollout.AppImage: swapping})
	file := filepath.Join(dir, "image")
	if err := os.WriteFile(file, []byte("good"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := l.offer(rollout.AppImage, "rechner", "1.0", file)
	l.declare(d)
	l.says("swapped while it is installed", ddm.PackageFailed, "", "package.hash")

	// Swapped before: it is fetched anew.
	swapping.no = true
	d.Try = 2
	l.declare(d)
	k := l.agent()
	k.Turn(t.Context())
	if err := k.Carry(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.store.Path(d.SHA256+".appimage"), []byte("evil"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.says("swapped before it is installed", ddm.PackageVerified, "1.0", "")
	if got := l.sh("cat /opt/schulwart/apps/rechner/*"); got != "good" {
		t.Errorf("there is %q", got)
	}
}

// swap lays another file in the place of the one that is to be installed.
type swap struct {
	packages.AppImage
	t  *testing.T
	no bool
}

// Install is part of packages.System.
func (s *swap) Install(ctx context.Context, d rollout.Declared, file string) error {
	if !s.no {
		if err := os.WriteFile(file, []byte("evil"), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	return s.AppImage.Install(ctx, d, file)
}

func TestNamesThatWouldLeaveTheirPlaceAreRefused(t *testing.T) {
	system := packages.Kinds{rollout.AppImage: packages.AppImage{}, rollout.Deb: packages.Debian{Commands: &host.FakeCommands{}}}
	for _, name := range []string{"", "..", "../x", "a/b", "-o", "--option=x", ".hidden", "a b", "a\nb", "a\x00b", "ä", strings.Repeat("a", 200)} {
		for _, d := range []rollout.Declared{{Kind: rollout.AppImage, Name: name, Version: "1"}, {Kind: rollout.Deb, Name: name, Version: "1"}} {
			if reason := system.Able(d); reason == nil || reason.Code != "package.bad-name" {
				t.Errorf("the name %q: %+v", name, reason)
			}
		}
		if reason := system.Able(rollout.Declared{Kind: rollout.AppImage, Name: "x", Version: name}); name != "" && (reason == nil || reason.Code != "package.bad-name") {
			t.Errorf("the version %q: %+v", name, reason)
		}
	}
}

func TestPagesComeIntoTheMenu(t *testing.T) {
	dir := apart(t, emptyRoom)
	if dir == "" {
		return
	}
	has := map[string]func(host.Command) ([]byte, error){}
	commands := &host.FakeCommands{Answer: has}
	l := newLaptop(t, dir, packages.Kinds{rollout.WebApp: packages.WebApp{Places: host.SystemTree{}, Commands: commands}})
	page := rollout.Declared{
		Rollout: "r1", Action: rollout.Install, Try: 1, Kind: rollout.WebApp, Name: "vokabeln.example", Version: "1", URL: "https://vokabeln.example/a?b=%20$(reboot)`x`\"", Title: rollout.Text{DE: "Vokabeln"},
		Calendar: rollout.Calendar{Zone: "Europe/Berlin"},
	}
	l.declare(page)
	l.says("without a browser", ddm.PackageNotPossible, "", "package.no-browser")
	has["firefox-esr"] = func(host.Command) ([]byte, error) { return nil, nil }
	l.says("with one", ddm.PackageVerified, "1", "")
	file := "/usr/local/share/applications/app.schulwart.vokabeln.example.desktop"
	entry, _ := os.ReadFile(file)
	if want := "\nExec=firefox-esr --new-window \"https://vokabeln.example/a?b=%%20%%24(reboot)%%60x%%60%%22\"\n"; !strings.Contains(string(entry), want) {
		t.Errorf("the menu has %q, want %q", entry, want)
	}
	has["chromium"] = has["firefox-esr"]
	l.says("another browser", ddm.PackageVerified, "1", "")
	if entry, _ = os.ReadFile(file); !strings.Contains(string(entry), "\nExec=chromium \"--app=https://vokabeln.example/a?b=") {
		t.Errorf("the menu has %q", entry)
	}
	for _, bad := range []string{"http://vokabeln.example", "file:///etc/passwd", "javascript:alert(1)", "https://", "https://a@b.example", "https://a.example/\nExec=x"} {
		page.URL = bad
		l.declare(page)
		l.says(bad, ddm.PackageNotPossible, "1", "package.bad-address")
	}
	l.declare()
	l.says("left with its declaration", "", "", "")
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("left behind: %v", err)
	}
}

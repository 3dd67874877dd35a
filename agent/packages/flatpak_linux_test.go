package packages_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"schulwart.org/agent/host"
	"schulwart.org/agent/packages"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/scripts/need"
)

// The rooms that a test is run again in, with mounts of its own: what it writes to
// the system is gone afterwards.
const (
	// Flatpak's folder, /opt and the menu are empty.
	emptyRoom = `
mkdir -p /var/lib/flatpak /opt /usr/local/share/applications
for dir in /var/lib/flatpak /opt /usr/local/share/applications; do mount -t tmpfs own "$dir"; done`
	// The books of dpkg and apt are copies, and apt has no source.
	bookRoom = `
n=0
for dir in /etc /var/lib/dpkg /var/lib/apt /var/cache/apt; do
	n=$((n+1)); mkdir "$1/u$n" "$1/w$n"
	mount -t overlay overlay -o "lowerdir=$dir,upperdir=$1/u$n,workdir=$1/w$n" "$dir"
done
mkdir -p /opt; mount -t tmpfs opt /opt
rm -f /etc/apt/sources.list; rm -rf /etc/apt/sources.list.d
echo 'Acquire::http::Proxy "DIRECT";' >/etc/apt/apt.conf.d/zz-schulwart-test`
)

// apart runs the test again in a room. It returns the folder of the second run,
// empty for the first.
func apart(t *testing.T, room string, tools ...string) string {
	t.Helper()
	const mark = "SCHULWART_TEST_APART"
	if dir := os.Getenv(mark); dir != "" {
		return dir
	}
	need.Root(t)
	for _, tool := range append(tools, "unshare", "mount") {
		need.Tool(t, tool)
	}
	script := "set -e\nmount -t tmpfs own \"$1\"" + room + "\nexec \"$2\" -test.run \"^$3\\$\" -test.v"
	dir := t.TempDir()
	cmd := exec.Command("unshare", "-m", "sh", "-c", script, "sh", dir, os.Args[0], t.Name())
	cmd.Env = append(os.Environ(), mark+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "not permitted") {
		need.Missing(t, "permission to make namespaces")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	return ""
}

// newLaptop is a device whose agent is started anew for each step.
func newLaptop(t *testing.T, dir string, system packages.System) *laptop {
	t.Helper()
	store, err := host.OpenDir(filepath.Join(dir, "packages"))
	if err != nil {
		t.Fatal(err)
	}
	return &laptop{t: t, dir: dir, store: store, system: system, files: map[string][]byte{}}
}

// offer declares a file.
func (l *laptop) offer(kind rollout.Kind, name, version, file string) rollout.Declared {
	l.t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		l.t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	d := rollout.Declared{
		Rollout: org.ID("r" + version), Action: rollout.Install, Try: 1, Kind: kind, Name: name, Version: version, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
		Calendar: rollout.Calendar{Zone: "Europe/Berlin"}, Title: rollout.Text{DE: "Rechner\nExec=böse", EN: "Calculator"},
	}
	d.Path = rollout.PathOf(d.SHA256)
	l.files[d.Path] = content
	return d
}

func (l *laptop) declare(declared ...rollout.Declared) {
	l.wanted = nil
	for _, d := range declared {
		l.wanted = append(l.wanted, reconcile.Package{ID: rollout.Prefix + string(d.Kind) + "." + d.Name, Declared: d})
	}
}

// says lets a fresh agent work until it has nothing more to do, and wants its word.
func (l *laptop) says(what string, state ddm.PackageState, present, code string) {
	l.t.Helper()
	k := l.agent()
	for range 4 {
		k.Turn(l.t.Context())
		if err := k.Carry(l.t.Context(), l); err != nil {
			l.t.Logf("%s: %v", what, err)
		}
	}
	list := k.Statuses()
	if state == "" {
		if len(list) != 0 {
			l.t.Errorf("%s: still spoken of: %+v", what, list)
		}
		return
	}
	if len(list) != 1 || list[0].State != state || list[0].Present != present || (list[0].Reason == nil) != (code == "") || code != "" && list[0].Reason.Code != code {
		l.t.Fatalf("%s: %+v", what, told(list))
	}
}

func told(list []ddm.PackageStatus) string {
	var out strings.Builder
	for _, s := range list {
		out.WriteString(string(s.State) + " " + s.Present)
		if s.Reason != nil {
			out.WriteString(" " + s.Reason.Code + " " + s.Reason.Details["error"])
		}
	}
	return out.String()
}

func (l *laptop) sh(script string) string {
	l.t.Helper()
	cmd := exec.Command("sh", "-c", "set -e\n"+script)
	cmd.Dir = l.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		l.t.Fatalf("%s: %v: %s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestRealFlatpaksComeGoBackAndLeave(t *testing.T) {
	dir := apart(t, emptyRoom, "flatpak")
	if dir == "" {
		return
	}
	l := newLaptop(t, dir, packages.Kinds{rollout.Flatpak: packages.Flatpak{Commands: host.SystemCommands{}, Tree: host.SystemTree{}}})
	l.sh(`export HOME=$PWD
mkdir -p tiny/files tiny/usr
printf '[Runtime]\nname=org.example.Tiny\nruntime=org.example.Tiny/x86_64/1\nsdk=org.example.Tiny/x86_64/1\n' >tiny/metadata
flatpak build-export --arch=x86_64 --runtime repo tiny 1
flatpak build-bundle --arch=x86_64 --runtime repo tiny.flatpak org.example.Tiny 1
for version in 1 2; do
	rm -rf app; mkdir -p app/files/bin app/export/share/applications
	printf '[Application]\nname=org.example.App\nruntime=org.example.Tiny/x86_64/1\nsdk=org.example.Tiny/x86_64/1\ncommand=app\n' >app/metadata
	printf '[Desktop Entry]\nType=Application\nName=App\nExec=app\n' >app/export/share/applications/org.example.App.desktop
	echo $version >app/files/bin/app
	flatpak build-export --arch=x86_64 repo app stable
	flatpak build-bundle --arch=x86_64 repo app-$version.flatpak org.example.App stable
	cp repo/refs/heads/app/org.example.App/x86_64/stable commit-$version
done`)
	flatpak := func(version string) rollout.Declared {
		d := l.offer(rollout.Flatpak, "org.example.App", version, filepath.Join(dir, "app-"+version+".flatpak"))
		d.Commit = l.sh("cat commit-" + version)
		return d
	}
	there := func(want string) {
		t.Helper()
		if got := l.sh("cat /var/lib/flatpak/app/org.example.App/current/active/files/bin/app 2>/dev/null || true"); got != want {
			t.Errorf("there is %q, want %q", got, want)
		}
	}
	one, two := flatpak("1"), flatpak("2")
	l.declare(one)
	l.says("without what it runs on", ddm.PackageFailed, "", "package.depends")
	there("")
	l.sh("flatpak install --system --noninteractive --bundle ./tiny.flatpak")
	one.Try = 2
	l.declare(one)
	l.says("installed", ddm.PackageVerified, "1", "")
	there("1")
	l.declare(two)
	l.says("a newer version", ddm.PackageVerified, "2", "")
	there("2")
	back := one
	back.Rollout, back.IfPresent = two.Rollout, true
	l.declare(back)
	l.says("the version before", ddm.PackageVerified, "1", "")
	there("1")
	broken := l.offer(rollout.Flatpak, "org.example.App", "3", filepath.Join(dir, "tiny.flatpak"))
	broken.Commit = strings.Repeat("0", 64)
	l.declare(broken)
	if k := l.agent(); k != nil {
		l.says("a bundle of something else", ddm.PackageFailed, one.Commit[:12], "package.install")
	}
	there("1")
	l.declare(back)
	l.says("and back", ddm.PackageVerified, "1", "")
	l.declare()
	l.says("left with its declaration", "", "", "")
	there("")
	if left := l.sh("flatpak list --system --columns=application"); left != "org.example.Tiny" {
		t.Errorf("left behind: %s", left)
	}
}

package packages_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"schulwart.org/agent/host"
	"schulwart.org/agent/packages"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// keys makes two keys in a folder of a short name, since gpg speaks with its agent
// through a socket there.
func (l *laptop) keys() (home, good, other string) {
	l.t.Helper()
	home, err := os.MkdirTemp("/tmp", "g")
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { l.sh("GNUPGHOME=" + home + " gpgconf --kill all; rm -rf " + home) })
	l.sh("export GNUPGHOME=" + home + `
for who in good other; do gpg --batch --quiet --passphrase "" --quick-generate-key $who@example.org rsa2048 sign never; done`)
	return home, l.sh("GNUPGHOME=" + home + " gpg --armor --export good@example.org"), l.sh("GNUPGHOME=" + home + " gpg --armor --export other@example.org")
}

func (l *laptop) serve() string {
	l.t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir(l.dir)))
	l.t.Cleanup(server.Close)
	return server.URL
}

func TestDebianPackagesComeFromASignedRepository(t *testing.T) {
	dir := apart(t, bookRoom, "apt-get", "dpkg-deb", "apt-ftparchive", "gpg")
	if dir == "" {
		return
	}
	l := newLaptop(t, dir, packages.Kinds{rollout.Deb: packages.Debian{Commands: host.SystemCommands{}, Tree: host.SystemTree{}}})
	home, good, other := l.keys()
	address := l.serve() + "/repo"
	for _, version := range []string{"1.0", "2.0"} {
		l.build(version, "", "")
	}
	changes := 0
	// change is done to the repository, and seen there by the time of files.
	change := func(script string) {
		t.Helper()
		changes++
		l.sh(script + "\nfind repo -type f -exec touch -d '+" + strconv.Itoa(changes) + " minutes' {} +")
	}
	sign := func(who string) {
		t.Helper()
		change("export GNUPGHOME=" + home + `
mkdir -p repo/pool repo/dists/stable/main/binary-all repo/dists/stable/main/binary-$(dpkg --print-architecture)
cp *.deb repo/pool; cd repo
apt-ftparchive packages pool >dists/stable/main/binary-all/Packages
cp dists/stable/main/binary-all/Packages dists/stable/main/binary-$(dpkg --print-architecture)/
apt-ftparchive -o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Components=main -o APT::FTPArchive::Release::Architectures="all $(dpkg --print-architecture)" release dists/stable >Release
rm -f dists/stable/InRelease; gpg --batch --quiet --local-user ` + who + `@example.org --clearsign --output dists/stable/InRelease Release; cd ..`)
	}
	sign("good")
	try := 0
	want := func(version, key string) {
		try++
		l.declare(rollout.Declared{
			Rollout: org.ID("r" + version), Action: rollout.Install, Try: try, Kind: rollout.Deb, Name: "schulwart-test-app", Version: version, Calendar: rollout.Calendar{Zone: "Europe/Berlin"},
			Repository: &rollout.Repository{URL: address, Suite: "stable", Components: []string{"main"}, Key: key},
		})
	}
	sources := func(want string) {
		t.Helper()
		if got := l.sh("find /etc/apt -name 'schulwart-*' -printf '%f %m\n' | sort | tr '\n' ';'"); got != want {
			t.Errorf("apt has %q, want %q", got, want)
		}
	}
	want("1.0", other)
	l.says("signed by somebody else", ddm.PackageFailed, "", "package.signature")
	sources("")
	want("1.0", good)
	l.says("installed", ddm.PackageVerified, "1.0", "")
	sources("schulwart-schulwart-test-app.asc 644;schulwart-schulwart-test-app.pref 644;schulwart-schulwart-test-app.sources 644;")
	if got := l.sh("apt-cache policy schulwart-test-app"); !strings.Contains(got, "Candidate: 1.0") {
		t.Errorf("an update of the system would take another version:\n%s", got)
	}
	want("2.0", good)
	l.says("a newer version", ddm.PackageVerified, "2.0", "")
	want("1.0", good)
	l.says("the version before", ddm.PackageVerified, "1.0", "")
	want("3.0", good)
	l.says("a version that is not there", ddm.PackageFailed, "1.0", "package.not-there")

	change("sed -i 's/^Suite: stable/Suite: stablf/' repo/dists/stable/InRelease")
	want("2.0", good)
	l.says("the list was tampered with", ddm.PackageFailed, "1.0", "package.signature")
	sign("good")
	change("rm -f /var/lib/apt/lists/127.0.0.1*; sed -i 's/Version: 2.0/Version: 2.1/' repo/dists/stable/main/binary-*/Packages")
	want("2.0", good)
	l.says("the index was tampered with", ddm.PackageFailed, "1.0", "package.signature")
	sign("good")
	change("rm -f /var/cache/apt/archives/schulwart*; head -c $(stat -c %s 2.0.deb) /dev/zero >repo/pool/2.0.deb")
	want("2.0", good)
	l.says("the package was tampered with", ddm.PackageFailed, "1.0", "package.signature")
	sign("other")
	want("2.0", good)
	l.says("signed by somebody else from now on", ddm.PackageFailed, "1.0", "package.signature")
	change("rm -r repo/dists")
	want("2.0", good)
	l.says("the repository is gone", ddm.PackageFailed, "1.0", "package.unreachable")
	sign("good")
	want("2.0", good)
	l.says("and back", ddm.PackageVerified, "2.0", "")

	for name, wrong := range map[string]rollout.Repository{
		"a line too many": {URL: address + "\nTrusted: yes", Suite: "stable", Components: []string{"main"}, Key: other}, "a file": {URL: "file://" + dir + "/repo", Suite: "stable", Components: []string{"main"}, Key: good},
		"no key": {URL: address, Suite: "stable", Components: []string{"main"}}, "an option": {URL: address, Suite: "-oX=y", Components: []string{"main"}, Key: good},
	} {
		want("1.0", good)
		l.wanted[0].Repository = &wrong
		l.says(name, ddm.PackageNotPossible, "2.0", "package.bad-repository")
	}
	l.declare()
	l.says("left with its declaration", "", "", "")
	sources("")
	if got := l.sh("dpkg-query --show --showformat '${db:Status-Abbrev}' schulwart-test-app 2>/dev/null || true"); strings.HasPrefix(got, "ii") {
		t.Errorf("left behind: %s", got)
	}
}

func TestFlatpaksComeFromASignedRemote(t *testing.T) {
	dir := apart(t, emptyRoom, "flatpak", "gpg")
	if dir == "" {
		return
	}
	l := newLaptop(t, dir, packages.Kinds{rollout.Flatpak: packages.Flatpak{Commands: host.SystemCommands{}, Tree: host.SystemTree{}}})
	home, good, other := l.keys()
	address := l.serve() + "/repo"
	l.sh("export GNUPGHOME=" + home + ` HOME=$PWD
mkdir -p tiny/files tiny/usr
printf '[Runtime]\nname=org.example.Tiny\nruntime=org.example.Tiny/x86_64/1\nsdk=org.example.Tiny/x86_64/1\n' >tiny/metadata
sign="--gpg-sign=good@example.org --gpg-homedir=$GNUPGHOME"
flatpak build-export --arch=x86_64 $sign --runtime repo tiny 1
for version in 1 2; do
	rm -rf app; mkdir -p app/files/bin app/export
	printf '[Application]\nname=org.example.App\nruntime=org.example.Tiny/x86_64/1\nsdk=org.example.Tiny/x86_64/1\ncommand=app\n' >app/metadata
	echo $version >app/files/bin/app
	flatpak build-export --arch=x86_64 $sign repo app stable
	cp repo/refs/heads/app/org.example.App/x86_64/stable commit-$version
done
flatpak build-update-repo $sign repo`)
	try := 0
	want := func(version, key string) {
		try++
		l.declare(rollout.Declared{
			Rollout: org.ID("r" + version), Action: rollout.Install, Try: try, Kind: rollout.Flatpak, Name: "org.example.App", Version: version, Calendar: rollout.Calendar{Zone: "Europe/Berlin"},
			Commit: l.sh("cat " + filepath.Join(dir, "commit-"+version)), Repository: &rollout.Repository{URL: address, Suite: "stable", Key: key},
		})
	}
	want("1", other)
	l.says("signed by somebody else", ddm.PackageFailed, "", "package.signature")
	want("1", good)
	l.says("an older one than the newest", ddm.PackageVerified, "1", "")
	want("2", good)
	l.says("the newest", ddm.PackageVerified, "2", "")
	want("1", good)
	l.says("the version before", ddm.PackageVerified, "1", "")
	if got := l.sh("cat /var/lib/flatpak/app/org.example.App/current/active/files/bin/app"); got != "1" {
		t.Errorf("there is %q", got)
	}
	l.declare()
	l.says("left with its declaration", "", "", "")
	if got := l.sh("flatpak remotes --system --columns=name; flatpak list --system --app --columns=application"); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

package host

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// versions remembers what was found until the system installs something.
type versions struct {
	mu    sync.Mutex
	stamp time.Time         // when the list of packages changed last
	found map[string]string // by id; empty: it is not installed, or nobody says
}

// Versions returns the version of each program that is installed, by the id of its
// desktop entry, as Debian's packages or Flatpak name it. What was installed in
// another way has none, and is left out.
func (l *Linux) Versions(ids []string) map[string]string {
	l.versions.mu.Lock()
	defer l.versions.mu.Unlock()
	if stamp := l.installed(); !stamp.Equal(l.versions.stamp) || l.versions.found == nil {
		l.versions.stamp, l.versions.found = stamp, map[string]string{}
	}
	var unknown []string
	for _, id := range ids {
		if _, known := l.versions.found[id]; !known && id == filepath.Base(id) {
			unknown = append(unknown, id)
		}
	}
	l.lookUp(unknown)
	all := map[string]string{}
	for _, id := range ids {
		if version := l.versions.found[id]; version != "" {
			all[id] = version
		}
	}
	return all
}

// installed is when something was installed or taken away last.
func (l *Linux) installed() (latest time.Time) {
	for _, name := range []string{"var/lib/dpkg/status", "var/lib/flatpak/.changed"} {
		if info, err := os.Stat(l.path(name)); err == nil && info.ModTime().After(latest) {
			latest = info.ModTime()
		}
	}
	return latest
}

func (l *Linux) lookUp(ids []string) {
	entries := map[string]string{} // id by the line of a package's list of files
	for _, id := range ids {
		l.versions.found[id] = l.flatpakVersion(id)
		file := "usr/share/applications/" + id + ".desktop"
		if _, err := os.Stat(l.path(file)); err == nil && l.versions.found[id] == "" {
			entries["/"+file] = id
		}
	}
	if len(entries) == 0 {
		return
	}
	owners := l.owners(entries)
	for id, version := range l.debianVersions(owners) {
		l.versions.found[id] = version
	}
}

// owners finds the packages to which files belong: those that are called like the
// program are asked first.
func (l *Linux) owners(entries map[string]string) map[string][]string {
	owners := map[string][]string{} // ids by package
	look := func(list string) {
		data, err := os.ReadFile(list)
		if err != nil {
			return
		}
		name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(list), ".list"), ":") // "libc6:amd64.list"
		for file, id := range entries {
			if bytes.Contains(data, []byte(file+"\n")) {
				owners[name] = append(owners[name], id)
				delete(entries, file)
			}
		}
	}
	for _, id := range entries {
		look(l.path("var/lib/dpkg/info/" + strings.ToLower(id) + ".list"))
	}
	if len(entries) == 0 {
		return owners
	}
	lists, _ := filepath.Glob(l.path("var/lib/dpkg/info/*.list"))
	for _, list := range lists {
		if len(entries) == 0 {
			break
		}
		look(list)
	}
	return owners
}

// debianVersions reads dpkg's own list of packages.
// https://manpages.debian.org/dpkg-query, deb822(5)
func (l *Linux) debianVersions(owners map[string][]string) map[string]string {
	all := map[string]string{}
	data, _ := os.ReadFile(l.path("var/lib/dpkg/status"))
	for paragraph := range bytes.SplitSeq(data, []byte("\n\n")) {
		fields := map[string]string{}
		for line := range bytes.Lines(paragraph) {
			name, value, ok := strings.Cut(string(line), ":")
			if ok && (name == "Package" || name == "Status" || name == "Version") {
				fields[name] = strings.TrimSpace(value)
			}
		}
		ids, wanted := owners[fields["Package"]]
		if !wanted || !strings.HasSuffix(fields["Status"], " installed") {
			continue
		}
		for _, id := range ids {
			all[id] = fields["Version"]
		}
	}
	return all
}

// flatpakVersion reads what the makers say of the release that is installed for
// everybody; empty where there is none.
// https://www.freedesktop.org/software/appstream/docs/chap-Metadata.html
func (l *Linux) flatpakVersion(id string) string {
	base := l.path("var/lib/flatpak/app/" + id + "/current/active/files/share/")
	for _, name := range []string{"metainfo/" + id + ".metainfo.xml", "metainfo/" + id + ".appdata.xml", "appdata/" + id + ".appdata.xml"} {
		data, err := os.ReadFile(filepath.Join(base, name))
		if err != nil {
			continue
		}
		var said struct {
			Releases []struct {
				Version string `xml:"version,attr"`
			} `xml:"releases>release"`
		}
		if xml.Unmarshal(data, &said) == nil && len(said.Releases) > 0 {
			return said.Releases[0].Version
		}
	}
	return ""
}

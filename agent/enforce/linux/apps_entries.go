package linux

import (
	"path"
	"slices"
	"sort"
	"strings"

	"schulwart.org/agent/host"
)

// App is a program as people know it: a desktop entry.
type App struct {
	ID   string // "org.geogebra.GeoGebra"
	Name string // "GeoGebra"
}

// entryDirs hold the desktop entries of programs that root installed. Those in
// people's own directories count for nothing: anybody could name themselves
// GeoGebra.
var entryDirs = []string{
	"/usr/share/applications", "/usr/local/share/applications",
	"/var/lib/flatpak/exports/share/applications", "/var/lib/snapd/desktop/applications",
}

// entry is one desktop entry.
// https://specifications.freedesktop.org/desktop-entry-spec/latest/
type entry struct {
	id, file   string
	name       string
	exec       []string
	categories []string
	flatpak    string
	shown      bool // a menu offers it
	// web says that it is an address which a browser opens: the browser is a program of
	// its own, and allowed or forbidden by its own name.
	web bool
}

// Installed lists the programs that a menu offers, by name.
func Installed(tree host.Tree) []App {
	var apps []App
	for _, e := range readEntries(tree) {
		if e.shown {
			apps = append(apps, App{e.id, e.name})
		}
	}
	sort.Slice(apps, func(i, j int) bool {
		return strings.ToLower(apps[i].Name) < strings.ToLower(apps[j].Name)
	})
	return apps
}

func readEntries(tree host.Tree) []entry {
	seen := map[string]bool{}
	var entries []entry
	for _, dir := range entryDirs {
		for _, name := range tree.List(dir) {
			id, ok := strings.CutSuffix(name, ".desktop")
			if !ok || seen[id] {
				continue
			}
			data, err := tree.Read(path.Join(dir, name))
			if err != nil {
				continue
			}
			if e, ok := parseEntry(string(data)); ok {
				seen[id] = true
				e.id, e.file = id, path.Join(dir, name)
				entries = append(entries, e)
			}
		}
	}
	return entries
}

// parseEntry reads what can be started; false for links and folders.
func parseEntry(text string) (entry, bool) {
	values := map[string]string{}
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inside = line == "[Desktop Entry]"
			continue
		}
		if key, value, ok := strings.Cut(line, "="); ok && inside {
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	if values["Type"] != "Application" || values["Exec"] == "" || values["Hidden"] == "true" {
		return entry{}, false
	}
	name := values["Name[de]"]
	if name == "" {
		name = values["Name"]
	}
	return entry{
		name: name, exec: splitExec(values["Exec"]), flatpak: values["X-Flatpak"], shown: values["NoDisplay"] != "true", web: values["X-Schulwart-Web"] == "true",
		categories: strings.Split(values["Categories"], ";"),
	}, true
}

// splitExec splits a command into words, without the placeholders for files and
// without a leading "env NAME=value".
func splitExec(command string) []string {
	var words []string
	var word strings.Builder
	quoted, escaped := false, false
	flush := func() {
		if text := word.String(); text != "" && !(len(text) == 2 && text[0] == '%') {
			words = append(words, text)
		}
		word.Reset()
	}
	for _, r := range command {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case r == ' ' && !quoted:
			flush()
		default:
			word.WriteRune(r)
		}
	}
	flush()
	if len(words) > 0 && path.Base(words[0]) == "env" {
		words = words[1:]
		for len(words) > 0 && strings.Contains(words[0], "=") {
			words = words[1:]
		}
	}
	return words
}

// called reports whether an id in a list of programs means this entry: the id
// itself, or another package's id of the same program ("geogebra" and
// "org.geogebra.GeoGebra"). An address is called by the whole of its name only:
// many have the same end.
func (e entry) called(id string) bool {
	id = strings.ToLower(strings.TrimSuffix(id, ".desktop"))
	own := strings.ToLower(e.id)
	return own == id || strings.TrimPrefix(own, "app.schulwart.") == id || !e.web && lastPart(own) == lastPart(id)
}

func lastPart(id string) string { return id[strings.LastIndexByte(id, '.')+1:] }

// alwaysOpen reports whether the entry may be started in every mode: aids for
// people who see or hear or move differently, and our own.
func (e entry) alwaysOpen() bool {
	return slices.Contains(e.categories, "Accessibility") || strings.HasPrefix(e.id, "org.schulwart.")
}

// programDirs are searched for a command without a path.
var programDirs = []string{"/usr/local/bin", "/usr/bin", "/bin", "/usr/local/games", "/usr/games", "/snap/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"}

// program finds the file that the entry starts.
func (e entry) program(files host.Binaries) (asked, resolved string, id host.FileID, ok bool) {
	if len(e.exec) == 0 {
		return "", "", host.FileID{}, false
	}
	candidates := []string{e.exec[0]}
	if !strings.HasPrefix(e.exec[0], "/") {
		candidates = nil
		for _, dir := range programDirs {
			candidates = append(candidates, path.Join(dir, e.exec[0]))
		}
	}
	for _, asked := range candidates {
		if resolved, id, ok := files.Identify(asked); ok {
			return asked, resolved, id, true
		}
	}
	return "", "", host.FileID{}, false
}

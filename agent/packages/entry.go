package packages

import (
	"path"
	"strings"

	"schulwart.org/policies/rollout"
)

// Where menus look for what the administrator of a system put there.
// https://specifications.freedesktop.org/menu-spec/latest/
const entryDir = "/usr/local/share/applications"

// entryPath is the file of a package's entry in the menu. Its last part is the
// package's own name: so a lesson or a policy can name it as any other program.
// It never begins with "org.schulwart.", which may start in every mode.
func entryPath(name string) string {
	return path.Join(entryDir, "app.schulwart."+name+".desktop")
}

// entryText writes a desktop entry: what the menu shows, and what it starts.
// https://specifications.freedesktop.org/desktop-entry-spec/latest/
func entryText(d rollout.Declared, start string, further ...string) []byte {
	title := d.Title
	if title == (rollout.Text{}) {
		title.DE = d.Name
	}
	lines := []string{
		"[Desktop Entry]", "Type=Application", "Name=" + entryValue(title.In("en")), "Name[de]=" + entryValue(title.In("de")),
		"Exec=" + start, "Terminal=false", "X-Schulwart-Version=" + d.Version,
	}
	return []byte(strings.Join(append(lines, further...), "\n") + "\n")
}

// entryValue keeps a text within its line.
func entryValue(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.ReplaceAll(strings.TrimSpace(text), `\`, `\\`)
}

// entryVersion reads which version an entry of ours is about.
func entryVersion(entry []byte) string {
	for line := range strings.Lines(string(entry)) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(line), "X-Schulwart-Version="); ok {
			return version
		}
	}
	return ""
}

package linux

import (
	"maps"
	"slices"
	"strings"
)

func sorted[V any](values map[string]V) []string { return slices.Sorted(maps.Keys(values)) }

// lines writes settings one below the other, ordered by name.
func lines(values map[string]string) string {
	var text strings.Builder
	for _, name := range sorted(values) {
		text.WriteString(name + "=" + values[name] + "\n")
	}
	return text.String()
}

// withSettings returns a file of sections ("[daemon]") in which a section says
// what it should, and everything else stays as it was, comments too.
func withSettings(before []byte, section string, values map[string]string) []byte {
	var out []string
	left := maps.Clone(values)
	inside, seen := false, false
	flush := func() {
		for _, name := range sorted(left) {
			out = append(out, name+"="+left[name])
		}
		clear(left)
	}
	for line := range strings.Lines(string(before)) {
		line = strings.TrimRight(line, "\n")
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "[") {
			if inside {
				flush()
			}
			inside = trimmed == "["+section+"]"
			seen = seen || inside
		} else if name, _, ok := strings.Cut(trimmed, "="); ok && inside {
			name = strings.TrimSpace(name)
			if value, ours := values[name]; ours {
				if _, open := left[name]; open {
					out = append(out, name+"="+value)
					delete(left, name)
				}
				continue
			}
		}
		out = append(out, line)
	}
	if !seen {
		out = append(out, "["+section+"]")
	}
	flush()
	return []byte(strings.Join(out, "\n") + "\n")
}

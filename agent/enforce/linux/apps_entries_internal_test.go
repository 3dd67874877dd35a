package linux

import (
	"slices"
	"strings"
	"testing"
)

// FuzzEntry reads what anybody may put into a folder of programs: an entry of a
// desktop (https://specifications.freedesktop.org/desktop-entry-spec/latest/).
func FuzzEntry(f *testing.F) {
	f.Add("[Desktop Entry]\nType=Application\nName=GeoGebra\nName[de]=GeoGebra Klassik\nExec=env A=b \"/opt/geo gebra/geogebra\" %U\nCategories=Education;Science;\n")
	f.Add("[Desktop Entry]\nType=Application\nExec=sh -c \"a \\\"b\\\" \\\\ c\"\nX-Flatpak=org.geogebra.GeoGebra\nNoDisplay=true\n")
	f.Add("[Desktop Action x]\nExec=true\n[Desktop Entry]\nType=Link\n=\n")
	f.Add("[Desktop Entry]\nType=Application\nExec=env A=b\n")
	f.Fuzz(func(t *testing.T, text string) {
		read, ok := parseEntry(text)
		if !ok {
			if read.name != "" || len(read.exec) > 0 {
				t.Errorf("no entry, and yet %+v", read)
			}
			return
		}
		if slices.Contains(read.exec, "") {
			t.Errorf("an empty word in %q", read.exec)
		}
		for _, word := range read.exec {
			if len(word) > len(text) || strings.Contains(word, "\n") {
				t.Errorf("the word %q is not of its line", word)
			}
		}
		if len(read.exec) > 0 {
			_ = read.called("geogebra")
		}
	})
}

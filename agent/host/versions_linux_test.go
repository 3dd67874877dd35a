package host

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"schulwart.org/scripts/need"
)

func TestVersionsOfPrograms(t *testing.T) {
	l := picture(t, map[string]string{
		"usr/share/applications/libreoffice-writer.desktop":   "",
		"usr/share/applications/org.gnome.Calculator.desktop": "",
		"usr/share/applications/half.desktop":                 "",
		"usr/share/applications/by-hand.desktop":              "",
		"var/lib/dpkg/info/libreoffice-writer.list":           "/.\n/usr/share/applications/libreoffice-writer.desktop\n",
		"var/lib/dpkg/info/gnome-calculator:amd64.list":       "/.\n/usr/share/applications/org.gnome.Calculator.desktop\n",
		"var/lib/dpkg/info/half.list":                         "/usr/share/applications/half.desktop\n",
		"var/lib/dpkg/status":                                 "Package: libreoffice-writer\nStatus: install ok installed\nArchitecture: amd64\nVersion: 4:7.4.7-1+deb12u5\nDescription: word processor\n Version: no\n\nPackage: half\nStatus: install ok half-configured\nVersion: 1\n\nPackage: gnome-calculator\nStatus: install ok installed\nVersion: 1:43.0.1-2\n",
		"var/lib/flatpak/app/org.geogebra.GeoGebra/current/active/files/share/metainfo/org.geogebra.GeoGebra.metainfo.xml": `<?xml version="1.0"?><component type="desktop"><id>org.geogebra.GeoGebra</id><releases><release version="6.0.848" date="2026-01-02"/><release version="6.0.1"/></releases></component>`,
	})
	ids := []string{"libreoffice-writer", "org.gnome.Calculator", "half", "by-hand", "org.geogebra.GeoGebra", "nowhere", "../../etc/passwd"}
	want := map[string]string{"libreoffice-writer": "4:7.4.7-1+deb12u5", "org.gnome.Calculator": "1:43.0.1-2", "org.geogebra.GeoGebra": "6.0.848"}
	for range 2 {
		if got := l.Versions(ids); !maps.Equal(got, want) {
			t.Errorf("found %v", got)
		}
	}
	status := filepath.Join(l.Root, "var/lib/dpkg/status")
	data, err := os.ReadFile(status)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(status, []byte(strings.ReplaceAll(string(data), "7.4.7-1+deb12u5", "7.6.0-1")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(status, time.Time{}, time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := l.Versions(ids)["libreoffice-writer"]; got != "4:7.6.0-1" {
		t.Errorf("after an update: %q", got)
	}
}

// What is found on this machine is what dpkg says.
func TestVersionsOfThisMachine(t *testing.T) {
	need.Tool(t, "dpkg-query")
	need.Tool(t, "chromium")
	said, err := exec.Command("dpkg-query", "--show", "--showformat", "${Version}", "chromium").Output()
	if err != nil {
		need.Missing(t, "chromium as a package of dpkg")
	}
	if got := (&Linux{Root: "/"}).Versions([]string{"chromium"}); got["chromium"] != string(said) {
		t.Errorf("found %v, dpkg says %s", got, said)
	}
}

package simulate

// programs are what is installed on these laptops, by the ids of desktop entries, as
// Debian 12 has it.
var programs = map[string]string{
	"chromium": "141.0.7390.54-1~deb12u1", "firefox-esr": "140.4.0esr-1~deb12u1", "libreoffice-writer": "4:7.4.7-1+deb12u8", "libreoffice-calc": "4:7.4.7-1+deb12u8",
	"libreoffice-impress": "4:7.4.7-1+deb12u8", "org.geogebra.GeoGebra": "6.0.848", "org.gnome.Calculator": "1:43.0.1-2", "org.gnome.TextEditor": "43.2-1", "gimp": "2.10.34-1+deb12u4",
}

// behind are those of a laptop that nobody has updated for years.
var behind = map[string]string{
	"chromium": "109.0.5414.119-1~deb11u1", "firefox-esr": "102.15.1esr-1~deb11u1", "libreoffice-writer": "1:7.0.4-4+deb11u10", "libreoffice-calc": "1:7.0.4-4+deb11u10",
	"libreoffice-impress": "1:7.0.4-4+deb11u10", "org.gnome.Calculator": "1:3.38.2-1", "gimp": "2.10.22-4+deb11u2",
}

// outdated is every how many laptops one is that nobody has updated.
const outdated = 9

// Versions says what it pretends to have installed.
func (d *pupilDevice) Versions(ids []string) map[string]string {
	there := programs
	if d.about.behind {
		there = behind
	}
	all := map[string]string{}
	for _, id := range ids {
		if version, is := there[id]; is {
			all[id] = version
		}
	}
	return all
}

// Package presets is what comes with the product and a school can use as it is.
package presets

import (
	"slices"
	"strings"
)

// Program is something that a class may be allowed in focus mode. One program
// has several ids, because each distribution and each packaging names it in its
// own way; all of them are allowed.
type Program struct {
	Key  string   // in forms
	Name string   // as people know it; proper names, the same in every language
	Apps []string // ids of desktop entries on Linux, bundle ids on Apple devices
}

// Programs are those that German schools use on their devices, by name.
var Programs = []Program{
	{"audacity", "Audacity", []string{"audacity", "org.audacityteam.Audacity"}},
	{"chromium", "Chromium", []string{"chromium", "chromium-browser", "org.chromium.Chromium"}},
	{"firefox", "Firefox", []string{"firefox", "firefox-esr", "org.mozilla.firefox", "org.mozilla.ios.Firefox"}},
	{"freecad", "FreeCAD", []string{"freecad", "org.freecad.FreeCAD", "org.freecadweb.FreeCAD"}},
	{"geogebra", "GeoGebra", []string{"geogebra", "org.geogebra.GeoGebra", "org.geogebra.ios.suite"}},
	{"gimp", "GIMP", []string{"gimp", "org.gimp.GIMP"}},
	{"inkscape", "Inkscape", []string{"inkscape", "org.inkscape.Inkscape"}},
	{"kturtle", "KTurtle", []string{"org.kde.kturtle"}},
	{"calc", "LibreOffice Calc", []string{"libreoffice-calc", "org.libreoffice.LibreOffice.calc"}},
	{"impress", "LibreOffice Impress", []string{"libreoffice-impress", "org.libreoffice.LibreOffice.impress"}},
	{"writer", "LibreOffice Writer", []string{"libreoffice-writer", "org.libreoffice.LibreOffice.writer"}},
	{"musescore", "MuseScore", []string{"mscore", "org.musescore.MuseScore"}},
	{"calculator", "Rechner · Calculator", []string{"org.gnome.Calculator", "org.kde.kcalc", "galculator", "mate-calc"}},
	{"scratch", "Scratch", []string{"scratch", "edu.mit.Scratch", "org.scratch.Scratch"}},
	{"texteditor", "Texteditor · Text editor", []string{"org.gnome.TextEditor", "org.gnome.gedit", "org.kde.kate", "org.kde.kwrite", "mousepad", "xed", "pluma"}},
	{"thonny", "Thonny", []string{"thonny", "org.thonny.Thonny"}},
}

// Apps returns the ids of the programs with the keys, each once. A key that is
// no program of ours is taken as an id itself.
func Apps(keys []string) []string {
	var apps []string
	for _, key := range keys {
		known := slices.IndexFunc(Programs, func(p Program) bool { return p.Key == key })
		if known < 0 {
			apps = append(apps, key)
			continue
		}
		apps = append(apps, Programs[known].Apps...)
	}
	slices.Sort(apps)
	return slices.Compact(apps)
}

// Key returns the key of the program that somebody means with its key, its name or
// one of its ids; a text that names no program of ours is returned as it is.
func Key(text string) string {
	for _, program := range Programs {
		if strings.EqualFold(text, program.Key) || strings.EqualFold(text, program.Name) || slices.ContainsFunc(program.Apps, func(id string) bool { return strings.EqualFold(id, text) }) {
			return program.Key
		}
	}
	return text
}

// Names says ids as people know them: each program once, unknown ids as they
// are.
func Names(apps []string) []string {
	var names []string
	for _, app := range apps {
		name := app
		for _, program := range Programs {
			if slices.Contains(program.Apps, app) {
				name = program.Name
			}
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

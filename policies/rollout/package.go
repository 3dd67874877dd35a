// Package rollout is how a package reaches many devices without breaking them
// all: what a package is, who gets it in which ring, when a device may install
// it, when the next ring follows and when everything stops. Server and agent
// share it, so that a device decides offline what the server expects of it. It
// asks no clock, and neither stores nor downloads anything.
package rollout

import (
	"slices"
	"strings"

	"schulwart.org/policies/org"
)

// Kind is the form in which a package comes.
type Kind string

// The kinds. Only those that Kinds lists can be taken in today; the others keep
// their names for the agents that will install them.
const (
	Deb      Kind = "deb"      // Debian package
	Flatpak  Kind = "flatpak"  // single-file bundle
	AppImage Kind = "appimage" // program with all that it needs in one file
	WebApp   Kind = "webapp"   // shortcut to an address; has no file
	Agent    Kind = "agent"    // another version of our own agent; see package agentfile
	RPM      Kind = "rpm"
	MSI      Kind = "msi"
	EXE      Kind = "exe"
	Winget   Kind = "winget"
	MacPkg   Kind = "pkg"
	AppleApp Kind = "apple"
)

// Kinds lists what can be taken in.
var Kinds = []Kind{Deb, Flatpak, AppImage, WebApp, Agent}

// Platforms lists the platforms that a package of the kind is for.
func (k Kind) Platforms() []org.Platform {
	switch k {
	case Deb, Flatpak, AppImage, RPM, Agent:
		return []org.Platform{org.Linux}
	case MSI, EXE, Winget:
		return []org.Platform{org.Windows}
	case MacPkg:
		return []org.Platform{org.MacOS}
	case AppleApp:
		return []org.Platform{org.MacOS, org.IPadOS}
	case WebApp:
		return []org.Platform{org.Linux, org.Windows, org.MacOS, org.IPadOS}
	}
	return nil
}

// Agents lists the platforms on which our own agent installs packages of the kind.
func (k Kind) Agents() []org.Platform {
	return slices.DeleteFunc(k.Platforms(), func(p org.Platform) bool { return !p.Agent() })
}

// For reports whether devices of the platform can have packages of the kind.
func (k Kind) For(platform org.Platform) bool { return slices.Contains(k.Platforms(), platform) }

// Text is what people read, in both languages of the product.
type Text struct {
	DE string `json:"de,omitempty"`
	EN string `json:"en,omitempty"`
}

// In returns the text in a language, or in the other one if it is missing there.
func (t Text) In(lang string) string {
	if lang == "en" && t.EN != "" || t.DE == "" {
		return t.EN
	}
	return t.DE
}

// Package is the facts of one version of a package, as its own content and the
// person who took it in say them.
type Package struct {
	ID   org.ID `json:"id"`
	Kind Kind   `json:"kind"`
	// Name is how the system knows it: a Debian package's name, a Flatpak id, the
	// name of a program's file, or the host of a web app.
	Name         string   `json:"name"`
	Version      string   `json:"version"`
	Architecture string   `json:"architecture,omitempty"` // as its kind names it: "amd64", "x86_64", "all"
	Depends      []string `json:"depends,omitempty"`      // as written in the package
	Licence      string   `json:"licence,omitempty"`      // SPDX expression, where somebody said it
	Size         int64    `json:"size"`                   // bytes
	SHA256       string   `json:"sha256,omitempty"`       // hexadecimal; empty without a file
	Signature    string   `json:"signature,omitempty"`    // minisign, over the file
	Source       string   `json:"source,omitempty"`       // where it was had from
	URL          string   `json:"url,omitempty"`          // of a web app
	// Commit is what Flatpak itself calls the version: hexadecimal, of a Flatpak only.
	Commit string `json:"commit,omitempty"`
	// Repository is where devices have it from themselves; nil for one that has a file.
	Repository  *Repository `json:"repository,omitempty"`
	Title       Text        `json:"title,omitzero"`
	Description Text        `json:"description,omitzero"`
}

// Same reports whether two packages are versions of the same thing, of which a
// device has one at a time.
func (p Package) Same(other Package) bool { return p.Kind == other.Kind && p.Name == other.Name }

// SafeName reports whether a name or a version is one that may become part of an
// identifier, of paths and of command lines: no slash, no space, and neither a
// point nor a dash in front.
func SafeName(name string) bool {
	return name != "" && len(name) <= 128 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_~:") == "" && name[0] != '.' && name[0] != '-'
}

package rollout

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// Repository is where a system's own program gets a package from, and by whose
// signature that is known.
type Repository struct {
	// URL is https, or http: what counts is the signature.
	URL string `json:"url"`
	// Suite is an apt repository's ("bookworm"), or a Flatpak's branch ("stable").
	Suite      string   `json:"suite"`
	Components []string `json:"components,omitempty"` // of an apt repository: "main"
	Key        string   `json:"key"`                  // OpenPGP public key, in ASCII armor
}

// largestKey bounds the key of a repository, in bytes: it goes to every device.
const largestKey = 20 << 10

// Mistake names the field of a repository that cannot be used, empty if all can.
// What is in it becomes lines of files and parts of command lines, so no field
// holds more than its own meaning needs.
func (r Repository) Mistake(kind Kind) string {
	switch {
	case kind != Deb && kind != Flatpak:
		return "kind"
	case !safeAddress(r.URL):
		return "url"
	case !safePath(r.Suite):
		return "suite"
	case len(r.Components) > 10 || (kind == Deb) != (len(r.Components) > 0) || slices.ContainsFunc(r.Components, func(c string) bool { return !safePath(c) }):
		return "components"
	case !armored(r.Key):
		return "key"
	}
	return ""
}

func safeAddress(text string) bool {
	address, err := url.Parse(text)
	return err == nil && (address.Scheme == "https" || address.Scheme == "http") && address.Hostname() != "" && address.User == nil && len(text) <= 500 &&
		strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_~:/%") == ""
}

// safePath is one name, or several with slashes between them: "bookworm/updates".
func safePath(text string) bool {
	return len(text) <= 128 && !slices.ContainsFunc(strings.Split(text, "/"), func(part string) bool { return !SafeName(part) })
}

// armored reports whether the text is one public key in armor.
// https://www.rfc-editor.org/rfc/rfc9580#section-6.2
func armored(text string) bool {
	body, begins := strings.CutPrefix(strings.TrimSpace(text), "-----BEGIN PGP PUBLIC KEY BLOCK-----")
	body, ends := strings.CutSuffix(body, "-----END PGP PUBLIC KEY BLOCK-----")
	return begins && ends && len(text) <= largestKey && len(body) > 100 && !strings.Contains(body, "-----") &&
		!strings.ContainsFunc(body, func(r rune) bool { return r != '\n' && r != '\r' && (r < ' ' || r > '~') })
}

// FromRepository reports whether a package of the kind can be asked for by name
// and version, and for a Flatpak by commit. apt would read "name=1-" as a wish to
// remove it, so such versions are none.
func (k Kind) FromRepository(name, version, commit string) bool {
	switch k {
	case Deb:
		return SafeName(name) && len(name) > 1 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.+-") == "" && name[0] != '+' && !strings.HasSuffix(name, "-") &&
			SafeName(version) && !strings.ContainsAny(version, "_") && !strings.HasSuffix(version, "-") && !strings.HasSuffix(version, "+")
	case Flatpak:
		_, err := hex.DecodeString(commit)
		return SafeName(name) && strings.Contains(name, ".") && SafeName(version) && err == nil && len(commit) == 64
	}
	return false
}

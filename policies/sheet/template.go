package sheet

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"

	"schulwart.org/policies/catalog"
)

// Template is a sheet without a place that travels from one operator to another:
// whoever takes it over chooses where it shall hold. Its publisher signs it, so
// that a later version is known to come from the same hand.
type Template struct {
	Name      string `json:"name"` // of the template, the same for every version: "grundschule"
	Title     string `json:"title"`
	Version   int    `json:"version"` // a higher one replaces a lower one
	Publisher string `json:"publisher"`
	Sheet     string `json:"sheet"` // YAML, with its comments
}

// Faults of a package.
var (
	ErrPackage   = errors.New("sheet: not a template package")
	ErrSignature = errors.New("sheet: the signature does not belong to this package")
)

// packed is the file: the template as it was signed, byte by byte, the key and
// the signature.
type packed struct {
	Format    string `json:"format"`
	Template  []byte `json:"template"`
	Key       []byte `json:"key"`
	Signature []byte `json:"signature"`
}

const packageFormat = "schulwart-template-1"

// mostPackage bounds a package before anything in it is looked at.
const mostPackage = 4 << 20

var templateName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,60}$`)

// Pack signs a template. The key stays with the publisher; the same key signs
// every version.
func Pack(t Template, key ed25519.PrivateKey) ([]byte, error) {
	if fault := t.fault(); fault != "" {
		return nil, errors.New(fault)
	}
	content, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	public, _ := key.Public().(ed25519.PublicKey)
	return json.MarshalIndent(packed{packageFormat, content, public, ed25519.Sign(key, signed(content))}, "", "  ")
}

// Unpack opens a package and returns the template with the key that signed it.
// Whether that key is one to trust, the caller decides: a first package brings
// its key, later ones must have the same.
func Unpack(data []byte) (Template, ed25519.PublicKey, error) {
	var p packed
	if len(data) > mostPackage || json.Unmarshal(data, &p) != nil || p.Format != packageFormat || len(p.Key) != ed25519.PublicKeySize {
		return Template{}, nil, ErrPackage
	}
	if !ed25519.Verify(p.Key, signed(p.Template), p.Signature) {
		return Template{}, nil, ErrSignature
	}
	var t Template
	decoder := json.NewDecoder(bytes.NewReader(p.Template))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&t) != nil || t.fault() != "" {
		return Template{}, nil, ErrPackage
	}
	return t, p.Key, nil
}

// signed keeps a signature from being taken for one about something else.
func signed(content []byte) []byte { return append([]byte(packageFormat+"\x00"), content...) }

func (t Template) fault() string {
	switch {
	case !templateName.MatchString(t.Name):
		return "sheet: a template's name is of small letters, digits and dashes"
	case t.Version < 1 || t.Title == "" || t.Publisher == "":
		return "sheet: a template needs title, publisher and version"
	}
	return ""
}

// Read reads the template's sheet. A sheet that names a place is a fault.
func (t Template) Read() (Sheet, []Fault) {
	sheet, faults := Read(File{Path: t.Name + ".yaml", Content: t.Sheet})
	if len(faults) == 0 && sheet.Place != (Place{}) {
		faults = []Fault{{Fault: catalog.Fault{Key: "sheet.template_place", Field: wordPlace}, File: t.Name + ".yaml", Line: 1}}
	}
	return sheet, faults
}

// Fingerprint names a publisher's key as people compare it.
func Fingerprint(key ed25519.PublicKey) string { return base64.RawStdEncoding.EncodeToString(key)[:16] }

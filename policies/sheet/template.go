package sheet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"

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

// Label names a version as people read it: "Grundschule 3".
func (t Template) Label() string { return t.Title + " " + strconv.Itoa(t.Version) }

// Faults of a package.
var (
	ErrPackage   = errors.New("sheet: not a template package")
	ErrTooLong   = errors.New("sheet: the package is longer than any template")
	ErrTooNew    = errors.New("sheet: the package is of a newer kind than this program reads")
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

// Formats of packages. The number grows when a program that does not know the
// change would read something wrong.
const (
	packageFormats = "schulwart-template-"
	packageFormat  = packageFormats + "1"
)

// MostPackage bounds a package before anything in it is looked at.
const MostPackage = 4 << 20

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
	if len(data) > MostPackage {
		return Template{}, nil, ErrTooLong
	}
	var p packed
	if json.Unmarshal(data, &p) != nil {
		return Template{}, nil, ErrPackage
	}
	if version, err := strconv.Atoi(strings.TrimPrefix(p.Format, packageFormats)); err == nil && version > 1 {
		return Template{}, nil, ErrTooNew
	}
	if p.Format != packageFormat || len(p.Key) != ed25519.PublicKeySize {
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

// Read reads the template's sheet. A sheet that names a place or exceptions is a
// fault, and so is a secret: a package is no place for a password. Secrets that
// shall stay as they are where it is taken over are marked !kept.
func (t Template) Read() (Sheet, []Fault) {
	path := t.Name + ".yaml"
	sheet, faults := Read(File{Path: path, Content: t.Sheet})
	if len(faults) > 0 {
		return sheet, faults
	}
	wrong := func(key, field string) {
		faults = append(faults, Fault{Fault: catalog.Fault{Key: key, Field: field}, File: path, Line: sheet.Line(field)})
	}
	if sheet.Place != (Place{}) {
		wrong("sheet.template_place", wordPlace)
	}
	if len(sheet.Exceptions) > 0 {
		wrong("sheet.template_exceptions", wordExceptions+".1")
	}
	for _, family := range catalog.Families {
		said, named := sheet.Families[family.Name]
		if !named || !family.HasSecrets() {
			continue
		}
		_ = family.MapSecrets(said.Settings.Clone(), func(field, _, secret string) (string, error) {
			if secret != Kept {
				wrong("sheet.template_secret", wordPolicies+"."+family.Name+"."+field)
			}
			return secret, nil
		})
	}
	return sheet, faults
}

// Fingerprint names a publisher's key as people compare it: 32 hexadecimal digits
// of its SHA-256, in groups of four.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	digits := hex.EncodeToString(sum[:16])
	groups := make([]string, 0, 8)
	for ; digits != ""; digits = digits[4:] {
		groups = append(groups, digits[:4])
	}
	return strings.Join(groups, " ")
}

// SameFingerprint compares what somebody typed with a key, whatever case and
// spaces they wrote.
func SameFingerprint(key ed25519.PublicKey, typed string) bool {
	plain := func(text string) string {
		return strings.ToLower(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ':' || r == '-' || r == '\u00a0' }), ""))
	}
	return plain(Fingerprint(key)) == plain(typed)
}

// keyPrefix stands before a publisher's public key as text.
const keyPrefix = "schulwart-key:"

// WriteKey writes a publisher's public key as text.
func WriteKey(key ed25519.PublicKey) string {
	return keyPrefix + base64.StdEncoding.EncodeToString(key)
}

// ReadKey reads a public key that WriteKey wrote.
func ReadKey(text string) (ed25519.PublicKey, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(text), keyPrefix))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, errors.New("sheet: not a publisher's key")
	}
	return key, nil
}

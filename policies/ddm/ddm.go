// Package ddm is the wire form of Apple's declarative device management: what a
// server offers and what a device reports. Apple's words are kept, so that its
// documentation can be searched:
// https://developer.apple.com/documentation/devicemanagement/leveraging-the-declarative-management-data-model-to-scale-devices
package ddm

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"sort"
	"strings"
	"time"
)

// Schema is the version of our own declarations that this build speaks. Agents
// report what they understand; servers are newer than agents.
const Schema = 1

// Types of declarations that every set has.
const (
	TypeActivation    = "com.apple.activation.simple"
	TypeSubscriptions = "com.apple.configuration.management.status-subscriptions"
	TypeOrganization  = "com.apple.management.organization-info"
	TypeLegacyProfile = "com.apple.configuration.legacy"
)

// Declaration is one statement of what a device should have.
type Declaration struct {
	Type        string          `json:"Type"`
	Identifier  string          `json:"Identifier"`
	ServerToken string          `json:"ServerToken"`
	Payload     json.RawMessage `json:"Payload"`
}

// Item names a declaration and its version in a manifest.
type Item struct {
	Identifier  string `json:"Identifier"`
	ServerToken string `json:"ServerToken"`
}

// Manifest answers the endpoint declaration-items.
type Manifest struct {
	Declarations      ManifestItems `json:"Declarations"`
	DeclarationsToken string        `json:"DeclarationsToken"`
}

// ManifestItems groups the items by the four classes of declarations.
type ManifestItems struct {
	Activations    []Item `json:"Activations"`
	Assets         []Item `json:"Assets"`
	Configurations []Item `json:"Configurations"`
	Management     []Item `json:"Management"`
}

// SyncTokens is what the endpoint tokens answers, and what a command carries
// that wakes the synchronisation.
type SyncTokens struct {
	SyncTokens Tokens `json:"SyncTokens"`
}

// Tokens is the version of a whole set.
type Tokens struct {
	DeclarationsToken string    `json:"DeclarationsToken"`
	Timestamp         time.Time `json:"Timestamp"`
}

// Class is the part of a manifest that a declaration belongs to, as the path
// declaration/CLASS/ID names it.
type Class string

// The four classes.
const (
	Activation    Class = "activation"
	Asset         Class = "asset"
	Configuration Class = "configuration"
	Management    Class = "management"
)

// ClassOf reads the class from a declaration's type ("com.apple.activation.simple").
// The first word that is a class counts: "com.apple.configuration.management.test"
// is a configuration.
func ClassOf(declarationType string) Class {
	for word := range strings.SplitSeq(declarationType, ".") {
		switch class := Class(word); class {
		case Activation, Asset, Configuration, Management:
			return class
		}
	}
	return Configuration
}

// New returns a declaration whose token is the hash of its content, so equal
// content has equal tokens. The payload must marshal; ours are plain structs.
func New(declarationType, identifier string, payload any) Declaration {
	data, err := json.Marshal(payload)
	if err != nil {
		panic("ddm: payload of " + declarationType + ": " + err.Error())
	}
	return Declaration{Type: declarationType, Identifier: identifier, ServerToken: Hash(declarationType, identifier, string(data)), Payload: data}
}

// Activate returns the activation that makes the configurations take effect.
func Activate(identifier string, configurations []string) Declaration {
	ordered := append([]string{}, configurations...)
	sort.Strings(ordered)
	return New(TypeActivation, identifier, struct {
		StandardConfigurations []string
	}{ordered})
}

// ManifestOf lists a set, ordered by identifier, under the hash of all tokens.
func ManifestOf(set []Declaration) Manifest {
	ordered := append([]Declaration(nil), set...)
	sort.Slice(ordered, func(i, j int) bool { return ordered[i].Identifier < ordered[j].Identifier })
	m := Manifest{Declarations: ManifestItems{Activations: []Item{}, Assets: []Item{}, Configurations: []Item{}, Management: []Item{}}}
	parts := make([]string, 0, 2*len(ordered))
	for _, d := range ordered {
		item := Item{d.Identifier, d.ServerToken}
		parts = append(parts, d.Identifier, d.ServerToken)
		switch ClassOf(d.Type) {
		case Activation:
			m.Declarations.Activations = append(m.Declarations.Activations, item)
		case Asset:
			m.Declarations.Assets = append(m.Declarations.Assets, item)
		case Management:
			m.Declarations.Management = append(m.Declarations.Management, item)
		default:
			m.Declarations.Configurations = append(m.Declarations.Configurations, item)
		}
	}
	m.DeclarationsToken = Hash(parts...)
	return m
}

// Items returns every item of the manifest with its class.
func (m Manifest) Items() map[Class][]Item {
	return map[Class][]Item{
		Activation: m.Declarations.Activations, Asset: m.Declarations.Assets,
		Configuration: m.Declarations.Configurations, Management: m.Declarations.Management,
	}
}

// Hash returns a short name for content: 22 characters, collision-resistant.
func Hash(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

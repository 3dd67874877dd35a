// Package foreign is what a family of the catalogue is on systems that take its
// words as data of their own: Apple's payloads and declarations, and registry
// values and rules on Windows. Only who writes them for a device needs it; an
// agent carries none of it.
package foreign

import (
	"encoding/json"
	"maps"
	"slices"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

// Forms is one family abroad.
type Forms struct {
	// Apple returns the payloads of a profile, none if the settings say nothing
	// that Apple's devices know. Nil where they know nothing of the family.
	Apple func(catalog.Settings, org.Platform) []ApplePayload
	// Native returns declarations of Apple's own types, where they say more than a
	// profile does. Nil where there are none.
	Native func(catalog.Settings, org.Platform) []AppleDeclaration
	// Windows returns registry values and rules. Nil where there are none.
	Windows func(catalog.Settings) WindowsForm
}

// Of returns the forms of the family.
func Of(family catalog.Family) Forms { return forms[family.Name] }

var forms = map[string]Forms{
	catalog.Accessibility.Name:   accessibility,
	catalog.Accounts.Name:        accounts,
	catalog.Browsers.Name:        browsers,
	catalog.Camera.Name:          camera,
	catalog.Certificates.Name:    certificates,
	catalog.DNS.Name:             dns,
	catalog.Printing.Name:        printing,
	catalog.Programs.Name:        programs,
	catalog.Proxy.Name:           proxy,
	catalog.ScreenLock.Name:      screenLock,
	catalog.Sharing.Name:         sharing,
	catalog.TimeLanguage.Name:    timeLanguage,
	catalog.Updates.Name:         updates,
	catalog.USBStorage.Name:      usbStorage,
	catalog.VPN.Name:             vpn,
	catalog.Wallpaper.Name:       wallpaper,
	catalog.WebFilterFamily.Name: webfilter,
	catalog.WiFi.Name:            wifi,
}

// ApplePayload is one payload of a configuration profile: its type and its own
// keys, those that all payloads share left aside.
// https://developer.apple.com/documentation/devicemanagement/configuring_multiple_devices_using_profiles
type ApplePayload struct {
	Type    string         `json:"type"`
	Content map[string]any `json:"content"`
}

// Data is bytes in an ApplePayload. Where the payload travels as JSON, it says of
// itself that it is no text.
type Data []byte

// DataKey stands alone in the object that Data is in JSON.
const DataKey = "$data"

// MarshalJSON returns {"$data": "base64"}.
func (d Data) MarshalJSON() ([]byte, error) { return json.Marshal(map[string][]byte{DataKey: d}) }

// AppleDeclaration is one declaration of Apple's own types.
// https://developer.apple.com/documentation/devicemanagement/declarations
type AppleDeclaration struct {
	Type    string         `json:"type"`
	Part    string         `json:"part"` // tells it apart from others of the family
	Payload map[string]any `json:"payload"`
}

// WindowsForm is what a family is on Windows, as data: the Windows agent carries
// it out when it comes.
type WindowsForm struct {
	Registry []RegistryValue `json:"registry,omitempty"`
	Rules    []WindowsRule   `json:"rules,omitempty"`
}

// RegistryValue is one value below HKEY_LOCAL_MACHINE unless Hive says HKCU, in
// which case it holds for every pupil who signs in.
type RegistryValue struct {
	Hive string `json:"hive,omitempty"` // "HKLM" or "HKCU"; empty is HKLM
	Path string `json:"path"`           // `SOFTWARE\Policies\Google\Chrome`
	Name string `json:"name"`
	Type string `json:"type"` // REG_SZ, REG_DWORD, REG_MULTI_SZ
	Data any    `json:"data"` // string, int or []string
}

// WindowsRule is a step that no registry value takes: a service, a firewall rule,
// a certificate, a network profile.
type WindowsRule struct {
	Kind string            `json:"kind"` // "service", "firewall", "certificate", "wlan", "package", "applocker", "account", "right", "security-policy", "timezone", "lock"
	Name string            `json:"name"`
	Args map[string]string `json:"args,omitempty"`
}

func registry(path, name string, data any) RegistryValue {
	value := RegistryValue{Path: path, Name: name, Data: data}
	switch data := data.(type) {
	case bool:
		value.Type, value.Data = "REG_DWORD", 0
		if data {
			value.Data = 1
		}
	case int:
		value.Type = "REG_DWORD"
	case []string:
		value.Type = "REG_MULTI_SZ"
	default:
		value.Type = "REG_SZ"
	}
	return value
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

package catalog

import (
	"net/url"
	"strconv"
	"strings"

	"schulwart.org/policies/org"
)

// Printing is whether a device prints, and where.
var Printing = Family{
	Name: "printing", Topic: TopicDevice,
	Fields: []Field{
		{Name: "allowed", Kind: Flag, Merge: Strictest, Stricter: Off, Supervised: []org.Platform{org.IPadOS}, On: map[org.Platform]Ability{org.MacOS: NotPossible}},
		{Name: "printers", Kind: Entries, Key: "name", Most: 50, Merge: Union, Fields: []Field{
			{Name: "name", Kind: Text, Form: Line, Max: 60, Required: true, Merge: Nearest},
			{Name: "address", Kind: Text, Form: Printer, Required: true, Merge: Nearest},
			{Name: "place", Kind: Text, Form: Line, Max: 60, Merge: Nearest},
		}},
		{Name: "default", Kind: Text, Form: Line, Max: 60, Merge: Nearest, On: map[org.Platform]Ability{org.IPadOS: NotPossible}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Apple: func(s Settings, platform org.Platform) []ApplePayload {
		var payloads []ApplePayload
		if allowed, set := s.Bool("allowed"); set {
			payloads = append(payloads, ApplePayload{"com.apple.applicationaccess", map[string]any{"allowAirPrint": allowed}})
		}
		var air []any
		for _, printer := range s.Items("printers") {
			if item := airPrint(printer, platform); item != nil {
				air = append(air, item)
			}
		}
		if len(air) > 0 {
			payloads = append(payloads, ApplePayload{"com.apple.airprint", map[string]any{"AirPrint": air}})
		}
		if printer, ok := entryOf(s.Items("printers"), s.Text("default")); ok && platform == org.MacOS {
			payloads = append(payloads, ApplePayload{"com.apple.mcxprinting", map[string]any{
				"DefaultPrinter": map[string]any{"DeviceURI": printer.Text("address"), "DisplayName": printer.Text("name")},
			}})
		}
		return payloads
	},
	Windows: func(s Settings) WindowsForm {
		var form WindowsForm
		if allowed, set := s.Bool("allowed"); set && !allowed {
			return WindowsForm{Rules: []WindowsRule{{"service", "Spooler", map[string]string{"start": "disabled"}}}}
		}
		for _, printer := range s.Items("printers") {
			form.Rules = append(form.Rules, WindowsRule{"printer", printer.Text("name"), map[string]string{
				"address": printer.Text("address"), "place": printer.Text("place"), "default": strconv.FormatBool(printer.Text("name") == s.Text("default")),
			}})
		}
		return form
	},
	Strands: func(s Settings, _ map[string]Settings) []Fault {
		if _, ok := entryOf(s.Items("printers"), s.Text("default")); !ok && s.Text("default") != "" {
			return []Fault{fault("policy.printing.no-default", "default", "value", s.Text("default"))}
		}
		return nil
	},
}

// airPrint writes a printer as AirPrint knows it; nil for those that speak no
// IPP.
func airPrint(printer Settings, platform org.Platform) map[string]any {
	address, err := url.Parse(printer.Text("address"))
	if err != nil || address.Scheme != "ipp" && address.Scheme != "ipps" {
		return nil
	}
	resource := strings.TrimPrefix(address.Path, "/")
	if resource == "" {
		resource = "ipp/print"
	}
	item := map[string]any{"IPAddress": address.Hostname(), "ResourcePath": resource}
	if platform != org.IPadOS {
		return item
	}
	if port, err := strconv.Atoi(address.Port()); err == nil {
		item["Port"] = port
	}
	item["ForceTLS"] = address.Scheme == "ipps"
	return item
}

// entryOf returns the entry of the name.
func entryOf(entries []Settings, name string) (Settings, bool) {
	for _, entry := range entries {
		if entry.Text("name") == name {
			return entry, true
		}
	}
	return nil, false
}

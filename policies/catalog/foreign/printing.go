package foreign

import (
	"net/url"
	"strconv"
	"strings"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var printing = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
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
	Windows: func(s catalog.Settings) WindowsForm {
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
}

// airPrint writes a printer as AirPrint knows it; nil for those that speak no
// IPP.
func airPrint(printer catalog.Settings, platform org.Platform) map[string]any {
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
func entryOf(entries []catalog.Settings, name string) (catalog.Settings, bool) {
	for _, entry := range entries {
		if entry.Text("name") == name {
			return entry, true
		}
	}
	return nil, false
}

package foreign

import (
	"strconv"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var wifi = Forms{
	Apple: func(s catalog.Settings, _ org.Platform) []ApplePayload {
		var payloads []ApplePayload
		for _, network := range s.Items("networks") {
			if network.Text("security") != "open" && network.Text("password") == "" {
				continue // it would be asked of somebody who does not know it
			}
			content := map[string]any{
				"SSID_STR": network.Text("name"), "HIDDEN_NETWORK": network.On("hidden"), "AutoJoin": joinsByItself(network),
				"EncryptionType": map[string]string{"open": "None", "wpa2": "WPA2", "wpa3": "WPA3"}[network.Text("security")],
			}
			if network.Text("security") != "open" {
				content["Password"] = network.Text("password")
			}
			payloads = append(payloads, ApplePayload{"com.apple.wifi.managed", content})
		}
		if only, set := s.Bool("only-these"); set && (!only || len(payloads) > 0) {
			payloads = append(payloads, ApplePayload{"com.apple.applicationaccess", map[string]any{"forceWiFiToAllowedNetworksOnly": only}})
		}
		return payloads
	},
	Windows: func(s catalog.Settings) WindowsForm {
		var form WindowsForm
		for _, network := range s.Items("networks") {
			form.Rules = append(form.Rules, WindowsRule{"wlan", network.Text("name"), map[string]string{
				"security": network.Text("security"), "password": network.Text("password"),
				"hidden": strconv.FormatBool(network.On("hidden")), "auto-join": strconv.FormatBool(joinsByItself(network)),
			}})
		}
		if s.On("only-these") && len(s.Items("networks")) > 0 {
			form.Rules = append(form.Rules, WindowsRule{Kind: "wlan-filter", Name: "only-these", Args: map[string]string{"others": "deny"}})
		}
		return form
	},
}

// joinsByItself reports whether a device joins the network without being asked,
// as it does unless told otherwise.
func joinsByItself(network catalog.Settings) bool {
	auto, set := network.Bool("auto-join")
	return auto || !set
}

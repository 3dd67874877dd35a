package catalog

import (
	"strconv"

	"schulwart.org/policies/org"
)

// WiFi are the wireless networks that a device knows.
var WiFi = Family{
	Name: "wifi", Topic: TopicNetwork,
	Fields: []Field{
		{Name: "networks", Kind: Entries, Key: "name", Most: 20, Merge: Union, Fields: []Field{
			{Name: "name", Kind: Text, Form: Line, Max: 32, Required: true, Merge: Nearest},
			{Name: "security", Kind: Choice, Choices: []string{"open", "wpa2", "wpa3"}, Required: true, Merge: Nearest},
			{Name: "password", Kind: Text, Form: Password, Min: 8, Max: 63, Secret: true, Merge: Nearest},
			{Name: "hidden", Kind: Flag, Merge: Nearest},
			{Name: "auto-join", Kind: Flag, Merge: Nearest},
		}},
		{Name: "only-these", Kind: Flag, Merge: Strictest, Stricter: On, Supervised: []org.Platform{org.IPadOS},
			On: map[org.Platform]Ability{org.Linux: NotPossible, org.MacOS: NotPossible}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Apple: func(s Settings, _ org.Platform) []ApplePayload {
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
	Windows: func(s Settings) WindowsForm {
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
	Strands: func(s Settings, _ map[string]Settings) []Fault {
		var faults []Fault
		usable := 0
		for i, network := range s.Items("networks") {
			if network.Text("security") != "open" && network.Text("password") == "" {
				faults = append(faults, fault("policy.wifi.no-password", "networks."+strconv.Itoa(i+1)+".password", "value", network.Text("name")))
				continue
			}
			usable++
		}
		if s.On("only-these") && usable == 0 {
			faults = append(faults, fault("policy.wifi.strands", "only-these"))
		}
		return faults
	},
}

// joinsByItself reports whether a device joins the network without being asked,
// as it does unless told otherwise.
func joinsByItself(network Settings) bool {
	auto, set := network.Bool("auto-join")
	return auto || !set
}

package catalog

import "schulwart.org/policies/org"

// VPN is whether somebody may set up a tunnel past the school's rules, or lend
// out the device's network.
var VPN = Family{
	Name: "vpn", Topic: TopicNetwork,
	Fields: []Field{
		{Name: "setup", Kind: Flag, Merge: Strictest, Stricter: Off, Supervised: []org.Platform{org.IPadOS}, On: map[org.Platform]Ability{org.Linux: Unverified, org.MacOS: NotPossible}},
		{Name: "hotspot", Kind: Flag, Merge: Strictest, Stricter: Off, Supervised: []org.Platform{org.IPadOS}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Apple: func(s Settings, platform org.Platform) []ApplePayload {
		if platform == org.MacOS {
			return restrictions(s, map[string]string{"hotspot": "allowInternetSharingModification"})
		}
		return restrictions(s, map[string]string{"setup": "allowVPNCreation", "hotspot": "allowPersonalHotspotModification"})
	},
	Windows: func(s Settings) WindowsForm {
		var form WindowsForm
		if on, set := s.Bool("setup"); set {
			form.Registry = append(form.Registry, registry(`SOFTWARE\Policies\Microsoft\Windows\Network Connections`, "NC_NewConnectionWizard", on))
		}
		if on, set := s.Bool("hotspot"); set {
			form.Registry = append(form.Registry, registry(`SOFTWARE\Policies\Microsoft\Windows\Network Connections`, "NC_ShowSharedAccessUI", on))
		}
		return form
	},
}

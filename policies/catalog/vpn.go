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
}

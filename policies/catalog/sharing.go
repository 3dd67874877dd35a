package catalog

import "schulwart.org/policies/org"

// Sharing are the ways in which devices pass things to each other.
var Sharing = Family{
	Name: "sharing", Topic: TopicDevice,
	Fields: []Field{
		{Name: "airdrop", Kind: Flag, Merge: Strictest, Stricter: Off, Supervised: []org.Platform{org.IPadOS}, On: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified}},
		{Name: "bluetooth", Kind: Flag, Merge: Strictest, Stricter: Off, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "airplay", Kind: Flag, Merge: Strictest, Stricter: Off, On: map[org.Platform]Ability{org.Linux: NotPossible, org.IPadOS: NotPossible}},
		{Name: "network-shares", Kind: Flag, Merge: Strictest, Stricter: Off, Supervised: []org.Platform{org.IPadOS}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
}

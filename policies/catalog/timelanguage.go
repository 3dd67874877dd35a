package catalog

import "schulwart.org/policies/org"

// TimeLanguage is the device's clock and the language it speaks.
var TimeLanguage = Family{
	Name: "time-language", Topic: TopicLook,
	Fields: []Field{
		{Name: "zone", Kind: Text, Form: Zone, Merge: Nearest, On: map[org.Platform]Ability{org.IPadOS: NotPossible}},
		{Name: "automatic-time", Kind: Flag, Merge: Strictest, Stricter: On, On: map[org.Platform]Ability{org.MacOS: NotPossible}, Supervised: []org.Platform{org.IPadOS}},
		{Name: "servers", Kind: Names, Form: Host, Most: 4, Merge: Nearest, On: map[org.Platform]Ability{org.IPadOS: NotPossible}},
		{Name: "language", Kind: Text, Form: Locale, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "keyboard", Kind: Text, Form: Keyboard, Merge: Nearest, On: map[org.Platform]Ability{org.Windows: NotPossible, org.MacOS: NotPossible, org.IPadOS: NotPossible}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
}

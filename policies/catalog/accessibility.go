package catalog

import "schulwart.org/policies/org"

// Accessibility is which aids a device always offers, and which it begins with.
// None of it takes an aid away from anybody.
var Accessibility = Family{
	Name: "accessibility", Topic: TopicLook,
	Fields: []Field{
		{Name: "offered", Kind: Flag, Merge: Strictest, Stricter: On},
		{Name: "screen-reader", Kind: Flag, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible}},
		{Name: "magnifier", Kind: Flag, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible}},
		{Name: "contrast", Kind: Flag, Merge: Nearest},
		{Name: "sticky-keys", Kind: Flag, Merge: Nearest},
		{Name: "text-size", Kind: Number, Unit: "percent", Min: 100, Max: 225, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: NotPossible},
}

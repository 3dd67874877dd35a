package catalog

import "schulwart.org/policies/org"

// USBStorage is what happens with sticks and disks that somebody plugs in.
var USBStorage = Family{
	Name: "usb-storage", Topic: TopicDevice,
	Fields: []Field{
		{Name: "access", Kind: Choice, Merge: Strictest, Stricter: Later, Choices: []string{"allowed", "read-only", "blocked"}},
	},
	Platforms:  map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: NotPossible, org.IPadOS: Unverified},
	Supervised: []org.Platform{org.IPadOS},
}

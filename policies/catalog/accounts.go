package catalog

import "schulwart.org/policies/org"

// Accounts is who signs in to a device, and what a password must be.
var Accounts = Family{
	Name: "accounts", Topic: TopicAccess,
	Fields: []Field{
		{Name: "guest", Kind: Flag, Merge: Strictest, Stricter: Off, Supervised: []org.Platform{org.IPadOS}},
		{Name: "automatic-login", Kind: Flag, Merge: Strictest, Stricter: Off, On: map[org.Platform]Ability{org.IPadOS: NotPossible}},
		{Name: "sign-in", Kind: Names, Form: Login, Most: 100, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "password-length", Kind: Number, Unit: "characters", Min: 4, Max: 64, Merge: Strictest, Stricter: More},
		{Name: "password-classes", Kind: Number, Unit: "classes", Min: 1, Max: 4, Merge: Strictest, Stricter: More, Since: map[org.Platform]string{org.IPadOS: "16.2", org.MacOS: "13.1"}},
		{Name: "password-history", Kind: Number, Unit: "passwords", Min: 1, Max: 50, Merge: Strictest, Stricter: More},
		{Name: "password-days", Kind: Number, Unit: "days", Min: 1, Max: 730, Merge: Strictest, Stricter: Less, On: map[org.Platform]Ability{org.Linux: NotPossible}, Since: map[org.Platform]string{org.IPadOS: "16.2", org.MacOS: "13.1"}},
	},
	Platforms:  map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Supervised: []org.Platform{org.MacOS},
}

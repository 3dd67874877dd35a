package catalog

import "schulwart.org/policies/org"

// ScreenLock is when the screen locks and when the device sleeps.
var ScreenLock = Family{
	Name: "screen-lock", Topic: TopicAccess,
	Fields: []Field{
		{Name: "minutes", Kind: Number, Unit: "minutes", Min: 1, Max: 120, Merge: Strictest, Stricter: Less},
		{Name: "password", Kind: Flag, Merge: Strictest, Stricter: On},
		{Name: "lid", Kind: Choice, Choices: []string{"nothing", "lock", "suspend", "power-off"}, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "power-button", Kind: Choice, Choices: []string{"nothing", "suspend", "power-off"}, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "sleep-battery", Kind: Number, Unit: "minutes", Min: 1, Max: 180, Merge: Nearest, On: map[org.Platform]Ability{org.IPadOS: NotPossible}},
		{Name: "sleep-mains", Kind: Number, Unit: "minutes", Min: 1, Max: 180, Merge: Nearest, On: map[org.Platform]Ability{org.IPadOS: NotPossible}},
	},
	Platforms:  map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Supervised: []org.Platform{org.MacOS},
}

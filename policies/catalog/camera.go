package catalog

import "schulwart.org/policies/org"

// Camera is whether programs may see and hear, and take pictures of the screen.
var Camera = Family{
	Name: "camera", Topic: TopicDevice,
	Fields: []Field{
		{Name: "camera", Kind: Flag, Merge: Strictest, Stricter: Off},
		{Name: "microphone", Kind: Flag, Merge: Strictest, Stricter: Off, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "screen-capture", Kind: Flag, Merge: Strictest, Stricter: Off, On: map[org.Platform]Ability{org.Linux: NotPossible}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
}

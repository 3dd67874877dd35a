package catalog

import "schulwart.org/policies/org"

// Wallpaper is what a device looks like before and after somebody signs in.
var Wallpaper = Family{
	Name: "wallpaper", Topic: TopicLook,
	Fields: []Field{
		{Name: "picture", Kind: Text, Form: Path, Merge: Nearest, On: map[org.Platform]Ability{org.IPadOS: NotPossible}},
		{Name: "color", Kind: Text, Form: Color, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "change", Kind: Flag, Merge: Strictest, Stricter: Off, Supervised: []org.Platform{org.IPadOS}},
		{Name: "message", Kind: Text, Form: Line, Max: 200, Merge: Nearest, Supervised: []org.Platform{org.IPadOS}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
}

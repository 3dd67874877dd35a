// Package catalog is what a policy can say: one file per payload family with its
// fields, how values of several places become one, and what each platform does
// with them. Pages, files, the coverage table and the drivers' tests are all
// made from it; it decides nothing about a device.
package catalog

import (
	"slices"

	"schulwart.org/policies/org"
)

// Ability is what a platform can do with a family, a field or a mode.
type Ability string

// The abilities, as the coverage table shows them.
const (
	Enforced    Ability = "enforced"     // set and read back
	Reported    Ability = "reported"     // looked at, not set
	NotPossible Ability = "not-possible" // the system offers no way, or we have none yet
	Unverified  Ability = "unverified"   // built after the documentation, not seen on real hardware
)

// Platforms lists the platforms in the order of the coverage table.
var Platforms = []org.Platform{org.Linux, org.Windows, org.MacOS, org.IPadOS}

// TypePrefix stands before a family's name in the DDM type of its declaration
// for our agent, IdentifierPrefix in its identifier.
const (
	TypePrefix       = "org.schulwart.configuration."
	IdentifierPrefix = "org.schulwart."
)

// Family describes one payload family; what it is on other systems than Linux
// stands in foreign. Its words are policy.<name> and
// policy.<name>.hint, those of its fields policy.<name>.<field>.
type Family struct {
	Name  string // key in files, addresses and words: "usb-storage"
	Topic Topic  // where people look for it
	// Part is the agent's part that does the work, where it is not a driver of the
	// family's own.
	Part Part
	// Also are parts that have to do with it besides: browsers keep certificates
	// and proxies of their own.
	Also   []Part
	Fields []Field
	// Platforms says what each platform does with the family; a field can say
	// otherwise for itself.
	Platforms map[org.Platform]Ability
	// Supervised lists Apple's platforms that take it from supervised devices
	// only.
	Supervised []org.Platform
	// Strands returns what in the settings would strand a device, given all other
	// families; such a set cannot be published.
	Strands func(Settings, map[string]Settings) []Fault
}

// Topic gathers families on a page.
type Topic string

// The topics, in the order in which people read them.
const (
	TopicWeb      Topic = "web"
	TopicNetwork  Topic = "network"
	TopicDevice   Topic = "device"
	TopicAccess   Topic = "access"
	TopicPrograms Topic = "programs"
	TopicLook     Topic = "look"
)

// Topics lists the topics.
var Topics = []Topic{TopicWeb, TopicNetwork, TopicDevice, TopicAccess, TopicPrograms, TopicLook}

// Families lists every family, ordered by name. A family's file adds itself
// here.
var Families = []Family{
	Accessibility,
	Accounts,
	Browsers,
	Camera,
	Certificates,
	DNS,
	Printing,
	Programs,
	Proxy,
	ScreenLock,
	Sharing,
	TimeLanguage,
	Updates,
	USBStorage,
	VPN,
	Wallpaper,
	WebFilterFamily,
	WiFi,
}

// Find returns the family with the name.
func Find(name string) (Family, bool) {
	i, ok := slices.BinarySearchFunc(Families, name, func(f Family, name string) int {
		switch {
		case f.Name < name:
			return -1
		case f.Name > name:
			return 1
		}
		return 0
	})
	if !ok {
		return Family{}, false
	}
	return Families[i], true
}

// DoneBy returns the agent's part that the family takes effect through.
func (f Family) DoneBy() Part {
	if f.Part != "" {
		return f.Part
	}
	return Part(f.Name)
}

// Type returns the DDM type of the family's declaration for our agent.
func (f Family) Type() string { return TypePrefix + f.Name }

// Identifier returns the identifier of the family's declaration.
func (f Family) Identifier() string { return IdentifierPrefix + f.Name }

// Field returns the field with the name.
func (f Family) Field(name string) (Field, bool) {
	i := slices.IndexFunc(f.Fields, func(field Field) bool { return field.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return f.Fields[i], true
}

// Ability returns what the platform does with a field of the family, supervision
// left aside.
func (f Family) Ability(field string, platform org.Platform) Ability {
	if known, ok := f.Field(field); ok {
		if own, ok := known.On[platform]; ok {
			return own
		}
	}
	return f.Platforms[platform]
}

// Does reports whether the platform does something with the family, or at least
// with one of its fields, be it seen at work or not.
func (f Family) Does(platform org.Platform) bool {
	does := func(ability Ability) bool { return ability == Enforced || ability == Unverified }
	return does(f.Platforms[platform]) || slices.ContainsFunc(f.Fields, func(field Field) bool { return does(field.On[platform]) })
}

// NeedsSupervision reports whether the platform takes the field from supervised
// devices only.
func (f Family) NeedsSupervision(field string, platform org.Platform) bool {
	known, _ := f.Field(field)
	return slices.Contains(f.Supervised, platform) || slices.Contains(known.Supervised, platform)
}

// FamilyOfType returns the family whose declarations have the DDM type.
func FamilyOfType(declarationType string) (Family, bool) {
	if len(declarationType) <= len(TypePrefix) || declarationType[:len(TypePrefix)] != TypePrefix {
		return Family{}, false
	}
	return Find(declarationType[len(TypePrefix):])
}

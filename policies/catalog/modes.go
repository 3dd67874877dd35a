package catalog

import (
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

// Part is one of the ways in which a mode takes effect on a device. The agent
// has one driver per part, and reports each part's state under its name.
type Part string

// The parts.
const (
	Network Part = "network" // packet rules, names, connections
	Browser Part = "browser" // browser policies
	Screen  Part = "screen"  // the covered screen
	Apps    Part = "apps"    // which programs start
	// Session is the pupil's session in an examination: its browser, the way to
	// other consoles, what programs exchange, further displays.
	Session Part = "session"
)

// PartsOf lists the parts that a kind of lease takes effect through. A mode is
// active when its network and screen parts were read back; browser and apps are
// details with their own state. An examination also narrows families of the base
// policy, each under its own name; its screen is covered only while it waits for
// a code.
func PartsOf(kind lease.Kind) []Part {
	switch kind {
	case lease.Exam:
		return []Part{Network, Browser, Screen, Apps, Session, Part(USBStorage.Name), Part(Printing.Name), Part(Camera.Name), Part(Sharing.Name)}
	case lease.Screen:
		return []Part{Screen}
	case lease.Offline, lease.Sites:
		return []Part{Network, Browser}
	case lease.Focus:
		return []Part{Apps}
	}
	return nil
}

// ModeCoverage says what each platform can do with each kind. On Apple devices
// all but Sites need supervision.
var ModeCoverage = map[lease.Kind]map[org.Platform]Ability{
	lease.Exam:    {org.Linux: Enforced, org.Windows: NotPossible, org.MacOS: NotPossible, org.IPadOS: Unverified},
	lease.Screen:  {org.Linux: Enforced, org.Windows: NotPossible, org.MacOS: NotPossible, org.IPadOS: Unverified},
	lease.Offline: {org.Linux: Enforced, org.Windows: NotPossible, org.MacOS: NotPossible, org.IPadOS: Unverified},
	lease.Sites:   {org.Linux: Enforced, org.Windows: NotPossible, org.MacOS: NotPossible, org.IPadOS: Unverified},
	lease.Focus:   {org.Linux: Enforced, org.Windows: NotPossible, org.MacOS: NotPossible, org.IPadOS: Unverified},
}

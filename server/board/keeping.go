package board

import (
	"strings"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
)

// Keep is what a device says of a family that holds for it.
type Keep string

// The states of keeping.
const (
	KeepActive    Keep = "active"    // read back as wanted
	KeepWaiting   Keep = "waiting"   // what holds now was not fetched yet
	KeepDeviating Keep = "deviating" // the device refuses it, or reads back something else
	KeepUnsent    Keep = "unsent"    // nothing of the family goes to this device
)

// Keeping is what a device says of one family.
type Keeping struct {
	State   Keep
	Reasons []ddm.Reason
	// Since is the report since which the device says so; zero if it said nothing
	// yet.
	Since time.Time
}

// familyOf returns the family of a declaration's identifier, "" for one that
// belongs to none.
func familyOf(identifier string) string {
	if family, ok := strings.CutPrefix(identifier, desired.ProfilePrefix); ok {
		return family
	}
	family, _ := strings.CutPrefix(identifier, "org.schulwart.")
	return family
}

// kept compares what a device should have with what it last said that it has.
func kept(sheet Sheet, state desired.State) map[string]Keeping {
	said := map[string]ddm.DeclarationState{}
	for _, one := range sheet.Said {
		said[one.Identifier] = one
	}
	all := map[string]Keeping{}
	for _, setting := range state.Settings {
		all[setting.Family] = Keeping{State: KeepUnsent}
	}
	for _, declared := range state.Declarations {
		family := familyOf(declared.Identifier)
		if _, holds := all[family]; !holds {
			continue
		}
		is, known := said[declared.Identifier]
		switch {
		case !known || is.ServerToken != declared.ServerToken:
			all[family] = Keeping{State: KeepWaiting}
		case is.Active && is.Valid != ddm.Invalid:
			all[family] = Keeping{State: KeepActive, Since: sheet.SaidSince[declared.Identifier]}
		default:
			all[family] = Keeping{State: KeepDeviating, Reasons: is.Reasons, Since: sheet.SaidSince[declared.Identifier]}
		}
	}
	return all
}

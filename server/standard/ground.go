package standard

import (
	"slices"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
)

// Ground is what is said in a school and above it.
type Ground struct {
	Branch     org.Branch
	Name       string
	Policies   []desired.Policy
	Exceptions []desired.Exception
	Priorities map[org.ID]int // of groups
}

// Crowd is devices of a school for which the answer is the same.
type Crowd struct {
	School   org.ID
	Device   desired.Device // one for all; its id only where it has words of its own
	Enrolled bool
	N        int
}

// Machine is one device.
type Machine struct {
	Branch   org.Branch
	Device   desired.Device
	Name     string
	Enrolled bool
	// Said are its configurations as it last reported them, SaidSince, by
	// identifier, the reports since which it says the same of each.
	Said      []ddm.DeclarationState
	SaidSince map[string]time.Time
	Reported  time.Time
	Seen      time.Time
}

func (g Ground) snapshot() desired.Snapshot {
	return desired.Snapshot{Branch: g.Branch, Policies: g.Policies, Exceptions: g.Exceptions, Priorities: g.Priorities}
}

// standIn is a device that hears what a place hears: it stands for the place
// where there is no real one.
func standIn(place Place) desired.Device {
	device := desired.Device{Platform: org.Linux, Schema: ddm.Schema}
	switch place.Level {
	case org.Group:
		device.Groups = []org.ID{place.ID}
	case org.Device:
		device.ID = place.ID
	}
	return device
}

// holding computes what holds, by family and field.
func (g Ground) holding(device desired.Device, at time.Time) map[Part]desired.Effective {
	state := desired.For(g.snapshot(), device, at)
	held := make(map[Part]desired.Effective, len(state.Settings))
	for _, effective := range state.Settings {
		held[Part{effective.Family, effective.Field}] = effective
	}
	return held
}

// without returns the ground without what a place itself says, exceptions and
// pilots of it included.
func (g Ground) without(place desired.Place) Ground {
	g.Policies = slices.DeleteFunc(slices.Clone(g.Policies), func(p desired.Policy) bool { return p.Place == place })
	g.Exceptions = slices.DeleteFunc(slices.Clone(g.Exceptions), func(e desired.Exception) bool { return e.Place == place })
	return g
}

// saying returns the ground with a place saying other things about families, to
// all or to a pilot group. A pilot for all ends with it.
func (g Ground) saying(place desired.Place, says map[string]Say, pilot org.ID) Ground {
	g.Policies = slices.DeleteFunc(slices.Clone(g.Policies), func(p desired.Policy) bool {
		_, touched := says[p.Family]
		return touched && p.Place == place && (pilot == "" || p.Pilot == pilot)
	})
	for _, family := range families(says) {
		say := says[family]
		if say.Empty() && pilot == "" {
			continue
		}
		g.Policies = append(g.Policies, desired.Policy{Place: place, Family: family, Settings: say.Settings, Holds: say.Holds, Pilot: pilot})
	}
	return g
}

// upTo returns the ground as a place hears it: without what is said below it.
func (g Ground) upTo(place Place) Ground {
	heard := func(p desired.Place) bool {
		switch place.Level {
		case org.Operator:
			return p.Level == org.Operator
		case org.Authority:
			return p.Level == org.Operator || p.Level == org.Authority
		case org.School:
			return p.Level != org.Group && p.Level != org.Device
		}
		return true
	}
	g.Policies = slices.DeleteFunc(slices.Clone(g.Policies), func(p desired.Policy) bool { return !heard(p.Place) })
	g.Exceptions = slices.DeleteFunc(slices.Clone(g.Exceptions), func(e desired.Exception) bool { return !heard(e.Place) })
	return g
}

// settings gathers what holds by family.
func settings(held []desired.Effective) map[string]catalog.Settings {
	all := map[string]catalog.Settings{}
	for _, effective := range held {
		if effective.Value == nil {
			continue
		}
		if all[effective.Family] == nil {
			all[effective.Family] = catalog.Settings{}
		}
		all[effective.Family][effective.Field] = effective.Value
	}
	return all
}

// decider returns the place that decides about a field: of the sources the last
// that was heard. locker returns the one that locked it first.
func decider(effective desired.Effective) desired.Place {
	var place desired.Place
	for _, source := range effective.From {
		switch source.Effect {
		case desired.Decides, desired.Adds, desired.Tightens, desired.Excepts:
			place = source.Place
		}
	}
	return place
}

func (g Ground) locker(effective desired.Effective) (desired.Place, bool) {
	for _, source := range effective.From {
		if source.Effect != desired.Decides && source.Effect != desired.Tightens {
			continue
		}
		for _, policy := range g.Policies {
			if policy.Place == source.Place && policy.Family == effective.Family && policy.Holds[effective.Field] == desired.Locked {
				return source.Place, true
			}
		}
	}
	return desired.Place{}, false
}

// leeway says how far a place may go from what holds above it.
func leeway(field catalog.Field, above *desired.Effective) Leeway {
	switch {
	case above == nil || above.Value == nil:
		return LeewayFree
	case above.Hold == desired.Locked:
		return LeewayLocked
	case field.Merge == catalog.Union:
		return LeewayMore
	case field.Merge == catalog.Strictest:
		return LeewayStricter
	case above.Hold == desired.Free:
		return LeewayFree
	}
	return LeewayNone
}

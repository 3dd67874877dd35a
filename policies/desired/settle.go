package desired

import (
	"slices"
	"sort"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/catalog/foreign"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
)

// settle works out what holds for every field of every family, and returns the
// settings by family. Families and fields about which nobody says anything are
// missing.
func (a *answer) settle(snapshot Snapshot, device Device) map[string]catalog.Settings {
	places := chain(snapshot, device)
	settings := map[string]catalog.Settings{}
	for _, family := range catalog.Families {
		said := a.about(snapshot, family.Name, device)
		if said.none() {
			continue
		}
		for _, field := range family.Fields {
			effective, ok := a.field(said, field, places)
			if !ok {
				continue
			}
			effective.Family = family.Name
			effective.Ability = family.Ability(field.Name, device.Platform)
			if !device.Supervised && family.NeedsSupervision(field.Name, device.Platform) {
				effective.Missing = "supervision"
			}
			a.effective = append(a.effective, effective)
			if effective.Value == nil {
				continue
			}
			if settings[family.Name] == nil {
				settings[family.Name] = catalog.Settings{}
			}
			settings[family.Name][field.Name] = effective.Value
		}
	}
	return settings
}

// chain lists the places that a device hears, from the top to the device; of its
// groups the nearest first, since it outweighs the others.
func chain(snapshot Snapshot, device Device) []Place {
	places := []Place{{Level: org.Operator}, {org.Authority, snapshot.Branch.Authority}, {org.School, snapshot.Branch.School}}
	groups := slices.Clone(device.Groups)
	sort.Slice(groups, func(i, j int) bool {
		if p, q := snapshot.Priorities[groups[i]], snapshot.Priorities[groups[j]]; p != q {
			return p > q
		}
		return groups[i] < groups[j]
	})
	for _, group := range groups {
		places = append(places, Place{org.Group, group})
	}
	return append(places, Place{org.Device, device.ID})
}

// said is what all places say about one family, as far as it reaches a device.
type said struct {
	policies   map[Place][]Policy // of one place the general one first, then those for its pilot groups
	exceptions map[Place][]Exception
}

func (s said) none() bool { return len(s.policies) == 0 && len(s.exceptions) == 0 }

func (a *answer) about(snapshot Snapshot, family string, device Device) said {
	s := said{map[Place][]Policy{}, map[Place][]Exception{}}
	for _, policy := range snapshot.Policies {
		if policy.Family == family && (policy.Pilot == "" || slices.Contains(device.Groups, policy.Pilot)) {
			s.policies[policy.Place] = append(s.policies[policy.Place], policy)
		}
	}
	for _, policies := range s.policies {
		sort.Slice(policies, func(i, j int) bool { return policies[i].Pilot < policies[j].Pilot })
	}
	for _, exception := range snapshot.Exceptions {
		if exception.Family == family {
			s.exceptions[exception.Place] = append(s.exceptions[exception.Place], exception)
		}
	}
	for _, exceptions := range s.exceptions {
		sort.Slice(exceptions, func(i, j int) bool { return exceptions[i].ID < exceptions[j].ID })
	}
	return s
}

// at returns what a place says about a field. In a pilot's group the pilot's
// words stand in the place of those for all, so that what it leaves out is tried
// as well.
func (s said) at(place Place, field string) (value any, hold Hold) {
	policies := s.policies[place]
	pilot := len(policies) > 0 && policies[len(policies)-1].Pilot != ""
	for _, policy := range policies {
		if own, ok := policy.Settings[field]; ok && (policy.Pilot != "") == pilot {
			value, hold = own, policy.Holds[field]
		}
	}
	return value, hold
}

// field walks from the top to the device and weighs what each place says.
func (a *answer) field(s said, field catalog.Field, places []Place) (Effective, bool) {
	w := weighing{field: field, effective: Effective{Field: field.Name}}
	for _, place := range places {
		for _, exception := range s.exceptions[place] {
			if exception.Field != field.Name {
				continue
			}
			a.changes(exception.Starts)
			a.changes(exception.Until)
			if exception.live(a.at) {
				w.except(exception)
			}
		}
		if value, hold := s.at(place, field.Name); value != nil {
			w.hear(place, value, hold)
		}
	}
	return w.effective, len(w.effective.From) > 0
}

// weighing is the value of a field on its way down.
type weighing struct {
	field     catalog.Field
	effective Effective
	decided   Place // who decided last
	excepted  bool  // by an exception at or above the place that is heard next
}

// except lets an exception take the place of what the levels above said.
func (w *weighing) except(exception Exception) {
	if w.decided.Level == exception.Level && w.excepted {
		// The nearer group's exception holds already.
		w.add(exception.Place, exception.Value, Overridden, exception.ID)
		return
	}
	for i := range w.effective.From {
		if w.field.Merge != catalog.Union {
			w.effective.From[i].Effect = Overridden
		}
	}
	w.effective.Value = w.field.Except(w.effective.Value, exception.Value)
	w.effective.Until = exception.Until
	w.decided, w.excepted = exception.Place, true
	w.add(exception.Place, exception.Value, Excepts, exception.ID)
}

// hear weighs what a place says against what was said above it.
func (w *weighing) hear(place Place, value any, hold Hold) {
	upper, joined := w.effective.Value, w.field.Join(w.effective.Value, value)
	switch {
	case upper == nil && !w.excepted:
		w.decide(place, value, hold, Decides)
	case catalog.Same(upper, value):
		w.add(place, value, Agrees, "")
	case w.effective.Hold == Locked:
		w.add(place, value, LockedOut, "")
	case w.excepted && w.decided == place && w.field.Merge != catalog.Union:
		// The place's own exception says more than its own policy.
		w.add(place, value, Overridden, "")
	case w.field.Merge == catalog.Union:
		w.decide(place, joined, w.effective.Hold, "")
		w.add(place, value, Adds, "")
	case w.field.Merge == catalog.Strictest && w.field.Deviates(upper, value):
		w.add(place, value, Looser, "")
	case w.field.Merge == catalog.Strictest:
		w.decide(place, joined, stronger(w.effective.Hold, hold), "")
		w.add(place, value, Tightens, "")
	case w.decided.Level == place.Level:
		// Of one level, groups, the nearest was heard first.
		w.add(place, value, Overridden, "")
	case w.effective.Hold == Free:
		w.overridden()
		w.decide(place, value, hold, Decides)
	default:
		w.add(place, value, Deviating, "")
	}
}

func (w *weighing) overridden() {
	for i := range w.effective.From {
		w.effective.From[i].Effect = Overridden
	}
}

func (w *weighing) decide(place Place, value any, hold Hold, effect Effect) {
	w.effective.Value, w.effective.Hold, w.decided = value, hold, place
	if effect != "" {
		w.add(place, value, effect, "")
	}
}

func (w *weighing) add(place Place, value any, effect Effect, exception org.ID) {
	w.effective.From = append(w.effective.From, Source{Place: place, Value: value, Effect: effect, Exception: exception})
}

func stronger(a, b Hold) Hold {
	if a == Locked || b == Locked {
		return Locked
	}
	if a == Free && b == Free {
		return Free
	}
	return Standard
}

// families makes one declaration of each family for our agent.
func (a *answer) families(settings map[string]catalog.Settings) {
	for _, family := range catalog.Families {
		if values := settings[family.Name]; len(values) > 0 {
			a.add(ddm.New(family.Type(), family.Identifier(), values))
		}
	}
}

// apple makes declarations of each family that Apple's devices know: one that
// names a profile, and those that need none. What a device would refuse for lack
// of supervision is not offered to it.
// https://developer.apple.com/documentation/devicemanagement/legacyprofile
func (a *answer) apple(settings map[string]catalog.Settings, device Device) {
	for _, family := range catalog.Families {
		values := settings[family.Name].Clone()
		for field := range values {
			if !device.Supervised && family.NeedsSupervision(field, device.Platform) || family.Ability(field, device.Platform) == catalog.NotPossible {
				delete(values, field)
			}
		}
		if len(values) == 0 {
			continue
		}
		forms := foreign.Of(family)
		if forms.Apple != nil {
			if payloads := forms.Apple(values, device.Platform); len(payloads) > 0 {
				a.add(ddm.New(ddm.TypeLegacyProfile, ProfilePrefix+family.Name, Profile{family.Name, payloads}))
			}
		}
		if forms.Native != nil {
			for _, native := range forms.Native(values, device.Platform) {
				a.add(ddm.New(native.Type, NativePrefix+family.Name+"."+native.Part, native.Payload))
			}
		}
	}
}

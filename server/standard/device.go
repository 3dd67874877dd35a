package standard

import (
	"context"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Held is one field that holds on a device, with where it comes from and what the
// device says of it.
type Held struct {
	desired.Effective
	Origin Place // who decides
	// State is what the device last said of the field's family: "active",
	// "waiting" (it has another set), "deviating", "absent" (not enrolled).
	State   string
	Reasons []Reason
	// Since is the report since which a device that deviates says so.
	Since time.Time
	// Change reports whether the actor may change it where it is decided.
	Change bool
}

// Holding is everything that holds on a device.
type Holding struct {
	Place    Place
	Items    []Held
	Names    map[desired.Place]Place // that sources speak of
	Reported time.Time               // when the device last said what it has; zero: never
	Seen     time.Time
}

// OnDevice answers for a device: what holds, from where, what it overrode, who
// may change it, and whether the device has read it back.
func (s *Service) OnDevice(ctx context.Context, actor may.Actor, device org.ID) (Holding, error) {
	place, err := s.Place(ctx, actor, desired.Place{Level: org.Device, ID: device})
	if err != nil {
		return Holding{}, err
	}
	machines, _, err := s.Store.Machines(ctx, place, "", 1)
	if err != nil {
		return Holding{}, err
	}
	if len(machines) == 0 {
		return Holding{}, errs.E(errs.NotFound, "device.not_found")
	}
	ground, err := s.Store.GroundAt(ctx, place.Branch)
	if err != nil {
		return Holding{}, err
	}
	machine := machines[0]
	state := desired.For(ground.snapshot(), machine.Device, s.Now())
	holding := Holding{Place: place, Reported: machine.Reported, Seen: machine.Seen}
	places := names{s: s, known: map[desired.Place]Place{}}
	for _, effective := range state.Settings {
		for _, source := range effective.From {
			places.of(ctx, source.Place)
		}
		held := Held{Effective: *maskEffective(effective), Origin: places.of(ctx, decider(effective)), State: "absent"}
		if machine.Enrolled {
			held.State, held.Reasons = fare(effective.Family, state.Declarations, machine.Said)
			if held.State == "deviating" {
				held.Since = deviatesSince(effective.Family, machine)
			}
		}
		held.Change = may.Can(actor, may.PolicyWrite, held.Origin.Branch)
		holding.Items = append(holding.Items, held)
	}
	holding.Names = places.known
	return holding, places.err
}

// deviatesSince is the first report since which a device says of the family what
// it says of it now.
func deviatesSince(family string, machine Machine) time.Time {
	var first time.Time
	for _, one := range machine.Said {
		at := machine.SaidSince[one.Identifier]
		if belongs(one.Identifier, family) && (!one.Active || one.Valid == ddm.Invalid) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

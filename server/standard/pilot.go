package standard

import (
	"context"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// mostPilots is how many devices of a pilot group are looked at.
const mostPilots = 1000

// Pilot says how the pilot of a draft fares: what the devices of its group should
// have now, against what they last said that they have.
func (s *Service) Pilot(ctx context.Context, actor may.Actor, id org.ID) (PilotResult, error) {
	draft, err := s.find(ctx, actor, id)
	if err != nil {
		return PilotResult{}, err
	}
	if draft.State != Pilot {
		return PilotResult{}, errs.E(errs.Conflict, "policy.no_pilot")
	}
	group, err := s.Store.PolicyPlace(ctx, desired.Place{Level: org.Group, ID: draft.Pilot})
	if err != nil {
		return PilotResult{}, err
	}
	ground, err := s.Store.GroundAt(ctx, group.Branch)
	if err != nil {
		return PilotResult{}, err
	}
	result := PilotResult{Group: draft.Pilot, Name: group.Name, Since: draft.Published}
	for cursor, more := "", true; more && result.Devices < mostPilots; more = cursor != "" {
		var machines []Machine
		if machines, cursor, err = s.Store.Machines(ctx, group, cursor, 200); err != nil {
			return PilotResult{}, err
		}
		for _, machine := range machines {
			result.add(fares(machine, desired.For(ground.snapshot(), machine.Device, s.Now()), families(draft.Changes)))
		}
	}
	return result, nil
}

func (r *PilotResult) add(line PilotLine) {
	r.Devices++
	r.Lines = append(r.Lines, line)
	switch line.State {
	case "active":
		r.Active++
	case "waiting":
		r.Waiting++
	case "deviating":
		r.Deviating++
	default:
		r.Absent++
	}
}

// fares compares what a device should have of some families with what it said. A
// device deviates if one family does, else it waits if one does.
func fares(machine Machine, state desired.State, families []string) PilotLine {
	line := PilotLine{Device: machine.Device.ID, Name: machine.Name, State: "active", Reported: machine.Reported, Seen: machine.Seen}
	if !machine.Enrolled {
		line.State = "absent"
		return line
	}
	for _, name := range families {
		verdict, why := fare(name, state.Declarations, machine.Said)
		switch {
		case verdict == "deviating":
			line.State, line.Family, line.Reasons = verdict, name, why
			return line
		case verdict != "active" && line.State == "active":
			line.State, line.Family = verdict, name
		}
	}
	return line
}

// fare compares the declarations of one family that a device should have with
// those that it says it has.
func fare(family string, want []ddm.Declaration, said []ddm.DeclarationState) (verdict string, why []Reason) {
	verdict = "active"
	wanted := map[string]bool{}
	for _, declaration := range want {
		if !belongs(declaration.Identifier, family) {
			continue
		}
		wanted[declaration.Identifier] = true
		i := slices.IndexFunc(said, func(one ddm.DeclarationState) bool { return one.Identifier == declaration.Identifier })
		switch {
		case i < 0 || said[i].ServerToken != declaration.ServerToken:
			verdict = "waiting"
		case soon(said[i]):
			verdict = "waiting"
		case !said[i].Active || said[i].Valid == ddm.Invalid:
			return "deviating", reasons(said[i].Reasons)
		}
	}
	for _, one := range said {
		if one.Active && belongs(one.Identifier, family) && !wanted[one.Identifier] {
			verdict = "waiting" // has not let go of it yet
		}
	}
	return verdict, nil
}

// soon reports whether a declaration is not active yet for no other reason than
// that it takes a moment: that is no deviation.
func soon(one ddm.DeclarationState) bool {
	return !one.Active && one.Valid != ddm.Invalid && len(one.Reasons) > 0 &&
		!slices.ContainsFunc(one.Reasons, func(r ddm.Reason) bool { return r.Code != ddm.ReasonPending })
}

// belongs reports whether a declaration is one of the family's: our agent's own,
// or a profile or native ones for Apple's devices.
func belongs(identifier, family string) bool {
	return identifier == catalog.IdentifierPrefix+family || identifier == desired.ProfilePrefix+family || strings.HasPrefix(identifier, desired.NativePrefix+family+".")
}

func reasons(said []ddm.Reason) []Reason {
	list := make([]Reason, len(said))
	for i, reason := range said {
		list[i] = Reason{reason.Code, reason.Details}
	}
	return list
}

// age is a length of time in whole seconds.
func age(from, until time.Time) time.Duration { return until.Sub(from).Truncate(time.Second) }

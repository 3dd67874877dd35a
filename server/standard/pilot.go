package standard

import (
	"context"
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
	want := map[string]ddm.Declaration{}
	for _, declaration := range state.Declarations {
		want[declaration.Identifier] = declaration
	}
	said := map[string]ddm.DeclarationState{}
	for _, one := range machine.Said {
		said[one.Identifier] = one
	}
	for _, name := range families {
		family, _ := catalog.Find(name)
		identifier := family.Identifier()
		if !machine.Device.Platform.Agent() {
			identifier = desired.ProfilePrefix + name
		}
		declared, wanted := want[identifier]
		is, known := said[identifier]
		switch {
		case !wanted && (!known || !is.Active), wanted && known && is.ServerToken == declared.ServerToken && is.Active && is.Valid != ddm.Invalid:
		case wanted && known && is.ServerToken == declared.ServerToken:
			line.State, line.Family, line.Reasons = "deviating", name, reasons(is.Reasons)
			return line
		default:
			line.State, line.Family = "waiting", name
		}
	}
	return line
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

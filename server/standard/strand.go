package standard

import (
	"context"
	"fmt"
	"slices"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
)

// anyStrands reports whether some family can strand a device.
var anyStrands = slices.ContainsFunc(catalog.Families, func(f catalog.Family) bool { return f.Strands != nil })

// strands lists combinations that would strand devices and do not today.
func (p *plan) strands() []Strand {
	if !anyStrands {
		return nil
	}
	found := map[string]*Strand{}
	var list []*Strand
	for _, ground := range p.grounds {
		crowds := append(slices.Clone(p.crowds[ground.Branch.School]), Crowd{Device: standIn(Place{})})
		for _, crowd := range crowds {
			states := p.states(ground, crowd.Device)
			if states.before.Token == states.after.Token {
				continue
			}
			before := stranding(states.before)
			for _, fault := range stranding(states.after) {
				if slices.ContainsFunc(before, func(f Fault) bool { return f.Key == fault.Key && f.Field == fault.Field && f.Family == fault.Family }) {
					continue
				}
				key := fmt.Sprint(ground.Branch.School, fault.Key, fault.Family, fault.Field)
				if found[key] == nil {
					found[key] = &Strand{Fault: fault, School: ground.Branch, Name: ground.Name}
					list = append(list, found[key])
				}
				found[key].Devices += crowd.N
			}
		}
	}
	all := make([]Strand, len(list))
	for i, strand := range list {
		all[i] = *strand
	}
	return all
}

func stranding(state desired.State) []Fault {
	all := settings(state.Settings)
	var faults []Fault
	for _, family := range catalog.Families {
		if family.Strands == nil || len(all[family.Name]) == 0 {
			continue
		}
		for _, fault := range family.Strands(all[family.Name], all) {
			faults = append(faults, Fault{Key: fault.Key, Family: family.Name, Field: fault.Field, Args: fault.Args})
		}
	}
	return faults
}

// stranded lists what in a draft would strand devices, each once. The words of
// the place count for devices that are still to come, too.
func (s *Service) stranded(ctx context.Context, draft Draft) (Faults, error) {
	if !anyStrands {
		return nil, nil
	}
	p, err := s.plan(ctx, draft)
	if err != nil {
		return nil, err
	}
	var faults Faults
	for _, strand := range p.strands() {
		if !slices.ContainsFunc(faults, func(f Fault) bool { return f.Key == strand.Key && f.Family == strand.Family && f.Field == strand.Field }) {
			faults = append(faults, strand.Fault)
		}
	}
	return faults, nil
}

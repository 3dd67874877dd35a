package standard

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
)

// plan computes what a change of a place would do, school by school. Devices for
// which the answer is the same are asked about once, and schools without words of
// their own share their authority's answers.
type plan struct {
	place   Place
	changes map[string]Say
	at      time.Time
	schema  int // of the declarations that devices are sent

	grounds []Ground
	crowds  map[org.ID][]Crowd // by school
	after   map[org.ID]Ground  // by school
	shared  map[string]pair
}

// pair is a state before and after.
type pair struct{ before, after desired.State }

func (s *Service) plan(ctx context.Context, draft Draft) (*plan, error) {
	p := &plan{place: draft.Place, changes: draft.Changes, at: s.Now(), schema: s.schema(), crowds: map[org.ID][]Crowd{}, after: map[org.ID]Ground{}, shared: map[string]pair{}}
	branch := draft.Place.Branch
	branch.Group = ""
	concerned := families(draft.Changes)
	if len(concerned) == 0 {
		return p, nil
	}
	if anyStrands {
		concerned = nil // what strands a device lies between families
	}
	var err error
	if p.grounds, err = s.Store.Grounds(ctx, branch, concerned); err != nil {
		return nil, err
	}
	groups, devices := p.named()
	crowds, err := s.Store.Crowds(ctx, draft.Place, groups, devices, p.schema)
	if err != nil {
		return nil, err
	}
	for _, crowd := range crowds {
		p.crowds[crowd.School] = append(p.crowds[crowd.School], crowd)
	}
	for _, ground := range p.grounds {
		p.after[ground.Branch.School] = ground.saying(draft.Place.Place, draft.Changes, "")
	}
	return p, nil
}

// named lists the groups and devices that say something themselves, or are asked
// by name.
func (p *plan) named() (groups, devices []org.ID) {
	seen := map[desired.Place]bool{}
	add := func(place desired.Place) {
		if seen[place] {
			return
		}
		seen[place] = true
		switch place.Level {
		case org.Group:
			groups = append(groups, place.ID)
		case org.Device:
			devices = append(devices, place.ID)
		}
	}
	add(p.place.Place)
	for _, ground := range p.grounds {
		for _, policy := range ground.Policies {
			add(policy.Place)
			if policy.Pilot != "" {
				add(desired.Place{Level: org.Group, ID: policy.Pilot})
			}
		}
		for _, exception := range ground.Exceptions {
			add(exception.Place)
		}
	}
	return groups, devices
}

// plain reports whether nothing is said in the school itself.
func (g Ground) plain() bool {
	above := func(level org.Level) bool { return level == org.Operator || level == org.Authority }
	return !slices.ContainsFunc(g.Policies, func(p desired.Policy) bool { return !above(p.Level) || p.Pilot != "" }) &&
		!slices.ContainsFunc(g.Exceptions, func(e desired.Exception) bool { return !above(e.Level) })
}

// states returns what devices of a crowd should have before and after.
func (p *plan) states(ground Ground, device desired.Device) pair {
	where := ground.Branch.School.String()
	if ground.plain() && (p.place.Level == org.Operator || p.place.Level == org.Authority) {
		where = "authority " + ground.Branch.Authority.String()
	}
	groups := make([]string, len(device.Groups))
	for i, group := range device.Groups {
		groups[i] = group.String()
	}
	key := fmt.Sprint(where, " ", device.Platform, " ", device.Supervised, " ", device.Schema, " ", device.ID, " ", strings.Join(groups, " "))
	if known, ok := p.shared[key]; ok {
		return known
	}
	made := pair{desired.For(ground.snapshot(), device, p.at), desired.For(p.after[ground.Branch.School].snapshot(), device, p.at)}
	p.shared[key] = made
	return made
}

// change is one field that differs on devices.
type change struct {
	Part
	before, after desired.Effective
}

// changes lists the fields that differ, and those of them that the device could
// take.
func (pair pair) changes() []change {
	was := make(map[Part]desired.Effective, len(pair.before.Settings))
	for _, effective := range pair.before.Settings {
		was[Part{effective.Family, effective.Field}] = effective
	}
	var list []change
	for _, effective := range pair.after.Settings {
		part := Part{effective.Family, effective.Field}
		before := was[part]
		delete(was, part)
		if !catalog.Same(before.Value, effective.Value) {
			list = append(list, change{part, before, effective})
		}
	}
	for part, before := range was {
		if before.Value != nil {
			list = append(list, change{part, before, desired.Effective{Family: part.Family, Field: part.Field, Ability: before.Ability, Missing: before.Missing}})
		}
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].Family != list[j].Family {
			return list[i].Family < list[j].Family
		}
		return list[i].Field < list[j].Field
	})
	return list
}

// why says why a device does not take a change that is sent in a schema, empty if
// it does.
func (c change) why(device desired.Device, schema int) string {
	switch {
	case c.after.Missing != "":
		return c.after.Missing
	case c.after.Ability == catalog.NotPossible:
		return string(catalog.NotPossible)
	case device.Platform.Agent() && device.Schema > 0 && device.Schema < schema:
		return "agent-too-old"
	}
	return ""
}

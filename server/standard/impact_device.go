package standard

import (
	"context"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// ImpactOn is the impact on one device.
func (s *Service) ImpactOn(ctx context.Context, actor may.Actor, id, device org.ID) (DeviceImpact, error) {
	draft, err := s.find(ctx, actor, id)
	if err != nil {
		return DeviceImpact{}, err
	}
	place, err := s.Place(ctx, actor, desired.Place{Level: org.Device, ID: device})
	if err != nil {
		return DeviceImpact{}, err
	}
	found, err := s.impactIn(ctx, draft, place, "", 1, false)
	if err != nil || len(found.Devices) == 0 {
		return DeviceImpact{Device: device, Name: place.Name, School: place.School}, err
	}
	return found.Devices[0], nil
}

// ImpactList is a page of devices on which something changes.
type ImpactList struct {
	Devices []DeviceImpact
	Total   int // of all pages
	Next    string
}

// ImpactDevices lists devices of a school with what changes on them, by name,
// changing ones only. The cursor goes on from there.
func (s *Service) ImpactDevices(ctx context.Context, actor may.Actor, id, school org.ID, cursor string, limit int) (ImpactList, error) {
	draft, err := s.find(ctx, actor, id)
	if err != nil {
		return ImpactList{}, err
	}
	place, err := s.Place(ctx, actor, desired.Place{Level: org.School, ID: school})
	if err != nil {
		return ImpactList{}, err
	}
	if limit <= 0 {
		limit = 50
	}
	if draft.Place.Level == org.Group || draft.Place.Level == org.Device {
		place = draft.Place
	}
	return s.impactIn(ctx, draft, place, cursor, min(limit, 200), true)
}

// mostLooked bounds how many devices one request looks at.
const mostLooked = 2000

func (s *Service) impactIn(ctx context.Context, draft Draft, place Place, cursor string, limit int, changing bool) (ImpactList, error) {
	branch := place.Branch
	branch.Group = ""
	grounds, err := s.Store.Grounds(ctx, branch, families(draft.Changes))
	if err != nil || len(grounds) == 0 || len(draft.Changes) == 0 {
		return ImpactList{}, err
	}
	ground := grounds[0]
	p := &plan{
		place: draft.Place, at: s.Now(), schema: s.schema(), grounds: grounds[:1], after: map[org.ID]Ground{ground.Branch.School: ground.saying(draft.Place.Place, draft.Changes, "")},
		shared: map[string]pair{},
	}
	var found ImpactList
	if changing {
		if found.Total, err = s.differing(ctx, p, place); err != nil {
			return ImpactList{}, err
		}
	}
	for looked := 0; looked < mostLooked; {
		machines, next, err := s.Store.Machines(ctx, place, cursor, limit-len(found.Devices))
		if err != nil {
			return ImpactList{}, err
		}
		for _, machine := range machines {
			one := p.on(machine, ground)
			if !changing || len(one.Fields) > 0 {
				found.Devices = append(found.Devices, one)
			}
		}
		cursor, looked = next, looked+len(machines)
		if next == "" || len(found.Devices) >= limit {
			break
		}
	}
	found.Next = cursor
	return found, nil
}

// differing counts the devices of a place on which a plan for one school changes
// something.
func (s *Service) differing(ctx context.Context, p *plan, place Place) (int, error) {
	groups, devices := p.named()
	crowds, err := s.Store.Crowds(ctx, place, groups, devices, p.schema)
	n := 0
	for _, crowd := range crowds {
		if len(p.states(p.grounds[0], crowd.Device).changes()) > 0 {
			n += crowd.N
		}
	}
	return n, err
}

func (p *plan) on(machine Machine, ground Ground) DeviceImpact {
	one := DeviceImpact{Device: machine.Device.ID, Name: machine.Name, School: ground.Name}
	collect, school := p.counting(), SchoolImpact{}
	collect.crowd(&school, Crowd{Device: machine.Device, Enrolled: machine.Enrolled, N: 1}, p.states(ground, machine.Device))
	collect.finish()
	one.Changed, one.Fields, one.Cannot = school.Changed > 0, collect.Fields, collect.Cannot
	return one
}

package standard

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// impact gathers what a plan finds.
type impact struct {
	*Impact
	schema  int
	fields  map[string]*FieldImpact
	cannot  map[Cannot]int
	lower   map[unheard]*Unheard
	heard   map[unheard]*Unheard
	changed map[Part]bool
}

type unheard struct {
	place desired.Place
	Part
}

// Impact computes what a draft would change, on the devices as they are now.
func (s *Service) Impact(ctx context.Context, actor may.Actor, id org.ID) (Impact, error) {
	draft, err := s.find(ctx, actor, id)
	if err != nil {
		return Impact{}, err
	}
	found, err := s.impactOf(ctx, draft)
	if err != nil || draft.State == Published || draft.State == Discarded {
		return found, err
	}
	found.Refused, err = s.faults(ctx, actor, draft.Place, draft.Base, draft.Changes)
	return found, err
}

func (s *Service) impactOf(ctx context.Context, draft Draft) (Impact, error) {
	p, err := s.plan(ctx, draft)
	if err != nil {
		return Impact{}, err
	}
	found := p.impact()
	if found.Exceptions, err = s.exceptionImpact(ctx, p, found); err != nil {
		return Impact{}, err
	}
	places := names{s: s, known: map[desired.Place]Place{}}
	for _, field := range found.Fields {
		places.of(ctx, field.From)
	}
	for _, one := range append(slices.Clone(found.Lower), found.Heard...) {
		places.of(ctx, one.Place)
	}
	found.Names = places.known
	return *found.Impact, places.err
}

// mostFields is how many differences an impact lists.
const mostFields = 200

// counting begins an impact.
func (p *plan) counting() impact {
	return impact{&Impact{At: p.at}, p.schema, map[string]*FieldImpact{}, map[Cannot]int{}, map[unheard]*Unheard{}, map[unheard]*Unheard{}, map[Part]bool{}}
}

func (p *plan) impact() impact {
	found := p.counting()
	for _, ground := range p.grounds {
		school := SchoolImpact{School: ground.Branch, Name: ground.Name}
		for _, crowd := range p.crowds[ground.Branch.School] {
			found.crowd(&school, crowd, p.states(ground, crowd.Device))
		}
		found.lowest(p, ground)
		found.Devices += school.Devices
		found.Changed += school.Changed
		found.Unable += school.Cannot
		if school.Changed > 0 || school.Cannot > 0 {
			found.Schools = append(found.Schools, school)
		}
	}
	found.finish()
	found.Strands = p.strands()
	return found
}

func (i impact) crowd(school *SchoolImpact, crowd Crowd, states pair) {
	school.Devices += crowd.N
	changes := states.changes()
	if len(changes) == 0 {
		i.words(states, crowd.N)
		return
	}
	able := false
	for _, c := range changes {
		i.changed[c.Part] = true
		why := c.why(crowd.Device, i.schema)
		if why == "" {
			able = true
		}
		if why == "" && c.after.Ability == catalog.Unverified {
			why = string(catalog.Unverified)
		}
		if why != "" && crowd.Enrolled {
			i.cannot[Cannot{Why: why, Family: c.Family, Field: c.Field, Platform: crowd.Device.Platform}] += crowd.N
		}
		i.field(c, crowd.N)
	}
	switch {
	case !crowd.Enrolled:
		i.cannot[Cannot{Why: "not-enrolled", Platform: crowd.Device.Platform}] += crowd.N
		school.Cannot += crowd.N
	case able && states.before.Token != states.after.Token:
		school.Changed += crowd.N
	case !able:
		school.Cannot += crowd.N
	}
	i.words(states, crowd.N)
}

func (i impact) field(c change, n int) {
	key := fmt.Sprint(c.Family, "\x00", c.Field, "\x00", c.before.Value, "\x00", c.after.Value)
	known := i.fields[key]
	if known == nil {
		from := decider(c.after)
		if c.after.From == nil {
			from = decider(c.before)
		}
		known = &FieldImpact{From: from, Difference: Difference{
			Family: c.Family, Field: c.Field, Old: MaskedValue(c.Family, c.Field, c.before.Value), New: MaskedValue(c.Family, c.Field, c.after.Value),
			OldHold: c.before.Hold, NewHold: c.after.Hold,
		}}
		i.fields[key] = known
	}
	known.Devices += n
}

// silent are the effects of words that are not heard.
func silent(effect desired.Effect) bool {
	switch effect {
	case desired.Overridden, desired.Looser, desired.Deviating, desired.LockedOut:
		return true
	}
	return false
}

// words compares which places are heard before and after.
func (i impact) words(states pair, n int) {
	type source struct {
		place     desired.Place
		exception org.ID
		Part
	}
	was := map[source]desired.Effect{}
	for _, effective := range states.before.Settings {
		for _, from := range effective.From {
			was[source{from.Place, from.Exception, Part{effective.Family, effective.Field}}] = from.Effect
		}
	}
	for _, effective := range states.after.Settings {
		for _, from := range effective.From {
			part := Part{effective.Family, effective.Field}
			before, spoke := was[source{from.Place, from.Exception, part}]
			if !spoke || from.Exception != "" || silent(before) == silent(from.Effect) {
				continue
			}
			into := i.heard
			if silent(from.Effect) {
				into = i.lower
			}
			known := into[unheard{from.Place, part}]
			if known == nil {
				known = &Unheard{Place: from.Place, Family: part.Family, Field: part.Field, Value: MaskedValue(part.Family, part.Field, from.Value), Effect: from.Effect}
				into[unheard{from.Place, part}] = known
			}
			known.Devices += n
		}
	}
}

// lowest looks at places without devices, too: an empty class has words.
func (i impact) lowest(p *plan, ground Ground) {
	if p.place.Level == org.Device || ground.plain() {
		return
	}
	i.words(p.states(ground, standIn(Place{Place: desired.Place{Level: org.School, ID: ground.Branch.School}})), 0)
	seen := map[org.ID]bool{}
	for _, policy := range ground.Policies {
		if policy.Level == org.Group && !seen[policy.ID] {
			seen[policy.ID] = true
			i.words(p.states(ground, standIn(Place{Place: policy.Place})), 0)
		}
	}
}

// finish orders what was found: same input, same answer.
func (i impact) finish() {
	for _, field := range i.fields {
		i.Fields = append(i.Fields, *field)
	}
	sort.Slice(i.Fields, func(a, b int) bool {
		x, y := i.Fields[a], i.Fields[b]
		if x.Devices != y.Devices {
			return x.Devices > y.Devices
		}
		return fmt.Sprint(x.Family, x.Field, x.Old, x.New) < fmt.Sprint(y.Family, y.Field, y.Old, y.New)
	})
	if len(i.Fields) > mostFields {
		i.More = len(i.Fields) - mostFields
		i.Fields = i.Fields[:mostFields]
	}
	for cannot, n := range i.cannot {
		cannot.Devices = n
		i.Cannot = append(i.Cannot, cannot)
	}
	sort.Slice(i.Cannot, func(a, b int) bool {
		x, y := i.Cannot[a], i.Cannot[b]
		if x.Devices != y.Devices {
			return x.Devices > y.Devices
		}
		return fmt.Sprint(x.Why, x.Family, x.Field, x.Platform) < fmt.Sprint(y.Why, y.Family, y.Field, y.Platform)
	})
	sort.SliceStable(i.Schools, func(a, b int) bool {
		x, y := i.Schools[a], i.Schools[b]
		if x.Changed+x.Cannot != y.Changed+y.Cannot {
			return x.Changed+x.Cannot > y.Changed+y.Cannot
		}
		return x.Name < y.Name
	})
	i.Lower, i.Heard = ordered(i.lower), ordered(i.heard)
}

func ordered(words map[unheard]*Unheard) []Unheard {
	var list []Unheard
	for _, word := range words {
		list = append(list, *word)
	}
	sort.Slice(list, func(a, b int) bool {
		x, y := list[a], list[b]
		if x.Devices != y.Devices {
			return x.Devices > y.Devices
		}
		return fmt.Sprint(x.Place, x.Family, x.Field) < fmt.Sprint(y.Place, y.Family, y.Field)
	})
	return list
}

// exceptionImpact lists the exceptions that touch what changes.
func (s *Service) exceptionImpact(ctx context.Context, p *plan, found impact) ([]ExceptionImpact, error) {
	var list []ExceptionImpact
	seen := map[org.ID]bool{}
	for _, ground := range p.grounds {
		for _, e := range ground.Exceptions {
			part := Part{e.Family, e.Field}
			if seen[e.ID] || !p.touches(part) || p.at.Before(e.Starts) {
				continue
			}
			seen[e.ID] = true
			if len(list) == mostFields {
				return list, nil
			}
			full, err := s.Store.FindException(ctx, e.ID)
			if err != nil {
				return nil, err
			}
			after := p.after[ground.Branch.School].upTo(Place{Place: e.Place})
			device := standIn(Place{Place: e.Place})
			with, without := after.holding(device, p.at)[part], after.excluding(e.ID).holding(device, p.at)[part]
			list = append(list, ExceptionImpact{full.masked(), catalog.Same(with.Value, without.Value)})
		}
	}
	return list, nil
}

// touches reports whether the plan changes what is said about a field.
func (p *plan) touches(part Part) bool {
	_, touched := p.changes[part.Family]
	return touched
}

// excluding returns the ground without one exception.
func (g Ground) excluding(id org.ID) Ground {
	g.Exceptions = slices.DeleteFunc(slices.Clone(g.Exceptions), func(e desired.Exception) bool { return e.ID == id })
	return g
}

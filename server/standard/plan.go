package standard

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// plan computes what a change of a place would do, school by school. Devices for
// which the answer is the same are asked about once, and schools without words of
// their own share their authority's answers.
type plan struct {
	place   Place
	changes map[string]Say
	at      time.Time

	grounds []Ground
	crowds  map[org.ID][]Crowd // by school
	after   map[org.ID]Ground  // by school
	shared  map[string]pair
}

// pair is a state before and after.
type pair struct{ before, after desired.State }

func (s *Service) plan(ctx context.Context, draft Draft) (*plan, error) {
	p := &plan{place: draft.Place, changes: draft.Changes, at: s.Now(), crowds: map[org.ID][]Crowd{}, after: map[org.ID]Ground{}, shared: map[string]pair{}}
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
	crowds, err := s.Store.Crowds(ctx, draft.Place, groups, devices)
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

// anyStrands reports whether some family can strand a device.
var anyStrands = slices.ContainsFunc(catalog.Families, func(f catalog.Family) bool { return f.Strands != nil })

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

// why says why a device does not take a change, empty if it does.
func (c change) why(device desired.Device) string {
	switch {
	case c.after.Missing != "":
		return c.after.Missing
	case c.after.Ability == catalog.NotPossible:
		return string(catalog.NotPossible)
	case device.Platform.Agent() && device.Schema > 0 && device.Schema < ddm.Schema:
		return "agent-too-old"
	}
	return ""
}

// impact gathers what a plan finds.
type impact struct {
	*Impact
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

func (p *plan) impact() impact {
	found := impact{&Impact{At: p.at}, map[string]*FieldImpact{}, map[Cannot]int{}, map[unheard]*Unheard{}, map[unheard]*Unheard{}, map[Part]bool{}}
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
		why := c.why(crowd.Device)
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
	found, _, err := s.impactIn(ctx, draft, place, "", 1, false)
	if err != nil || len(found) == 0 {
		return DeviceImpact{Device: device, Name: place.Name, School: place.School}, err
	}
	return found[0], nil
}

// ImpactDevices lists devices of a school with what changes on them, by name,
// changing ones only. The cursor goes on from there.
func (s *Service) ImpactDevices(ctx context.Context, actor may.Actor, id, school org.ID, cursor string, limit int) (devices []DeviceImpact, next string, err error) {
	draft, err := s.find(ctx, actor, id)
	if err != nil {
		return nil, "", err
	}
	place, err := s.Place(ctx, actor, desired.Place{Level: org.School, ID: school})
	if err != nil {
		return nil, "", err
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

func (s *Service) impactIn(ctx context.Context, draft Draft, place Place, cursor string, limit int, changing bool) ([]DeviceImpact, string, error) {
	branch := place.Branch
	branch.Group = ""
	grounds, err := s.Store.Grounds(ctx, branch, families(draft.Changes))
	if err != nil || len(grounds) == 0 || len(draft.Changes) == 0 {
		return nil, "", err
	}
	ground := grounds[0]
	p := &plan{place: draft.Place, at: s.Now(), after: map[org.ID]Ground{ground.Branch.School: ground.saying(draft.Place.Place, draft.Changes, "")}, shared: map[string]pair{}}
	var found []DeviceImpact
	for looked := 0; looked < mostLooked; {
		machines, next, err := s.Store.Machines(ctx, place, cursor, limit-len(found))
		if err != nil {
			return nil, "", err
		}
		for _, machine := range machines {
			one := deviceImpact(machine, p.states(ground, machine.Device))
			one.School = ground.Name
			if !changing || len(one.Fields) > 0 {
				found = append(found, one)
			}
		}
		cursor, looked = next, looked+len(machines)
		if next == "" || len(found) >= limit {
			break
		}
	}
	return found, cursor, nil
}

func deviceImpact(machine Machine, states pair) DeviceImpact {
	one := DeviceImpact{Device: machine.Device.ID, Name: machine.Name}
	collect := impact{&Impact{}, map[string]*FieldImpact{}, map[Cannot]int{}, map[unheard]*Unheard{}, map[unheard]*Unheard{}, map[Part]bool{}}
	school := SchoolImpact{}
	collect.crowd(&school, Crowd{Device: machine.Device, Enrolled: machine.Enrolled, N: 1}, states)
	collect.finish()
	one.Changed, one.Fields, one.Cannot = school.Changed > 0, collect.Fields, collect.Cannot
	return one
}

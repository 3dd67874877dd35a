package standard

import (
	"context"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Place returns a place that the actor may read policies of.
func (s *Service) Place(ctx context.Context, actor may.Actor, place desired.Place) (Place, error) {
	found, err := s.Store.PolicyPlace(ctx, place)
	if err != nil {
		return Place{}, err
	}
	_, err = may.Do(actor, may.PolicyRead, found.Branch)
	return found, err
}

// listener returns the device that hears what the place hears: a device itself,
// else one that stands for it.
func (s *Service) listener(ctx context.Context, place Place) (desired.Device, error) {
	if place.Level != org.Device {
		return standIn(place), nil
	}
	machines, _, err := s.Store.Machines(ctx, place, "", 1)
	if err != nil {
		return desired.Device{}, err
	}
	if len(machines) == 0 {
		return desired.Device{}, errs.E(errs.NotFound, "device.not_found")
	}
	return machines[0].Device, nil
}

// At returns what an editor of a place shows.
func (s *Service) At(ctx context.Context, actor may.Actor, place desired.Place) (Sheet, error) {
	found, err := s.Place(ctx, actor, place)
	if err != nil {
		return Sheet{}, err
	}
	ground, err := s.Store.GroundAt(ctx, found.Branch)
	if err != nil {
		return Sheet{}, err
	}
	device, err := s.listener(ctx, found)
	if err != nil {
		return Sheet{}, err
	}
	said, err := s.Store.SaidAt(ctx, found)
	if err != nil {
		return Sheet{}, err
	}
	exceptions, err := s.exceptionsAt(ctx, found)
	if err != nil {
		return Sheet{}, err
	}
	v := view{s: s, ctx: ctx, actor: actor, place: found, said: said, ground: ground.upTo(found), exceptions: exceptions, names: names{s: s, known: map[desired.Place]Place{}}}
	v.above, v.here = v.ground.without(place).holding(device, s.Now()), v.ground.holding(device, s.Now())
	sheet := Sheet{Place: found}
	for _, family := range catalog.Families {
		for _, field := range family.Fields {
			sheet.Fields = append(sheet.Fields, v.field(family, field))
		}
	}
	if v.names.err != nil {
		return Sheet{}, v.names.err
	}
	sheet.Names = v.names.known
	return sheet, s.around(ctx, actor, &sheet)
}

// around adds what stands beside the fields of a sheet.
func (s *Service) around(ctx context.Context, actor may.Actor, sheet *Sheet) error {
	branch := sheet.Place.Branch
	sheet.MayPropose, sheet.MayPublish, sheet.MayApprove = may.Can(actor, may.PolicyPropose, branch), may.Can(actor, may.PolicyWrite, branch), may.Can(actor, may.PolicyApprove, branch)
	var err error
	if sheet.Devices, err = s.Store.CountPlace(ctx, sheet.Place); err != nil {
		return err
	}
	eyes, err := s.Store.FindEyes(ctx, branch.Authority)
	if err != nil {
		return err
	}
	sheet.FourEyes = eyes.On
	sheet.Drafts, _, err = s.Store.ListDrafts(ctx, []org.Branch{{}}, DraftFilter{Place: &sheet.Place.Place})
	for i := range sheet.Drafts {
		sheet.Drafts[i] = sheet.Drafts[i].masked()
	}
	return err
}

func (s *Service) exceptionsAt(ctx context.Context, place Place) (map[Part][]Exception, error) {
	list, _, err := s.Store.ListExceptions(ctx, []org.Branch{{}}, ExceptionFilter{Place: &place.Place, Limit: 200}, s.Now())
	by := map[Part][]Exception{}
	for _, e := range list {
		by[Part{e.Family, e.Field}] = append(by[Part{e.Family, e.Field}], e.masked())
	}
	return by, err
}

// names looks places up, each once, and keeps the first error.
type names struct {
	s     *Service
	known map[desired.Place]Place
	err   error
}

func (n *names) of(ctx context.Context, place desired.Place) Place {
	if found, ok := n.known[place]; ok {
		return found
	}
	found, err := n.s.Store.PolicyPlace(ctx, place)
	if err != nil {
		found = Place{Place: place} // one that is no more
		if !errs.Is(err, errs.NotFound) && n.err == nil {
			n.err = err
		}
	}
	n.known[place] = found
	return found
}

// view is a place while its sheet is made.
type view struct {
	s           *Service
	ctx         context.Context
	actor       may.Actor
	place       Place
	said        map[string]Say
	ground      Ground
	above, here map[Part]desired.Effective
	exceptions  map[Part][]Exception
	names       names
}

func (v *view) field(family catalog.Family, field catalog.Field) Field {
	part := Part{family.Name, field.Name}
	say := v.said[family.Name]
	shown := Field{
		Family: family.Name, Field: field.Name, OwnHold: say.Holds[field.Name], Exceptions: v.exceptions[part],
		Own: MaskedValue(family.Name, field.Name, say.Settings[field.Name]),
	}
	if above, ok := v.above[part]; ok {
		shown.Above = v.shown(above)
		upper := v.names.of(v.ctx, decider(above))
		shown.Upper = &upper
	}
	if here, ok := v.here[part]; ok {
		shown.Here = v.shown(here)
		for _, source := range here.From {
			if source.Place == v.place.Place && source.Exception == "" {
				shown.Effect = source.Effect
			}
		}
	}
	for _, policy := range v.ground.Policies {
		if policy.Place == v.place.Place && policy.Pilot != "" && policy.Family == family.Name {
			shown.Pilot = MaskedValue(family.Name, field.Name, policy.Settings[field.Name])
		}
	}
	shown.Leeway = leeway(field, shown.Above)
	shown.Change = shown.Leeway != LeewayLocked && shown.Leeway != LeewayNone && may.Can(v.actor, may.PolicyPropose, v.place.Branch)
	shown.Grant = shown.Leeway != LeewayFree && v.place.Level != org.Operator && may.Can(v.actor, may.PolicyWrite, v.place.Branch)
	if place, locked := v.locker(part); locked && shown.Leeway == LeewayLocked {
		shown.Grant = shown.Grant && may.Can(v.actor, may.PolicyWrite, v.names.of(v.ctx, place).Branch)
	}
	return shown
}

func (v *view) locker(part Part) (desired.Place, bool) {
	above, ok := v.above[part]
	if !ok {
		return desired.Place{}, false
	}
	return v.ground.locker(above)
}

// shown returns an effective field as people may read it, and looks its places
// up.
func (v *view) shown(effective desired.Effective) *desired.Effective {
	for _, source := range effective.From {
		v.names.of(v.ctx, source.Place)
	}
	return maskEffective(effective)
}

func maskEffective(effective desired.Effective) *desired.Effective {
	effective.Value = MaskedValue(effective.Family, effective.Field, effective.Value)
	from := make([]desired.Source, len(effective.From))
	for i, source := range effective.From {
		source.Value = MaskedValue(effective.Family, effective.Field, source.Value)
		from[i] = source
	}
	effective.From = from
	return &effective
}

// day is what ends of exceptions are counted in.
const day = 24 * time.Hour

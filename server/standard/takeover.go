package standard

import (
	"context"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Compare lists in what the own words of two places differ: Old is what to
// says, New what from says.
func (s *Service) Compare(ctx context.Context, actor may.Actor, from, to desired.Place) ([]Difference, error) {
	theirs, err := s.said(ctx, actor, from)
	if err != nil {
		return nil, err
	}
	ours, err := s.said(ctx, actor, to)
	if err != nil {
		return nil, err
	}
	return maskDifferences(differences(ours, theirs)), nil
}

func (s *Service) said(ctx context.Context, actor may.Actor, place desired.Place) (map[string]Say, error) {
	found, err := s.Place(ctx, actor, place)
	if err != nil {
		return nil, err
	}
	return s.Store.SaidAt(ctx, found)
}

// TakeOver brings parts of what from says into a draft of to: into the given
// one, or with an empty id into a new one that has the other place's name as its
// source. Passwords come along only where the actor could have set them.
func (s *Service) TakeOver(ctx context.Context, actor may.Actor, from, to desired.Place, id org.ID, parts []Part) (Draft, error) {
	source, err := s.Place(ctx, actor, from)
	if err != nil {
		return Draft{}, err
	}
	theirs, err := s.Store.SaidAt(ctx, source)
	if err != nil {
		return Draft{}, err
	}
	if len(parts) == 0 {
		return Draft{}, errs.E(errs.Invalid, "policy.nothing_changed")
	}
	var before Draft
	var permit may.Permit
	if id == "" {
		before, permit, err = s.begun(ctx, actor, to, NewDraft{Title: source.Name, Source: Source{Kind: SourceSchool, Place: from, Name: source.Name}})
	} else {
		before, permit, err = s.own(ctx, actor, id)
	}
	if err != nil {
		return Draft{}, err
	}
	if before.Place.Place != to {
		return Draft{}, errs.E(errs.Invalid, "policy.other_place")
	}
	after := before
	after.Changes = map[string]Say{}
	for family, say := range before.Changes {
		after.Changes[family] = say
	}
	for _, part := range parts {
		family, ok := catalog.Find(part.Family)
		if !ok {
			return Draft{}, invalid(Faults{{Key: "policy.unknown_family", Family: part.Family, Args: map[string]string{"value": part.Family}}})
		}
		if family.HasSecrets() && !may.Can(actor, may.PolicyWrite, source.Branch) {
			return Draft{}, errs.E(errs.Denied, "policy.secret_elsewhere", "place", source.Name)
		}
		say, changed := after.Changes[part.Family]
		if !changed {
			say = before.Base[part.Family]
		}
		for _, field := range family.Fields {
			if part.Field == "" || part.Field == field.Name {
				say = say.with(field.Name, theirs[part.Family])
			}
		}
		after.Changes[part.Family] = say
		if SameSay(say, before.Base[part.Family]) {
			delete(after.Changes, part.Family)
		}
	}
	if id == "" {
		return after.masked(), s.Store.CreateDraft(ctx, permit, after)
	}
	return s.keep(ctx, permit, before, after, Open)
}

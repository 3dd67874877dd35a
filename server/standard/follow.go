package standard

import (
	"context"
	"slices"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Follows says how far a school follows the standard. It reads the few rows of
// operator and authority and the school's exceptions, no device.
func (s *Service) Follows(ctx context.Context, actor may.Actor, school org.ID) (Follow, error) {
	place, err := s.Place(ctx, actor, desired.Place{Level: org.School, ID: school})
	if err != nil {
		return Follow{}, err
	}
	all, err := s.follow(ctx, place.Branch.Authority, school)
	return all[school], err
}

// FollowAll says it of every school of an authority, by school. Schools without
// a deviation are missing in it; the zero key holds what is true of them.
func (s *Service) FollowAll(ctx context.Context, actor may.Actor, authority org.ID) (map[org.ID]Follow, error) {
	if _, err := may.Do(actor, may.PolicyRead, org.Branch{Authority: authority}); err != nil {
		return nil, err
	}
	return s.follow(ctx, authority, "")
}

func (s *Service) follow(ctx context.Context, authority, school org.ID) (map[org.ID]Follow, error) {
	branch := org.Branch{Authority: authority}
	ground, err := s.Store.GroundAt(ctx, branch)
	if err != nil {
		return nil, err
	}
	var meant []Part
	for part, effective := range ground.holding(standIn(Place{Place: desired.Place{Level: org.Authority, ID: authority}}), s.Now()) {
		if effective.Value != nil && effective.Hold != desired.Free {
			meant = append(meant, part)
		}
	}
	exceptions, err := s.Store.LiveExceptions(ctx, authority, school, s.Now())
	if err != nil {
		return nil, err
	}
	whole := Follow{Fields: len(meant), Unchanged: len(meant)}
	all := map[org.ID]Follow{"": whole, school: whole}
	for id, list := range exceptions {
		follow, counted := whole, map[Part]bool{}
		for _, e := range list {
			part := Part{e.Family, e.Field}
			if !slices.Contains(meant, part) {
				continue
			}
			follow.Deviations = append(follow.Deviations, e.masked())
			if !counted[part] {
				counted[part] = true
				follow.Unchanged--
			}
		}
		all[id] = follow
	}
	return all, nil
}

// Today is what of the standard belongs on a start page: of a school, an
// authority or the installation.
func (s *Service) Today(ctx context.Context, actor may.Actor, branch org.Branch) (Today, error) {
	if _, err := may.Do(actor, may.PolicyRead, branch); err != nil {
		return Today{}, err
	}
	var today Today
	now := s.Now()
	var err error
	if branch.School != "" {
		all, err := s.follow(ctx, branch.Authority, branch.School)
		if err != nil {
			return today, err
		}
		today.Follow = all[branch.School]
		places := names{s: s, known: map[desired.Place]Place{}}
		for i := range today.Follow.Deviations {
			e := &today.Follow.Deviations[i]
			e.Place = places.of(ctx, e.Place.Place)
		}
		if places.err != nil {
			return today, places.err
		}
	}
	if today.Soon, today.Ending, err = s.Store.CountEnding(ctx, branch, now, now.Add(7*day), now.Add(30*day)); err != nil {
		return today, err
	}
	if may.Can(actor, may.PolicyApprove, branch) {
		if today.Proposed, err = s.Store.CountDrafts(ctx, branch, Proposed); err != nil {
			return today, err
		}
		if today.Asked, err = s.Store.CountAsked(ctx, branch, now); err != nil {
			return today, err
		}
	}
	today.Pilots, err = s.Store.CountDrafts(ctx, branch, Pilot)
	return today, err
}

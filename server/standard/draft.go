package standard

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Bounds of what people type.
const (
	longestTitle  = 120
	longestReason = 2000
)

// Begin makes a draft for a place. Faults of values are an Invalid fault
// "policy.faults", see FaultsOf.
func (s *Service) Begin(ctx context.Context, actor may.Actor, place desired.Place, wanted NewDraft) (Draft, error) {
	draft, permit, err := s.begun(ctx, actor, place, wanted)
	if err != nil {
		return Draft{}, err
	}
	return draft.masked(), s.Store.CreateDraft(ctx, permit, draft)
}

// begun makes a draft up without keeping it.
func (s *Service) begun(ctx context.Context, actor may.Actor, place desired.Place, wanted NewDraft) (Draft, may.Permit, error) {
	found, err := s.Store.PolicyPlace(ctx, place)
	if err != nil {
		return Draft{}, may.Permit{}, err
	}
	permit, err := may.Do(actor, may.PolicyPropose, found.Branch)
	if err != nil {
		return Draft{}, may.Permit{}, err
	}
	author, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return Draft{}, may.Permit{}, err
	}
	now := s.now()
	draft := Draft{
		ID: s.NewID(), Place: found, State: Open, Changes: map[string]Say{}, Source: wanted.Source,
		Author: author, AuthorName: actor.Name, Created: now, Changed: now,
	}
	if draft.Base, err = s.Store.SaidAt(ctx, found); err != nil {
		return Draft{}, may.Permit{}, err
	}
	err = s.apply(ctx, &draft, DraftChange{Title: &wanted.Title, Reason: &wanted.Reason, Pilot: &wanted.Pilot, Families: wanted.Families})
	return draft, permit, err
}

// apply brings a change into a draft.
func (s *Service) apply(ctx context.Context, draft *Draft, change DraftChange) error {
	if change.Title != nil {
		draft.Title = clip(strings.Join(strings.Fields(*change.Title), " "), longestTitle)
	}
	if change.Reason != nil {
		draft.Reason = clip(strings.TrimSpace(*change.Reason), longestReason)
	}
	if change.Pilot != nil {
		if _, err := s.pilotGroup(ctx, draft.Place, *change.Pilot); err != nil {
			return err
		}
		draft.Pilot = *change.Pilot
	}
	draft.Changes = maps.Clone(draft.Changes)
	for _, family := range change.Leave {
		delete(draft.Changes, family)
	}
	var faults Faults
	for _, family := range slices.Sorted(maps.Keys(change.Families)) {
		before, changed := draft.Changes[family]
		if !changed {
			before = draft.Base[family]
		}
		say, wrong := read(family, change.Families[family], before)
		faults = append(faults, wrong...)
		if SameSay(say, draft.Base[family]) {
			delete(draft.Changes, family)
			continue
		}
		draft.Changes[family] = say
	}
	return invalid(faults)
}

// pilotGroup returns the group that tries something first, which must lie in the
// reach of the place.
func (s *Service) pilotGroup(ctx context.Context, place Place, group org.ID) (Place, error) {
	if group == "" {
		return Place{}, nil
	}
	found, err := s.Store.PolicyPlace(ctx, desired.Place{Level: org.Group, ID: group})
	if errs.Is(err, errs.NotFound) || err == nil && (!place.Branch.Holds(found.Branch) || place.Level == org.Group || place.Level == org.Device) {
		return Place{}, errs.E(errs.Invalid, "policy.no_pilot_group").In("pilot")
	}
	return found, err
}

func clip(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}

// find returns a draft that the actor may read, secrets included.
func (s *Service) find(ctx context.Context, actor may.Actor, id org.ID) (Draft, error) {
	draft, err := s.Store.FindDraft(ctx, id)
	if err != nil {
		return Draft{}, err
	}
	_, err = may.Do(actor, may.PolicyRead, draft.Place.Branch)
	return draft, err
}

// Draft returns a draft.
func (s *Service) Draft(ctx context.Context, actor may.Actor, id org.ID) (Draft, error) {
	draft, err := s.find(ctx, actor, id)
	if err != nil {
		return Draft{}, err
	}
	return draft.masked(), nil
}

// Drafts lists drafts, the latest change first.
func (s *Service) Drafts(ctx context.Context, actor may.Actor, filter DraftFilter) (drafts []Draft, next string, err error) {
	branches, err := readable(actor)
	if err != nil {
		return nil, "", err
	}
	drafts, next, err = s.Store.ListDrafts(ctx, branches, filter)
	for i := range drafts {
		drafts[i] = drafts[i].masked()
	}
	return drafts, next, err
}

func readable(actor may.Actor) ([]org.Branch, error) {
	branches := may.Branches(actor, may.PolicyRead)
	if len(branches) == 0 {
		return nil, errs.E(errs.Denied, "denied", "action", string(may.PolicyRead))
	}
	return branches, nil
}

// own returns a draft that the actor began and can still change.
func (s *Service) own(ctx context.Context, actor may.Actor, id org.ID) (Draft, may.Permit, error) {
	draft, err := s.Store.FindDraft(ctx, id)
	if err != nil {
		return Draft{}, may.Permit{}, err
	}
	permit, err := may.Do(actor, may.PolicyPropose, draft.Place.Branch)
	if err != nil {
		return Draft{}, may.Permit{}, err
	}
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return Draft{}, may.Permit{}, err
	}
	switch {
	case who != draft.Author:
		return Draft{}, may.Permit{}, errs.E(errs.Denied, "policy.not_yours", "name", draft.AuthorName)
	case draft.State == Pilot:
		return Draft{}, may.Permit{}, errs.E(errs.Conflict, "policy.pilot_runs")
	case draft.State != Open && draft.State != Proposed:
		return Draft{}, may.Permit{}, errs.E(errs.Conflict, "policy.draft_closed")
	}
	return draft, permit, nil
}

// seen is the Conflict fault for a draft that changed since somebody saw it.
func seen(draft Draft, at time.Time) error {
	if !at.IsZero() && !draft.Changed.Equal(at.UTC().Truncate(time.Millisecond)) {
		return errs.E(errs.Conflict, "policy.draft_changed")
	}
	return nil
}

// Change changes a draft of the actor's own. A proposed one becomes a draft
// again: what a second person saw is what is approved. Faults of values are an
// Invalid fault "policy.faults", see FaultsOf; then nothing was changed.
func (s *Service) Change(ctx context.Context, actor may.Actor, id org.ID, change DraftChange) (Draft, error) {
	before, permit, err := s.own(ctx, actor, id)
	if err != nil {
		return Draft{}, err
	}
	if err := seen(before, change.Seen); err != nil {
		return Draft{}, err
	}
	after := before
	if err := s.apply(ctx, &after, change); err != nil {
		return Draft{}, err
	}
	return s.keep(ctx, permit, before, after, Open)
}

// keep stores a changed draft in a state.
func (s *Service) keep(ctx context.Context, permit may.Permit, before, after Draft, state State) (Draft, error) {
	after.State, after.Changed = state, s.later(before)
	if state == Open || state == Proposed {
		after.Approver, after.ApproverName, after.Published = "", "", time.Time{}
	}
	return after.masked(), s.Store.UpdateDraft(ctx, permit, before, after)
}

// later is an instant after the last change, so that two changes within a
// millisecond are told apart.
func (s *Service) later(before Draft) time.Time {
	now := s.now()
	if !now.After(before.Changed) {
		now = before.Changed.Add(time.Millisecond)
	}
	return now
}

// Rebase brings a draft onto what is said now: what it changes stays changed,
// everything else is as others published it.
func (s *Service) Rebase(ctx context.Context, actor may.Actor, id org.ID) (Draft, error) {
	before, permit, err := s.own(ctx, actor, id)
	if err != nil {
		return Draft{}, err
	}
	said, err := s.Store.SaidAt(ctx, before.Place)
	if err != nil {
		return Draft{}, err
	}
	after := before
	after.Changes, after.Base = map[string]Say{}, said
	for family, say := range before.Changes {
		rebased := said[family]
		for _, d := range differences(map[string]Say{family: before.Base[family]}, map[string]Say{family: say}) {
			rebased = rebased.with(d.Field, say)
		}
		if !SameSay(rebased, said[family]) {
			after.Changes[family] = rebased
		}
	}
	return s.keep(ctx, permit, before, after, Open)
}

// Propose asks a second person to approve the draft. Faults are those of
// Publish.
func (s *Service) Propose(ctx context.Context, actor may.Actor, id org.ID) (Draft, error) {
	before, permit, err := s.own(ctx, actor, id)
	if err != nil {
		return Draft{}, err
	}
	if err := s.publishable(ctx, actor, before); err != nil {
		return Draft{}, err
	}
	return s.keep(ctx, permit, before, before, Proposed)
}

// Discard gives a draft up: one's own, or one that the actor could publish. A
// running pilot is taken back with it.
func (s *Service) Discard(ctx context.Context, actor may.Actor, id org.ID) (Draft, error) {
	before, err := s.Store.FindDraft(ctx, id)
	if err != nil {
		return Draft{}, err
	}
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return Draft{}, err
	}
	action := may.PolicyPropose
	if who != before.Author || before.State == Pilot {
		action = may.PolicyWrite
	}
	permit, err := may.Do(actor, action, before.Place.Branch)
	if err != nil {
		return Draft{}, err
	}
	after := before
	after.State, after.Changed = Discarded, s.later(before)
	switch before.State {
	case Open, Proposed:
		return after.masked(), s.Store.UpdateDraft(ctx, permit, before, after)
	case Pilot:
		err := s.Store.EndPilot(ctx, permit, before, after)
		s.wake()
		return after.masked(), err
	}
	return Draft{}, errs.E(errs.Conflict, "policy.draft_closed")
}

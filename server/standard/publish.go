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

// Publish publishes a draft for a pilot group or for all. Faults: Conflict
// "policy.clash" if somebody published in between (Review names it, Rebase mends
// it); Invalid "policy.faults" with FaultsOf for deviations from above, locked
// fields and what would strand devices; Denied "policy.needs_second" if a second
// person has to approve. The version is the zero value while a pilot runs.
//
// Who publishes what somebody else proposed approves it.
func (s *Service) Publish(ctx context.Context, actor may.Actor, id org.ID, release Release) (Draft, Version, error) {
	draft, who, err := s.toRelease(ctx, actor, id)
	if err != nil {
		return Draft{}, Version{}, err
	}
	if who != draft.Author {
		return s.approve(ctx, actor, who, draft, release)
	}
	permit, err := may.Do(actor, may.PolicyWrite, draft.Place.Branch)
	if err != nil {
		return Draft{}, Version{}, err
	}
	eyes, err := s.Store.FindEyes(ctx, draft.Place.Branch.Authority)
	if err != nil {
		return Draft{}, Version{}, err
	}
	if eyes.On && draft.Approver == "" {
		return Draft{}, Version{}, errs.E(errs.Denied, "policy.needs_second")
	}
	return s.release(ctx, actor, permit, draft, draft, release)
}

// Approve publishes a proposed draft of somebody else, as its second person.
// Faults are those of Publish, Denied "policy.own_draft" for one's own, Conflict
// "policy.not_proposed" for one that its author still works on.
func (s *Service) Approve(ctx context.Context, actor may.Actor, id org.ID, release Release) (Draft, Version, error) {
	draft, who, err := s.toRelease(ctx, actor, id)
	if err != nil {
		return Draft{}, Version{}, err
	}
	return s.approve(ctx, actor, who, draft, release)
}

func (s *Service) toRelease(ctx context.Context, actor may.Actor, id org.ID) (Draft, org.ID, error) {
	draft, err := s.find(ctx, actor, id)
	if err != nil {
		return Draft{}, "", err
	}
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	return draft, who, err
}

func (s *Service) approve(ctx context.Context, actor may.Actor, who org.ID, before Draft, release Release) (Draft, Version, error) {
	permit, err := may.Do(actor, may.PolicyApprove, before.Place.Branch)
	if err != nil {
		return Draft{}, Version{}, err
	}
	after := before
	switch {
	case who == before.Author:
		return Draft{}, Version{}, errs.E(errs.Denied, "policy.own_draft")
	case before.State == Open:
		return Draft{}, Version{}, errs.E(errs.Conflict, "policy.not_proposed", "name", before.AuthorName)
	case before.State == Proposed:
		after.Approver, after.ApproverName = who, actor.Name
	case before.State == Pilot && before.Approver == "":
		after.Approver, after.ApproverName = who, actor.Name
	}
	return s.release(ctx, actor, permit, before, after, release)
}

// release makes a draft hold, after everything that stands in the way.
func (s *Service) release(ctx context.Context, actor may.Actor, permit may.Permit, before, after Draft, release Release) (Draft, Version, error) {
	if before.State == Published || before.State == Discarded {
		return Draft{}, Version{}, errs.E(errs.Conflict, "policy.draft_closed")
	}
	if before.State == Pilot && release.Pilot != "" {
		return Draft{}, Version{}, errs.E(errs.Conflict, "policy.pilot_runs")
	}
	if err := seen(before, release.Seen); err != nil {
		return Draft{}, Version{}, err
	}
	if err := s.publishable(ctx, actor, before); err != nil {
		return Draft{}, Version{}, err
	}
	now := s.later(before)
	after.Changed, after.Published = now, now
	if release.Pilot != "" {
		group, err := s.pilotGroup(ctx, before.Place, release.Pilot)
		if err != nil {
			return Draft{}, Version{}, err
		}
		after.State, after.Pilot, after.PilotName = Pilot, release.Pilot, group.Name
		err = s.Store.PilotDraft(ctx, permit, before, after)
		s.wake()
		return after.masked(), Version{}, err
	}
	after.State = Published
	version := s.version(after, now)
	err := s.Store.PublishDraft(ctx, permit, before, after, version)
	s.wake()
	return after.masked(), version.masked(), err
}

// version makes the version of a draft that is published: its author made it,
// and who pressed the button is the approver or the author.
func (s *Service) version(draft Draft, now time.Time) Version {
	version := Version{
		ID: s.NewID(), Place: draft.Place, Draft: draft.ID, Title: draft.Title, Reason: draft.Reason, Before: map[string]Say{}, After: draft.Changes,
		By: draft.Author, ByName: draft.AuthorName, Approver: draft.Approver, ApproverName: draft.ApproverName, At: now,
	}
	if draft.Source.Kind == SourceUndo {
		version.Undoes = draft.Source.Version
	}
	for family := range draft.Changes {
		version.Before[family] = draft.Base[family]
	}
	return version
}

// publishable returns what stands in the way of a draft, whoever publishes it.
func (s *Service) publishable(ctx context.Context, actor may.Actor, draft Draft) error {
	if draft.Title == "" {
		return errs.E(errs.Invalid, "policy.no_title").In("title")
	}
	if len(draft.Changes) == 0 {
		return errs.E(errs.Invalid, "policy.nothing_changed")
	}
	clashes, err := s.clashes(ctx, draft)
	if err != nil {
		return err
	}
	if len(clashes) > 0 {
		c := clashes[0]
		return errs.E(errs.Conflict, "policy.clash", "family", c.Family, "title", c.Title, "name", c.ByName, "version", c.Version.String())
	}
	faults, err := s.faults(ctx, actor, draft.Place, draft.Base, draft.Changes)
	if err != nil {
		return err
	}
	stranded, err := s.stranded(ctx, draft)
	if err != nil {
		return err
	}
	return invalid(append(faults, stranded...))
}

// clashes lists what others published since the draft began.
func (s *Service) clashes(ctx context.Context, draft Draft) ([]Clash, error) {
	said, err := s.Store.SaidAt(ctx, draft.Place)
	if err != nil {
		return nil, err
	}
	var clashes []Clash
	for _, family := range families(draft.Changes) {
		if SameSay(said[family], draft.Base[family]) {
			continue
		}
		clash := Clash{Family: family, Fields: differences(map[string]Say{family: draft.Base[family]}, map[string]Say{family: said[family]})}
		for _, theirs := range clash.Fields {
			for _, ours := range draft.Differences() {
				if ours.Family == family && ours.Field == theirs.Field && !catalog.Same(ours.New, theirs.New) {
					clash.Both = append(clash.Both, ours.Field)
				}
			}
		}
		clash.Fields = maskDifferences(clash.Fields)
		clashes = append(clashes, clash)
	}
	if len(clashes) == 0 {
		return nil, nil
	}
	versions, err := s.Store.VersionsSince(ctx, draft.Place, draft.Created)
	if err != nil {
		return nil, err
	}
	for i := range clashes {
		for _, version := range versions {
			if _, touched := version.After[clashes[i].Family]; touched {
				clashes[i].Version, clashes[i].Title, clashes[i].ByName, clashes[i].At = version.ID, version.Title, version.ByName, version.At
				break
			}
		}
	}
	return clashes, nil
}

// faults lists changed fields that would not be heard at their place: those
// locked above, and deviations from what a level above means as standard. desired
// says what is heard; there is no second rule.
func (s *Service) faults(ctx context.Context, actor may.Actor, place Place, before, after map[string]Say) (Faults, error) {
	ground, err := s.Store.GroundAt(ctx, place.Branch)
	if err != nil {
		return nil, err
	}
	device, err := s.listener(ctx, place)
	if err != nil {
		return nil, err
	}
	ground = ground.upTo(place)
	held := ground.saying(place.Place, after, "").holding(device, s.Now())
	above := ground.without(place.Place).holding(device, s.Now())
	was := map[string]Say{}
	for family := range after {
		was[family] = before[family]
	}
	var faults Faults
	for _, d := range differences(was, after) {
		key := ""
		for _, source := range held[Part{d.Family, d.Field}].From {
			if source.Place == place.Place && source.Exception == "" {
				key = refusal[source.Effect]
			}
		}
		if d.New == nil || key == "" || catalog.Same(d.Old, d.New) {
			continue
		}
		fault, err := s.fault(ctx, actor, place, ground, above[Part{d.Family, d.Field}], key)
		if err != nil {
			return nil, err
		}
		faults = append(faults, fault)
	}
	return faults, nil
}

// refusal says under which key a word that would not be heard is refused.
var refusal = map[desired.Effect]string{desired.LockedOut: "policy.locked", desired.Deviating: "policy.deviates", desired.Looser: "policy.deviates"}

// fault names who decides about a field, and the way out.
func (s *Service) fault(ctx context.Context, actor may.Actor, place Place, ground Ground, above desired.Effective, key string) (Fault, error) {
	upper := decider(above)
	if locker, locked := ground.locker(above); locked && key == "policy.locked" {
		upper = locker
	}
	decides, err := s.Store.PolicyPlace(ctx, upper)
	if err != nil {
		return Fault{}, err
	}
	grants := may.Can(actor, may.PolicyWrite, place.Branch)
	if key == "policy.locked" {
		grants = grants && may.Can(actor, may.PolicyWrite, decides.Branch)
	}
	return Fault{
		Key: key, Family: above.Family, Field: above.Field, Place: &decides, Exception: true, Grants: grants,
		Args: map[string]string{"place": decides.Name, "level": string(decides.Level)},
	}, nil
}

// TakeBack ends a pilot: its group is as before, the draft is a draft again.
func (s *Service) TakeBack(ctx context.Context, actor may.Actor, id org.ID) (Draft, error) {
	before, err := s.Store.FindDraft(ctx, id)
	if err != nil {
		return Draft{}, err
	}
	permit, err := may.Do(actor, may.PolicyWrite, before.Place.Branch)
	if err != nil {
		return Draft{}, err
	}
	if before.State != Pilot {
		return Draft{}, errs.E(errs.Conflict, "policy.no_pilot")
	}
	after := before
	after.State, after.Changed, after.Published, after.Approver, after.ApproverName = Open, s.later(before), time.Time{}, "", ""
	err = s.Store.EndPilot(ctx, permit, before, after)
	s.wake()
	return after.masked(), err
}

// Put says something at a place at once: a draft that is published, or proposed
// where a second person has to approve. Families that are not named stay.
func (s *Service) Put(ctx context.Context, actor may.Actor, place desired.Place, wanted NewDraft) (Draft, error) {
	draft, permit, err := s.begun(ctx, actor, place, wanted)
	if err != nil {
		return Draft{}, err
	}
	if len(draft.Changes) == 0 {
		return draft.masked(), nil
	}
	if err := s.Store.CreateDraft(ctx, permit, draft); err != nil {
		return Draft{}, err
	}
	published, _, err := s.Publish(ctx, actor, draft.ID, Release{})
	if errs.Is(err, errs.Denied) {
		return s.Propose(ctx, actor, draft.ID)
	}
	if err != nil {
		_, _ = s.Discard(ctx, actor, draft.ID) // what cannot be published must not lie about
		return Draft{}, err
	}
	return published, nil
}

// Own returns what a place itself says, by family, without secrets.
func (s *Service) Own(ctx context.Context, actor may.Actor, place desired.Place) (map[string]Say, error) {
	found, err := s.Place(ctx, actor, place)
	if err != nil {
		return nil, err
	}
	said, err := s.Store.SaidAt(ctx, found)
	return Masked(said), err
}

package standard

import (
	"context"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Review says what stands between a draft and its publication, for the actor.
func (s *Service) Review(ctx context.Context, actor may.Actor, id org.ID) (Review, error) {
	draft, who, err := s.toRelease(ctx, actor, id)
	if err != nil {
		return Review{}, err
	}
	eyes, err := s.Store.FindEyes(ctx, draft.Place.Branch.Authority)
	if err != nil {
		return Review{}, err
	}
	review := Review{NeedsSecond: eyes.On && draft.Approver == "" || who == draft.Author && !may.Can(actor, may.PolicyWrite, draft.Place.Branch)}
	if draft.State == Published || draft.State == Discarded {
		return review, nil
	}
	if review.Clashes, err = s.clashes(ctx, draft); err != nil {
		return Review{}, err
	}
	faults, err := s.faults(ctx, actor, draft.Place, draft.Base, draft.Changes)
	if err != nil {
		return Review{}, err
	}
	stranded, err := s.stranded(ctx, draft)
	if err != nil {
		return Review{}, err
	}
	review.Faults = append(faults, stranded...)
	s.allow(actor, who, draft, &review)
	return review, nil
}

// allow says what the actor may do with an unfinished draft.
func (s *Service) allow(actor may.Actor, who org.ID, draft Draft, review *Review) {
	branch := draft.Place.Branch
	proposes, writes, approves := may.Can(actor, may.PolicyPropose, branch), may.Can(actor, may.PolicyWrite, branch), may.Can(actor, may.PolicyApprove, branch)
	ready := len(review.Faults) == 0 && len(review.Clashes) == 0 && len(draft.Changes) > 0 && draft.Title != ""
	author, runs := who == draft.Author, draft.State == Pilot
	review.MayChange = author && proposes && !runs
	review.MayPropose = author && proposes && draft.State == Open && ready
	review.MayPublish = author && writes && ready && !review.NeedsSecond
	review.MayApprove = !author && approves && ready && draft.State != Open
	review.MayDiscard = author && proposes && !runs || writes
	review.MayTakeBack = runs && writes
}

package rollout

import (
	"context"

	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Tick lets each rollout go on, wait or halt as its figures have it. It may run on
// several replicas at once: whoever is late finds the status changed and leaves it.
func (s *Service) Tick(ctx context.Context) error {
	list, err := s.Store.LiveRollouts(ctx)
	if err != nil {
		return err
	}
	for _, r := range list {
		if err := s.decide(ctx, r); err != nil && !errs.Is(err, errs.Conflict) {
			return err
		}
	}
	return nil
}

func (s *Service) decide(ctx context.Context, before Rollout) error {
	tallies, err := s.tallies(ctx, before)
	if err != nil {
		return err
	}
	_, open, err := s.opening(ctx, before, tallies)
	if err != nil {
		return err
	}
	after := before
	after.Status = rollout.Decide(before.Plan, before.Status, total(before.Plan, tallies).Rings, open, s.Now())
	if after.Status == before.Status {
		return nil
	}
	after.Changed = s.Now().UTC()
	what := "goes_on"
	if after.Status.State == rollout.Halted {
		what = "halts"
	}
	if err := s.Store.SaveStatus(ctx, may.System("rollout", before.Branch), before, after, what); err != nil {
		return err
	}
	s.Changes.Wake()
	return nil
}

package lesson

import (
	"context"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Settle resolves the running modes of a school anew: who joined a group, came
// back or was enrolled gets the mode; who left it or is absent is let go. It is
// called when membership may have changed.
func (s *Service) Settle(ctx context.Context, branch org.Branch) error {
	now := s.Now()
	joiners, err := s.Store.LateJoiners(ctx, branch, now)
	if err != nil {
		return err
	}
	permit := may.System("settle", branch)
	for _, joiner := range joiners {
		l := s.lease(joiner.Mode, joiner.Member)
		if err := s.Store.AddLeases(ctx, permit, joiner.Mode, []Lease{l}); err != nil {
			return err
		}
		s.spread(ctx, joiner.Mode, []Lease{l})
	}
	leavers, err := s.Store.Leavers(ctx, branch, now)
	if err != nil {
		return err
	}
	for _, l := range leavers {
		mode, err := s.Store.FindMode(ctx, l.Mode)
		if err != nil {
			return err
		}
		if err := s.revise(ctx, permit, mode, []DeviceMode{{Lease: l, Member: Member{Device: l.Device}}}, now.UTC(), "leave"); err != nil {
			return err
		}
	}
	return nil
}

// Delivered notes that a device fetched a revision of a lease.
func (s *Service) Delivered(ctx context.Context, branch org.Branch, device, id org.ID, rev int) error {
	if err := s.Store.LeaseDelivered(ctx, branch.Authority, id, rev, s.Now()); err != nil {
		return err
	}
	s.Board.Publish(branch, device)
	return nil
}

// Reported notes what a device read back of its leases. Whoever calls it tells
// the boards after the commit.
func (s *Service) Reported(ctx context.Context, branch org.Branch, device org.ID, said []ddm.LeaseStatus) error {
	if len(said) == 0 {
		return nil
	}
	return s.Store.LeasesReported(ctx, branch.Authority, device, said, s.Now())
}

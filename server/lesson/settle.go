package lesson

import (
	"context"
	"time"

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
		l.Away = true
		if err := s.resettle(ctx, permit, l, func(Mode) time.Time { return now.UTC() }, "leave"); err != nil {
			return err
		}
	}
	returners, err := s.Store.Returners(ctx, branch, now)
	if err != nil {
		return err
	}
	for _, l := range returners {
		l.Away = false
		if err := s.resettle(ctx, permit, l, func(m Mode) time.Time { return m.Ends }, "return"); err != nil {
			return err
		}
	}
	return nil
}

// resettle gives one lease another end.
func (s *Service) resettle(ctx context.Context, permit may.Permit, l Lease, ends func(Mode) time.Time, what string) error {
	_, err := again(func() (Mode, error) {
		mode, err := s.Store.FindMode(ctx, l.Mode)
		if err != nil || mode.Over(s.Now()) {
			return mode, err
		}
		return mode, s.revise(ctx, permit, mode, []DeviceMode{{Lease: l, Member: Member{Device: l.Device}}}, ends(mode), what)
	})
	return err
}

// RecordEnds leaves the last audit row of modes that ended by themselves. A job
// calls it.
func (s *Service) RecordEnds(ctx context.Context) error { return s.Store.RecordEnds(ctx, s.Now()) }

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
	return s.Store.LeasesReported(ctx, may.DeviceSays(device, branch), device, said, s.Now())
}

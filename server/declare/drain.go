package declare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"schulwart.org/policies/org"
)

const (
	marksAtOnce = 500
	// sweep is how often marks are looked for without a wake-up: the safety net
	// for a hint that got lost.
	sweep = 30 * time.Second
)

// Run drains marks until the context ends: at once, after each wake-up, when an
// answer changes by the clock, and every 30 seconds.
func (s *Service) Run(ctx context.Context) {
	s.init()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		if err := s.Drain(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("bringing changes to devices", "error", err)
			// The marks are still there; the next round takes them up.
		}
		s.tick(ctx)
		timer.Reset(s.untilNext())
	}
}

// Drain acts on all marks: recomputes the schools that they name, wakes the
// devices whose answer differs, and drops the marks. When it is interrupted, the
// next round does the same again, to no harm. A school that cannot be brought up
// to date keeps a mark and holds up no other: what lies behind its marks is
// looked at in the same round.
func (s *Service) Drain(ctx context.Context) error {
	s.init()
	var faults []error
	failed := map[org.ID]org.Branch{}
	for after := int64(0); ; {
		marks, err := s.Store.Marks(ctx, after, marksAtOnce)
		if err != nil || len(marks) == 0 {
			return errors.Join(append(faults, err)...)
		}
		scopes, err := s.scopes(ctx, marks)
		if err != nil {
			return errors.Join(append(faults, err)...)
		}
		for _, scope := range scopes {
			if _, before := failed[scope.branch.School]; before {
				continue // once a round is enough
			}
			if err := s.refresh(ctx, scope.branch, scope.what); err != nil {
				failed[scope.branch.School] = scope.branch
				faults = append(faults, fmt.Errorf("bringing changes to school %s: %w", scope.branch.School, err))
			}
		}
		if seqs := done(marks, failed); len(seqs) > 0 {
			if err := s.Store.DropMarks(ctx, seqs); err != nil {
				return errors.Join(append(faults, err)...)
			}
		}
		if len(failed) > 0 {
			// Only then does something stay that must be passed over. Else the oldest
			// is looked for again: marks may become visible out of order.
			after = marks[len(marks)-1].Seq
		}
	}
}

// done lists the marks that are not needed any more: those whose schools are all
// up to date, and those that a later one covers. So a school that cannot be
// brought up to date does not gather marks for ever.
func done(marks []Mark, failed map[org.ID]org.Branch) []int64 {
	var seqs []int64
	for i, mark := range marks {
		if !mark.waitsFor(failed) || slices.ContainsFunc(marks[i+1:], mark.coveredBy) {
			seqs = append(seqs, mark.Seq)
		}
	}
	return seqs
}

// waitsFor reports whether one of the schools lies in the mark's scope.
func (m Mark) waitsFor(failed map[org.ID]org.Branch) bool {
	for _, school := range failed {
		if (m.Branch.Authority == "" || m.Branch.Authority == school.Authority) && (m.Branch.School == "" || m.Branch.School == school.School) {
			return true
		}
	}
	return false
}

// coveredBy reports whether a later mark says all that this one does.
func (m Mark) coveredBy(later Mark) bool {
	return m.Branch == later.Branch && (later.What == Everything || m.What == later.What)
}

type scope struct {
	branch org.Branch
	what   What
}

// scopes reduces marks to one entry per school.
func (s *Service) scopes(ctx context.Context, marks []Mark) ([]scope, error) {
	var scopes []scope
	add := func(branch org.Branch, what What) {
		i := slices.IndexFunc(scopes, func(known scope) bool { return known.branch.School == branch.School })
		if i < 0 {
			scopes = append(scopes, scope{branch, what})
		} else if what == Everything {
			scopes[i].what = Everything
		}
	}
	for _, mark := range marks {
		if mark.Branch.School != "" {
			add(org.Branch{Authority: mark.Branch.Authority, School: mark.Branch.School}, mark.What)
			continue
		}
		schools, err := s.Store.Schools(ctx, mark.Branch.Authority)
		if err != nil {
			return nil, err
		}
		for _, school := range schools {
			add(school, mark.What)
		}
	}
	return scopes, nil
}

// refresh recomputes a school and wakes whom it concerns. In a school that nobody
// asked about since the start that is everybody: what they had is not known.
func (s *Service) refresh(ctx context.Context, branch org.Branch, what What) error {
	if what == Everything {
		if err := s.Settler.Settle(ctx, branch); err != nil {
			return err
		}
	}
	school := s.school(branch)
	school.mu.Lock()
	differ, err := s.compile(ctx, school, what)
	school.mu.Unlock()
	if err != nil {
		return err
	}
	s.Nudger.Nudge(differ...)
	return nil
}

// tick recomputes schools whose answers changed by the clock. Nobody is woken
// for it: devices have clocks too.
func (s *Service) tick(ctx context.Context) {
	for _, school := range s.list() {
		school.mu.Lock()
		if school.loaded && due(school.next, s.Now()) {
			if _, err := s.compile(ctx, school, LeasesOnly); err != nil {
				s.Log.Error("recomputing a school", "school", school.branch.School, "error", err)
			}
		}
		school.mu.Unlock()
	}
}

func (s *Service) list() []*school {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*school, 0, len(s.schools))
	for _, school := range s.schools {
		all = append(all, school)
	}
	return all
}

func (s *Service) untilNext() time.Duration {
	wait := sweep
	for _, school := range s.list() {
		school.mu.Lock()
		if school.loaded && !school.next.IsZero() {
			wait = min(wait, max(school.next.Sub(s.Now()), 100*time.Millisecond))
		}
		school.mu.Unlock()
	}
	return wait
}

package lesson

import (
	"context"
	"encoding/json"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Wish is what an examination wants one device to hold. Each has a window of its
// own: extra time is a later end.
type Wish struct {
	Member
	Starts time.Time
	Ends   time.Time // past: the device shall be let go
	Rules  lease.Rules
	// Again is when a device that had left was let in again; zero if it never
	// was. What it said before that no longer counts.
	Again time.Time
}

// Hold makes the leases of an examination what the wishes say: a device without
// a lease gets one, a lease that differs a higher revision, a device that is not
// wished for any more is let go. What is as wished is left alone, so Hold can be
// called again and again; it reports how many leases it wrote. A device that
// left by a release code stays out until it is let in again; one that has reached the
// end that it knew, and whose end is another one now, gets it.
//
// The permit says who caused it; the caller has asked.
func (s *Service) Hold(ctx context.Context, permit may.Permit, mode Mode, wishes []Wish, what string) (int, error) {
	written := 0
	_, err := again(func() (Mode, error) {
		var err error
		written, err = s.hold(ctx, permit, mode, wishes, what)
		return mode, err
	})
	return written, err
}

func (s *Service) hold(ctx context.Context, permit may.Permit, mode Mode, wishes []Wish, what string) (int, error) {
	now := s.Now().UTC().Truncate(time.Second)
	known, err := s.Store.FindMode(ctx, mode.ID)
	if errs.Is(err, errs.NotFound) {
		mode.Created, mode.Changed = now, now
		leases := s.wished(mode, wishes, now)
		if err := s.Store.CreateMode(ctx, permit, mode, leases); err != nil {
			return 0, err
		}
		s.spread(ctx, mode, leases)
		return len(leases), nil
	}
	if err != nil {
		return 0, err
	}
	lines, err := s.Store.ModeLines(ctx, known)
	if err != nil {
		return 0, err
	}
	missing, changed := compare(lines, wishes, now)
	for i, l := range changed {
		changed[i] = s.until(l, l.Ends)
	}
	if len(changed) > 0 || differs(known, mode) {
		mode.Created, mode.Changed = known.Created, later(s.Now(), known.Changed.Add(time.Millisecond))
		if err := s.Store.ReviseMode(ctx, permit, mode, known.Changed, changed, what); err != nil {
			return 0, err
		}
		s.spread(ctx, mode, changed)
	}
	added := s.wished(mode, missing, now)
	if len(added) > 0 {
		if err := s.Store.AddLeases(ctx, permit, mode, added); err != nil {
			return 0, err
		}
		s.spread(ctx, mode, added)
	}
	return len(changed) + len(added), nil
}

// wished makes the first leases of devices that can hold one.
func (s *Service) wished(mode Mode, wishes []Wish, now time.Time) []Lease {
	var leases []Lease
	for _, wish := range wishes {
		if wish.Enrolment == "" || !now.Before(wish.Ends) {
			continue
		}
		l := s.lease(mode, wish.Member)
		l.Starts, l.Ends, l.Rules, l.KeepUntil = wish.Starts, wish.Ends, wish.Rules, wish.Ends.Add(keepAfterEnd)
		leases = append(leases, l)
	}
	return leases
}

// compare says which wishes have no lease yet, and how leases must change. A
// lease belongs to an enrolment: a device that was enrolled anew gets another.
func compare(lines []DeviceMode, wishes []Wish, now time.Time) (missing []Wish, changed []Lease) {
	wanted := make(map[org.ID]Wish, len(wishes))
	for _, wish := range wishes {
		wanted[wish.Enrolment] = wish
	}
	held := make(map[org.ID]bool, len(lines))
	for _, line := range lines {
		wish, is := wanted[line.Lease.Enrolment]
		if !is || line.Lease.Enrolment == "" {
			wish = Wish{Starts: line.Lease.Starts, Ends: now, Rules: line.Lease.Rules}
		} else {
			held[line.Lease.Enrolment] = true
		}
		if l, differs := line.Lease.as(wish, now); differs {
			changed = append(changed, l)
		}
	}
	for _, wish := range wishes {
		if !held[wish.Enrolment] {
			missing = append(missing, wish)
		}
	}
	return missing, changed
}

// as returns the lease as it is wished for, and whether that is another one.
func (l Lease) as(wish Wish, now time.Time) (Lease, bool) {
	open := now.Before(l.Ends)
	if !now.Before(wish.Ends) {
		// To be let go. An end that has passed is not moved.
		l.Ends = wish.Ends
		return l, open
	}
	left := l.over() && l.ReportedRev >= l.Rev
	if left && l.Since.After(wish.Again) && !l.outrun(now) {
		return l, false
	}
	if !left && open && l.Ends.Equal(wish.Ends) && (l.Starts.Equal(wish.Starts) || !now.Before(l.Starts) && !now.Before(wish.Starts)) && alike(l.Rules, wish.Rules) {
		return l, false
	}
	if now.Before(l.Starts) || now.Before(wish.Starts) {
		l.Starts = wish.Starts
	}
	l.Ends, l.Rules = wish.Ends, wish.Rules
	return l, true
}

// outrun reports whether the device ended the lease by its own clock, at the end that
// it knew. Where the wish goes on, as after an interruption in which the server could
// not say so, nobody let the device out. Before that end by our clock it may be that
// only its clock is ahead: then it would end what it gets at once, again and again.
func (l Lease) outrun(now time.Time) bool {
	return !now.Before(l.Ends) && l.PhaseReason != nil && l.PhaseReason.Code == endedByTime
}

// endedByTime is the reason that our agent gives for an end by its own clock.
const endedByTime = "ended.time"

func alike(a, b lease.Rules) bool {
	x, _ := json.Marshal(a) // plain values always marshal
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func differs(a, b Mode) bool {
	return !a.Starts.Equal(b.Starts) || !a.Ends.Equal(b.Ends) || !a.Ended.Equal(b.Ended) || !alike(a.Rules, b.Rules)
}

// ofLesson refuses what belongs to the room of examinations: its leases have
// ends of their own, and it knows who is let out and in again.
func ofLesson(mode Mode) error {
	if mode.Kind == lease.Exam {
		return errs.E(errs.Conflict, "mode.is_exam")
	}
	return nil
}

// Lines returns a mode's leases, each with what is known of it. Whoever calls it
// has asked whether the person may.
func (s *Service) Lines(ctx context.Context, id org.ID) ([]DeviceMode, error) {
	mode, err := s.Store.FindMode(ctx, id)
	if errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.lines(ctx, mode)
}

// Left reports whether the device said that the lease is over although it might
// still hold: somebody typed a release code.
func (l Lease) Left(at time.Time) bool {
	return l.over() && l.ReportedRev >= l.Rev && at.Before(l.Ends)
}

// Armed reports whether the device said that it keeps the revision that counts
// and waits for its beginning.
func (l Lease) Armed() bool { return l.Phase == ddm.LeaseWaiting && l.ReportedRev >= l.Rev }

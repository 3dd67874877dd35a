package lesson

import (
	"context"
	"errors"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Find returns a mode with what is known of each of its devices.
func (s *Service) Find(ctx context.Context, actor may.Actor, id org.ID) (Mode, []DeviceMode, error) {
	mode, err := s.Store.FindMode(ctx, id)
	if err != nil {
		return Mode{}, nil, err
	}
	if _, err := may.Do(actor, may.GroupRead, mode.Branch); err != nil {
		return Mode{}, nil, err
	}
	lines, err := s.lines(ctx, mode)
	return mode, lines, err
}

func (s *Service) lines(ctx context.Context, mode Mode) ([]DeviceMode, error) {
	lines, err := s.Store.ModeLines(ctx, mode)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	for i := range lines {
		s.judge(&lines[i], now)
	}
	return lines, nil
}

func (s *Service) judge(line *DeviceMode, now time.Time) {
	contact := s.Presence.Contact(line.Lease.Enrolment)
	if contact.Seen.IsZero() {
		contact.Seen = line.Seen
	}
	line.Seen = contact.Seen
	line.State, line.Reason, line.Since = StateOf(line.Lease, contact, now)
}

// ErrRevised says that somebody else changed the mode in the same moment.
var ErrRevised = errs.E(errs.Conflict, "mode.revised")

// again repeats a change that lost against another one, on what is true now: an
// end is not undone by an extension that was on its way.
func again(change func() (Mode, error)) (Mode, error) {
	for range 5 {
		if mode, err := change(); !errors.Is(err, ErrRevised) {
			return mode, err
		}
	}
	return Mode{}, ErrRevised
}

// undoTime is how long an end for all can be taken back: the ten seconds that a
// board offers, in a demo where time runs ten times faster, and the time that a
// slow connection takes.
const undoTime = 2 * time.Minute

// Extend moves the mode's end. A mode that is over is a Conflict fault; one
// that would become too long an Invalid one with the longest length.
func (s *Service) Extend(ctx context.Context, actor may.Actor, id org.ID, minutes int) (Mode, error) {
	return again(func() (Mode, error) { return s.extend(ctx, actor, id, minutes) })
}

func (s *Service) extend(ctx context.Context, actor may.Actor, id org.ID, minutes int) (Mode, error) {
	mode, lines, permit, err := s.change(ctx, actor, id, may.ModeStart)
	if err == nil {
		err = ofLesson(mode)
	}
	if err != nil {
		return Mode{}, err
	}
	if mode.Over(s.Now()) {
		return Mode{}, errs.E(errs.Conflict, "mode.over")
	}
	ends := mode.Ends.Add(time.Duration(min(minutes, maxMinutes)) * time.Minute)
	if minutes <= 0 {
		return Mode{}, errs.E(errs.Invalid, "mode.extend_nothing").In("minutes")
	}
	if longest := mode.Kind.Longest(); ends.Sub(mode.Starts) > longest {
		return Mode{}, errs.E(errs.Invalid, "mode.too_long", "minutes", int(longest/time.Minute)).In("minutes")
	}
	mode.Ends = ends
	return mode, s.revise(ctx, permit, mode, running(lines, s.Now()), ends, "extend")
}

// End ends the mode for all, or for the devices given. Ending what has ended is
// harmless.
func (s *Service) End(ctx context.Context, actor may.Actor, id org.ID, devices ...org.ID) (Mode, error) {
	return again(func() (Mode, error) { return s.end(ctx, actor, id, devices) })
}

func (s *Service) end(ctx context.Context, actor may.Actor, id org.ID, devices []org.ID) (Mode, error) {
	mode, lines, permit, err := s.change(ctx, actor, id, may.ModeEnd)
	if err == nil {
		err = ofLesson(mode)
	}
	if err != nil {
		return Mode{}, err
	}
	now := s.Now().UTC().Truncate(time.Second)
	if mode.Over(now) {
		return mode, nil
	}
	ending := running(only(lines, devices), now)
	if len(devices) == 0 {
		mode.Ended = now
	}
	return mode, s.revise(ctx, permit, mode, ending, now, "end")
}

// Resume takes an end back: the mode, or the devices given, hold again until
// the end that the mode had. Undo on the board does this.
func (s *Service) Resume(ctx context.Context, actor may.Actor, id org.ID, devices ...org.ID) (Mode, error) {
	return again(func() (Mode, error) { return s.resume(ctx, actor, id, devices) })
}

func (s *Service) resume(ctx context.Context, actor may.Actor, id org.ID, devices []org.ID) (Mode, error) {
	mode, lines, permit, err := s.change(ctx, actor, id, may.ModeStart)
	if err == nil {
		err = ofLesson(mode)
	}
	if err != nil {
		return Mode{}, err
	}
	now := s.Now()
	if !now.Before(mode.Ends) {
		return Mode{}, errs.E(errs.Conflict, "mode.over")
	}
	if !mode.Ended.IsZero() && now.Sub(mode.Ended) > undoTime {
		return Mode{}, errs.E(errs.Conflict, "mode.over")
	}
	var back []DeviceMode
	for _, line := range only(lines, devices) {
		if !now.Before(line.Lease.Ends) && !line.Absent {
			line.Lease.Away = false
			back = append(back, line)
		}
	}
	mode.Ended = time.Time{}
	return mode, s.revise(ctx, permit, mode, back, mode.Ends, "resume")
}

// change finds a mode and asks whether the actor may change it.
func (s *Service) change(ctx context.Context, actor may.Actor, id org.ID, action may.Action) (Mode, []DeviceMode, may.Permit, error) {
	mode, err := s.Store.FindMode(ctx, id)
	if err != nil {
		return Mode{}, nil, may.Permit{}, err
	}
	permit, err := may.Do(actor, action, mode.Branch)
	if err != nil {
		return Mode{}, nil, may.Permit{}, err
	}
	lines, err := s.lines(ctx, mode)
	if err != nil || mode.Staff == actor.ID {
		return mode, lines, permit, err
	}
	members := make([]Member, len(lines))
	for i, line := range lines {
		members[i] = line.Member
	}
	if permit, err = s.permit(ctx, actor, action, mode.Branch, members); err != nil {
		return Mode{}, nil, may.Permit{}, err
	}
	return mode, lines, permit, nil
}

// revise gives the lines a higher revision with a new end.
func (s *Service) revise(ctx context.Context, permit may.Permit, mode Mode, lines []DeviceMode, ends time.Time, what string) error {
	since := mode.Changed
	mode.Changed = later(s.Now(), since.Add(time.Millisecond))
	leases := make([]Lease, len(lines))
	for i, line := range lines {
		leases[i] = s.until(line.Lease, ends)
	}
	if err := s.Store.ReviseMode(ctx, permit, mode, since, leases, what); err != nil {
		return err
	}
	s.spread(ctx, mode, leases)
	return nil
}

// until is the next revision of a lease, with an end.
func (s *Service) until(l Lease, ends time.Time) Lease {
	// Above what the device reported: a restored backup must not talk a
	// device into something it already left.
	l.Rev = max(l.Rev, l.ReportedRev) + 1
	l.Ends, l.Since = ends, s.Now()
	l.KeepUntil = later(l.KeepUntil, ends.Add(keepAfterEnd))
	return l
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func running(lines []DeviceMode, now time.Time) []DeviceMode {
	var live []DeviceMode
	for _, line := range lines {
		if now.Before(line.Lease.Ends) && line.State != Ended {
			live = append(live, line)
		}
	}
	return live
}

func only(lines []DeviceMode, devices []org.ID) []DeviceMode {
	if len(devices) == 0 {
		return lines
	}
	var chosen []DeviceMode
	for _, line := range lines {
		for _, device := range devices {
			if line.Device == device {
				chosen = append(chosen, line)
			}
		}
	}
	return chosen
}

package lesson

import (
	"context"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Class is everything that a board shows of a group.
type Class struct {
	Group   Group
	Mine    bool // the actor teaches it now
	Members []Member
	Modes   []Running // of this group and of its devices, latest start first
	Last    *Mode     // the actor's last mode here, for "Wie letzte Stunde"
}

// Running is a mode with what is known of its devices.
type Running struct {
	Mode
	Lines []DeviceMode
}

// justOver is how long a mode that ended stays on the board, so that its end
// can be seen to arrive.
const justOver = 2 * time.Minute

// Class returns the board of a group.
func (s *Service) Class(ctx context.Context, actor may.Actor, id org.ID) (Class, error) {
	group, err := s.Store.LessonGroup(ctx, id)
	if err != nil {
		return Class{}, err
	}
	if _, err := may.Do(actor, may.GroupRead, group.Branch); err != nil {
		return Class{}, err
	}
	class := Class{Group: group}
	if class.Mine, err = s.Roster.TeachesNow(ctx, actor.ID, id, s.Now()); err != nil {
		return class, err
	}
	if class.Members, err = s.Store.LessonMembers(ctx, group, s.Now()); err != nil {
		return class, err
	}
	for i := range class.Members {
		if contact := s.Presence.Contact(class.Members[i].Enrolment); !contact.Seen.IsZero() {
			class.Members[i].Seen = contact.Seen
		}
	}
	if class.Modes, err = s.runningIn(ctx, group); err != nil {
		return class, err
	}
	if last, err := s.Store.LastMode(ctx, group, actor.ID); err == nil {
		class.Last = &last
	}
	return class, nil
}

func (s *Service) runningIn(ctx context.Context, group Group) ([]Running, error) {
	modes, err := s.Store.GroupModes(ctx, group, s.Now().Add(-justOver))
	if err != nil {
		return nil, err
	}
	var running []Running
	for _, mode := range modes {
		if !mode.Ended.IsZero() && s.Now().Sub(mode.Ended) > justOver {
			continue
		}
		lines, err := s.lines(ctx, mode)
		if err != nil {
			return nil, err
		}
		running = append(running, Running{mode, lines})
	}
	return running, nil
}

// Repeat starts the actor's last mode of the group once more.
func (s *Service) Repeat(ctx context.Context, actor may.Actor, id org.ID) (Mode, error) {
	group, err := s.Store.LessonGroup(ctx, id)
	if err != nil {
		return Mode{}, err
	}
	last, err := s.Store.LastMode(ctx, group, actor.ID)
	if err != nil {
		return Mode{}, err
	}
	return s.Start(ctx, actor, Request{
		Group: id, Kind: last.Kind, Minutes: int(last.Ends.Sub(last.Starts) / time.Minute),
		Sites: last.Rules.Sites, Apps: last.Rules.Apps, Message: last.Rules.Message,
	})
}

// Leases lists the leases that a device still has in its manifest. Of an
// examination it tells the end that holds for everybody: whose own end is later
// is told by the room of examinations, to who leads it.
func (s *Service) Leases(ctx context.Context, branch org.Branch, device org.ID) ([]DeviceMode, error) {
	leases, err := s.Store.DeviceLeases(ctx, branch.Authority, device, s.Now())
	if err != nil {
		return nil, err
	}
	lines := make([]DeviceMode, len(leases))
	for i, l := range leases {
		lines[i] = DeviceMode{Lease: l, Member: Member{Device: device, Enrolment: l.Enrolment}}
		s.judge(&lines[i], s.Now())
		if l.Kind != lease.Exam {
			continue
		}
		mode, err := s.Store.FindMode(ctx, l.Mode)
		if err != nil {
			return nil, err
		}
		lines[i].Lease.Ends = mode.Ends
	}
	return lines, nil
}

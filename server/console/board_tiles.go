package console

import (
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// inTouch is how old the last contact of a free device may be before the board
// stops calling it ready.
const inTouch = 10 * time.Minute

// tiles draws every device of a class from what it has read back. Teachers have
// no page of single devices, so their tiles lead to none.
func (h *Handler) tiles(frame web.Frame, who may.Actor, class lesson.Class, now time.Time) []web.TilePart {
	opens := may.Can(who, may.DeviceRead, class.Group.Branch)
	lines := map[org.ID][]lesson.DeviceMode{}
	for _, running := range class.Modes {
		for _, line := range running.Lines {
			lines[line.Device] = append(lines[line.Device], line)
		}
	}
	tiles := make([]web.TilePart, len(class.Members))
	names := may.SeesNames(who, class.Group.Branch)
	for i, member := range class.Members {
		if !names {
			member.Person = ""
		}
		tiles[i] = h.tile(frame, class.Group.Branch.Group, member, lines[member.Device], opens, now)
	}
	slices.SortStableFunc(tiles, func(a, b web.TilePart) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return tiles
}

func (h *Handler) tile(frame web.Frame, group org.ID, m lesson.Member, lines []lesson.DeviceMode, opens bool, now time.Time) web.TilePart {
	tile := web.TilePart{
		Frame: frame, Group: group.String(), Device: m.Device.String(), Name: m.Name, Platform: string(m.Platform),
		Battery: -1, Seen: m.Seen, Absent: m.Absent, Simulated: m.Simulated, Opens: opens,
	}
	if m.Person != "" {
		tile.Name, tile.Tag = m.Person, m.Name
	}
	if m.Battery != nil {
		tile.Battery = *m.Battery
	}
	if line := loudest(lines, now); line != nil {
		tile.State, tile.Since, tile.Reason = web.State(line.State), line.Since, reason(line.Reason)
		tile.Parts, tile.Mode = parts(line.Lease.Parts), line.Lease.Mode.String()
		tile.Code = line.State != lesson.Ended && m.Platform.Agent() && now.Before(line.Lease.Ends)
		if m.Absent && line.State == lesson.Ended {
			tile.State = web.StateAbsent
		}
		return tile
	}
	tile.State, tile.Reason = h.free(m, now)
	return tile
}

// free is the state of a device without a mode.
func (h *Handler) free(m lesson.Member, now time.Time) (web.State, *web.Sentence) {
	switch {
	case m.Absent:
		return web.StateAbsent, nil
	case m.Enrolment == "":
		return web.StateUnreachable, &web.Sentence{Key: "not_enrolled"}
	case h.Presence.Contact(m.Enrolment).Connected, now.Sub(m.Seen) < inTouch:
		return web.StateReady, nil
	case m.Seen.IsZero():
		return web.StateUnreachable, &web.Sentence{Key: "never_seen"}
	}
	return web.StateUnreachable, &web.Sentence{Key: "no_contact"}
}

// rank orders states by how much they need a look.
var rank = map[lesson.State]int{lesson.Deviating: 6, lesson.Unreachable: 5, lesson.Delivered: 4, lesson.Planned: 3, lesson.Active: 2, lesson.Ended: 1}

// loudest chooses which of a device's modes its tile tells of: of those that
// hold, the one that needs a look most, then the strongest; of those that are
// over, one whose end was not read back yet. One that is planned for later is
// told of where no other is.
func loudest(lines []lesson.DeviceMode, now time.Time) *lesson.DeviceMode {
	var best *lesson.DeviceMode
	for i := range lines {
		line := &lines[i]
		if line.State == lesson.Ended && !now.Before(line.Lease.Ends.Add(justEnded)) || armed(line.Lease, now) {
			continue
		}
		if best == nil || comesFirst(line, best, now) {
			best = line
		}
	}
	return best
}

func comesFirst(a, b *lesson.DeviceMode, now time.Time) bool {
	switch later, other := now.Before(a.Lease.Starts), now.Before(b.Lease.Starts); {
	case later != other:
		return other
	case rank[a.State] != rank[b.State]:
		return rank[a.State] > rank[b.State]
	}
	return strength(a.Lease.Kind) < strength(b.Lease.Kind)
}

// armed says of an examination's lease that it is on the device and holds nothing
// yet: it lies there for a day, and the tile tells of the lesson.
func armed(l lesson.Lease, now time.Time) bool { return l.Kind == lease.Exam && now.Before(l.Starts) }

// justEnded is how long a tile says that a mode has ended before it is simply
// ready again.
const justEnded = 20 * time.Second

func strength(kind lease.Kind) int { return slices.Index(lease.Kinds, kind) }

// reason turns a room's reason into a sentence; none without a key.
func reason(r lesson.Reason) *web.Sentence {
	if r.Key == "" {
		return nil
	}
	return &web.Sentence{Key: r.Key, Args: arguments(r.Args)}
}

// arguments are texts, of which those in RFC 3339 are instants, told in school
// time, and those that read as one are lengths of time.
func arguments(args map[string]string) map[string]any {
	if len(args) == 0 {
		return nil
	}
	values := make(map[string]any, len(args))
	for name, text := range args {
		values[name] = argument(name, text)
	}
	return values
}

// argument reads one of a room's arguments: kinds of modes and parts of a device
// have words of their own.
func argument(name, text string) any {
	switch {
	case name == "kind":
		return web.Sentence{Key: "mode." + text}
	case name == "part":
		return web.Sentence{Key: "part." + text}
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at
	}
	if length, err := time.ParseDuration(text); err == nil {
		return length.Abs()
	}
	return text
}

func parts(said []ddm.Part) []web.PartState {
	states := make([]web.PartState, len(said))
	for i, part := range said {
		states[i] = web.PartState{Part: part.Name, Status: web.PartStatus(part.State)}
		if part.Reason != nil {
			states[i].Why = &web.Sentence{Key: part.Reason.Code, Args: arguments(part.Reason.Details)}
		}
	}
	return states
}

// needALook picks the tiles that rise to the top while a mode runs.
func needALook(tiles []web.TilePart) []web.TilePart {
	var looks []web.TilePart
	for _, tile := range tiles {
		if tile.Mode != "" && !tile.Absent && (tile.State == web.StateDeviating || tile.State == web.StateUnreachable) {
			looks = append(looks, tile)
		}
	}
	return looks
}

func count(tiles []web.TilePart) map[web.State]int {
	counts := map[web.State]int{}
	for _, tile := range tiles {
		counts[tile.State]++
	}
	return counts
}

package console

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/policies/presets"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// class is a group with all that its board shows.
type class struct {
	lesson.Class
	group   roster.Group
	school  roster.School
	pretend bool // the one that exists in the person's session only
}

// findClass reads the board of a group.
func (h *Handler) findClass(ctx context.Context, who may.Actor, group string) (class, error) {
	board, err := h.Lessons.Class(ctx, who, org.ID(group))
	if err != nil {
		return class{}, err
	}
	about, err := h.Roster.Group(ctx, who, org.ID(group))
	if err != nil {
		return class{}, err
	}
	school, err := h.Roster.School(ctx, who, about.School)
	return class{Class: board, group: about, school: school}, err
}

// groupName is "" for a group that is gone.
func (h *Handler) groupName(ctx context.Context, who may.Actor, group org.ID) string {
	found, err := h.Roster.Group(ctx, who, group)
	if err != nil {
		return ""
	}
	return found.Name
}

// live draws all that moves on a board.
func (h *Handler) live(ctx context.Context, v *visit, c class) (web.BoardLive, error) {
	now := h.Now()
	ref := groupRef(c.group)
	tiles := h.tiles(v.frame, v.actor, c.Class, now)
	modes, err := h.modesPart(ctx, v, c, now)
	return web.BoardLive{
		Modes:     modes,
		Summary:   web.SummaryPart{Frame: v.frame, Group: ref, Total: len(tiles), Counts: count(tiles)},
		Attention: web.AttentionPart{Frame: v.frame, Group: ref, Tiles: needALook(tiles)},
		Tiles:     web.TilesPart{Frame: v.frame, Group: ref, Tiles: tiles},
	}, err
}

func (h *Handler) modesPart(ctx context.Context, v *visit, c class, now time.Time) (web.ModesPart, error) {
	part := web.ModesPart{
		Frame: v.frame, Group: groupRef(c.group), Devices: len(c.Members), DefaultEnd: c.school.LessonEnd(now),
		Running: h.running(ctx, v.actor, c, now), Blocked: blocked(v.actor, c, now),
	}
	if c.Last != nil && part.Blocked == nil && len(part.Running) == 0 {
		part.Last = &web.LastMode{Kind: web.ModeKind(c.Last.Kind), What: what(c.Last.Rules), Until: now.Add(lastLength(*c.Last))}
	}
	var err error
	part.Codes, err = h.offlineCodes(ctx, v.actor, c, now)
	return part, err
}

func lastLength(last lesson.Mode) time.Duration { return last.Ends.Sub(last.Starts) }

// running lists what runs or is planned on the group or on some of its devices.
func (h *Handler) running(ctx context.Context, who may.Actor, c class, now time.Time) []web.RunningMode {
	var modes []web.RunningMode
	for _, mode := range c.Modes {
		if mode.Over(now) {
			continue
		}
		shown := runningMode(who, mode.Mode, now)
		shown.MayEnd = mayEnd(who, c, mode.Mode)
		if mode.Branch.Group == "" {
			shown.Devices = len(mode.Lines)
		}
		if mode.Branch.Group != "" && mode.Branch.Group != c.group.ID {
			shown.Group = h.groupName(ctx, who, mode.Branch.Group)
		}
		shown.Covered = coveredBy(mode, c.Modes, now)
		modes = append(modes, shown)
	}
	// What runs comes before what is planned.
	slices.SortStableFunc(modes, func(a, b web.RunningMode) int {
		if a.Planned != b.Planned {
			return map[bool]int{true: 1, false: -1}[a.Planned]
		}
		return strength(lease.Kind(a.Kind)) - strength(lease.Kind(b.Kind))
	})
	return modes
}

// runningMode tells of a mode what every page tells.
func runningMode(who may.Actor, mode lesson.Mode, now time.Time) web.RunningMode {
	return web.RunningMode{
		ID: mode.ID.String(), Kind: web.ModeKind(mode.Kind), What: what(mode.Rules), Message: mode.Rules.Message, By: mode.ByName,
		Mine: mode.Staff == who.ID, Starts: mode.Starts, Ends: mode.Ends, MaxEnd: mode.Starts.Add(mode.Kind.Longest()),
		Planned: now.Before(mode.Starts),
	}
}

// mayEnd is for the buttons; the room decides when one is pressed.
func mayEnd(who may.Actor, c class, mode lesson.Mode) bool {
	if mode.Kind == lease.Exam {
		return false // it is led on its own page
	}
	return may.Can(who, may.ModeEnd, mode.Branch) && (mode.Staff == who.ID || c.Mine || !teacherOnly(who, c))
}

func teacherOnly(who may.Actor, c class) bool {
	for _, grant := range who.Grants {
		if grant.Branch.Holds(c.Group.Branch) && grant.Role != may.Teacher && grant.Role != may.Trainee && grant.Role != may.ReadOnly {
			return false
		}
	}
	return true
}

// coveredBy names who started the same kind later on the same devices: of one
// kind the latest start rules.
func coveredBy(mode lesson.Running, all []lesson.Running, now time.Time) string {
	for _, other := range all {
		if other.ID == mode.ID || other.Kind != mode.Kind || !other.Running(now) || !other.Starts.After(mode.Starts) {
			continue
		}
		for _, line := range other.Lines {
			if slices.ContainsFunc(mode.Lines, func(own lesson.DeviceMode) bool { return own.Device == line.Device }) {
				return other.ByName
			}
		}
	}
	return ""
}

// blocked says why this person can start nothing here.
func blocked(who may.Actor, c class, now time.Time) *web.Problem {
	switch {
	case !may.Can(who, may.ModeStart, c.Group.Branch):
		return &web.Problem{Key: "mode.may_not_start"}
	case c.Mine || !teacherOnly(who, c):
		return nil
	}
	if holder := c.group.Holder(now); holder != nil {
		return &web.Problem{Key: "roster.set_held", Args: map[string]any{"name": holder.Name, "until": holder.Until}}
	}
	return &web.Problem{Key: "lesson.not_yours"}
}

// what names hosts or programs, the first few.
func what(rules lease.Rules) string {
	names := rules.Sites
	if len(names) == 0 {
		names = presets.Names(rules.Apps)
	}
	const few = 3
	if len(names) > few {
		return strings.Join(names[:few], ", ") + " +" + strconv.Itoa(len(names)-few)
	}
	return strings.Join(names, ", ")
}

// startFault is the fault of starting or ending that belongs on the board
// itself, nil for any other.
func startFault(err error) *web.Problem {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.Denied:
		return problemOf(err)
	}
	return nil
}

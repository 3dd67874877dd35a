package console

import (
	"context"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// GET /mein-tag
func (h *Handler) showDay(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	groups, _, err := h.teaching(ctx, v)
	if err != nil {
		return err
	}
	day := web.DayPage{Frame: v.frame, Groups: groups, Rehearsed: h.Sessions.GetString(ctx, keyRehearsed) != ""}
	if v.school != nil {
		day.Period = period(*v.school, h.Now())
	}
	return page(c, web.Day(day))
}

// GET /unterricht
func (h *Handler) showLessons(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	groups, recent, err := h.teaching(ctx, v)
	if err != nil {
		return err
	}
	return page(c, web.Lessons(web.LessonsPage{Frame: v.frame, Groups: groups, Recent: recent}))
}

// teaching lists the groups that the person has now with what runs in them:
// what was taken for this lesson first, then those with a mode, then by name.
// With them come the person's last modes there, as far as they are over.
func (h *Handler) teaching(ctx context.Context, v *visit) ([]web.TeachingGroup, []web.RecentMode, error) {
	mine, err := h.Roster.MyGroups(ctx, v.actor)
	if err != nil {
		return nil, nil, err
	}
	var groups []web.TeachingGroup
	var recent []web.RecentMode
	for _, teaching := range mine {
		board, err := h.Lessons.Class(ctx, v.actor, teaching.Group.ID)
		if err != nil {
			return nil, nil, err
		}
		groups = append(groups, h.teachingGroup(ctx, v, teaching, board))
		if board.Last != nil && board.Last.Over(h.Now()) {
			recent = append(recent, recentMode(v.actor, teaching.Group, *board.Last, h.Now()))
		}
	}
	slices.SortStableFunc(groups, func(a, b web.TeachingGroup) int { return urgency(a) - urgency(b) })
	slices.SortStableFunc(recent, func(a, b web.RecentMode) int { return b.EndedAt.Compare(a.EndedAt) })
	return groups, recent, nil
}

func recentMode(who may.Actor, group roster.Group, mode lesson.Mode, now time.Time) web.RecentMode {
	recent := web.RecentMode{Group: groupRef(group), Mode: runningMode(who, mode, now), EndedAt: mode.Ends}
	if !mode.Ended.IsZero() && mode.Ended.Before(mode.Ends) {
		recent.EndedAt, recent.Early = mode.Ended, true
	}
	return recent
}

func urgency(g web.TeachingGroup) int {
	switch {
	case g.Substitute != nil || g.Borrowed != nil:
		return 0
	case len(g.Modes) > 0:
		return 1
	}
	return 2
}

func (h *Handler) teachingGroup(ctx context.Context, v *visit, teaching roster.Teaching, board lesson.Class) web.TeachingGroup {
	now := h.Now()
	shown := web.TeachingGroup{Group: groupRef(teaching.Group), Devices: len(board.Members), StandIns: standIns(v.actor, teaching.Group, now)}
	switch teaching.How {
	case roster.Substitute:
		shown.Substitute = &web.Substitution{For: owner(teaching.Group), Until: teaching.Until}
	case roster.Borrower:
		until := teaching.Until
		shown.Borrowed = &until
	}
	for _, mode := range h.running(ctx, v.actor, class{Class: board, group: teaching.Group}, now) {
		if !mode.Planned {
			shown.Modes = append(shown.Modes, mode)
		} else if shown.Planned == nil || mode.Starts.Before(shown.Planned.Starts) {
			shown.Planned = &mode
		}
	}
	shown.Attention = len(needALook(h.tiles(v.frame, v.actor, board, now)))
	return shown
}

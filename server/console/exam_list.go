package console

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// pastExams is for how long the list shows what is over.
const pastExams = 60 * 24 * time.Hour

// GET /pruefungen
//
// Teachers see what they prepared, invigilate or whose class it is; the office
// sees its school.
func (h *Handler) listExams(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	now := h.Now()
	filter := exam.Filter{From: now, Limit: 100}
	if v.school != nil {
		filter.School = v.school.ID
	}
	if !may.Anywhere(v.actor, may.SchoolRead) {
		filter.Staff = v.actor.ID
	}
	shown := web.ExamsPage{Frame: v.frame, MayPlan: may.Anywhere(v.actor, may.ExamWrite), Extra: v.school != nil && exam.MaySeeExtra(v.actor, v.school.Branch())}
	shown.Keeping = v.school != nil && may.Can(v.actor, may.SchoolWrite, v.school.Branch())
	groups, err := h.groupNames(c)
	if err != nil {
		return err
	}
	next, _, err := h.Exams.List(ctx, v.actor, filter)
	if err != nil {
		return err
	}
	filter.From, filter.Until, filter.Past, filter.Limit = now.Add(-pastExams), now, true, 30
	past, _, err := h.Exams.List(ctx, v.actor, filter)
	if err != nil {
		return err
	}
	for _, e := range next {
		if !e.Over(now) {
			shown.Next = append(shown.Next, examRow(e, groups[e.Branch.Group], now))
		}
	}
	for _, e := range past {
		if e.Over(now) {
			shown.Past = append(shown.Past, examRow(e, groups[e.Branch.Group], now))
		}
	}
	return page(c, web.Exams(shown))
}

// groupNames names the groups of the school that the person acts in.
func (h *Handler) groupNames(c *gin.Context) (map[org.ID]string, error) {
	v := visitor(c)
	filter := roster.GroupFilter{Limit: 500}
	if v.school != nil {
		filter.School = v.school.ID
	}
	groups, _, err := h.Roster.Groups(c.Request.Context(), v.actor, filter)
	names := make(map[org.ID]string, len(groups))
	for _, group := range groups {
		names[group.ID] = group.Name
	}
	return names, err
}

func examRow(e exam.Exam, group string, now time.Time) web.ExamRow {
	row := web.ExamRow{ID: e.ID.String(), Name: e.Name, State: web.ExamState(e.State(now)), Group: group, Room: e.Room, Starts: e.Starts, Ends: e.End(now)}
	for _, one := range e.Invigilators {
		row.Lead = append(row.Lead, one.Name)
	}
	return row
}

// examRowOf is examRow with the group's name looked up. A group that is no more
// has none.
func (h *Handler) examRowOf(ctx context.Context, who may.Actor, e exam.Exam) (web.ExamRow, error) {
	name := ""
	if e.Branch.Group != "" {
		group, err := h.Roster.Group(ctx, who, e.Branch.Group)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return web.ExamRow{}, err
		}
		name = group.Name
	}
	return examRow(e, name, h.Now()), nil
}

package console

import (
	"context"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/staff"
	"schulwart.org/web"
)

// GET /schulen
func (h *Handler) listSchools(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	const perPage = 25
	schools, next, err := h.Roster.Schools(ctx, v.actor, query(c, "q"), query(c, "cursor"), perPage)
	if err != nil {
		return err
	}
	shown := web.SchoolsPage{
		Frame: v.frame, Query: query(c, "q"), Pager: pager(c, next, len(schools)),
		MaySchool: may.Anywhere(v.actor, may.SchoolCreate), MayAuthority: may.Can(v.actor, may.AuthorityNew, org.Branch{}),
	}
	if shown.Authorities, err = h.authorityRows(ctx, v, schools); err != nil {
		return err
	}
	return page(c, web.Schools(shown))
}

// authorityRows sorts schools under their authorities, in the order in which
// they come. Authorities without a school are listed too, on the first page of
// an unfiltered list.
func (h *Handler) authorityRows(ctx context.Context, v *visit, schools []roster.School) ([]web.AuthorityRow, error) {
	authorities, err := h.Roster.Authorities(ctx, v.actor)
	if err != nil {
		return nil, err
	}
	place := map[org.ID]int{}
	var rows []web.AuthorityRow
	for _, authority := range authorities {
		place[authority.ID] = len(rows)
		rows = append(rows, web.AuthorityRow{ID: authority.ID.String(), Name: authority.Name, Devices: authority.Devices})
	}
	for _, school := range schools {
		row, err := h.schoolRow(ctx, v, school)
		if err != nil {
			return nil, err
		}
		i, known := place[school.Authority]
		if !known {
			i = len(rows)
			place[school.Authority] = i
			rows = append(rows, web.AuthorityRow{ID: school.Authority.String(), Name: school.AuthorityName})
		}
		rows[i].Schools = append(rows[i].Schools, row)
	}
	return slices.DeleteFunc(rows, func(row web.AuthorityRow) bool { return len(row.Schools) == 0 && v.frame.Path != web.PathSchools }), nil
}

func (h *Handler) schoolRow(ctx context.Context, v *visit, school roster.School) (web.SchoolRow, error) {
	row := web.SchoolRow{
		ID: school.ID.String(), Name: school.Name, Devices: school.Devices, URL: web.With(web.PathSchool, "ort", school.ID.String()),
	}
	if !may.Can(v.actor, may.SchoolRead, school.Branch()) {
		return row, nil
	}
	found, err := h.Board.Glance(ctx, v.actor, school.Branch(), startOfDay(h.Now(), location(school.Timezone)))
	row.Seen, row.Deviating, row.Modes = found.Seen, found.Deviating, found.Modes
	return row, err
}

// moveTo makes a school the one that the person acts in from now on. Which it
// may be is asked again on every page.
func (h *Handler) moveTo(c *gin.Context, school org.ID) error {
	if _, err := h.Roster.School(c.Request.Context(), actor(c), school); err != nil {
		return err
	}
	h.Sessions.Put(c.Request.Context(), keyPlace, school.String())
	return seeOther(c, web.PathSchool)
}

// GET /schulen/neu
func (h *Handler) askSchool(c *gin.Context) error {
	return h.drawNewSchool(c, http.StatusOK, nil)
}

func (h *Handler) drawNewSchool(c *gin.Context, status int, problem *web.Problem) error {
	authorities, err := h.Roster.Authorities(c.Request.Context(), actor(c))
	if err != nil {
		return err
	}
	shown := web.SchoolNewPage{Frame: frame(c), Name: field(c, "name"), Short: field(c, "short"), Problem: problem}
	for _, authority := range authorities {
		if may.Can(actor(c), may.SchoolCreate, org.Branch{Authority: authority.ID}) {
			shown.Authorities = append(shown.Authorities, web.Option{Value: authority.ID.String(), Label: authority.Name, Chosen: authority.ID.String() == field(c, "authority")})
		}
	}
	return show(c, status, web.SchoolNew(shown))
}

// POST /schulen/neu
func (h *Handler) makeSchool(c *gin.Context) error {
	ctx, who := c.Request.Context(), actor(c)
	authority := org.ID(field(c, "authority"))
	if authority == "" {
		authorities, err := h.Roster.Authorities(ctx, who)
		if err != nil {
			return err
		}
		if len(authorities) == 1 {
			authority = authorities[0].ID
		}
	}
	school, err := h.Roster.CreateSchool(ctx, who, authority, field(c, "name"), field(c, "short"))
	if problem := startFault(err); problem != nil {
		if problem.Field == "school" {
			problem.Field = "name"
		}
		return h.drawNewSchool(c, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	h.flash(ctx, web.FlashDone, "school_created", "name", school.Name)
	return h.moveTo(c, school.ID)
}

// GET /traeger/neu
func (h *Handler) askAuthority(c *gin.Context) error {
	return h.drawNewAuthority(c, http.StatusOK, nil)
}

func (h *Handler) drawNewAuthority(c *gin.Context, status int, problem *web.Problem) error {
	timezone := field(c, "timezone")
	if timezone == "" {
		timezone = "Europe/Berlin"
	}
	return show(c, status, web.AuthorityNew(web.AuthorityNewPage{
		Frame: frame(c), Authority: field(c, "authority"), Timezone: timezone, School: field(c, "school"), Name: field(c, "name"), Email: field(c, "email"),
		Mail: h.Mail.Ready(c.Request.Context()), Problem: problem,
	}))
}

// foundation is what a new authority begins with.
type foundation struct{ Authority, Timezone, School, Name, Email string }

// POST /traeger/neu
func (h *Handler) makeAuthority(c *gin.Context) error {
	ctx := c.Request.Context()
	school, made, err := h.found(ctx, actor(c), foundation{
		Authority: field(c, "authority"), Timezone: field(c, "timezone"), School: field(c, "school"), Name: field(c, "name"), Email: field(c, "email"),
	})
	if problem := startFault(err); problem != nil {
		return h.drawNewAuthority(c, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	h.Sessions.Put(ctx, keyPlace, school.ID.String())
	return h.handOver(c, made, h.Mail.Ready(ctx))
}

// found checks everything before the first row is written, and writes all rows
// in one transaction: half an authority would be nobody's.
func (h *Handler) found(ctx context.Context, who may.Actor, f foundation) (school roster.School, made staff.Made, err error) {
	if _, err = staff.ReadLogin(f.Email); err != nil {
		return school, made, err
	}
	err = h.Atomically(ctx, func(ctx context.Context) error {
		authority, err := h.Roster.CreateAuthority(ctx, who, f.Authority, f.Timezone)
		if err != nil {
			return inField(err, "name", "authority")
		}
		if school, err = h.Roster.CreateSchool(ctx, who, authority.ID, f.School, ""); err != nil {
			return err
		}
		made, err = h.Staff.Invite(ctx, who, staff.Invitation{
			Name: f.Name, Login: f.Email, Role: may.AuthorityAdmin, Branch: org.Branch{Authority: authority.ID},
		})
		return err
	})
	return school, made, err
}

// inField renames the input at fault where a form calls it otherwise.
func inField(err error, from, to string) error {
	if fault := errs.Find(err); fault != nil && fault.Field == from {
		fault.Field = to
	}
	return err
}

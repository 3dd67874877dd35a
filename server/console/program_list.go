package console

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"schulwart.org/server/may"
	"schulwart.org/web"
)

// GET /programme
func (h *Handler) listPrograms(c *gin.Context) error {
	return h.drawPrograms(c, http.StatusOK, nil)
}

func (h *Handler) drawPrograms(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	programs, err := h.Staff.Programs(ctx, v.actor)
	if err != nil {
		return err
	}
	const days = 90
	shown := web.ProgramsPage{
		Frame: v.frame, Name: field(c, "name"), Days: number(c, "days", days), Roles: ownRoles(v.actor, field(c, "role")), Problem: problem,
	}
	if shown.Made, err = h.Staff.TakeProgram(ctx, v.actor); err != nil {
		return err
	}
	names := h.placeNames(c)
	for _, program := range programs {
		row := web.ProgramRow{
			ID: program.ID.String(), Name: program.Name, By: program.MakerName, Made: program.Created, Expires: program.Expires,
			Used: program.Used, Revoked: !program.Revoked.IsZero(),
		}
		if len(program.Grants) > 0 {
			row.Role, row.Place = web.Role(program.Grants[0].Role), names.of(program.Grants[0].Branch)
		}
		shown.Rows = append(shown.Rows, row)
	}
	return show(c, status, web.Programs(shown))
}

// ownRoles are the roles that a program may get: those of its maker.
func ownRoles(who may.Actor, chosen string) []web.Option {
	var list []web.Option
	for _, role := range may.Roles {
		if slices.ContainsFunc(who.Grants, func(g may.Grant) bool {
			return g.Role == role || may.Hands(who, may.Grant{Role: role, Branch: g.Branch})
		}) {
			list = append(list, web.Option{Value: string(role), Chosen: string(role) == chosen})
		}
	}
	return list
}

// POST /programme
func (h *Handler) makeProgram(c *gin.Context) error {
	ctx, who := c.Request.Context(), actor(c)
	grant, err := h.programGrant(c, who)
	var token string
	if err == nil {
		token, _, err = h.Staff.CreateProgram(ctx, who, field(c, "name"), []may.Grant{grant}, number(c, "days", 0))
	}
	if problem := startFault(err); problem != nil {
		return h.drawPrograms(c, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	if err := h.Staff.HandOverProgram(ctx, who, token); err != nil {
		return err
	}
	return seeOther(c, web.PathPrograms)
}

// programGrant is the role where its maker has it, else in the school that the
// maker acts in.
func (h *Handler) programGrant(c *gin.Context, who may.Actor) (may.Grant, error) {
	role := may.Role(field(c, "role"))
	for _, grant := range who.Grants {
		if grant.Role == role {
			return grant, nil
		}
	}
	return h.grantOf(c)
}

// POST /programme/:program/widerrufen
func (h *Handler) revokeProgram(c *gin.Context) error {
	if err := h.Staff.RevokeProgram(c.Request.Context(), actor(c), param(c, "program")); err != nil {
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "program_revoked")
	return seeOther(c, web.PathPrograms)
}

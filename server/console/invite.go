package console

import (
	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
	"schulwart.org/web"
)

// GET /einladung
func (h *Handler) showInviteCode(c *gin.Context) error {
	return page(c, web.InviteCode(web.InviteCodePage{Frame: frame(c)}))
}

// POST /einladung
func (h *Handler) inviteCode(c *gin.Context) error {
	code := staff.ReadCode(c.PostForm("code"))
	if _, err := h.Staff.FindInvitation(c.Request.Context(), code, c.ClientIP()); err != nil {
		return refused(c, err, func(problem *web.Problem) templ.Component {
			return web.InviteCode(web.InviteCodePage{Frame: frame(c), Code: c.PostForm("code"), Problem: problem})
		})
	}
	return seeOther(c, web.To(web.PathInvite, code))
}

// GET /einladung/:token
func (h *Handler) showInvite(c *gin.Context) error {
	invited, err := h.Staff.FindInvitation(c.Request.Context(), c.Param("token"), c.ClientIP())
	if err != nil {
		return refused(c, err, func(problem *web.Problem) templ.Component {
			return web.InviteCode(web.InviteCodePage{Frame: frame(c), Code: c.Param("token"), Problem: problem})
		})
	}
	return page(c, h.invitePage(c, invited, nil))
}

// POST /einladung/:token
func (h *Handler) acceptInvite(c *gin.Context) error {
	ctx, from, password := c.Request.Context(), c.ClientIP(), c.PostForm("password")
	invited, err := h.Staff.FindInvitation(ctx, c.Param("token"), from)
	if err != nil {
		return h.showInvite(c)
	}
	err = sameTwice(password, c.PostForm("again"))
	if err == nil {
		_, err = h.Staff.Accept(ctx, c.Param("token"), password, from)
	}
	if err != nil {
		return again(c, err, func(problem *web.Problem) templ.Component { return h.invitePage(c, invited, problem) })
	}
	return h.enterWith(c, invited.Person.Login, password)
}

func (h *Handler) invitePage(c *gin.Context, invited staff.Invited, problem *web.Problem) templ.Component {
	return web.Invite(web.InvitePage{
		Frame: frame(c), Token: c.Param("token"), Name: invited.Person.Full(), Email: invited.Person.Login, Place: h.homeName(c, invited.Person),
		Roles: roles(invited.Person.Roles()), InvitedBy: invited.By, ValidUntil: invited.Until, Problem: problem,
	})
}

// homeName names the place where an invited person will work. Nobody is signed
// in yet, so the person's own rights are what is asked with.
func (h *Handler) homeName(c *gin.Context, person staff.Person) string {
	id := firstSchool(may.Actor{Grants: person.Grants})
	if id == "" {
		return ""
	}
	school, err := h.Roster.School(c.Request.Context(), may.Actor{ID: person.ID, Grants: person.Grants}, id)
	if err != nil {
		return ""
	}
	return school.Name
}

// GET /passwort
func (h *Handler) showReset(c *gin.Context) error {
	return page(c, web.Reset(web.ResetPage{Frame: frame(c), Email: query(c, "email"), Code: query(c, "code")}))
}

// POST /passwort
func (h *Handler) reset(c *gin.Context) error {
	email, code, password := field(c, "email"), field(c, "code"), c.PostForm("password")
	err := sameTwice(password, c.PostForm("again"))
	var person staff.Person
	if err == nil {
		person, err = h.Staff.ResetPassword(c.Request.Context(), email, code, password, c.ClientIP())
	}
	if err != nil {
		return refused(c, err, func(problem *web.Problem) templ.Component {
			return web.Reset(web.ResetPage{Frame: frame(c), Email: email, Code: code, Problem: problem})
		})
	}
	return h.enterWith(c, person.Login, password)
}

// enterWith signs in who has just chosen a password, by the way everybody goes:
// a second factor is still asked for.
func (h *Handler) enterWith(c *gin.Context, login, password string) error {
	in, err := h.Staff.SignIn(c.Request.Context(), staff.Attempt{Login: login, Password: password, From: c.ClientIP(), Via: "console"})
	if err != nil {
		return err
	}
	return h.enter(c, in, "")
}

func sameTwice(password, again string) error {
	if password != again {
		return errs.E(errs.Invalid, "staff.passwords_differ").In("again")
	}
	return nil
}

func roles(have []may.Role) []web.Role {
	list := make([]web.Role, len(have))
	for i, role := range have {
		list[i] = web.Role(role)
	}
	return list
}

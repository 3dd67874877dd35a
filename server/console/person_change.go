package console

import (
	"log/slog"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/staff"
	"schulwart.org/web"
)

// GET /personen/einladen
func (h *Handler) askInvite(c *gin.Context) error {
	return h.drawInvitePerson(c, http.StatusOK, nil)
}

func (h *Handler) drawInvitePerson(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	places, err := h.workplaces(c)
	if err != nil {
		return err
	}
	groups, _, err := h.Roster.Groups(ctx, v.actor, roster.GroupFilter{School: branch.School, Limit: 200})
	if err != nil {
		return err
	}
	role, place := field(c, "role"), field(c, "place")
	if role == "" {
		role = string(may.Teacher)
	}
	if place == "" {
		place = placeValue(branch)
	}
	shown := web.InvitePersonPage{
		Frame: v.frame, Name: field(c, "name"), Email: field(c, "email"), Roles: roleOptions(v.actor, places, role),
		Places: h.placeOptions(c, places, place), Mail: h.Mail.Ready(ctx), Problem: problem,
	}
	for _, group := range groups {
		if group.Kind == org.Class || group.Kind == org.Course {
			shown.Groups = append(shown.Groups, web.Option{Value: group.ID.String(), Label: group.Name, Chosen: slices.Contains(ticked(c, "group"), group.ID)})
		}
	}
	return show(c, status, web.InvitePerson(shown))
}

// POST /personen/einladen
func (h *Handler) invitePerson(c *gin.Context) error {
	ctx, who := c.Request.Context(), actor(c)
	grant, err := h.grantOf(c)
	if err != nil {
		return err
	}
	made, err := h.Staff.Invite(ctx, who, staff.Invitation{Name: field(c, "name"), Login: field(c, "email"), Role: grant.Role, Branch: grant.Branch})
	if problem := startFault(err); problem != nil {
		return h.drawInvitePerson(c, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	for _, group := range ticked(c, "group") {
		if err := h.Roster.AddTeacher(ctx, who, group, made.Person.ID); err != nil {
			return err
		}
	}
	return h.handOver(c, made, c.PostForm("by") == "mail")
}

// POST /personen/:person/zuruecksetzen
func (h *Handler) resetPerson(c *gin.Context) error {
	made, err := h.Staff.Reset(c.Request.Context(), actor(c), param(c, "person"))
	if problem := startFault(err); problem != nil {
		return h.drawPerson(c, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	return h.handOver(c, made, false)
}

// handOver sends a code or keeps it for the next page, which shows it once.
func (h *Handler) handOver(c *gin.Context, made staff.Made, byMail bool) error {
	ctx := c.Request.Context()
	mailed := false
	if byMail {
		lang := web.Language(made.Person.Lang)
		err := h.Mail.Send(ctx, made.Person.Login, web.T(lang, "mail.invite.subject"),
			web.T(lang, "mail.invite.text", "name", made.Person.Display(), "by", actor(c).Name, "url", h.PublicURL+web.To(web.PathInvite, staff.ReadCode(made.Code)), "code", made.Code))
		if mailed = err == nil; err != nil {
			h.logged(c, slog.LevelWarn, "sending an invitation", err)
			h.flash(ctx, web.FlashTrouble, "mail_failed")
		}
	}
	if err := h.Staff.HandOver(ctx, actor(c), made, mailed); err != nil {
		return err
	}
	return seeOther(c, web.To(web.PathPerson, made.Person.ID.String()))
}

// GET /personen/:person/blatt
func (h *Handler) inviteSheet(c *gin.Context) error {
	v := visitor(c)
	kept, err := h.Staff.Handover(c.Request.Context(), v.actor, param(c, "person"))
	if err != nil {
		return err
	}
	made := h.madeCode(kept)
	if made == nil {
		return seeOther(c, web.To(web.PathPerson, c.Param("person")))
	}
	return page(c, web.InviteSheet(web.InviteSheetPage{Frame: v.frame, School: v.placeName(), Made: *made}))
}

// POST /personen/:person/rollen
func (h *Handler) changeRoles(c *gin.Context) error {
	grant, err := h.grantOf(c)
	if err == nil {
		if c.PostForm("action") == "remove" {
			return h.personDone(c, h.Staff.Take(c.Request.Context(), actor(c), param(c, "person"), grant), "role_removed")
		}
		err = h.Staff.Give(c.Request.Context(), actor(c), param(c, "person"), grant)
	}
	return h.personDone(c, err, "role_added")
}

// POST /personen/:person/sperren
func (h *Handler) lockPerson(c *gin.Context) error {
	locked := c.PostForm("locked") == "1"
	said := "person_unlocked"
	if locked {
		said = "person_locked"
	}
	return h.personDone(c, h.Staff.SetLocked(c.Request.Context(), actor(c), param(c, "person"), locked), said)
}

func (h *Handler) personDone(c *gin.Context, err error, said string) error {
	switch {
	case err == nil:
		h.flash(c.Request.Context(), web.FlashDone, said)
		return seeOther(c, web.To(web.PathPerson, c.Param("person")))
	case startFault(err) != nil:
		return h.drawPerson(c, http.StatusUnprocessableEntity, startFault(err))
	}
	return err
}

package console

import (
	"net/http"
	"time"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/enroll"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// GET /aufnahme
func (h *Handler) listTokens(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	list, err := h.Enroll.ListTokens(ctx, v.actor, enroll.TokenFilter{School: branch.School, After: org.ID(query(c, "cursor"))})
	if err != nil {
		return err
	}
	rows := make([]web.TokenRow, len(list.Items))
	for i, token := range list.Items {
		rows[i] = tokenRow(token)
	}
	return page(c, web.Tokens(web.TokensPage{
		Frame: v.frame, Rows: rows, Pager: pager(c, list.Next.String(), len(rows)), MayMake: may.Can(v.actor, may.TokenWrite, branch),
	}))
}

func tokenRow(token enroll.Token) web.TokenRow {
	target := token.Place.GroupName
	if target == "" {
		target = token.Place.School
	}
	return web.TokenRow{
		ID: token.ID.String(), Target: target, Note: token.Note, Uses: token.Uses, MaxUses: token.MaxUses, Expires: token.Expires,
		Revoked: !token.Revoked.IsZero(), By: token.By,
	}
}

// GET /aufnahme/:token
func (h *Handler) showToken(c *gin.Context) error {
	v := visitor(c)
	token, used, err := h.Enroll.Token(c.Request.Context(), v.actor, param(c, "token"))
	if err != nil {
		return err
	}
	shown := web.TokenPage{
		Frame: v.frame, Row: tokenRow(token), Fingerprint: h.Enroll.Fingerprint(), Serials: token.Serials,
		MayRevoke: may.Can(v.actor, may.TokenWrite, token.Place.Branch) && token.Revoked.IsZero(),
	}
	if token.Valid(h.Now()) == nil {
		shown.URL, shown.QR, shown.Command = token.URL, code(token.URL), enrolCommand(token.URL)
	}
	for _, use := range used {
		shown.Used = append(shown.Used, web.TokenUse{Device: web.DeviceRef{ID: use.Device.String(), Name: use.Name}, Serial: use.Serial, At: use.At})
	}
	return page(c, web.Token(shown))
}

// GET /aufnehmen/:link
//
// Whoever has the link may let devices in, so that the place may be read, too.
func (h *Handler) showTokenLink(c *gin.Context) error {
	shown := web.TokenLinkPage{Frame: frame(c)}
	c.Header("Cache-Control", "no-store")
	token, err := h.Enroll.Open(c.Request.Context(), c.Param("link"))
	if err == nil {
		shown.ID = token.ID.String()
		err = token.Valid(h.Now())
	}
	if err != nil {
		return refused(c, err, func(problem *web.Problem) templ.Component {
			shown.Problem = problem
			return web.TokenLink(shown)
		})
	}
	shown.School, shown.Group, shown.Expires = token.Place.School, token.Place.GroupName, token.Expires
	shown.QR, shown.Command = code(token.URL), enrolCommand(token.URL)
	return page(c, web.TokenLink(shown))
}

// enrolCommand is what is typed on the device. The link has a # in it, which a
// shell must not take for a comment.
func enrolCommand(url string) string { return "sudo schulwart-agent enroll '" + url + "'" }

// GET /aufnahme/:token/blatt
func (h *Handler) tokenSheet(c *gin.Context) error {
	v := visitor(c)
	token, _, err := h.Enroll.Token(c.Request.Context(), v.actor, param(c, "token"))
	if err != nil {
		return err
	}
	if err := token.Valid(h.Now()); err != nil {
		return err
	}
	return page(c, web.TokenSheet(web.TokenSheetPage{
		Frame: v.frame, Row: tokenRow(token), School: token.Place.School, URL: token.URL, QR: code(token.URL),
		Fingerprint: h.Enroll.Fingerprint(), Command: enrolCommand(token.URL),
	}))
}

// GET /aufnahme/neu
func (h *Handler) newToken(c *gin.Context) error { return h.drawNewToken(c, http.StatusOK, nil) }

func (h *Handler) drawNewToken(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	if _, err := may.Do(v.actor, may.TokenWrite, branch); err != nil {
		return err
	}
	target := field(c, "target")
	if target == "" {
		target = query(c, "group")
	}
	groups, _, err := h.Roster.Groups(ctx, v.actor, roster.GroupFilter{School: branch.School, Limit: 200})
	if err != nil {
		return err
	}
	shown := web.TokenNewPage{
		Frame: v.frame, Uses: number(c, "uses", 30), Hours: number(c, "hours", 24), Serials: c.PostForm("serials"), Note: field(c, "note"), Problem: problem,
		Targets: []web.Option{{Value: schoolTarget, Label: v.school.Name, Chosen: target == "" || target == schoolTarget}},
	}
	for _, group := range groups {
		shown.Targets = append(shown.Targets, web.Option{Value: group.ID.String(), Label: group.Name, Chosen: group.ID.String() == target})
	}
	return show(c, status, web.TokenNew(shown))
}

// schoolTarget is the value of a form for "the school, and no group".
const schoolTarget = "school"

// POST /aufnahme/neu
func (h *Handler) makeToken(c *gin.Context) error {
	v := visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	wanted := enroll.NewToken{
		School: branch.School, Uses: number(c, "uses", 0), For: time.Duration(number(c, "hours", 0)) * time.Hour,
		Serials: []string{c.PostForm("serials")}, Note: field(c, "note"),
	}
	if target := field(c, "target"); target != schoolTarget {
		wanted.Group = org.ID(target)
	}
	token, err := h.Enroll.CreateToken(c.Request.Context(), v.actor, wanted)
	if problem := startFault(err); problem != nil {
		if problem.Field == "expires_in" {
			problem.Field = "hours"
		}
		return h.drawNewToken(c, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	return seeOther(c, web.To(web.PathToken, token.ID.String()))
}

// POST /aufnahme/:token/widerrufen
func (h *Handler) revokeToken(c *gin.Context) error {
	if err := h.Enroll.Revoke(c.Request.Context(), actor(c), param(c, "token")); err != nil {
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "token_revoked")
	return seeOther(c, web.To(web.PathToken, c.Param("token")))
}

package console

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/server/audit"
	"schulwart.org/server/errs"
	"schulwart.org/web"
)

// GET /konto
func (h *Handler) showAccount(c *gin.Context) error { return h.drawAccount(c, http.StatusOK, nil) }

func (h *Handler) drawAccount(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	account := web.AccountPage{
		Frame: v.frame, Email: v.person.Login, Roles: roles(v.person.Roles()), SecondFactor: v.person.Factor, Problem: problem,
	}
	sessions, err := h.Staff.Sessions(ctx, v.actor)
	if err != nil {
		return err
	}
	for _, session := range sessions {
		account.Sessions = append(account.Sessions, web.Session{
			ID: session.ID, Browser: session.Browser, From: session.From, Seen: session.Seen, This: session.ID == h.Sessions.This(ctx),
		})
	}
	if account.Looks, err = h.looks(c); err != nil {
		return err
	}
	if account.Begin, err = h.factorBegun(c, v); err != nil {
		return err
	}
	return show(c, status, web.Account(account))
}

// looks lists what others did with the person's account.
func (h *Handler) looks(c *gin.Context) ([]web.Look, error) {
	const most = 20
	entries, err := h.Audit.Mine(c.Request.Context(), actor(c), most)
	if err != nil {
		return nil, err
	}
	var looks []web.Look
	for _, entry := range entries {
		if entry.Actor != actor(c).ID {
			looks = append(looks, web.Look{At: entry.At, By: entry.ActorName, What: look(entry)})
		}
	}
	return looks, nil
}

func look(entry audit.Entry) web.Sentence { return web.Sentence{Key: entry.Action} }

// factorBegun is the secret of a second factor that waits for its first code,
// shown while the person is at it.
func (h *Handler) factorBegun(c *gin.Context, v *visit) (*web.SecondFactorSetup, error) {
	ctx := c.Request.Context()
	if v.person.Factor || c.Query("zweiter") == "" && c.FullPath() == web.PathAccount && !h.Sessions.MustAdd(ctx) {
		return nil, nil
	}
	factor, err := h.Staff.PendingFactor(ctx, v.actor)
	if errs.Is(err, errs.NotFound) {
		if !h.Sessions.MustAdd(ctx) {
			return nil, nil
		}
		factor, err = h.Staff.BeginFactor(ctx, v.actor)
	}
	if err != nil {
		return nil, err
	}
	return &web.SecondFactorSetup{Secret: factor.Secret, QR: code(factor.URL)}, nil
}

// POST /konto/passwort
func (h *Handler) changePassword(c *gin.Context) error {
	ctx, password := c.Request.Context(), c.PostForm("password")
	err := sameTwice(password, c.PostForm("again"))
	if err == nil {
		err = h.Staff.ChangePassword(ctx, actor(c), h.Sessions.This(ctx), c.PostForm("old"), password)
	}
	return h.accountDone(c, err, "password_changed")
}

// POST /konto/zweiter
func (h *Handler) changeFactor(c *gin.Context) error {
	ctx := c.Request.Context()
	switch c.PostForm("action") {
	case "begin":
		if _, err := h.Staff.BeginFactor(ctx, actor(c)); err != nil {
			return h.accountDone(c, err, "")
		}
		return seeOther(c, web.With(web.PathAccount, "zweiter", "1"))
	case "remove":
		return h.accountDone(c, h.Staff.RemoveFactor(ctx, actor(c), c.PostForm("code")), "factor_off")
	}
	err := h.Staff.ConfirmFactor(ctx, actor(c), c.PostForm("code"))
	if err == nil {
		h.Sessions.FactorAdded(ctx)
	}
	return h.accountDone(c, err, "factor_on")
}

// POST /konto/sitzung-ende
func (h *Handler) endSession(c *gin.Context) error {
	return h.accountDone(c, h.Staff.EndSession(c.Request.Context(), actor(c), c.PostForm("session")), "session_ended")
}

func (h *Handler) accountDone(c *gin.Context, err error, said string) error {
	if err == nil {
		h.flash(c.Request.Context(), web.FlashDone, said)
		return seeOther(c, web.PathAccount)
	}
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Denied, errs.Conflict, errs.TooMany:
		return h.drawAccount(c, http.StatusUnprocessableEntity, problemOf(err))
	}
	return err
}

// POST /einstellungen
//
// Language and colours, before sign-in too: then a cookie remembers them.
func (h *Handler) setPreferences(c *gin.Context) error {
	v := visitor(c)
	lang, theme := v.person.Lang, v.person.Theme
	if asked := c.PostForm("lang"); asked == web.Language(asked) {
		lang = asked
		h.cookie(c, "lang", lang)
	}
	if asked, there := c.GetPostForm("theme"); there {
		if theme = asked; theme != "light" && theme != "dark" {
			theme = ""
		}
		h.cookie(c, "theme", theme)
	}
	if v.frame.Person.SignedIn() {
		if err := h.Staff.SetPreferences(c.Request.Context(), v.actor, lang, theme); err != nil {
			return err
		}
	}
	return seeOther(c, ownPath(c.PostForm("back"), web.PathHome))
}

func (h *Handler) cookie(c *gin.Context, name, value string) {
	cookie := &http.Cookie{Name: name, Value: value, Path: "/", Secure: h.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(365 * 24 * time.Hour / time.Second)}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(c.Writer, cookie)
}

// GET /
func (h *Handler) showHome(c *gin.Context) error {
	v := visitor(c)
	if !v.frame.Person.SignedIn() {
		any, err := h.Staff.Any(c.Request.Context())
		if err == nil && !any {
			return seeOther(c, web.To(web.PathSetup, string(web.SetupAddress)))
		}
		return seeOther(c, web.PathLogin)
	}
	if len(v.frame.Nav) == 0 {
		return seeOther(c, web.PathHelp)
	}
	return seeOther(c, v.frame.Nav[0].URL)
}

// GET /offline
func (h *Handler) showOffline(c *gin.Context) error {
	v := visitor(c)
	v.frame.Person, v.frame.Nav = web.Person{}, nil // the worker keeps this page for whoever comes next
	return page(c, web.Offline(web.OfflinePage{Frame: v.frame}))
}

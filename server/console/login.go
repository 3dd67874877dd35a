package console

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"schulwart.org/server/errs"
	"schulwart.org/server/staff"
	"schulwart.org/web"
)

// GET /anmelden
func (h *Handler) showLogin(c *gin.Context) error {
	next := ownPath(c.Query("next"), "")
	if frame(c).Person.SignedIn() {
		return seeOther(c, ownPath(next, web.PathHome))
	}
	return page(c, web.Login(web.LoginPage{Frame: frame(c), Next: next}))
}

// POST /anmelden
func (h *Handler) login(c *gin.Context) error {
	next := ownPath(c.PostForm("next"), "")
	in, err := h.Staff.SignIn(c.Request.Context(), staff.Attempt{Login: c.PostForm("email"), Password: c.PostForm("password"), From: c.ClientIP(), Via: "console"})
	if err != nil {
		return refused(c, err, func(problem *web.Problem) templ.Component {
			return web.Login(web.LoginPage{Frame: frame(c), Email: field(c, "email"), Next: next, Wait: seconds(problem), Problem: problem})
		})
	}
	return h.enter(c, in, next)
}

// enter begins the session and leads on: to the second factor, to where the
// person wanted to go, or home.
func (h *Handler) enter(c *gin.Context, in staff.SignedIn, next string) error {
	ctx := c.Request.Context()
	if err := h.Sessions.Begin(ctx, in, staff.Client{Browser: browserName(c.Request.UserAgent()), From: c.ClientIP()}); err != nil {
		return err
	}
	if in.NeedsCode {
		return seeOther(c, web.With(web.PathSecondFactor, "next", next))
	}
	return seeOther(c, ownPath(next, web.PathHome))
}

// GET /anmelden/code
func (h *Handler) showSecondFactor(c *gin.Context) error {
	if h.Sessions.Pending(c.Request.Context()) == "" {
		return seeOther(c, web.PathLogin)
	}
	return page(c, web.SecondFactor(web.SecondFactorPage{Frame: frame(c), Next: ownPath(c.Query("next"), "")}))
}

// POST /anmelden/code
func (h *Handler) secondFactor(c *gin.Context) error {
	ctx, next := c.Request.Context(), ownPath(c.PostForm("next"), "")
	id := h.Sessions.Pending(ctx)
	if id == "" {
		return seeOther(c, web.PathLogin)
	}
	person, err := h.Staff.CheckFactor(ctx, id, c.PostForm("code"), c.ClientIP(), "console")
	if err != nil {
		return refused(c, err, func(problem *web.Problem) templ.Component {
			return web.SecondFactor(web.SecondFactorPage{Frame: frame(c), Next: next, Problem: problem})
		})
	}
	return h.enter(c, staff.SignedIn{Person: person}, next)
}

// POST /abmelden
func (h *Handler) logout(c *gin.Context) error {
	if err := h.Sessions.End(c.Request.Context()); err != nil {
		return err
	}
	v := visitor(c)
	v.frame.Person, v.frame.Nav = web.Person{}, nil
	return page(c, web.SignedOut(web.SignedOutPage{Frame: v.frame}))
}

// refused is again for pages before sign-in, where being denied is an answer
// about what was typed.
func refused(c *gin.Context, err error, form func(*web.Problem) templ.Component) error {
	if errs.Is(err, errs.Denied) || errs.Is(err, errs.NotFound) {
		return show(c, http.StatusUnprocessableEntity, form(problemOf(err)))
	}
	return again(c, err, form)
}

// seconds is how long to wait before the next try.
func seconds(problem *web.Problem) int {
	if problem == nil {
		return 0
	}
	n, _ := problem.Args["seconds"].(int)
	return n
}

package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"schulwart.org/server/errs"
	"schulwart.org/server/httpx"
	"schulwart.org/web"
)

// Errors that lead elsewhere instead of saying something.
var (
	errSignIn  = errors.New("nobody is signed in")
	errNoPlace = errors.New("no school was chosen")
)

// statusOf is httpx.Status and what only this door answers.
func statusOf(err error) int {
	if errs.Is(err, errs.TooMany) {
		return http.StatusTooManyRequests
	}
	return httpx.Status(err)
}

// fail is the one exit for errors: a fault that a person can read becomes its
// sentence, anything else "something went wrong" with the id under which the
// operator finds the cause.
func (h *Handler) fail(c *gin.Context, err error) {
	if c.Writer.Written() {
		h.logged(c, slog.LevelError, "fault after the answer began", err)
		return
	}
	if errors.Is(err, errSignIn) {
		h.askToSignIn(c)
		return
	}
	if errors.Is(err, errNoPlace) {
		c.Redirect(http.StatusSeeOther, web.PathSchools)
		return
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = errs.E(errs.Invalid, "too_large").Because(err)
	}
	kind := errs.KindOf(err)
	status := statusOf(err)
	switch {
	case errors.Is(err, context.Canceled):
		return // whoever asked has gone
	case kind == errs.Internal:
		h.logged(c, slog.LevelError, "request failed", err)
	case kind == errs.Unavailable:
		h.logged(c, slog.LevelWarn, "request refused for now", err)
	default:
		h.logged(c, slog.LevelDebug, "request refused", err)
	}
	problem := problemOf(err)
	if drawErr := show(c, status, web.Error(web.ErrorPage{
		Frame: visitor(c).frame, Status: status, Problem: problem, RequestID: requestID(c), Back: back(c),
	})); drawErr != nil {
		h.logged(c, slog.LevelError, "error page failed", drawErr)
		http.Error(c.Writer, http.StatusText(status), status)
	}
}

// askToSignIn leads to the sign-in page and from there back to where the person
// wanted to go.
func (h *Handler) askToSignIn(c *gin.Context) {
	next := ""
	if c.Request.Method == http.MethodGet && !byScript(c) {
		next = c.Request.URL.RequestURI()
	}
	to := web.With(web.PathLogin, "next", next)
	if byScript(c) {
		// A sign-in page inside a board would help nobody: the whole page goes.
		c.Header("HX-Redirect", to)
		c.Status(http.StatusNoContent)
		c.Writer.WriteHeaderNow()
		return
	}
	c.Redirect(http.StatusSeeOther, to)
}

// problemOf returns what a person can read of an error, nil for trouble inside.
func problemOf(err error) *web.Problem {
	fault := errs.Find(err)
	if fault == nil || fault.Kind == errs.Internal {
		return nil
	}
	return &web.Problem{Key: fault.Key, Args: fault.Args, Field: fault.Field}
}

// again answers a form that could not be accepted: the same page, values kept,
// with the problem. Errors that no change of the form can mend are returned.
func again(c *gin.Context, err error, form func(*web.Problem) templ.Component) error {
	switch kind := errs.KindOf(err); kind {
	case errs.Invalid, errs.Conflict, errs.TooMany:
		// htmx shows only 422 of the 4xx answers; the sentence says the rest.
		return show(c, http.StatusUnprocessableEntity, form(problemOf(err)))
	}
	return err
}

// back is where the person came from, if that was a page of ours.
func back(c *gin.Context) string {
	from, err := url.Parse(c.GetHeader("Referer"))
	if err != nil || from.Host != c.Request.Host || from.Path == c.Request.URL.Path {
		return ""
	}
	return from.RequestURI()
}

// ownPath returns a path of ours, or the fallback for anything that would lead
// elsewhere.
func ownPath(path, fallback string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n") {
		return fallback
	}
	return path
}

package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"schulwart.org/server/errs"
	"schulwart.org/server/httpx"
)

// Problem is the body of every fault (RFC 9457).
type Problem struct {
	Type   string         `json:"type" doc:"about:blank" example:"about:blank"`
	Title  string         `json:"title" doc:"Text of the status." example:"Unprocessable Entity"`
	Status int            `json:"status" example:"422"`
	Detail string         `json:"detail" doc:"What is wrong, for people, in the language that was asked for." example:"Dieser Modus dauert höchstens 90 Minuten."`
	Key    string         `json:"key" doc:"What is wrong, for programs. Stable." example:"mode.too_long"`
	Args   map[string]any `json:"args,omitempty" doc:"Values that the text speaks of." example:"{\"minutes\":90}"`
	Field  string         `json:"field,omitempty" doc:"The input at fault."`
	Errors []Detail       `json:"errors,omitempty" doc:"Inputs that do not fit this description."`
	// Instance is the request's number in the server's log.
	Instance string `json:"instance,omitempty" doc:"Number of the request in the server's log."`

	wait int // seconds, for Retry-After
}

// Detail is one input that does not fit the description.
type Detail struct {
	Location string `json:"location,omitempty" example:"body.minutes"`
	Message  string `json:"message"`
}

// Error is what the log says of it.
func (p *Problem) Error() string { return strconv.Itoa(p.Status) + " " + p.Key }

// GetStatus is part of huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is part of huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders is part of huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	header := http.Header{}
	if p.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="schulwart"`)
	}
	if p.wait > 0 {
		header.Set("Retry-After", strconv.Itoa(p.wait))
	}
	return header
}

// unauthorized is a fault of who asks, not of what is asked.
type unauthorized struct{ error }

func (u unauthorized) Unwrap() error { return u.error }

var (
	errNoToken = unauthorized{errs.E(errs.Denied, "api.no_token")}
	errMethod  = errors.New("api: method not allowed")
)

func statusOf(err error) int {
	var who unauthorized
	if errors.As(err, &who) {
		return http.StatusUnauthorized
	}
	if errors.Is(err, errMethod) {
		return http.StatusMethodNotAllowed
	}
	return httpx.Status(err)
}

// problem is the one exit for faults of rooms. It logs the cause once.
func (d *door) problem(ctx context.Context, err error) *Problem {
	a, status := askedOf(ctx), statusOf(err)
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Key: "internal", Instance: httpx.RequestID(ctx)}
	fault := errs.Find(err)
	switch {
	case fault != nil:
		p.Key, p.Args, p.Field = fault.Key, fault.Args, fault.Field
		p.wait, _ = fault.Args["seconds"].(int)
	case status == http.StatusMethodNotAllowed:
		p.Key = "api.method"
	}
	p.Detail = d.say(a.lang, p, fault)
	if !errors.Is(err, context.Canceled) {
		d.Log.Log(ctx, levelOf(status), "program's request refused", "request", p.Instance, "path", a.path, "status", status, "error", err)
	}
	return p
}

func levelOf(status int) slog.Level {
	if status >= http.StatusInternalServerError {
		return slog.LevelError
	}
	return slog.LevelDebug
}

func (d *door) say(lang string, p *Problem, fault *errs.Error) string {
	if d.Translate == nil {
		return p.Key
	}
	if fault == nil {
		fault = errs.E(errs.Internal, p.Key, "request", p.Instance)
	}
	return d.Translate(lang, fault)
}

// answer writes a fault where huma is not reached.
func (d *door) answer(c *gin.Context, err error) {
	p := d.problem(c.Request.Context(), err)
	for name, values := range p.GetHeaders() {
		c.Writer.Header()[name] = values
	}
	c.Header("Content-Type", p.ContentType(""))
	c.AbortWithStatusJSON(p.Status, p)
}

// recover turns a panic into a problem and one line in the log.
func (d *door) recover(c *gin.Context) {
	defer func() {
		if broken := recover(); broken != nil {
			if broken == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so, too
				panic(broken)
			}
			d.answer(c, fmt.Errorf("panic: %v\n%s", broken, debug.Stack()))
		}
	}()
	c.Next()
}

// What huma itself finds wrong, before a handler is asked, comes out in the same
// form. Its hook is global, so it is set once, here.
func init() {
	huma.NewError = func(status int, message string, causes ...error) huma.StatusError {
		p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Key: "api.request", Detail: message}
		for _, cause := range causes {
			var detail *huma.ErrorDetail
			if errors.As(cause, &detail) {
				p.Errors = append(p.Errors, Detail{detail.Location, detail.Message})
				if p.Field == "" {
					p.Field = detail.Location[strings.LastIndexByte(detail.Location, '.')+1:]
				}
			} else if cause != nil {
				p.Errors = append(p.Errors, Detail{Message: cause.Error()})
			}
		}
		return p
	}
	plain := huma.NewErrorWithContext
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, causes ...error) huma.StatusError {
		err := plain(ctx, status, message, causes...)
		if p, ok := err.(*Problem); ok && ctx != nil {
			p.Instance = httpx.RequestID(ctx.Context())
			if a := askedOf(ctx.Context()); a.say != nil && status == http.StatusUnprocessableEntity {
				p.Detail = a.say(a.lang, errs.E(errs.Invalid, p.Key))
			}
		}
		return err
	}
}

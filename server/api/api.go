// Package api is the door for programs: JSON over HTTP under /api/v1, described
// by /api/openapi.json, which the Go types here are. It reads, asks one room,
// answers.
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/audit"
	"schulwart.org/server/calendar"
	"schulwart.org/server/enroll"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/httpx"
	"schulwart.org/server/lesson"
	"schulwart.org/server/licence"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
	"schulwart.org/server/rollout"
	"schulwart.org/server/roster"
	"schulwart.org/server/shelf"
	"schulwart.org/server/staff"
	"schulwart.org/server/standard"
)

// Deps are the rooms that programs ask, and what the door must know of the
// installation.
type Deps struct {
	Log *slog.Logger
	Now func() time.Time

	Staff     *staff.Service
	Roster    *roster.Service
	Standard  *standard.Service
	Lessons   Lessons
	Exams     *exam.Service
	Packages  *packages.Service
	Rollouts  *rollout.Service
	Calendars *calendar.Service
	Licences  *licence.Service
	Shelf     *shelf.Service
	Presence  lesson.Presence
	Tokens    Tokens
	Audit     *audit.Service
	Sheets    Sheets

	// Translate writes a fault in a language ("de", "en"); nil for the key alone.
	Translate func(lang string, fault *errs.Error) string
	Proxies   []string // proxies whose word on the client's address is believed
	Version   string
}

// Lessons is the part of the lesson room that programs need.
type Lessons interface {
	Start(ctx context.Context, actor may.Actor, request lesson.Request) (lesson.Mode, error)
	Find(ctx context.Context, actor may.Actor, id org.ID) (lesson.Mode, []lesson.DeviceMode, error)
	Extend(ctx context.Context, actor may.Actor, id org.ID, minutes int) (lesson.Mode, error)
	End(ctx context.Context, actor may.Actor, id org.ID, devices ...org.ID) (lesson.Mode, error)
	ReleaseCode(ctx context.Context, actor may.Actor, id, device org.ID, challenge string) (lesson.Code, error)
	Leases(ctx context.Context, branch org.Branch, device org.ID) ([]lesson.DeviceMode, error)
}

// Tokens is the part of the enrolment room that programs need.
type Tokens interface {
	CreateToken(ctx context.Context, actor may.Actor, wanted enroll.NewToken) (enroll.Token, error)
	ListTokens(ctx context.Context, actor may.Actor, filter enroll.TokenFilter) (enroll.TokenList, error)
	Token(ctx context.Context, actor may.Actor, id org.ID) (enroll.Token, []enroll.Use, error)
	Revoke(ctx context.Context, actor may.Actor, id org.ID) error
}

// Route is one address of the program interface and what it needs.
type Route struct {
	Method  string
	Pattern string     // as OpenAPI writes it: /api/v1/devices/{id}
	Needs   may.Action // may.AccountOwn: anybody with a token
	Public  bool       // no token is needed
}

// door is the program interface while it is put together.
type door struct {
	Deps
	api    huma.API
	routes []Route
}

// mostBody bounds a request, where its operation says nothing else: the largest
// is a list of serial numbers.
const mostBody = 1 << 20

// New returns the program interface as one handler for /api/.
func New(deps Deps) http.Handler {
	handler, _ := build(deps)
	return handler
}

// Routes lists every address of the program interface.
func Routes() []Route {
	_, d := build(Deps{})
	return d.routes
}

// OpenAPI returns the description of the program interface.
func OpenAPI() ([]byte, error) {
	_, d := build(Deps{Version: "0"})
	return d.api.OpenAPI().MarshalJSON()
}

func build(deps Deps) (http.Handler, *door) {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	d := &door{Deps: deps}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	if err := engine.SetTrustedProxies(deps.Proxies); err != nil {
		deps.Log.Warn("ignoring proxies", "error", err) // config has checked them
	}
	engine.HandleMethodNotAllowed = true
	engine.Use(d.recover, d.guard)
	engine.NoRoute(func(c *gin.Context) { d.answer(c, errs.E(errs.NotFound, "not_found")) })
	engine.NoMethod(func(c *gin.Context) { d.answer(c, errMethod) })
	d.api = humagin.New(engine, settings(deps.Version))
	for _, register := range []func(*door){registerAccount, registerRoster, registerDevices, registerModes, registerExams, registerExamDeeds, registerExamImports, registerExamWork, registerSafeBrowser, registerTokens, registerPolicies, registerEffective, registerDrafts, registerRevisions, registerExceptions, registerEyes, registerTemplates, registerAudit, registerSheets, registerApps, registerRollouts, registerCalendars, registerLicences, registerShelf} {
		register(d)
	}
	return httpx.Numbered(engine), d
}

// settings leave out what huma adds by itself: links to schemas in every answer,
// and a page of documentation that loads a foreign script.
func settings(version string) huma.Config {
	config := huma.DefaultConfig("Schulwart", version)
	config.OpenAPIPath = "/api/openapi"
	config.DocsPath = ""
	config.SchemasPath = ""
	config.CreateHooks = nil
	config.Info.Description = "Manages the laptops and tablets of schools. Lists are read by cursor; faults are problems (RFC 9457) with a stable key."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
	}
	return config
}

// op describes one operation.
type op struct {
	id      string
	method  string
	path    string
	summary string
	needs   may.Action
	public  bool
	status  int   // of success; 0 for 200
	most    int64 // bytes of a request; 0 for mostBody
	file    bool  // the request is a file, whose size the room bounds
}

// handle registers an operation. The handler gets the actor; its fault becomes a
// problem.
func handle[I, O any](d *door, o op, do func(ctx context.Context, actor may.Actor, in *I) (*O, error)) {
	d.routes = append(d.routes, Route{Method: o.method, Pattern: o.path, Needs: o.needs, Public: o.public})
	operation := huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, DefaultStatus: o.status, MaxBodyBytes: cmp.Or(o.most, mostBody),
		Errors: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusTooManyRequests},
	}
	if o.file {
		operation.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	}
	if !o.public {
		operation.Security = []map[string][]string{{"bearer": {}}}
	}
	operation.Middlewares = huma.Middlewares{d.admission(o)}
	huma.Register(d.api, operation, func(ctx context.Context, in *I) (*O, error) {
		actor, _ := httpx.Actor(ctx)
		out, err := do(ctx, actor, in)
		if err != nil {
			return nil, d.problem(ctx, err)
		}
		return out, nil
	})
}

// admission asks before anything of the request is read: whoever may not come in
// is not told what a right request would look like.
func (d *door) admission(o op) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		actor, err := d.admit(ctx.Context(), o)
		if err != nil {
			d.answer(humagin.Unwrap(ctx), err)
			return
		}
		next(huma.WithContext(ctx, httpx.WithActor(ctx.Context(), actor)))
	}
}

// admit asks who it is, and whether they may do this anywhere at all. The room
// asks whether here.
func (d *door) admit(ctx context.Context, o op) (may.Actor, error) {
	asked := askedOf(ctx)
	if o.public {
		return may.Actor{From: asked.from, Via: "api"}, nil
	}
	if asked.token == "" {
		return may.Actor{}, errNoToken
	}
	actor, err := d.Staff.Bearer(ctx, asked.token, asked.from)
	if errs.Is(err, errs.Denied) {
		return may.Actor{}, unauthorized{err}
	}
	if err != nil {
		return may.Actor{}, err
	}
	if o.needs != may.AccountOwn && !may.Anywhere(actor, o.needs) {
		return may.Actor{}, errs.E(errs.Denied, "denied", "action", string(o.needs))
	}
	return actor, nil
}

type askedKey struct{}

// asked is what the door read off a request before huma sees it.
type asked struct {
	token string
	from  string
	lang  string
	path  string
	say   func(lang string, fault *errs.Error) string // nil says the key
}

func askedOf(ctx context.Context) asked {
	a, _ := ctx.Value(askedKey{}).(asked)
	return a
}

// guard reads who asks, and sets what every answer carries. Cookies mean nothing
// here, so no page of another site can ask in somebody's name.
func (d *door) guard(c *gin.Context) {
	token, _ := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
	a := asked{token: strings.TrimSpace(token), from: c.ClientIP(), lang: language(c.GetHeader("Accept-Language")), path: c.Request.URL.Path, say: d.Translate}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), askedKey{}, a))
	header := c.Writer.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("Vary", "Accept-Language")
	c.Next()
}

// language reads the language that a program asks for: German unless it says
// English first.
func language(accept string) string {
	first, _, _ := strings.Cut(accept, ",")
	first, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(first)), ";")
	if first == "en" || strings.HasPrefix(first, "en-") {
		return "en"
	}
	return "de"
}

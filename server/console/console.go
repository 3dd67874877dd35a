package console

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/server/audit"
	"schulwart.org/server/backup"
	"schulwart.org/server/board"
	"schulwart.org/server/calendar"
	"schulwart.org/server/command"
	"schulwart.org/server/enroll"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/httpx"
	"schulwart.org/server/lesson"
	"schulwart.org/server/licence"
	"schulwart.org/server/live"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
	"schulwart.org/server/rollout"
	"schulwart.org/server/roster"
	"schulwart.org/server/setup"
	"schulwart.org/server/shelf"
	"schulwart.org/server/staff"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// Deps are the rooms that the pages ask, and what the door must know of the
// installation.
type Deps struct {
	Log *slog.Logger
	Now func() time.Time

	Sessions  *staff.Sessions
	Staff     *staff.Service
	Roster    *roster.Service
	Standard  *standard.Service
	Lessons   *lesson.Service
	Exams     *exam.Service
	Packages  *packages.Service
	Rollouts  *rollout.Service
	Calendars *calendar.Service
	Licences  *licence.Service
	Shelf     *shelf.Service
	Presence  lesson.Presence
	Live      *live.Hub
	Board     *board.Service
	Enroll    *enroll.Service
	Audit     *audit.Service
	Backup    *backup.Service
	Commands  command.Lister // nil where no device is told by commands
	Mail      Mail
	Setup     *setup.Service // nil where there is nothing to set up
	// Stage is the tour of a demo installation, nil in every other.
	Stage Stage
	// Enrolments ends what a retired device and we have with each other.
	Enrolments Enrolments
	// Keys are those under which modes are signed; nil for none.
	Keys Keys
	// Operations answers for the process; nil where nobody asks.
	Operations Operations
	// Proposer names the hosts that a page needs; nil for one that goes to
	// public addresses only.
	Proposer Proposer
	// Atomically makes the store calls inside one transaction.
	Atomically func(ctx context.Context, do func(ctx context.Context) error) error
	// LinkKey proves the links of pupils' pages, 32 bytes that stay the same.
	LinkKey []byte
	// Help holds the articles, see readHelp; nil for none.
	Help fs.FS

	PublicURL string   // under which people reach the console, without a slash at the end
	Secure    bool     // people come by TLS
	Proxies   []string // proxies whose word on the client's address is believed
	Demo      bool
	Version   string
	Commit    string
	// Stopping is closed when the server stops, so that open streams end.
	Stopping <-chan struct{}
	// Extra mounts further pages, such as the tour of the demo.
	Extra func(*gin.Engine)
}

// Handler answers people.
type Handler struct {
	Deps
	codes    codeShelf
	articles map[string][]article
}

// New returns the console as one handler.
func New(deps Deps) http.Handler {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{Deps: deps.withDefaults()}
	var err error
	if h.articles, err = readHelp(deps.Help); err != nil {
		deps.Log.Error("reading help", "error", err) // the console works without it
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	if err = engine.SetTrustedProxies(deps.Proxies); err != nil {
		deps.Log.Warn("ignoring proxies", "error", err) // config has checked them
	}
	engine.HandleMethodNotAllowed = true
	engine.Use(h.begin, h.recover(), h.guard(), limitBody)
	static := gin.WrapH(web.Static())
	for _, path := range []string{web.PathStatic, web.PathManifest, web.PathWorker} {
		engine.GET(path, static)
		engine.HEAD(path, static)
	}
	for _, route := range Routes() {
		engine.Handle(route.Method, route.Pattern, h.door(route))
	}
	nothing := h.door(Route{Public: true, Part: true, handle: func(*Handler, *gin.Context) error { return errs.E(errs.NotFound, "not_found") }})
	engine.NoRoute(nothing)
	engine.NoMethod(nothing)
	if deps.Extra != nil {
		deps.Extra(engine)
	}
	return httpx.Numbered(h.withSession(engine))
}

// withSession loads the session of whoever asks and saves it before the answer
// begins. Static files have none, and an event stream must not hold one open:
// it reads the session once.
func (h *Handler) withSession(next http.Handler) http.Handler {
	saving := h.Sessions.LoadAndSave(next)
	h.Sessions.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		h.Log.Error("session store", "error", err)
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/static/"), r.URL.Path == web.PathManifest, r.URL.Path == web.PathWorker:
			next.ServeHTTP(w, r)
		case strings.HasSuffix(r.URL.Path, "/live"):
			token := ""
			if cookie, err := r.Cookie(h.Sessions.Cookie.Name); err == nil {
				token = cookie.Value
			}
			ctx, err := h.Sessions.Load(r.Context(), token)
			if err != nil {
				h.Sessions.ErrorFunc(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		default:
			saving.ServeHTTP(w, r)
		}
	})
}

// door wraps a handler: who is it, may they, answer, and one exit for errors.
func (h *Handler) door(route Route) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h.pass(c, route); err != nil {
			h.fail(c, err)
		}
	}
}

func (h *Handler) pass(c *gin.Context, route Route) error {
	if err := h.recognise(c); err != nil {
		return err
	}
	v := visitor(c)
	if !route.Public {
		if !v.frame.Person.SignedIn() {
			return errSignIn
		}
		if h.Sessions.MustAdd(c.Request.Context()) && route.Needs != may.AccountOwn {
			return seeOther(c, web.PathAccount)
		}
		if route.Needs != may.AccountOwn && !may.Anywhere(v.actor, route.Needs) {
			return errs.E(errs.Denied, "denied", "action", string(route.Needs))
		}
	}
	if c.Request.Method == http.MethodGet && !route.Part {
		h.notices(c.Request.Context(), &v.frame)
	}
	return route.handle(h, c)
}

// recover turns a panic into the error page and one line in the log.
func (h *Handler) recover() gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			broken := recover()
			if broken == nil {
				return
			}
			if broken == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so, too
				panic(broken)
			}
			h.fail(c, fmt.Errorf("panic: %v\n%s", broken, debug.Stack()))
			c.Abort()
		}()
		c.Next()
	}
}

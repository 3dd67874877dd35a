package staff

import (
	"context"
	"encoding/json"
	"time"

	"github.com/alexedwards/scs/v2"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Session is one signed-in browser.
type Session struct {
	ID      string // hash of the token, never the token
	Staff   org.ID
	Browser string // as the browser names itself
	From    string
	Created time.Time
	Seen    time.Time
	Until   time.Time
}

// Limits of sessions. A teacher's phone stays signed in for thirty days; who
// can do more has to come back more often.
const (
	phoneLife    = 30 * 24 * time.Hour
	schoolLife   = 14 * 24 * time.Hour
	schoolIdle   = 24 * time.Hour
	operatorLife = 12 * time.Hour
	operatorIdle = time.Hour
	pendingLife  = 10 * time.Minute // between password and second factor
	touchEvery   = 5 * time.Minute  // how exactly "last seen" is kept
)

// limits returns how long a session of the person lasts, and how long it may
// lie idle (0: as long as it lasts).
func limits(person Person) (life, idle time.Duration) {
	life = phoneLife
	for _, grant := range person.Grants {
		switch grant.Role {
		case may.Operator, may.HelpDesk, may.AuthorityAdmin, may.Technician:
			return operatorLife, operatorIdle
		case may.SchoolAdmin, may.Trainee:
			life, idle = schoolLife, schoolIdle
		}
	}
	return life, idle
}

// Shortens reports whether sessions begun with the roles of before may last
// longer than the roles of after allow: they end when the roles change.
func Shortens(before, after Person) bool {
	life, idle := limits(before)
	shorter, sooner := limits(after)
	return shorter < life || sooner > 0 && (idle == 0 || sooner < idle)
}

// SessionStore keeps sessions. FindSession returns nil for none.
type SessionStore interface {
	FindSession(ctx context.Context, token string, at time.Time) ([]byte, error)
	PutSession(ctx context.Context, token string, session Session, data []byte) error
	DeleteSession(ctx context.Context, token string) error
}

// Keys in a session.
const (
	keyStaff   = "staff"   // signed in
	keyPending = "pending" // password was right, the second factor is awaited
	keyBrowser = "browser"
	keyFrom    = "from"
	keyCreated = "created"
	keySeen    = "seen"
	keyIdle    = "idle"
	keyMustAdd = "must_add"
)

// Sessions are the console's sessions. The embedded manager also keeps the
// door's own small things (a flash, the school somebody acts in); values are
// strings only.
type Sessions struct {
	*scs.SessionManager
	now func() time.Time
}

// NewSessions makes the session manager. secure is false only where the console
// is reached by plain HTTP, on loopback.
func NewSessions(store SessionStore, secure bool, now func() time.Time) *Sessions {
	manager := scs.New()
	manager.Store = scsStore{store, now}
	manager.Codec = codec{}
	manager.HashTokenInStore = true
	manager.Lifetime = phoneLife
	manager.Cookie.Name = "schulwart"
	if secure {
		// The prefix binds the cookie to this host and to TLS.
		manager.Cookie.Name = "__Host-schulwart"
	}
	manager.Cookie.Secure = secure
	manager.Cookie.HttpOnly = true
	manager.Cookie.Path = "/"
	return &Sessions{manager, now}
}

// Client is the browser at the door.
type Client struct {
	Browser string
	From    string
}

// Begin signs somebody in: a new token, with the limits of the roles.
func (s *Sessions) Begin(ctx context.Context, in SignedIn, client Client) error {
	if err := s.RenewToken(ctx); err != nil {
		return err
	}
	life, idle := limits(in.Person)
	who := keyStaff
	if in.NeedsCode {
		who, life = keyPending, pendingLife
	}
	s.Remove(ctx, keyStaff)
	s.Remove(ctx, keyPending)
	s.Remove(ctx, keyMustAdd)
	if in.MustAdd {
		s.Put(ctx, keyMustAdd, "1")
	}
	now := s.now().UTC()
	s.Put(ctx, who, in.Person.ID.String())
	s.Put(ctx, keyBrowser, clip(client.Browser, 200))
	s.Put(ctx, keyFrom, client.From)
	s.Put(ctx, keyCreated, now.Format(time.RFC3339))
	s.Put(ctx, keySeen, now.Format(time.RFC3339))
	s.Put(ctx, keyIdle, idle.String())
	s.SetDeadline(ctx, now.Add(life))
	return nil
}

// Who returns who is signed in, or empty. A session that lay idle for too long
// is ended.
func (s *Sessions) Who(ctx context.Context) org.ID {
	staff := s.GetString(ctx, keyStaff)
	if staff == "" {
		return ""
	}
	now := s.now()
	seen, _ := time.Parse(time.RFC3339, s.GetString(ctx, keySeen))
	idle, _ := time.ParseDuration(s.GetString(ctx, keyIdle))
	if idle > 0 && now.Sub(seen) > idle {
		_ = s.Destroy(ctx)
		return ""
	}
	if now.Sub(seen) > touchEvery {
		s.Put(ctx, keySeen, now.UTC().Format(time.RFC3339))
	}
	return org.ID(staff)
}

// Pending returns whose second factor is awaited, or empty.
func (s *Sessions) Pending(ctx context.Context) org.ID { return org.ID(s.GetString(ctx, keyPending)) }

// MustAdd reports whether the person has to set up a second factor before
// anything else; FactorAdded says that it was done.
func (s *Sessions) MustAdd(ctx context.Context) bool { return s.GetString(ctx, keyMustAdd) != "" }

// FactorAdded lets the person on.
func (s *Sessions) FactorAdded(ctx context.Context) { s.Remove(ctx, keyMustAdd) }

// End signs out.
func (s *Sessions) End(ctx context.Context) error { return s.Destroy(ctx) }

// This returns the id of the session of the request, as ListSessions names it.
func (s *Sessions) This(ctx context.Context) string { return hashToken(s.Token(ctx)) }

func clip(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}

// codec writes sessions as JSON, so that the store can read whose they are.
type codec struct{}

type sessionData struct {
	Deadline time.Time      `json:"deadline"`
	Values   map[string]any `json:"values"`
}

func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	return json.Marshal(sessionData{deadline, values})
}

func (codec) Decode(data []byte) (time.Time, map[string]any, error) {
	var d sessionData
	err := json.Unmarshal(data, &d)
	if d.Values == nil {
		d.Values = map[string]any{}
	}
	return d.Deadline, d.Values, err
}

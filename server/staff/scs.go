package staff

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	"schulwart.org/policies/org"
)

// hashToken names a session as the manager names it to its store.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// scsStore makes a SessionStore fit the session manager. The manager always
// calls the methods with a context; the others satisfy its interface.
type scsStore struct {
	store SessionStore
	now   func() time.Time
}

func (s scsStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s scsStore) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

func (s scsStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

func (s scsStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	data, err := s.store.FindSession(ctx, token, s.now())
	return data, data != nil, err
}

func (s scsStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	var d sessionData
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	text := func(key string) string {
		value, _ := d.Values[key].(string)
		return value
	}
	session := Session{ID: token, Staff: org.ID(text(keyStaff)), Browser: text(keyBrowser), From: text(keyFrom), Until: expiry}
	session.Created, _ = time.Parse(time.RFC3339, text(keyCreated))
	session.Seen, _ = time.Parse(time.RFC3339, text(keySeen))
	return s.store.PutSession(ctx, token, session, data)
}

func (s scsStore) DeleteCtx(ctx context.Context, token string) error {
	return s.store.DeleteSession(ctx, token)
}

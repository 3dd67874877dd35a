package console

import (
	"context"
	"sync"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/mail"
	"schulwart.org/web"
)

// Mail sends messages to people, where it is set up.
type Mail interface {
	Ready(ctx context.Context) bool
	Send(ctx context.Context, to, subject, text string) error
	State(ctx context.Context) (mail.State, error)
}

// madeShelf holds codes that were just made for the few minutes in which they
// are handed over. They live in memory only: the database knows no more than
// their hashes.
type madeShelf struct {
	mu    sync.Mutex
	codes map[madeKey]madeCode
}

type madeKey struct{ by, staff org.ID }

type madeCode struct {
	code  web.MadeCode
	until time.Time
}

// handOverTime is how long a code can be looked at and printed.
const handOverTime = 10 * time.Minute

func (s *madeShelf) keep(by, person org.ID, code web.MadeCode, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.codes == nil {
		s.codes = map[madeKey]madeCode{}
	}
	for key, old := range s.codes {
		if !now.Before(old.until) {
			delete(s.codes, key)
		}
	}
	s.codes[madeKey{by, person}] = madeCode{code, now.Add(handOverTime)}
}

// of returns the code that the person made for somebody, nil if there is none.
func (s *madeShelf) of(by, person org.ID, now time.Time) *web.MadeCode {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.codes[madeKey{by, person}]
	if !ok || !now.Before(found.until) {
		return nil
	}
	return &found.code
}

package store

import "context"

// Tamper changes rows behind the store's back, as somebody with a database
// client would.
func (s *Store) Tamper(ctx context.Context, statement string, args ...any) (int64, error) {
	return s.exec(ctx, statement, args...)
}

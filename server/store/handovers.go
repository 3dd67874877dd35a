package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"schulwart.org/policies/org"
)

// PutHandover keeps, sealed, what somebody made and has yet to hand over; what
// was kept about the same before is gone.
func (s *Store) PutHandover(ctx context.Context, by, about org.ID, secret []byte, until time.Time) error {
	sealed, err := s.vault.seal(handoverName(by, about), secret)
	if err != nil {
		return err
	}
	_, err = s.exec(Urgent(ctx), `INSERT INTO handovers (staff, about, sealed, until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (staff, about) DO UPDATE SET sealed = excluded.sealed, until = excluded.until`, by, about, sealed, millis(until))
	return err
}

// Handover returns what is kept, nil if there is nothing or its time is over.
func (s *Store) Handover(ctx context.Context, by, about org.ID, at time.Time) ([]byte, error) {
	var sealed string
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT sealed FROM handovers WHERE staff = $1 AND about = $2 AND until > $3`, by, about, millis(at)).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.vault.open(handoverName(by, about), sealed)
}

// DeleteHandover forgets what is kept; false if there was nothing.
func (s *Store) DeleteHandover(ctx context.Context, by, about org.ID) (bool, error) {
	n, err := s.exec(Urgent(ctx), `DELETE FROM handovers WHERE staff = $1 AND about = $2`, by, about)
	return n > 0, err
}

func handoverName(by, about org.ID) string { return "handover:" + by.String() + ":" + about.String() }

package store

import (
	"context"
	"time"

	"schulwart.org/server/checkin"
)

// HearSigned remembers a signed message and forgets what is older than need be.
// A clock that ran ahead of ours does not make later messages stale.
func (s *Store) HearSigned(ctx context.Context, e checkin.Enrolment, signed checkin.Signed, now time.Time) (first time.Time, stale bool, err error) {
	err = s.write(ctx, func(ctx context.Context, tx Tx) error {
		first, stale = time.Time{}, false
		ahead := millis(now.Add(checkin.SignedSlack))
		var latest int64
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(signed), 0) FROM signed_messages WHERE authority = $1 AND enrolment = $2 AND signed <= $3`, e.Authority, e.ID, ahead).Scan(&latest)
		if err != nil {
			return err
		}
		at, oldest := millis(signed.At), latest-checkin.SignedSlack.Milliseconds()
		if at != 0 && at < oldest {
			stale = true
			return nil
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO signed_messages (authority, enrolment, digest, at, signed) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (authority, enrolment, digest) DO NOTHING`,
			e.Authority, e.ID, signed.Digest, millis(now), at)
		if err != nil {
			return err
		}
		if fresh, err := result.RowsAffected(); err != nil || fresh == 0 {
			var heard int64
			err := tx.QueryRowContext(ctx, `SELECT at FROM signed_messages WHERE authority = $1 AND enrolment = $2 AND digest = $3`, e.Authority, e.ID, signed.Digest).Scan(&heard)
			first = instant(heard)
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM signed_messages WHERE authority = $1 AND enrolment = $2 AND signed > 0 AND signed < $3`, e.Authority, e.ID, oldest)
		return err
	})
	return first, stale, err
}

// UnhearSigned forgets a signed message.
func (s *Store) UnhearSigned(ctx context.Context, e checkin.Enrolment, signed checkin.Signed) error {
	_, err := s.exec(ctx, `DELETE FROM signed_messages WHERE authority = $1 AND enrolment = $2 AND digest = $3`, e.Authority, e.ID, signed.Digest)
	return err
}

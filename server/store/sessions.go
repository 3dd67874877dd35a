package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
)

// FindSession returns the content of a session, nil if there is none or it is
// over.
func (s *Store) FindSession(ctx context.Context, token string, at time.Time) ([]byte, error) {
	var data string
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT data FROM sessions WHERE token = $1 AND until > $2`, token, millis(at)).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return []byte(data), err
}

// PutSession keeps a session, and with it when its person was last here.
func (s *Store) PutSession(ctx context.Context, token string, session staff.Session, data []byte) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (token, staff, data, browser, origin, created, seen, until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (token) DO UPDATE SET staff = excluded.staff, data = excluded.data, browser = excluded.browser, origin = excluded.origin, seen = excluded.seen, until = excluded.until`,
			token, session.Staff, string(data), session.Browser, session.From, millis(session.Created), millis(session.Seen), millis(session.Until))
		if err != nil || session.Staff == "" {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE staff SET last_seen = $1 WHERE id = $2 AND last_seen < $1`, millis(session.Seen), session.Staff)
		return err
	})
}

// DeleteSession ends a session; none is fine.
func (s *Store) DeleteSession(ctx context.Context, token string) error {
	_, err := s.exec(ctx, `DELETE FROM sessions WHERE token = $1`, token)
	return err
}

// ListSessions lists somebody's sessions, latest first.
func (s *Store) ListSessions(ctx context.Context, id org.ID, at time.Time) ([]staff.Session, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (staff.Session, error) {
		var v staff.Session
		var created, seen, until int64
		err := row.Scan(&v.ID, &v.Staff, &v.Browser, &v.From, &created, &seen, &until)
		v.Created, v.Seen, v.Until = instant(created), instant(seen), instant(until)
		return v, err
	}, `SELECT token, staff, browser, origin, created, seen, until FROM sessions WHERE staff = $1 AND until > $2 ORDER BY seen DESC, token LIMIT 100`, id, millis(at))
}

// EndSession ends one session of somebody.
func (s *Store) EndSession(ctx context.Context, permit may.Permit, person staff.Person, session string) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE staff = $1 AND token = $2`, person.ID, session)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, permit, Target{"staff", person.ID}, nil, note{"session_ended"})
	})
}

// EndSessions ends all sessions and tokens of somebody but the session kept.
func (s *Store) EndSessions(ctx context.Context, permit may.Permit, person staff.Person, keep string) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := endSessions(ctx, tx, person.ID, keep); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE staff SET epoch = epoch + 1 WHERE authority = $1 AND id = $2`, person.Authority, person.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"staff", person.ID}, nil, note{"signed_out_everywhere"})
	})
}

func endSessions(ctx context.Context, tx Tx, id org.ID, keep string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE staff = $1 AND token <> $2`, id, keep)
	return err
}

// RecordSignIn leaves the audit row of somebody who came in.
func (s *Store) RecordSignIn(ctx context.Context, permit may.Permit, person staff.Person, how string) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		return s.record(ctx, tx, permit, Target{"staff", person.ID}, nil, note{"signed_in_" + how})
	})
}

// CountTry notes a try, and the wait that follows it, in one transaction: of
// tries that come at once each sees those before it. While the key has to wait
// it returns until when, and counts nothing. What is older than forget no longer
// counts.
func (s *Store) CountTry(ctx context.Context, key string, at time.Time, wait func(n int) time.Duration, forget time.Duration) (time.Time, error) {
	var waits time.Time
	err := s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		waits = time.Time{}
		var n int
		// The row is locked by the update, so that the next try reads its wait.
		err := tx.QueryRowContext(ctx, `INSERT INTO tries (key, n, at, until) VALUES ($1, 1, $2, 0)
			ON CONFLICT (key) DO UPDATE SET n = CASE WHEN tries.at < $3 THEN 1 ELSE tries.n + 1 END, at = excluded.at
			WHERE tries.until <= $2 RETURNING n`, key, millis(at), millis(at.Add(-forget))).Scan(&n)
		if errors.Is(err, sql.ErrNoRows) {
			var until int64
			err = tx.QueryRowContext(ctx, `SELECT until FROM tries WHERE key = $1`, key).Scan(&until)
			waits = instant(until)
			return err
		}
		if err != nil {
			return err
		}
		if pause := wait(n); pause > 0 {
			_, err = tx.ExecContext(ctx, `UPDATE tries SET until = $1 WHERE key = $2`, millis(at.Add(pause)), key)
		}
		return err
	})
	return waits, err
}

// TakeTryBack takes one try back, of which a secret was known, and the wait that
// it began.
func (s *Store) TakeTryBack(ctx context.Context, key string) error {
	_, err := s.exec(Urgent(ctx), `UPDATE tries SET n = n - 1, until = 0 WHERE key = $1 AND n > 0`, key)
	return err
}

// ClearTries forgets all tries.
func (s *Store) ClearTries(ctx context.Context, key string) error {
	_, err := s.exec(Urgent(ctx), `DELETE FROM tries WHERE key = $1`, key)
	return err
}

// SweepSessions deletes sessions, codes, what was to be handed over and counted failures that are over.
func (s *Store) SweepSessions(ctx context.Context, at time.Time) (int64, error) {
	var total int64
	for _, statement := range []struct {
		query  string
		before time.Time
	}{
		{`DELETE FROM sessions WHERE until < $1`, at},
		{`DELETE FROM staff_codes WHERE until < $1`, at},
		{`DELETE FROM handovers WHERE until < $1`, at},
		{`DELETE FROM tries WHERE at < $1`, at.Add(-24 * time.Hour)},
	} {
		n, err := s.exec(ctx, statement.query, millis(statement.before))
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

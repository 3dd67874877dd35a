package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/command"
)

// CommandTarget returns the enrolment that a device's commands go to.
func (s *Store) CommandTarget(ctx context.Context, authority, device org.ID) (command.Target, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT COALESCE(e.id, ''), e.id IS NOT NULL AND (d.retired = 0 OR e.leaving > 0),
		(SELECT COUNT(*) FROM commands c WHERE c.authority = d.authority AND c.device = d.id)
		FROM devices d LEFT JOIN enrolments e ON e.authority = d.authority AND e.device = d.id AND e.state = 'enrolled'
		WHERE d.authority = $1 AND d.id = $2`, authority, device), func(row scanner) (command.Target, error) {
		var t command.Target
		return t, row.Scan(&t.Enrolment, &t.Enrolled, &t.Waiting)
	}, "device.not_found")
}

// AddCommand makes a command wait. A question that waits already is not asked
// twice; what it replaces is void.
func (s *Store) AddCommand(ctx context.Context, q command.Queued) (command.Receipt, error) {
	receipt := command.Receipt{ID: q.ID, Enrolment: q.Enrolment}
	err := s.write(ctx, func(ctx context.Context, tx Tx) error {
		if q.Replaces != "" {
			if err := s.supersede(ctx, tx, q); err != nil {
				return err
			}
		}
		priority := 1
		if q.Pressing {
			priority = 0
		}
		err := tx.QueryRowContext(ctx, `INSERT INTO commands (authority, id, device, enrolment, request_type, body, about, likeness, priority, state, created, expires, push_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', $10, $11, $12)
			ON CONFLICT (authority, enrolment, likeness) WHERE likeness <> '' AND state = 'waiting'
			DO UPDATE SET expires = CASE WHEN excluded.expires > commands.expires THEN excluded.expires ELSE commands.expires END
			RETURNING id`,
			q.Authority, q.ID, q.Device, q.Enrolment, q.RequestType, q.Body, q.About, q.Likeness, priority, millis(s.now()), millis(q.Expires), millis(q.PushAt)).Scan(&receipt.ID)
		receipt.Merged = receipt.ID != q.ID
		return err
	})
	return receipt, err
}

const reportColumns = `command_reports (authority, id, device, request_type, status, detail, created, at)`

// supersede voids what the device has not answered, even if it was sent: were it
// handed out again, it would be done after what replaces it. A report on it that
// is still on its way finds nothing and changes nothing. Nearly always there is
// none, and one statement says so.
func (s *Store) supersede(ctx context.Context, tx Tx, q command.Queued) error {
	type former struct {
		id, device  org.ID
		requestType string
		created     int64
	}
	gone, err := collect(ctx, tx, func(row scanner) (former, error) {
		var f former
		return f, row.Scan(&f.id, &f.device, &f.requestType, &f.created)
	}, `DELETE FROM commands WHERE authority = $1 AND enrolment = $2 AND SUBSTR(about || ':', 1, LENGTH(CAST($3 AS TEXT)) + 1) = $3 || ':'
		RETURNING id, device, request_type, created`, q.Authority, q.Enrolment, q.Replaces)
	if err != nil {
		return err
	}
	for _, f := range gone {
		_, err := tx.ExecContext(ctx, `INSERT INTO `+reportColumns+` VALUES ($1, $2, $3, $4, $5, '', $6, $7) ON CONFLICT (authority, id) DO NOTHING`,
			q.Authority, f.id, f.device, f.requestType, command.Superseded, f.created, millis(s.now()))
		if err != nil {
			return err
		}
	}
	return nil
}

// CommandsWait reports whether NextCommand would find something in a new session.
func (s *Store) CommandsWait(ctx context.Context, authority, enrolment org.ID) (bool, error) {
	var wait bool
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM commands WHERE authority = $1 AND enrolment = $2 AND expires > $3)`,
		authority, enrolment, millis(s.now())).Scan(&wait)
	return wait, err
}

// NextCommand returns the next command for the enrolment and marks it as sent.
// Asking an empty queue only reads.
func (s *Store) NextCommand(ctx context.Context, authority, enrolment org.ID, again bool) ([]byte, error) {
	id, body, err := s.next(ctx, authority, enrolment, again)
	if err != nil || body == nil {
		return nil, err
	}
	_, err = s.exec(ctx, `UPDATE commands SET state = 'sent', tries = tries + 1 WHERE authority = $1 AND id = $2`, authority, id)
	return body, err
}

// PeekCommand returns the next command for the enrolment and marks nothing.
func (s *Store) PeekCommand(ctx context.Context, authority, enrolment org.ID, again bool) ([]byte, error) {
	_, body, err := s.next(ctx, authority, enrolment, again)
	return body, err
}

func (s *Store) next(ctx context.Context, authority, enrolment org.ID, again bool) (id org.ID, body []byte, err error) {
	skip := "notnow"
	if again {
		skip = ""
	}
	var text string
	err = s.reader(ctx).QueryRowContext(ctx, `SELECT id, body FROM commands WHERE authority = $1 AND enrolment = $2 AND expires > $3 AND state <> $4
		ORDER BY priority, CASE WHEN tries >= $5 THEN 1 ELSE 0 END, id LIMIT 1`, authority, enrolment, millis(s.now()), skip, command.Stubborn).Scan(&id, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, nil
	}
	return id, []byte(text), err
}

// FinishCommand moves a command to the reports.
func (s *Store) FinishCommand(ctx context.Context, authority, enrolment org.ID, report command.Report) (command.Queued, error) {
	var finished command.Queued
	err := s.write(ctx, func(ctx context.Context, tx Tx) error {
		var created int64
		var err error
		finished, err = one(tx.QueryRowContext(ctx, `DELETE FROM commands WHERE authority = $1 AND id = $2 AND enrolment = $3 RETURNING device, request_type, about, created`,
			authority, report.ID, enrolment), func(row scanner) (command.Queued, error) {
			q := command.Queued{ID: report.ID, Authority: authority, Enrolment: enrolment}
			return q, row.Scan(&q.Device, &q.RequestType, &q.About, &created)
		}, "command.not_found")
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO `+reportColumns+` VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (authority, id) DO NOTHING`,
			authority, report.ID, finished.Device, finished.RequestType, report.Status, report.Detail, created, millis(s.now()))
		return err
	})
	return finished, err
}

// PutOff keeps a command for a later session.
func (s *Store) PutOff(ctx context.Context, authority, enrolment, id org.ID, pushAt time.Time) error {
	_, err := s.exec(ctx, `UPDATE commands SET state = 'notnow', tries = 0, push_at = $1 WHERE authority = $2 AND enrolment = $3 AND id = $4`, millis(pushAt), authority, enrolment, id)
	return err
}

// DueCommands returns devices that shall be woken again.
func (s *Store) DueCommands(ctx context.Context, at time.Time, most int) ([]command.Due, error) {
	type row struct {
		authority, id org.ID
		pushes        int
		due           command.Due
	}
	var rows []row
	err := s.write(ctx, func(ctx context.Context, tx Tx) error {
		var err error
		rows, err = collect(ctx, tx, func(r scanner) (row, error) {
			var found row
			return found, r.Scan(&found.authority, &found.id, &found.pushes, &found.due.Enrolment, &found.due.Device)
		}, `SELECT authority, id, pushes, enrolment, device FROM commands WHERE push_at <= $1 AND expires > $1 ORDER BY push_at, id LIMIT $2`, millis(at), most)
		if err != nil {
			return err
		}
		for _, r := range rows {
			_, err := tx.ExecContext(ctx, `UPDATE commands SET pushes = pushes + 1, push_at = $1 WHERE authority = $2 AND id = $3`, millis(at.Add(command.BackOff(r.pushes+1))), r.authority, r.id)
			if err != nil {
				return err
			}
		}
		return nil
	})
	var due []command.Due
	seen := map[org.ID]bool{}
	for _, r := range rows {
		if !seen[r.due.Enrolment] {
			seen[r.due.Enrolment] = true
			due = append(due, r.due)
		}
	}
	return due, err
}

// ExpireCommands moves commands whose time is over to the reports.
func (s *Store) ExpireCommands(ctx context.Context, at time.Time, most int) (int64, error) {
	var gone int64
	err := s.write(ctx, func(ctx context.Context, tx Tx) error {
		const over = `SELECT id FROM commands WHERE expires <= $1 ORDER BY expires, id LIMIT $2`
		_, err := tx.ExecContext(ctx, `INSERT INTO `+reportColumns+` SELECT authority, id, device, request_type, $3, '', created, $1 FROM commands WHERE id IN (`+over+`)
			ON CONFLICT (authority, id) DO NOTHING`, millis(at), most, command.Expired)
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM commands WHERE id IN (`+over+`)`, millis(at), most)
		if err != nil {
			return err
		}
		gone, err = result.RowsAffected()
		return err
	})
	return gone, err
}

// ForgetReports deletes what became of commands before the instant.
func (s *Store) ForgetReports(ctx context.Context, before time.Time, most int) (int64, error) {
	return s.exec(ctx, `DELETE FROM command_reports WHERE id IN (SELECT id FROM command_reports WHERE at < $1 ORDER BY at, id LIMIT $2)`, millis(before), most)
}

// CommandReport returns what became of a command.
func (s *Store) CommandReport(ctx context.Context, authority, id org.ID) (command.Report, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT id, status, detail FROM command_reports WHERE authority = $1 AND id = $2`, authority, id), func(row scanner) (command.Report, error) {
		var r command.Report
		return r, row.Scan(&r.ID, &r.Status, &r.Detail)
	}, "command.not_found")
}

// DeviceCommands lists what waits for a device, then what became of others.
func (s *Store) DeviceCommands(ctx context.Context, authority, device org.ID, n int) ([]command.Entry, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (command.Entry, error) {
		var e command.Entry
		var at, rank int64
		err := row.Scan(&e.ID, &e.RequestType, &e.State, &at, &e.Detail, &rank)
		e.At = instant(at)
		return e, err
	}, `SELECT id, request_type, state, created, '', 0 AS rank FROM commands WHERE authority = $1 AND device = $2
		UNION ALL SELECT id, request_type, status, at, detail, 1 AS rank FROM command_reports WHERE authority = $1 AND device = $2
		ORDER BY 6, 4 DESC, 1 LIMIT $3`, authority, device, n)
}

// clearQueue drops what waits for a device: whoever it was meant for is gone.
func (s *Store) clearQueue(ctx context.Context, tx Tx, authority, device org.ID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM commands WHERE authority = $1 AND device = $2`, authority, device)
	return err
}

package store

import (
	"context"
	"encoding/json"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

const exceptionSelect = `SELECT x.authority, x.id, x.level, x.place, x.family, x.field, x.value, x.owner, x.owner_name, x.reason, x.starts, x.until, x.ended, x.ended_name, x.staff, x.by_name, x.created, x.reminded, x.asked, x.approver, x.approver_name
	FROM exceptions x WHERE `

func (s *Store) scanException(row scanner) (standard.Exception, error) {
	var e standard.Exception
	var value, asked string
	var starts, until, ended, created int64
	err := row.Scan(&e.Place.Branch.Authority, &e.ID, &e.Place.Level, &e.Place.ID, &e.Family, &e.Field, &value, &e.Owner, &e.OwnerName, &e.Reason, &starts, &until, &ended, &e.EndedName, &e.By, &e.ByName, &created, &e.Reminded, &asked, &e.Approver, &e.ApproverName)
	if err != nil {
		return e, err
	}
	if asked != "" {
		if err := json.Unmarshal([]byte(asked), &e.Asked); err != nil {
			return e, err
		}
	}
	e.Starts, e.Until, e.Ended, e.Created = instant(starts), instant(until), instant(ended), instant(created)
	e.Value, err = s.openValue(e.Family, e.Field, value)
	return e, err
}

// FindException returns an exception.
func (s *Store) FindException(ctx context.Context, id org.ID) (standard.Exception, error) {
	e, err := one(s.reader(ctx).QueryRowContext(ctx, exceptionSelect+`x.id = $1`, id), s.scanException, "exception.not_found")
	if err != nil {
		return e, err
	}
	e.Place, err = s.PolicyPlace(ctx, e.Place.Place)
	return e, err
}

// ListExceptions lists exceptions of the branches: those that are not over, the
// next end first, or those that are over, the last end first.
func (s *Store) ListExceptions(ctx context.Context, branches []org.Branch, filter standard.ExceptionFilter, at time.Time) ([]standard.Exception, string, error) {
	q := newQuery(exceptionSelect)
	q.places("x.authority", "x.school", branches)
	q.at("x.", filter.Place, filter.Authority, filter.School)
	if filter.Over {
		q.add(" AND (x.ended > 0 OR x.until <= ?)", millis(at))
	} else {
		q.add(" AND x.ended = 0 AND x.until > ?", millis(at))
	}
	if filter.Asked {
		q.add(" AND x.asked <> ''")
	}
	if filter.Within > 0 {
		q.add(" AND x.until <= ?", millis(at.Add(filter.Within)))
	}
	var limit int
	if filter.Over {
		limit = q.latest("x.until", "x.id", filter.Cursor, filter.Limit)
	} else {
		limit = q.soonest("x.until", "x.id", filter.Cursor, filter.Limit)
	}
	return pageOf(ctx, s, q, limit, s.scanException, func(e *standard.Exception) (time.Time, org.ID, *standard.Place) { return e.Until, e.ID, &e.Place })
}

// LiveExceptions lists the exceptions of schools of an authority, or of one
// school, that hold at the instant: those of groups and devices, too.
func (s *Store) LiveExceptions(ctx context.Context, authority, school org.ID, at time.Time) (map[org.ID][]standard.Exception, error) {
	type inSchool struct {
		school org.ID
		standard.Exception
	}
	q := newQuery(`SELECT x.school, ` + exceptionSelect[len("SELECT "):])
	q.add(`x.authority = ? AND x.school <> '' AND x.ended = 0 AND NOT x.waiting AND x.starts <= ? AND x.until > ?`, authority, millis(at), millis(at))
	if school != "" {
		q.add(` AND x.school = ?`, school)
	}
	q.add(` ORDER BY x.until, x.id`)
	found, err := collect(ctx, s.reader(ctx), func(row scanner) (inSchool, error) {
		var one inSchool
		var err error
		one.Exception, err = s.scanException(behind{row, []any{&one.school}})
		return one, err
	}, q.text(), q.args...)
	by := map[org.ID][]standard.Exception{}
	for _, one := range found {
		by[one.school] = append(by[one.school], one.Exception)
	}
	return by, err
}

// behind scans columns that stand before those of a noun.
type behind struct {
	scanner
	first []any
}

func (b behind) Scan(dest ...any) error { return b.scanner.Scan(append(b.first, dest...)...) }

// aboutException is what the audit log keeps of an exception: no secrets.
func aboutException(e standard.Exception) any {
	return struct {
		Level  org.Level `json:"level"`
		Place  org.ID    `json:"place,omitempty"`
		Family string    `json:"family"`
		Field  string    `json:"field"`
		Value  any       `json:"value"`
		Owner  string    `json:"owner"`
		Reason string    `json:"reason"`
		Starts time.Time `json:"starts"`
		Until  time.Time `json:"until"`
		Ended  time.Time `json:"ended,omitzero"`
		Asked  string    `json:"asked,omitempty"`
	}{e.Place.Level, e.Place.ID, e.Family, e.Field, standard.MaskedValue(e.Family, e.Field, e.Value), e.OwnerName, e.Reason, e.Starts, e.Until, e.Ended, e.Asked.What}
}

// CreateException keeps a new exception, unless one for the same field of the
// place holds at the same time.
func (s *Store) CreateException(ctx context.Context, permit may.Permit, e standard.Exception) error {
	value, err := s.sealValue(e.Family, e.Field, e.Value)
	if err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		var twice int
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM exceptions WHERE authority = $1 AND level = $2 AND place = $3 AND family = $4 AND field = $5 AND ended = 0 AND until > $6 AND starts < $7`,
			e.Place.Branch.Authority, e.Place.Level, e.Place.ID, e.Family, e.Field, millis(e.Starts), millis(e.Until)).Scan(&twice)
		if err != nil {
			return err
		}
		if twice > 0 {
			return errs.E(errs.Conflict, "exception.exists")
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO exceptions (authority, id, school, level, place, family, field, value, owner, owner_name, reason, starts, until, reminded, staff, by_name, created, waiting, asked)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
			e.Place.Branch.Authority, e.ID, e.Place.Branch.School, e.Place.Level, e.Place.ID, e.Family, e.Field, value, e.Owner, e.OwnerName, e.Reason, millis(e.Starts), millis(e.Until), e.Reminded, e.By, e.ByName, millis(e.Created), e.Asked.What == standard.AskBegin, askedText(e.Asked))
		if err != nil {
			return err
		}
		if err := s.changedPlace(ctx, tx, e.Place); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"exception", e.ID}, nil, aboutException(e))
	})
}

// askedText is what a second person has to decide, empty for nothing.
func askedText(asked standard.Asked) string {
	if asked.What == "" {
		return ""
	}
	return document(asked)
}

// UpdateException gives an exception another end, or ends it, unless it is over
// or was changed since it was read.
func (s *Store) UpdateException(ctx context.Context, permit may.Permit, before, after standard.Exception) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE exceptions SET reason = $1, starts = $2, until = $3, ended = $4, ended_name = $5, told = $6, reminded = $7, waiting = $8, asked = $9, approver = $10, approver_name = $11
			WHERE authority = $12 AND id = $13 AND until = $14 AND asked = $15 AND ended = 0 AND told = FALSE`,
			after.Reason, millis(after.Starts), millis(after.Until), millis(after.Ended), after.EndedName, !after.Ended.IsZero(), after.Reminded, after.Asked.What == standard.AskBegin, askedText(after.Asked), after.Approver, after.ApproverName,
			after.Place.Branch.Authority, after.ID, millis(before.Until), askedText(before.Asked))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return err
			}
			return errs.E(errs.Conflict, "exception.over")
		}
		if err := s.changedPlace(ctx, tx, after.Place); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"exception", after.ID}, aboutException(before), aboutException(after))
	})
}

// ExpireExceptions ends exceptions whose time has come: an audit row of the
// system, and a mark so that devices are told. It returns how many.
func (s *Store) ExpireExceptions(ctx context.Context, at time.Time) (int, error) {
	due, err := collect(ctx, s.reader(ctx), s.scanException, exceptionSelect+`x.told = FALSE AND x.until <= $1 ORDER BY x.until, x.id LIMIT 500`, millis(at))
	if err != nil || len(due) == 0 {
		return 0, err
	}
	if err := namePlaces(ctx, s, due, func(e *standard.Exception) *standard.Place { return &e.Place }); err != nil {
		return 0, err
	}
	ended := 0
	for _, e := range due {
		err := s.write(ctx, func(ctx context.Context, tx Tx) error {
			result, err := tx.ExecContext(ctx, `UPDATE exceptions SET told = TRUE WHERE authority = $1 AND id = $2 AND told = FALSE AND until <= $3`, e.Place.Branch.Authority, e.ID, millis(at))
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil || n == 0 {
				return err // another instance was faster, or it was extended
			}
			if err := s.changedPlace(ctx, tx, e.Place); err != nil {
				return err
			}
			ended++
			return s.record(ctx, tx, may.System("exceptions", e.Place.Branch), Target{"exception", e.ID}, aboutException(e), nil)
		})
		if err != nil {
			return ended, err
		}
	}
	return ended, nil
}

// EndingExceptions lists exceptions that end within a time and of whose end was
// not told for so many days before.
func (s *Store) EndingExceptions(ctx context.Context, at time.Time, days int) ([]standard.Exception, error) {
	found, err := collect(ctx, s.reader(ctx), s.scanException, exceptionSelect+`x.told = FALSE AND x.ended = 0 AND NOT x.waiting AND x.until > $1 AND x.until <= $2 AND (x.reminded = 0 OR x.reminded > $3) ORDER BY x.until, x.id LIMIT 500`,
		millis(at), millis(at.Add(time.Duration(days)*24*time.Hour)), days)
	if err != nil {
		return nil, err
	}
	return found, namePlaces(ctx, s, found, func(e *standard.Exception) *standard.Place { return &e.Place })
}

// Reminded notes that the owner was told so many days before the end.
func (s *Store) Reminded(ctx context.Context, e standard.Exception, days int) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE exceptions SET reminded = $1 WHERE authority = $2 AND id = $3`, days, e.Place.Branch.Authority, e.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, may.System("exceptions", e.Place.Branch), Target{"exception", e.ID}, nil, struct {
			Reminded int `json:"reminded"`
		}{days})
	})
}

// CountEnding counts exceptions of a branch that end before two instants.
func (s *Store) CountEnding(ctx context.Context, branch org.Branch, at, first, second time.Time) (int, int, error) {
	q := newQuery(`SELECT COALESCE(SUM(CASE WHEN x.until <= ? THEN 1 ELSE 0 END), 0), COUNT(*) FROM exceptions x WHERE x.ended = 0 AND NOT x.waiting AND x.until > ? AND x.until <= ? AND `, millis(first), millis(at), millis(second))
	q.place("x.authority", "x.school", branch)
	var a, b int
	err := s.reader(ctx).QueryRowContext(ctx, q.text(), q.args...).Scan(&a, &b)
	return a, b, err
}

// CountAsked counts exceptions of a branch of which a second person has to decide
// something.
func (s *Store) CountAsked(ctx context.Context, branch org.Branch, at time.Time) (int, error) {
	q := newQuery(`SELECT COUNT(*) FROM exceptions x WHERE x.asked <> '' AND x.ended = 0 AND x.until > ? AND `, millis(at))
	q.place("x.authority", "x.school", branch)
	var n int
	err := s.reader(ctx).QueryRowContext(ctx, q.text(), q.args...).Scan(&n)
	return n, err
}

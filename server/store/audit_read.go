package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/audit"
	"schulwart.org/server/may"
)

const auditSelect = `SELECT a.seq, a.authority, a.at, a.actor, a.actor_name, a.via, a.origin, a.action, a.school, a.target_kind, a.target,
	COALESCE(CASE a.target_kind
		WHEN 'device' THEN (SELECT name FROM devices WHERE id = a.target)
		WHEN 'group' THEN (SELECT name FROM school_groups WHERE id = a.target)
		WHEN 'school' THEN (SELECT name FROM schools WHERE id = a.target)
		WHEN 'authority' THEN (SELECT name FROM authorities WHERE id = a.target)
		WHEN 'staff' THEN (SELECT name FROM staff WHERE id = a.target)
		WHEN 'sites' THEN (SELECT name FROM site_lists WHERE id = a.target) END, ''),
	a.before, a.after, a.erased, a.hash FROM audit a WHERE `

func scanAudit(row scanner) (audit.Entry, error) {
	var e audit.Entry
	var at, erased int64
	var hash string
	err := row.Scan(&e.Seq, &e.Authority, &at, &e.Actor, &e.ActorName, &e.Via, &e.From, &e.Action, &e.School, &e.TargetKind, &e.Target, &e.TargetName, &e.Before, &e.After, &erased, &hash)
	e.At, e.Erased, e.Sealed = instant(at), erased != 0, hash != ""
	return e, err
}

// ListAudit reads the log of the branches, latest first.
func (s *Store) ListAudit(ctx context.Context, branches []org.Branch, filter audit.Filter) ([]audit.Entry, string, error) {
	q := newQuery(auditSelect)
	q.places("a.authority", "a.school", branches)
	for column, value := range map[string]string{
		"a.actor": filter.Actor.String(), "a.action": filter.Action, "a.target_kind": filter.TargetKind, "a.target": filter.Target.String(), "a.school": filter.School.String(),
	} {
		if value != "" {
			q.add(` AND `+column+` = ?`, value)
		}
	}
	if text := strings.TrimSpace(filter.Query); text != "" {
		q.add(` AND (LOWER(a.actor_name) LIKE ? ESCAPE '\' OR a.target = ?)`, "%"+prefix(text), text)
	}
	if !filter.From.IsZero() {
		q.add(` AND a.at >= ?`, millis(filter.From))
	}
	if !filter.Until.IsZero() {
		q.add(` AND a.at < ?`, millis(filter.Until))
	}
	if before, err := strconv.ParseInt(filter.Cursor, 10, 64); err == nil {
		q.add(` AND a.seq < ?`, before)
	}
	limit := filter.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 500)
	q.add(` ORDER BY a.seq DESC LIMIT ?`, limit+1)
	entries, err := collect(ctx, s.reader(ctx), scanAudit, q.text(), q.args...)
	if err != nil || len(entries) <= limit {
		return entries, "", err
	}
	return entries[:limit], strconv.FormatInt(entries[limit-1].Seq, 10), nil
}

// FindAudit returns one row of the log.
func (s *Store) FindAudit(ctx context.Context, seq int64) (audit.Entry, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, auditSelect+`a.seq = $1`, seq), scanAudit, "not_found")
}

// EraseRow empties what a row says of persons. What happened, when, and the
// chain stay.
func (s *Store) EraseRow(ctx context.Context, permit may.Permit, seq int64, at time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE audit SET actor = '', actor_name = '', origin = '', before = '', after = '', salt = '', erased = $1 WHERE seq = $2 AND erased = 0`, millis(at), seq)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{audit.ErasedKind, org.ID(strconv.FormatInt(seq, 10))}, nil, note{"erased"})
	})
}

// ErasedRows returns the rows that the log itself says were erased.
func (s *Store) ErasedRows(ctx context.Context, authority org.ID) (map[int64]bool, error) {
	rows, err := collect(ctx, s.reader(ctx), func(row scanner) (string, error) {
		var target string
		return target, row.Scan(&target)
	}, `SELECT target FROM audit WHERE authority = $1 AND target_kind = $2 ORDER BY seq`, authority, audit.ErasedKind)
	erased := make(map[int64]bool, len(rows))
	for _, target := range rows {
		if seq, err := strconv.ParseInt(target, 10, 64); err == nil {
			erased[seq] = true
		}
	}
	return erased, err
}

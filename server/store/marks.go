package store

import (
	"context"

	"schulwart.org/policies/org"
	"schulwart.org/server/declare"
	"schulwart.org/server/lesson"
)

// changed leaves a durable mark: what devices in the scope should have may
// differ now, membership included. An empty school means all of the authority,
// an empty authority everybody.
func (s *Store) changed(ctx context.Context, tx Tx, branch org.Branch, device org.ID) error {
	if err := s.turnMembers(ctx, tx, branch); err != nil {
		return err
	}
	return s.changedRules(ctx, tx, branch, device)
}

// changedRules is changed where the devices and their groups and licences are the
// same as before, and only what is decided about them differs.
func (s *Store) changedRules(ctx context.Context, tx Tx, branch org.Branch, device org.ID) error {
	return s.mark(ctx, tx, branch, device, declare.Everything)
}

// changedLeases leaves a mark that says: only leases of the school differ.
func (s *Store) changedLeases(ctx context.Context, tx Tx, branch org.Branch) error {
	return s.mark(ctx, tx, branch, "", declare.LeasesOnly)
}

// changedMode marks the schools in which devices of a mode are at home now: one
// that moved must hear of an early end, too.
func (s *Store) changedMode(ctx context.Context, tx Tx, m lesson.Mode) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO marks (authority, school, what, at) SELECT DISTINCT d.authority, d.school, CAST($3 AS TEXT), CAST($4 AS BIGINT) FROM leases l
		JOIN devices d ON d.authority = l.authority AND d.id = l.device WHERE l.authority = $1 AND l.mode = $2 AND d.school <> $5`,
		m.Branch.Authority, m.ID, string(declare.LeasesOnly), millis(s.now()), m.Branch.School)
	if err != nil {
		return err
	}
	return s.changedLeases(ctx, tx, m.Branch)
}

func (s *Store) mark(ctx context.Context, tx Tx, branch org.Branch, device org.ID, what declare.What) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO marks (authority, school, device, what, at) VALUES ($1, $2, $3, $4, $5)`, branch.Authority, branch.School, device, what, millis(s.now()))
	return err
}

// Marks returns the oldest marks behind the one of the number, at most n.
func (s *Store) Marks(ctx context.Context, after int64, n int) ([]declare.Mark, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (declare.Mark, error) {
		var m declare.Mark
		return m, row.Scan(&m.Seq, &m.Branch.Authority, &m.Branch.School, &m.Device, &m.What)
	}, `SELECT seq, authority, school, device, what FROM marks WHERE seq > $1 ORDER BY seq LIMIT $2`, after, n)
}

// DropMarks forgets marks that were acted upon.
func (s *Store) DropMarks(ctx context.Context, seqs []int64) error {
	marks, args := list(1, seqs)
	_, err := s.exec(ctx, `DELETE FROM marks WHERE seq IN (`+marks+`)`, args...)
	return err
}

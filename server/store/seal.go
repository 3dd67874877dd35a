package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/audit"
)

// UnsealedAuthorities lists authorities with rows that are not sealed.
func (s *Store) UnsealedAuthorities(ctx context.Context) ([]org.ID, error) {
	return collect(ctx, s.reader(ctx), scanID, `SELECT DISTINCT authority FROM audit WHERE hash = '' ORDER BY authority`)
}

// ChainedAuthorities lists authorities that have a chain.
func (s *Store) ChainedAuthorities(ctx context.Context) ([]org.ID, error) {
	return collect(ctx, s.reader(ctx), scanID, `SELECT authority FROM audit_chains ORDER BY authority`)
}

// errSealed says that another sealer was faster; the next run goes on.
var errSealed = errors.New("store: another sealer was faster")

// SealRows chains rows of an authority in the order of their numbers. The end
// of the chain is written down apart from the rows, so that rows cut off at the
// end are missed.
func (s *Store) SealRows(ctx context.Context, authority org.ID, limit int, hash func(string, audit.Link) string) (int, error) {
	sealed := 0
	err := s.write(ctx, func(ctx context.Context, tx Tx) error {
		sealed = 0
		_, err := tx.ExecContext(ctx, `INSERT INTO audit_chains (authority, chain, hash) VALUES ($1, 0, '') ON CONFLICT (authority) DO NOTHING`, authority)
		if err != nil {
			return err
		}
		var head int64
		var prev string
		if err := tx.QueryRowContext(ctx, `SELECT chain, hash FROM audit_chains WHERE authority = $1`, authority).Scan(&head, &prev); err != nil {
			return err
		}
		rows, err := collect(ctx, tx, func(row scanner) (audit.Link, error) {
			link := audit.Link{Authority: authority}
			return link, row.Scan(&link.Seq, &link.At, &link.ContentHash)
		}, `SELECT seq, at, content_hash FROM audit WHERE hash = '' AND authority = $1 ORDER BY seq LIMIT $2`, authority, limit)
		if err != nil {
			return err
		}
		end := head
		for _, link := range rows {
			end++
			link.Chain = end
			prev = hash(prev, link)
			if _, err := tx.ExecContext(ctx, `UPDATE audit SET chain = $1, hash = $2 WHERE seq = $3 AND hash = ''`, end, prev, link.Seq); err != nil {
				return err
			}
		}
		result, err := tx.ExecContext(ctx, `UPDATE audit_chains SET chain = $1, hash = $2 WHERE authority = $3 AND chain = $4`, end, prev, authority, head)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(errSealed, err)
		}
		sealed = len(rows)
		return nil
	})
	if errors.Is(err, errSealed) {
		return 0, nil
	}
	return sealed, err
}

// ChainRows lists sealed rows after a number, each with the hash of what it
// says now.
func (s *Store) ChainRows(ctx context.Context, authority org.ID, after int64, limit int) ([]audit.Link, error) {
	rows, err := s.auditRows(ctx, `SELECT `+rowColumns+` FROM audit WHERE authority = $1 AND chain > $2 ORDER BY chain LIMIT $3`, authority, after, limit)
	links := make([]audit.Link, len(rows))
	for i, row := range rows {
		links[i] = row.Link()
	}
	return links, err
}

const rowColumns = `seq, authority, at, actor, actor_name, via, origin, action, school, target_kind, target, before, after, salt, content_hash, chain, hash, erased`

func (s *Store) auditRows(ctx context.Context, query string, args ...any) ([]audit.Row, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (audit.Row, error) {
		var r audit.Row
		return r, row.Scan(&r.Seq, &r.Authority, &r.At, &r.Actor, &r.ActorName, &r.Via, &r.Origin, &r.Action, &r.School, &r.TargetKind, &r.Target, &r.Before, &r.After,
			&r.Salt, &r.ContentHash, &r.Chain, &r.Hash, &r.Erased)
	}, query, args...)
}

// OpenRows counts rows that are not sealed.
func (s *Store) OpenRows(ctx context.Context, authority org.ID) (int, error) {
	var n int
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT COUNT(*) FROM audit WHERE hash = '' AND authority = $1`, authority).Scan(&n)
	return n, err
}

// ChainHead returns number and hash of the last sealed row, as written down
// apart from it; zero for a chain that has not begun.
func (s *Store) ChainHead(ctx context.Context, authority org.ID) (int64, string, error) {
	var chain int64
	var hash string
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT chain, hash FROM audit_chains WHERE authority = $1`, authority).Scan(&chain, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	return chain, hash, err
}

// PutHead keeps a signed head.
func (s *Store) PutHead(ctx context.Context, h audit.Head) error {
	_, err := s.exec(ctx, `INSERT INTO audit_heads (authority, chain, hash, at, public_key, signature) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (authority, at) DO NOTHING`,
		h.Authority, h.Chain, h.Hash, millis(h.At), h.Key, h.Signature)
	return err
}

// ListHeads lists the signed heads of an authority in order.
func (s *Store) ListHeads(ctx context.Context, authority org.ID) ([]audit.Head, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (audit.Head, error) {
		var h audit.Head
		var at int64
		err := row.Scan(&h.Authority, &h.Chain, &h.Hash, &at, &h.Key, &h.Signature)
		h.At = instant(at)
		return h, err
	}, `SELECT authority, chain, hash, at, public_key, signature FROM audit_heads WHERE authority = $1 ORDER BY at`, authority)
}

// ArchiveRows returns the oldest sealed rows from before an instant.
func (s *Store) ArchiveRows(ctx context.Context, authority org.ID, before time.Time, limit int) ([]audit.Row, error) {
	return s.auditRows(ctx, `SELECT `+rowColumns+` FROM audit WHERE authority = $1 AND chain > 0 AND chain < COALESCE(
			(SELECT MIN(chain) FROM audit WHERE authority = $1 AND chain > 0 AND at >= $2), (SELECT MAX(chain) + 1 FROM audit WHERE authority = $1))
		ORDER BY chain LIMIT $3`, authority, millis(before), limit)
}

// DropRows removes rows that are safely in their file.
func (s *Store) DropRows(ctx context.Context, segment audit.Segment) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM audit WHERE authority = $1 AND chain >= $2 AND chain <= $3`, segment.Authority, segment.First, segment.Last)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil {
			return err
		} else if want := segment.Last - segment.First + 1; n != want {
			return fmt.Errorf("removing %d archived audit rows: %d were there", want, n)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO audit_segments (authority, first, last, prev_hash, hash, file, sha256, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			segment.Authority, segment.First, segment.Last, segment.PrevHash, segment.Hash, segment.File, segment.SHA256, millis(segment.At))
		return err
	})
}

// ListSegments lists the archived parts of a chain in order.
func (s *Store) ListSegments(ctx context.Context, authority org.ID) ([]audit.Segment, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (audit.Segment, error) {
		var v audit.Segment
		var at int64
		err := row.Scan(&v.Authority, &v.First, &v.Last, &v.PrevHash, &v.Hash, &v.File, &v.SHA256, &at)
		v.At = instant(at)
		return v, err
	}, `SELECT authority, first, last, prev_hash, hash, file, sha256, at FROM audit_segments WHERE authority = $1 ORDER BY first`, authority)
}

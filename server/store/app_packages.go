package store

import (
	"context"
	"encoding/json"
	"fmt"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
)

const appSelect = `SELECT authority, id, facts, staff, by_name, at FROM app_packages WHERE `

func scanApp(row scanner) (packages.Package, error) {
	var p packages.Package
	var facts string
	var id org.ID
	var at int64
	if err := row.Scan(&p.Authority, &id, &facts, &p.By, &p.ByName, &at); err != nil {
		return p, err
	}
	if err := json.Unmarshal([]byte(facts), &p.Package); err != nil {
		return p, fmt.Errorf("reading package %s: %w", id, err)
	}
	p.ID, p.At = id, instant(at)
	return p, nil
}

// ListApps lists packages of the catalogue by name, the latest first.
func (s *Store) ListApps(ctx context.Context, scopes []org.ID) ([]packages.Package, error) {
	q := newQuery(appSelect)
	q.scopes("authority", scopes)
	q.add(` ORDER BY name, kind, at DESC, id LIMIT 2000`)
	return collect(ctx, s.reader(ctx), scanApp, q.text(), q.args...)
}

// FindApp returns a package of the catalogue.
func (s *Store) FindApp(ctx context.Context, id org.ID) (packages.Package, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, appSelect+`id = $1`, id), scanApp, "package.not_found")
}

func aboutApp(p packages.Package) any {
	return struct {
		Kind    string `json:"kind"`
		Name    string `json:"name"`
		Version string `json:"version"`
		SHA256  string `json:"sha256,omitempty"`
	}{string(p.Kind), p.Name, p.Version, p.SHA256}
}

// CreateApp takes a package into the catalogue.
func (s *Store) CreateApp(ctx context.Context, permit may.Permit, p packages.Package, upload org.ID) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		blob := upload
		if upload != "" {
			known, err := collect(ctx, tx, func(row scanner) (org.ID, error) {
				var id org.ID
				return id, row.Scan(&id)
			}, `SELECT blob FROM app_packages WHERE authority = $1 AND sha256 = $2 ORDER BY id LIMIT 1`, p.Authority, p.SHA256)
			if err != nil {
				return err
			}
			if len(known) > 0 {
				blob = known[0]
				if err := dropPieces(ctx, tx, p.Authority, upload); err != nil {
					return err
				}
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM app_uploads WHERE authority = $1 AND id = $2`, p.Authority, upload); err != nil {
				return err
			}
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO app_packages (authority, id, kind, name, version, architecture, sha256, size, blob, facts, staff, by_name, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (authority, kind, name, version, architecture) DO NOTHING`,
			p.Authority, p.ID, p.Kind, p.Name, p.Version, p.Architecture, p.SHA256, p.Size, blob, document(p.Package), p.By, p.ByName, millis(p.At))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return err
			}
			return errs.E(errs.Conflict, "package.exists", "name", p.Name, "version", p.Version).In("file")
		}
		return s.record(ctx, tx, permit, Target{"package", p.ID}, nil, aboutApp(p))
	})
}

// DeleteApp takes a package out of the catalogue.
func (s *Store) DeleteApp(ctx context.Context, permit may.Permit, p packages.Package) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		var used int
		if err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM rollouts WHERE package = $1 OR former = $1) + (SELECT COUNT(*) FROM app_shelf WHERE package = $1) + (SELECT COUNT(*) FROM app_wishes WHERE package = $1)`, p.ID).Scan(&used); err != nil {
			return err
		}
		if used > 0 {
			return errs.E(errs.Conflict, "package.in_use", "rollouts", used)
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM app_pieces WHERE authority = $1 AND blob = (SELECT blob FROM app_packages WHERE authority = $1 AND id = $2)
			AND NOT EXISTS (SELECT 1 FROM app_packages o JOIN app_packages p ON p.authority = o.authority AND p.blob = o.blob WHERE p.authority = $1 AND p.id = $2 AND o.id <> $2)`, p.Authority, p.ID)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM app_packages WHERE authority = $1 AND id = $2`, p.Authority, p.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"package", p.ID}, aboutApp(p), nil)
	})
}

// AppRoom counts the bytes that a scope has: each file once, and what is promised
// to files on their way.
func (s *Store) AppRoom(ctx context.Context, scope org.ID) (int64, error) {
	var used int64
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT CAST(COALESCE((SELECT SUM(size) FROM (SELECT DISTINCT blob, size FROM app_packages WHERE authority = $1 AND blob <> '') files), 0) +
		COALESCE((SELECT SUM(size) FROM app_uploads WHERE authority = $1), 0) AS BIGINT)`, scope).Scan(&used)
	return used, err
}

// Blob finds a file of a scope by its hash.
func (s *Store) Blob(ctx context.Context, scopes []org.ID, sha256 string) (packages.Blob, error) {
	q := newQuery(`SELECT authority, blob, size FROM app_packages WHERE sha256 = ? AND blob <> '' AND `, sha256)
	oneOf(q, "authority", scopes)
	q.add(` ORDER BY authority DESC, id LIMIT 1`)
	return one(s.reader(ctx).QueryRowContext(ctx, q.text(), q.args...), func(row scanner) (packages.Blob, error) {
		var b packages.Blob
		return b, row.Scan(&b.Scope, &b.ID, &b.Size)
	}, "package.not_found")
}

// AppPiece reads the piece of a file in which a byte lies.
func (s *Store) AppPiece(ctx context.Context, blob packages.Blob, at int64) (int64, []byte, error) {
	var begins int64
	var content []byte
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT begins, content FROM app_pieces WHERE authority = $1 AND blob = $2 AND begins <= $3 ORDER BY begins DESC LIMIT 1`,
		blob.Scope, blob.ID, at).Scan(&begins, &content)
	return begins, content, err
}

func dropPieces(ctx context.Context, tx Tx, scope, blob org.ID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM app_pieces WHERE authority = $1 AND blob = $2`, scope, blob)
	return err
}

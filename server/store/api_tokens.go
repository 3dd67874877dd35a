package store

import (
	"context"
	"encoding/json"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
)

const programColumns = `authority, id, name, maker, maker_name, grants, created, expires, used, revoked`

func scanProgram(row scanner) (staff.Program, error) {
	var p staff.Program
	var grants string
	var created, expires, used, revoked int64
	if err := row.Scan(&p.Authority, &p.ID, &p.Name, &p.Maker, &p.MakerName, &grants, &created, &expires, &used, &revoked); err != nil {
		return p, err
	}
	p.Created, p.Expires, p.Used, p.Revoked = instant(created), instant(expires), instant(used), instant(revoked)
	return p, json.Unmarshal([]byte(grants), &p.Grants)
}

// CreateProgram keeps a named token; the token itself is not kept.
func (s *Store) CreateProgram(ctx context.Context, permit may.Permit, p staff.Program) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO programs (`+programColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)`,
			p.Authority, p.ID, p.Name, p.Maker, p.MakerName, document(p.Grants), millis(p.Created), millis(p.Expires))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"program", p.ID}, nil, aboutProgram(p))
	})
}

func aboutProgram(p staff.Program) any {
	return struct {
		Name    string      `json:"name"`
		Grants  []may.Grant `json:"grants"`
		Expires time.Time   `json:"expires"`
		Revoked bool        `json:"revoked,omitempty"`
	}{p.Name, p.Grants, p.Expires, !p.Revoked.IsZero()}
}

// FindProgram returns a named token.
func (s *Store) FindProgram(ctx context.Context, id org.ID) (staff.Program, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT `+programColumns+` FROM programs WHERE id = $1`, id), scanProgram, "not_found")
}

// ListPrograms lists the named tokens of somebody, latest first.
func (s *Store) ListPrograms(ctx context.Context, maker org.ID) ([]staff.Program, error) {
	return collect(ctx, s.reader(ctx), scanProgram, `SELECT `+programColumns+` FROM programs WHERE maker = $1 ORDER BY created DESC, id LIMIT 200`, maker)
}

// RevokeProgram voids a named token.
func (s *Store) RevokeProgram(ctx context.Context, permit may.Permit, p staff.Program, at time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE programs SET revoked = $1 WHERE authority = $2 AND id = $3`, millis(at), p.Authority, p.ID); err != nil {
			return err
		}
		after := p
		after.Revoked = at
		return s.record(ctx, tx, permit, Target{"program", p.ID}, aboutProgram(p), aboutProgram(after))
	})
}

// TouchProgram notes that a program was here.
func (s *Store) TouchProgram(ctx context.Context, id org.ID, at time.Time) error {
	_, err := s.exec(ctx, `UPDATE programs SET used = $1 WHERE id = $2 AND used < $1`, millis(at), id)
	return err
}

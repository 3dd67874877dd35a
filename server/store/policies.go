package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// placeOf returns level and place under which a branch's own policies lie.
func placeOf(branch org.Branch) (org.Level, org.ID) {
	switch level := branch.Level(); level {
	case org.Group:
		return level, branch.Group
	case org.School:
		return level, branch.School
	case org.Authority:
		return level, branch.Authority
	}
	return org.Operator, ""
}

// WebFilter returns the base filter that a place itself sets; the zero value if
// it sets none.
func (s *Store) WebFilter(ctx context.Context, branch org.Branch) (catalog.WebFilter, error) {
	var filter catalog.WebFilter
	level, place := placeOf(branch)
	var value string
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT value FROM policies WHERE authority = $1 AND level = $2 AND place = $3 AND family = $4`,
		branch.Authority, level, place, catalog.WebFilterFamily.Name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return filter, nil
	}
	if err != nil {
		return filter, err
	}
	if err := json.Unmarshal([]byte(value), &filter); err != nil {
		return filter, fmt.Errorf("reading the base filter of %s: %w", place, err)
	}
	return filter, nil
}

// PutWebFilter sets the base filter of a place; the zero value takes it away.
func (s *Store) PutWebFilter(ctx context.Context, permit may.Permit, branch org.Branch, filter catalog.WebFilter) error {
	level, place := placeOf(branch)
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		before, err := s.WebFilter(ctx, branch)
		if err != nil {
			return err
		}
		if filter.Zero() {
			_, err = tx.ExecContext(ctx, `DELETE FROM policies WHERE authority = $1 AND level = $2 AND place = $3 AND family = $4`,
				branch.Authority, level, place, catalog.WebFilterFamily.Name)
		} else {
			_, err = tx.ExecContext(ctx, `INSERT INTO policies (authority, level, place, family, value, changed) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (authority, level, place, family) DO UPDATE SET value = excluded.value, changed = excluded.changed`,
				branch.Authority, level, place, catalog.WebFilterFamily.Name, document(filter), millis(s.now()))
		}
		if err != nil {
			return err
		}
		if err := s.changed(ctx, tx, schoolOf(branch), ""); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"policy", place}, before, filter)
	})
}

package store

import (
	"context"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/standard"
)

// PolicyPlace returns a place with its names. The installation is always there.
func (s *Store) PolicyPlace(ctx context.Context, place desired.Place) (standard.Place, error) {
	found := standard.Place{Place: place}
	tx := s.reader(ctx)
	b := &found.Branch
	scan := func(row scanner) (standard.Place, error) {
		return found, row.Scan(&b.Authority, &b.School, &b.Group, &found.Authority, &found.School, &found.Name, &found.Kind)
	}
	var err error
	switch place.Level {
	case org.Operator:
		if place.ID != "" {
			return found, errs.E(errs.NotFound, "not_found")
		}
	case org.Authority:
		_, err = one(tx.QueryRowContext(ctx, `SELECT id, '', '', name, '', name, '' FROM authorities WHERE id = $1`, place.ID), scan, "not_found")
	case org.School:
		_, err = one(tx.QueryRowContext(ctx, `SELECT s.authority, s.id, '', a.name, s.name, s.name, '' FROM schools s JOIN authorities a ON a.id = s.authority WHERE s.id = $1`, place.ID), scan, "not_found")
	case org.Group:
		_, err = one(tx.QueryRowContext(ctx, `SELECT g.authority, g.school, g.id, a.name, s.name, g.name, g.kind FROM school_groups g JOIN authorities a ON a.id = g.authority
			JOIN schools s ON s.authority = g.authority AND s.id = g.school WHERE g.id = $1`, place.ID), scan, "not_found")
	case org.Device:
		_, err = one(tx.QueryRowContext(ctx, `SELECT d.authority, d.school, '', a.name, s.name, d.name, '' FROM devices d JOIN authorities a ON a.id = d.authority
			JOIN schools s ON s.authority = d.authority AND s.id = d.school WHERE d.id = $1`, place.ID), scan, "not_found")
	default:
		return found, errs.E(errs.NotFound, "not_found")
	}
	return found, err
}

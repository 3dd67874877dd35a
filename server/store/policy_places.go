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

// namePlaces fills in the places of a list, each looked up once. One that is no
// more keeps its level and id.
func namePlaces[T any](ctx context.Context, s *Store, list []T, at func(*T) *standard.Place) error {
	known := map[desired.Place]standard.Place{}
	for i := range list {
		place := at(&list[i])
		found, ok := known[place.Place]
		if !ok {
			var err error
			if found, err = s.PolicyPlace(ctx, place.Place); errs.Is(err, errs.NotFound) {
				found, err = *place, nil
			} else if err != nil {
				return err
			}
			known[place.Place] = found
		}
		*place = found
	}
	return nil
}

// CountPlace counts the devices in use that a place reaches.
func (s *Store) CountPlace(ctx context.Context, place standard.Place) (int, error) {
	q := newQuery(`SELECT COUNT(*) FROM devices d WHERE d.retired = 0 AND `)
	q.devicesOf(place)
	var n int
	err := s.reader(ctx).QueryRowContext(ctx, q.text(), q.args...).Scan(&n)
	return n, err
}

// devicesOf adds the condition that a device is reached by a place.
func (q *query) devicesOf(place standard.Place) {
	q.place("d.authority", "d.school", place.Branch)
	switch place.Level {
	case org.Group:
		q.add(` AND EXISTS (SELECT 1 FROM group_devices m WHERE m.authority = d.authority AND m.group_id = ? AND m.device = d.id)`, place.ID)
	case org.Device:
		q.add(` AND d.id = ?`, place.ID)
	}
}

// PersonBehind returns who made the program that acts, or the person itself: one
// person with a program is not two.
func (s *Store) PersonBehind(ctx context.Context, id org.ID) (org.ID, error) {
	maker, err := one(s.reader(ctx).QueryRowContext(ctx, `SELECT maker FROM programs WHERE id = $1`, id), func(row scanner) (org.ID, error) {
		var maker org.ID
		return maker, row.Scan(&maker)
	}, "not_found")
	if errs.Is(err, errs.NotFound) {
		return id, nil
	}
	return maker, err
}

package store

import (
	"context"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/errs"
	"schulwart.org/server/standard"
)

// SayingPlaces lists the places of a branch that say something to all or have an
// exception that is not over, the highest first, then by name.
func (s *Store) SayingPlaces(ctx context.Context, branch org.Branch, at time.Time) ([]standard.Place, error) {
	places, err := collect(ctx, s.reader(ctx), func(row scanner) (standard.Place, error) {
		var p standard.Place
		return p, row.Scan(&p.Level, &p.ID)
	}, `SELECT level, place FROM (
			SELECT authority, level, place FROM base_policies WHERE pilot = ''
			UNION SELECT authority, level, place FROM exceptions WHERE ended = 0 AND until > $1
		) AS saying WHERE $2 = '' OR authority = $2 ORDER BY level, place`, millis(at), branch.Authority)
	if err != nil {
		return nil, err
	}
	if err := namePlaces(ctx, s, places, func(p *standard.Place) *standard.Place { return p }); err != nil {
		return nil, err
	}
	var within []standard.Place
	for _, level := range []org.Level{org.Operator, org.Authority, org.School, org.Group, org.Device} {
		for _, place := range places {
			if place.Level == level && branch.Holds(place.Branch) && (place.Name != "" || level == org.Operator) {
				within = append(within, place)
			}
		}
	}
	return within, nil
}

// NamedPlace finds a place by its names, as sheets call it.
func (s *Store) NamedPlace(ctx context.Context, names sheet.Place) (standard.Place, error) {
	query, args := "", []any{names.Authority, names.School}
	level := names.Level()
	switch level {
	case org.Operator:
		return s.PolicyPlace(ctx, desired.Place{Level: level})
	case org.Authority:
		query, args = `SELECT id FROM authorities WHERE name = $1 ORDER BY id`, args[:1]
	case org.School:
		query = `SELECT s.id FROM schools s JOIN authorities a ON a.id = s.authority WHERE a.name = $1 AND s.name = $2 ORDER BY s.id`
	case org.Group:
		query, args = `SELECT g.id FROM school_groups g JOIN schools s ON s.authority = g.authority AND s.id = g.school JOIN authorities a ON a.id = s.authority
			WHERE a.name = $1 AND s.name = $2 AND g.name = $3 ORDER BY g.id`, append(args, names.Group)
	case org.Device:
		query, args = `SELECT d.id FROM devices d JOIN schools s ON s.authority = d.authority AND s.id = d.school JOIN authorities a ON a.id = s.authority
			WHERE a.name = $1 AND s.name = $2 AND d.name = $3 AND d.retired = 0 ORDER BY d.id`, append(args, names.Device)
	}
	ids, err := collect(ctx, s.reader(ctx), func(row scanner) (org.ID, error) {
		var id org.ID
		return id, row.Scan(&id)
	}, query, args...)
	switch {
	case err != nil:
		return standard.Place{}, err
	case len(ids) == 0:
		return standard.Place{}, errs.E(errs.NotFound, "not_found")
	case len(ids) > 1:
		return standard.Place{}, errs.E(errs.Conflict, "sheet.place_ambiguous", "place", names.String())
	}
	return s.PolicyPlace(ctx, desired.Place{Level: level, ID: ids[0]})
}

// StaffLogin returns the login of somebody; empty for who has none any more, and
// for the installation itself.
func (s *Store) StaffLogin(ctx context.Context, id org.ID) (string, error) {
	login, err := one(s.reader(ctx).QueryRowContext(ctx, `SELECT login FROM staff WHERE id = $1`, id), func(row scanner) (string, error) {
		var login string
		return login, row.Scan(&login)
	}, "person.not_found")
	if errs.Is(err, errs.NotFound) {
		return "", nil
	}
	return login, err
}

// StaffByLogin returns who has the login.
func (s *Store) StaffByLogin(ctx context.Context, login string) (org.ID, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT staff FROM logins WHERE login = lower($1)`, login), func(row scanner) (org.ID, error) {
		var id org.ID
		return id, row.Scan(&id)
	}, "person.not_found")
}

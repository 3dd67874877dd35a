package store

import (
	"context"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
)

// seats reads the licences of all apps that count in a branch.
func (s *Store) seats(ctx context.Context, tx Tx, branch org.Branch) (map[ground.App]*ground.Seats, error) {
	type row struct {
		app ground.App
		id  org.ID // of a school or a device
	}
	scan := func(sc scanner) (row, error) {
		var r row
		return r, sc.Scan(&r.app.Kind, &r.app.Name, &r.id)
	}
	pools, err := collect(ctx, tx, scan, `SELECT kind, name, school FROM licence_pools WHERE authority = $1 AND ($2 = '' OR school = '' OR school = $2) ORDER BY kind, name, school`, branch.Authority, branch.School)
	if err != nil || len(pools) == 0 {
		return nil, err
	}
	seats := map[ground.App]*ground.Seats{}
	for _, pool := range pools {
		of := seats[pool.app]
		if of == nil {
			of = &ground.Seats{Schools: map[org.ID]bool{}, Holders: map[org.ID]bool{}}
			seats[pool.app] = of
		}
		if pool.id == "" {
			of.Everywhere = true
		} else {
			of.Schools[pool.id] = true
		}
	}
	holders, err := collect(ctx, tx, scan, `SELECT l.kind, l.name, l.device FROM licences l JOIN devices d ON d.authority = l.authority AND d.id = l.device WHERE l.authority = $1 AND ($2 = '' OR d.school = $2) ORDER BY l.kind, l.name, l.device`,
		branch.Authority, branch.School)
	for _, holder := range holders {
		if of := seats[holder.app]; of != nil {
			of.Holders[holder.id] = true
		}
	}
	return seats, err
}

// seatsOf says who of a branch has a licence of an app; nil where none are counted.
func (s *Store) seatsOf(ctx context.Context, tx Tx, branch org.Branch, app ground.App) (*ground.Seats, error) {
	seats, err := s.counted(ctx, tx, branch.Authority, app)
	if err != nil || seats == nil {
		return nil, err
	}
	holders, err := collect(ctx, tx, scanID, `SELECT l.device FROM licences l JOIN devices d ON d.authority = l.authority AND d.id = l.device WHERE l.authority = $1 AND l.kind = $2 AND l.name = $3 AND ($4 = '' OR d.school = $4)`,
		branch.Authority, app.Kind, app.Name, branch.School)
	for _, device := range holders {
		seats.Holders[device] = true
	}
	return seats, err
}

// seatOf is seatsOf for one device.
func (s *Store) seatOf(ctx context.Context, tx Tx, m ground.Member, app ground.App) (*ground.Seats, error) {
	seats, err := s.counted(ctx, tx, m.Branch.Authority, app)
	if err != nil || seats == nil {
		return nil, err
	}
	var n int
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM licences WHERE authority = $1 AND device = $2 AND kind = $3 AND name = $4`, m.Branch.Authority, m.ID, app.Kind, app.Name).Scan(&n)
	seats.Holders[m.ID] = n > 0
	return seats, err
}

// counted says where in an authority licences of an app are counted; nil for
// nowhere.
func (s *Store) counted(ctx context.Context, tx Tx, authority org.ID, app ground.App) (*ground.Seats, error) {
	places, err := collect(ctx, tx, scanID, `SELECT school FROM licence_pools WHERE authority = $1 AND kind = $2 AND name = $3`, authority, app.Kind, app.Name)
	if err != nil || len(places) == 0 {
		return nil, err
	}
	seats := &ground.Seats{Schools: map[org.ID]bool{}, Holders: map[org.ID]bool{}}
	for _, school := range places {
		if school == "" {
			seats.Everywhere = true
		} else {
			seats.Schools[school] = true
		}
	}
	return seats, nil
}

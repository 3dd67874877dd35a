package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/licence"
)

// Book reads all that decides who has a licence of an app.
func (s *Store) Book(ctx context.Context, authority org.ID, app ground.App) (licence.Book, error) {
	return s.book(ctx, s.reader(ctx), authority, app)
}

func (s *Store) book(ctx context.Context, tx Tx, authority org.ID, app ground.App) (licence.Book, error) {
	book := licence.Book{App: app}
	var err error
	if book.Today, err = s.today(ctx, tx, authority); err != nil {
		return book, err
	}
	if book.Pools, err = s.pools(ctx, tx, book.Today, ` p.authority = $1 AND p.kind = $2 AND p.name = $3 ORDER BY p.school, p.id`, authority, app.Kind, app.Name); err != nil {
		return book, err
	}
	rollouts, err := collect(ctx, tx, scanRollout, rolloutSelect+`r.authority = $1 AND r.state <> 'draft' AND p.kind = $2 AND p.name = $3 ORDER BY r.started, r.id`, authority, app.Kind, app.Name)
	if err != nil {
		return book, err
	}
	for _, r := range rollouts {
		book.Offers = append(book.Offers, r.Offer())
		if r.Status.State != ground.RolledBack || r.Former == nil {
			continue
		}
		if book.Empty == nil {
			book.Empty = map[org.ID]map[org.ID]bool{}
		}
		if book.Empty[r.ID], err = s.neverHad(ctx, tx, r.Offer(), authority); err != nil {
			return book, err
		}
	}
	if book.Wishes, err = s.wishesAsOffers(ctx, tx, org.Branch{Authority: authority}, &app); err != nil {
		return book, err
	}
	book.Members, err = s.claimants(ctx, tx, authority, app)
	return book, err
}

// neverHad lists the devices that a rollout that went back found, and left, without
// any version.
func (s *Store) neverHad(ctx context.Context, tx Tx, offer ground.Offer, authority org.ID) (map[org.ID]bool, error) {
	words, err := s.words(ctx, tx, authority, offer.Plan.ID)
	without := map[org.ID]bool{}
	for device, word := range words {
		if word.Present == "" && offer.Judge(word) == ground.OutcomeVerified {
			without[device] = true
		}
	}
	return without, err
}

// today is the day that the clocks of an authority show.
func (s *Store) today(ctx context.Context, tx Tx, authority org.ID) (ground.Date, error) {
	zone, err := one(tx.QueryRowContext(ctx, `SELECT timezone FROM authorities WHERE id = $1`, authority), func(row scanner) (string, error) {
		var zone string
		return zone, row.Scan(&zone)
	}, "not_found")
	return ground.Calendar{Zone: zone}.Today(s.now()), err
}

// claimants lists the devices of an authority that may have a licence of an app.
func (s *Store) claimants(ctx context.Context, tx Tx, authority org.ID, app ground.App) ([]licence.Member, error) {
	members, err := collect(ctx, tx, func(row scanner) (licence.Member, error) {
		var m licence.Member
		var since int64
		err := row.Scan(&m.Branch.Authority, &m.Branch.School, &m.ID, &m.Platform, &m.Name, &m.School, &m.Pool, &since)
		m.Since = instant(since)
		return m, err
	}, `SELECT d.authority, d.school, d.id, d.platform, d.name, s.name, COALESCE(l.pool, ''), COALESCE(l.since, 0) FROM devices d JOIN schools s ON s.authority = d.authority AND s.id = d.school
		LEFT JOIN licences l ON l.authority = d.authority AND l.device = d.id AND l.kind = $2 AND l.name = $3
		WHERE d.authority = $1 AND d.retired = 0 AND EXISTS (SELECT 1 FROM enrolments e WHERE e.authority = d.authority AND e.device = d.id AND e.state IN ('enrolled', 'pending')) ORDER BY d.id`,
		authority, app.Kind, app.Name)
	if err != nil {
		return nil, err
	}
	groups, err := s.memberships(ctx, tx, org.Branch{Authority: authority})
	for i := range members {
		members[i].Groups = groups[members[i].ID]
	}
	return members, err
}

// settleApp gives the licences of an app out anew. The row that it holds lets one at
// a time do so in an authority; what it reads after that, the others have finished.
func (s *Store) settleApp(ctx context.Context, tx Tx, authority org.ID, app ground.App) (bool, error) {
	var used int
	if err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM licence_pools WHERE authority = $1 AND kind = $2 AND name = $3) + (SELECT COUNT(*) FROM licences WHERE authority = $1 AND kind = $2 AND name = $3)`,
		authority, app.Kind, app.Name).Scan(&used); err != nil || used == 0 {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO licence_turns (authority, turn) VALUES ($1, 1) ON CONFLICT (authority) DO UPDATE SET turn = licence_turns.turn + 1`, authority); err != nil {
		return false, err
	}
	book, err := s.book(ctx, tx, authority, app)
	if err != nil {
		return false, err
	}
	has, err := s.licencesOf(ctx, tx, authority, app)
	if err != nil {
		return false, err
	}
	given := book.Allot()
	if err := s.moveLicences(ctx, tx, authority, app, has, given); err != nil {
		return false, err
	}
	touched := map[org.ID]bool{}
	for _, m := range book.Members {
		if has[m.ID] != given[m.ID] {
			touched[m.Branch.School] = true
		}
	}
	for _, school := range slices.Sorted(maps.Keys(touched)) {
		if err := s.changed(ctx, tx, org.Branch{Authority: authority, School: school}, ""); err != nil {
			return false, err
		}
	}
	return len(touched) > 0, s.noteLicences(ctx, tx, book, given)
}

func (s *Store) licencesOf(ctx context.Context, tx Tx, authority org.ID, app ground.App) (map[org.ID]org.ID, error) {
	rows, err := collect(ctx, tx, func(row scanner) ([2]org.ID, error) {
		var pair [2]org.ID
		return pair, row.Scan(&pair[0], &pair[1])
	}, `SELECT device, pool FROM licences WHERE authority = $1 AND kind = $2 AND name = $3`, authority, app.Kind, app.Name)
	has := make(map[org.ID]org.ID, len(rows))
	for _, row := range rows {
		has[row[0]] = row[1]
	}
	return has, err
}

// moveLicences makes the rows say what was given.
func (s *Store) moveLicences(ctx context.Context, tx Tx, authority org.ID, app ground.App, has, given map[org.ID]org.ID) error {
	for device := range has {
		if given[device] != "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM licences WHERE authority = $1 AND device = $2 AND kind = $3 AND name = $4`, authority, device, app.Kind, app.Name); err != nil {
			return err
		}
	}
	for device, pool := range given {
		if has[device] == pool {
			continue
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO licences (authority, device, kind, name, pool, since) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (authority, device, kind, name) DO UPDATE SET pool = excluded.pool`, authority, device, app.Kind, app.Name, pool, millis(s.now()))
		if err != nil {
			return err
		}
	}
	return nil
}

// noteLicences keeps how many each pool has given, where that is news.
func (s *Store) noteLicences(ctx context.Context, tx Tx, book licence.Book, given map[org.ID]org.ID) error {
	used := map[org.ID]int{}
	for _, pool := range given {
		used[pool]++
	}
	for _, pool := range book.Pools {
		_, err := tx.ExecContext(ctx, `INSERT INTO licence_days (authority, pool, day, used) SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT)
			WHERE COALESCE((SELECT used FROM licence_days WHERE authority = $1 AND pool = $2 ORDER BY day DESC LIMIT 1), -1) <> CAST($4 AS BIGINT)
			ON CONFLICT (authority, pool, day) DO UPDATE SET used = excluded.used`, pool.Branch.Authority, pool.ID, book.Today, used[pool.ID])
		if err != nil {
			return err
		}
	}
	return nil
}

// SettleLicences takes licences back from whoever left, and gives them to who waits.
func (s *Store) SettleLicences(ctx context.Context, authority org.ID) (bool, error) {
	apps, err := collect(ctx, s.reader(ctx), func(row scanner) (ground.App, error) {
		var app ground.App
		return app, row.Scan(&app.Kind, &app.Name)
	}, `SELECT kind, name FROM licence_pools WHERE authority = $1 UNION SELECT kind, name FROM licences WHERE authority = $1 ORDER BY 1, 2`, authority)
	if err != nil {
		return false, err
	}
	any := false
	for _, app := range apps {
		settled, err := s.settled(ctx, authority, app)
		if err != nil {
			return any, fmt.Errorf("giving out licences of %s: %w", app.Name, err)
		}
		if settled {
			continue
		}
		err = s.write(ctx, func(ctx context.Context, tx Tx) error {
			changed, err := s.settleApp(ctx, tx, authority, app)
			any = any || changed
			return err
		})
		if err != nil {
			return any, fmt.Errorf("giving out licences of %s: %w", app.Name, err)
		}
	}
	return any, nil
}

// settled reports whether the licences of an app are given out as they shall be, at
// no cost to whoever writes.
func (s *Store) settled(ctx context.Context, authority org.ID, app ground.App) (bool, error) {
	book, err := s.book(ctx, s.reader(ctx), authority, app)
	if err != nil {
		return false, err
	}
	has, err := s.licencesOf(ctx, s.reader(ctx), authority, app)
	given := book.Allot()
	if len(has) != len(given) {
		return false, err
	}
	for device, pool := range given {
		if has[device] != pool {
			return false, err
		}
	}
	return true, err
}

// UsedLicences counts what each pool has given.
func (s *Store) UsedLicences(ctx context.Context, authority org.ID) (map[org.ID]int, error) {
	type count struct {
		pool org.ID
		n    int
	}
	rows, err := collect(ctx, s.reader(ctx), func(row scanner) (count, error) {
		var c count
		return c, row.Scan(&c.pool, &c.n)
	}, `SELECT pool, COUNT(*) FROM licences WHERE authority = $1 GROUP BY pool ORDER BY pool`, authority)
	used := make(map[org.ID]int, len(rows))
	for _, row := range rows {
		used[row.pool] = row.n
	}
	return used, err
}

// LicenceDays lists the days on which the number that a pool has given changed.
func (s *Store) LicenceDays(ctx context.Context, authority, pool org.ID) ([]licence.Day, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (licence.Day, error) {
		var d licence.Day
		return d, row.Scan(&d.Day, &d.Used)
	}, `SELECT day, used FROM licence_days WHERE authority = $1 AND pool = $2 ORDER BY day`, authority, pool)
}

// keepLicenceDays is how long the days of pools are kept: longer than any pace looks
// back.
const keepLicenceDays = 400 * 24 * time.Hour

// retireLicenceDays forgets old days, but for the last one of each pool.
func (s *Store) retireLicenceDays(ctx context.Context, at time.Time) (int64, error) {
	return s.exec(ctx, `DELETE FROM licence_days WHERE day < $1 AND EXISTS (SELECT 1 FROM licence_days l WHERE l.authority = licence_days.authority AND l.pool = licence_days.pool AND l.day > licence_days.day AND l.day < $1)`,
		string(ground.DateOf(at.Add(-keepLicenceDays))))
}

package store

import (
	"context"
	"encoding/json"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/licence"
	"schulwart.org/server/may"
)

// The newest version in the catalogue says what an app is called.
const poolSelect = `SELECT p.authority, p.school, p.id, p.kind, p.name, p.total, p.cost, p.currency, p.until, p.note, p.by_name, p.since,
	COALESCE((SELECT a.facts FROM app_packages a WHERE a.authority IN ('', p.authority) AND a.kind = p.kind AND a.name = p.name ORDER BY a.at DESC, a.id LIMIT 1), '{}') FROM licence_pools p WHERE`

// pools reads pools, as they are on a day.
func (s *Store) pools(ctx context.Context, tx Tx, today ground.Date, where string, args ...any) ([]licence.Pool, error) {
	return collect(ctx, tx, func(row scanner) (licence.Pool, error) {
		p, err := scanPool(row)
		p.Over = p.Until != "" && p.Until < today
		return p, err
	}, poolSelect+where, args...)
}

func scanPool(row scanner) (licence.Pool, error) {
	var p licence.Pool
	var since int64
	var facts string
	err := row.Scan(&p.Branch.Authority, &p.Branch.School, &p.ID, &p.App.Kind, &p.App.Name, &p.Total, &p.Cost.Cents, &p.Cost.Currency, &p.Until, &p.Note, &p.ByName, &since, &facts)
	if err != nil {
		return p, err
	}
	var pack ground.Package
	err = json.Unmarshal([]byte(facts), &pack)
	p.Since, p.Title = instant(since), pack.Title
	return p, err
}

// ListPools lists the pools of authorities, those of whole authorities first.
func (s *Store) ListPools(ctx context.Context, authorities []org.ID) ([]licence.Pool, error) {
	q := newQuery(poolSelect + ` `)
	q.scopes("p.authority", authorities)
	q.add(` ORDER BY p.authority, p.name, p.kind, p.school, p.id LIMIT 2000`)
	pools, err := collect(ctx, s.reader(ctx), scanPool, q.text(), q.args...)
	days := map[org.ID]ground.Date{}
	for i := range pools {
		at := pools[i].Branch.Authority
		if days[at] == "" {
			if days[at], err = s.today(ctx, s.reader(ctx), at); err != nil {
				return nil, err
			}
		}
		pools[i].Over = pools[i].Until != "" && pools[i].Until < days[at]
	}
	return pools, err
}

// FindPool returns a pool.
func (s *Store) FindPool(ctx context.Context, id org.ID) (licence.Pool, error) {
	pool, err := one(s.reader(ctx).QueryRowContext(ctx, poolSelect+` p.id = $1`, id), scanPool, "licence.not_found")
	if err != nil {
		return pool, err
	}
	today, err := s.today(ctx, s.reader(ctx), pool.Branch.Authority)
	pool.Over = pool.Until != "" && pool.Until < today
	return pool, err
}

type poolRow struct {
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Total    int    `json:"total"`
	Cost     int64  `json:"cost,omitempty"`
	Currency string `json:"currency,omitempty"`
	Until    string `json:"until,omitempty"`
	Note     string `json:"note,omitempty"`
}

func aboutPool(p licence.Pool) any {
	return poolRow{string(p.App.Kind), p.App.Name, p.Total, p.Cost.Cents, p.Cost.Currency, string(p.Until), p.Note}
}

// SavePool keeps a pool in the place of the one that its place has of the app.
func (s *Store) SavePool(ctx context.Context, permit may.Permit, p licence.Pool) (licence.Pool, error) {
	err := s.write(ctx, func(ctx context.Context, tx Tx) error {
		today, err := s.today(ctx, tx, p.Branch.Authority)
		if err != nil {
			return err
		}
		known, err := s.pools(ctx, tx, today, ` p.authority = $1 AND p.school = $2 AND p.kind = $3 AND p.name = $4`, p.Branch.Authority, p.Branch.School, p.App.Kind, p.App.Name)
		if err != nil {
			return err
		}
		var before any
		if len(known) > 0 {
			before, p.ID, p.Since = aboutPool(known[0]), known[0].ID, known[0].Since
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO licence_pools (authority, id, school, kind, name, total, cost, currency, until, note, by_name, since) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (authority, school, kind, name) DO UPDATE SET total = excluded.total, cost = excluded.cost, currency = excluded.currency, until = excluded.until, note = excluded.note, by_name = excluded.by_name`,
			p.Branch.Authority, p.ID, p.Branch.School, p.App.Kind, p.App.Name, p.Total, p.Cost.Cents, p.Cost.Currency, p.Until, p.Note, p.ByName, millis(p.Since))
		if err != nil {
			return err
		}
		if err := s.record(ctx, tx, permit, Target{"licences", p.ID}, before, aboutPool(p)); err != nil {
			return err
		}
		return s.recount(ctx, tx, p)
	})
	return p, err
}

// DropPool forgets a pool.
func (s *Store) DropPool(ctx context.Context, permit may.Permit, p licence.Pool) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM licence_pools WHERE authority = $1 AND id = $2`, p.Branch.Authority, p.ID)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return err
			}
			return errs.E(errs.NotFound, "licence.not_found")
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM licence_days WHERE authority = $1 AND pool = $2`, p.Branch.Authority, p.ID); err != nil {
			return err
		}
		if err := s.record(ctx, tx, permit, Target{"licences", p.ID}, aboutPool(p), nil); err != nil {
			return err
		}
		return s.recount(ctx, tx, p)
	})
}

// recount gives licences out after a pool changed. All of its place may have another
// answer: where a pool comes or goes, they begin or cease to be counted.
func (s *Store) recount(ctx context.Context, tx Tx, p licence.Pool) error {
	if _, err := s.settleApp(ctx, tx, p.Branch.Authority, p.App); err != nil {
		return err
	}
	return s.changed(ctx, tx, p.Branch, "")
}

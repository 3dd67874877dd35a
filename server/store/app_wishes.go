package store

import (
	"context"
	"encoding/json"
	"fmt"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/shelf"
)

const wishSelect = `SELECT w.authority, w.school, w.id, w.device, d.name, w.entry, w.staff, w.by_name, w.at, w.package, p.facts, COALESCE(r.said, '') FROM app_wishes w
	JOIN app_packages p ON p.id = w.package JOIN devices d ON d.authority = w.authority AND d.id = w.device AND d.school = w.school AND d.retired = 0
	LEFT JOIN rollout_words r ON r.authority = w.authority AND r.rollout = w.id AND r.device = w.device WHERE `

func scanWish(row scanner) (shelf.Wish, error) {
	var w shelf.Wish
	var at int64
	var pack org.ID
	var facts, said string
	err := row.Scan(&w.Branch.Authority, &w.Branch.School, &w.ID, &w.Device, &w.DeviceName, &w.Entry, &w.By, &w.ByName, &at, &pack, &facts, &said)
	if err != nil {
		return w, err
	}
	if err := json.Unmarshal([]byte(facts), &w.Package); err != nil {
		return w, fmt.Errorf("reading package %s: %w", pack, err)
	}
	w.Package.ID, w.At = pack, instant(at)
	if said != "" {
		w.Said = &ddm.PackageStatus{}
		if err := json.Unmarshal([]byte(said), w.Said); err != nil {
			return w, fmt.Errorf("reading the word on %s: %w", w.ID, err)
		}
	}
	return w, nil
}

// wishes reads wishes, with who waits for a licence.
func (s *Store) wishes(ctx context.Context, tx Tx, where string, args ...any) ([]shelf.Wish, error) {
	list, err := collect(ctx, tx, scanWish, wishSelect+where, args...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	known := map[org.Branch]map[ground.App]*ground.Seats{}
	for i, w := range list {
		if known[w.Branch] == nil {
			if known[w.Branch], err = s.seats(ctx, tx, w.Branch); err != nil {
				return nil, err
			}
			if known[w.Branch] == nil {
				known[w.Branch] = map[ground.App]*ground.Seats{}
			}
		}
		list[i].Lacks = known[w.Branch][w.Package.App()].Lacks(ground.Member{ID: w.Device, Branch: w.Branch})
	}
	return list, nil
}

// WishesOf lists what was picked for a device, the latest first.
func (s *Store) WishesOf(ctx context.Context, device shelf.Device) ([]shelf.Wish, error) {
	return s.wishes(ctx, s.reader(ctx), `w.authority = $1 AND w.device = $2 ORDER BY w.at DESC, w.id`, device.Branch.Authority, device.ID)
}

// WishesIn lists what was picked in a school, the latest first.
func (s *Store) WishesIn(ctx context.Context, school org.Branch) ([]shelf.Wish, error) {
	return s.wishes(ctx, s.reader(ctx), `w.authority = $1 AND w.school = $2 ORDER BY w.at DESC, w.id LIMIT 500`, school.Authority, school.School)
}

// FindWish returns a wish.
func (s *Store) FindWish(ctx context.Context, id org.ID) (shelf.Wish, error) {
	list, err := s.wishes(ctx, s.reader(ctx), `w.id = $1`, id)
	if err == nil && len(list) == 0 {
		err = errs.E(errs.NotFound, "shelf.not_found")
	}
	if err != nil {
		return shelf.Wish{}, err
	}
	return list[0], nil
}

// wishesAsOffers are the wishes of a branch as devices are told of them, by device.
func (s *Store) wishesAsOffers(ctx context.Context, tx Tx, branch org.Branch, app *ground.App) (map[org.ID][]ground.Offer, error) {
	q := newQuery(wishSelect)
	q.place("w.authority", "w.school", branch)
	if app != nil {
		q.add(` AND p.kind = ? AND p.name = ?`, app.Kind, app.Name)
	}
	q.add(` ORDER BY w.at, w.id`)
	list, err := collect(ctx, tx, scanWish, q.text(), q.args...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	seats, err := s.seats(ctx, tx, branch)
	offers := map[org.ID][]ground.Offer{}
	for _, w := range list {
		offer := ground.Wish(w.ID, w.Branch, w.Package, w.At)
		offer.Seats = seats[w.Package.App()]
		offers[w.Device] = append(offers[w.Device], offer)
	}
	return offers, err
}

func aboutWish(w shelf.Wish, what string) any {
	return struct {
		What    string `json:"what"`
		Name    string `json:"name"`
		Version string `json:"version"`
		Device  string `json:"device"`
	}{what, w.Package.Name, w.Package.Version, w.DeviceName}
}

// MakeWish keeps what was picked for a device.
func (s *Store) MakeWish(ctx context.Context, permit may.Permit, w shelf.Wish) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		// The entry may have gone in the meantime: then nothing is picked.
		result, err := tx.ExecContext(ctx, `INSERT INTO app_wishes (authority, id, school, device, entry, package, staff, by_name, at)
			SELECT authority, CAST($1 AS TEXT), school, CAST($2 AS TEXT), id, package, CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT) FROM app_shelf WHERE authority = $6 AND id = $7
			ON CONFLICT (authority, device, package) DO NOTHING`, w.ID, w.Device, w.By, w.ByName, millis(w.At), w.Branch.Authority, w.Entry)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if err := s.record(ctx, tx, permit, Target{"device", w.Device}, nil, aboutWish(w, "pick")); err != nil {
			return err
		}
		return s.wished(ctx, tx, w)
	})
}

// wished gives licences out after a pick came or went, and marks the device.
func (s *Store) wished(ctx context.Context, tx Tx, w shelf.Wish) error {
	if _, err := s.settleApp(ctx, tx, w.Branch.Authority, w.Package.App()); err != nil {
		return err
	}
	return s.changedRules(ctx, tx, w.Branch, w.Device)
}

// DropWish forgets what was picked: the device takes out what it brought.
func (s *Store) DropWish(ctx context.Context, permit may.Permit, w shelf.Wish) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM app_wishes WHERE authority = $1 AND id = $2`, w.Branch.Authority, w.ID); err != nil {
			return err
		}
		if err := s.forgetWords(ctx, tx, w.Branch.Authority, w.ID); err != nil {
			return err
		}
		if err := s.record(ctx, tx, permit, Target{"device", w.Device}, nil, aboutWish(w, "return")); err != nil {
			return err
		}
		return s.wished(ctx, tx, w)
	})
}

// dropWishes forgets what was picked of an entry.
func (s *Store) dropWishes(ctx context.Context, tx Tx, e shelf.Entry) error {
	list, err := s.wishes(ctx, tx, `w.authority = $1 AND w.entry = $2 ORDER BY w.id`, e.Branch.Authority, e.ID)
	if err != nil {
		return err
	}
	for _, w := range list {
		if err := s.forgetWords(ctx, tx, w.Branch.Authority, w.ID); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM app_wishes WHERE authority = $1 AND entry = $2`, e.Branch.Authority, e.ID); err != nil {
		return err
	}
	if _, err := s.settleApp(ctx, tx, e.Branch.Authority, e.Package.App()); err != nil {
		return err
	}
	return s.changedRules(ctx, tx, e.Branch, "")
}

// FindPickDevice returns what of an enrolled device decides what may be picked for it.
func (s *Store) FindPickDevice(ctx context.Context, id org.ID) (shelf.Device, error) {
	tx := s.reader(ctx)
	device, err := one(tx.QueryRowContext(ctx, `SELECT d.authority, d.school, d.id, d.platform, d.name, d.person <> '' FROM devices d WHERE d.id = $1 AND d.retired = 0
		AND EXISTS (SELECT 1 FROM enrolments e WHERE e.authority = d.authority AND e.device = d.id AND e.state IN ('enrolled', 'pending'))`, id), func(row scanner) (shelf.Device, error) {
		var d shelf.Device
		return d, row.Scan(&d.Branch.Authority, &d.Branch.School, &d.ID, &d.Platform, &d.Name, &d.Person)
	}, "not_found")
	if err != nil {
		return device, err
	}
	type group struct {
		id   org.ID
		kind org.GroupKind
	}
	groups, err := collect(ctx, tx, func(row scanner) (group, error) {
		var g group
		return g, row.Scan(&g.id, &g.kind)
	}, `SELECT g.id, g.kind FROM group_devices m JOIN school_groups g ON g.authority = m.authority AND g.id = m.group_id WHERE m.authority = $1 AND m.device = $2 ORDER BY g.id`, device.Branch.Authority, device.ID)
	for _, g := range groups {
		device.Groups, device.Kinds = append(device.Groups, g.id), append(device.Kinds, g.kind)
	}
	return device, err
}

// GroupsTaught lists the groups that somebody teaches now.
func (s *Store) GroupsTaught(ctx context.Context, staff org.ID) ([]org.ID, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (org.ID, error) {
		var id org.ID
		return id, row.Scan(&id)
	}, `SELECT DISTINCT group_id FROM group_staff WHERE staff = $1 AND since <= $2 AND (until = 0 OR until > $2) ORDER BY group_id`, staff, millis(s.now()))
}

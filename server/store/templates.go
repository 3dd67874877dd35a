package store

import (
	"context"

	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

const publisherSelect = `SELECT authority, id, name, public_key, staff, by_name, at FROM template_publishers WHERE `

func scanPublisher(row scanner) (standard.Publisher, error) {
	var p standard.Publisher
	var key string
	var at int64
	if err := row.Scan(&p.Authority, &p.ID, &p.Name, &key, &p.By, &p.ByName, &at); err != nil {
		return p, err
	}
	p.At = instant(at)
	var err error
	p.Key, err = sheet.ReadKey(key)
	return p, err
}

// scopes narrows to authorities; nil are all.
func (q *query) scopes(column string, scopes []org.ID) {
	if scopes == nil {
		q.add("1 = 1")
		return
	}
	oneOf(q, column, scopes)
}

// ListPublishers lists known publishers by name.
func (s *Store) ListPublishers(ctx context.Context, scopes []org.ID) ([]standard.Publisher, error) {
	q := newQuery(publisherSelect)
	q.scopes("authority", scopes)
	q.add(` ORDER BY name, id LIMIT 500`)
	return collect(ctx, s.reader(ctx), scanPublisher, q.text(), q.args...)
}

// FindPublisher returns a known publisher.
func (s *Store) FindPublisher(ctx context.Context, id org.ID) (standard.Publisher, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, publisherSelect+`id = $1`, id), scanPublisher, "template.publisher_not_found")
}

func aboutPublisher(p standard.Publisher) any {
	return struct {
		Name        string `json:"name"`
		Fingerprint string `json:"fingerprint"`
	}{p.Name, sheet.Fingerprint(p.Key)}
}

// CreatePublisher makes a publisher known, unless its key is known there.
func (s *Store) CreatePublisher(ctx context.Context, permit may.Permit, p standard.Publisher) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO template_publishers (authority, id, name, public_key, staff, by_name, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (authority, public_key) DO NOTHING`, p.Authority, p.ID, p.Name, sheet.WriteKey(p.Key), p.By, p.ByName, millis(p.At))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return err
			}
			return errs.E(errs.Conflict, "template.publisher_known").In("key")
		}
		return s.record(ctx, tx, permit, Target{"publisher", p.ID}, nil, aboutPublisher(p))
	})
}

// DeletePublisher forgets a publisher.
func (s *Store) DeletePublisher(ctx context.Context, permit may.Permit, p standard.Publisher) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM template_publishers WHERE authority = $1 AND id = $2`, p.Authority, p.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"publisher", p.ID}, aboutPublisher(p), nil)
	})
}

const packageColumns = `k.authority, k.id, k.public_key, k.publisher, k.name, k.version, k.title, k.sheet, k.staff, k.by_name, k.at`

func scanPackage(row scanner) (standard.Package, error) {
	var p standard.Package
	var key string
	var at int64
	err := row.Scan(&p.Authority, &p.ID, &key, &p.Publisher, &p.Name, &p.Version, &p.Title, &p.Sheet, &p.By, &p.ByName, &at)
	if err != nil {
		return p, err
	}
	p.At = instant(at)
	p.Key, err = sheet.ReadKey(key)
	return p, err
}

// ListPackages lists packages by title, the latest version first.
func (s *Store) ListPackages(ctx context.Context, scopes []org.ID) ([]standard.Package, error) {
	q := newQuery(`SELECT ` + packageColumns + ` FROM template_packages k WHERE `)
	q.scopes("k.authority", scopes)
	q.add(` ORDER BY k.title, k.name, k.public_key, k.version DESC, k.id LIMIT 1000`)
	return collect(ctx, s.reader(ctx), scanPackage, q.text(), q.args...)
}

// FindPackage returns a package.
func (s *Store) FindPackage(ctx context.Context, id org.ID) (standard.Package, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT `+packageColumns+` FROM template_packages k WHERE k.id = $1`, id), scanPackage, "template.not_found")
}

// aboutPackage is what the audit log keeps of a package.
type aboutPackage struct {
	Name      string `json:"name"`
	Version   int    `json:"version"`
	Title     string `json:"title"`
	Publisher string `json:"publisher"`
	Reason    string `json:"reason,omitempty"`
}

// CreatePackage keeps a package.
func (s *Store) CreatePackage(ctx context.Context, permit may.Permit, p standard.Package) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO template_packages (authority, id, public_key, publisher, name, version, title, sheet, staff, by_name, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			p.Authority, p.ID, sheet.WriteKey(p.Key), p.Publisher, p.Name, p.Version, p.Title, p.Sheet, p.By, p.ByName, millis(p.At))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"template", p.ID}, nil, aboutPackage{p.Name, p.Version, p.Title, p.Publisher, ""})
	})
}

// TakenPackages lists what was published from packages in the branches and not
// taken back, the latest first.
func (s *Store) TakenPackages(ctx context.Context, branches []org.Branch) ([]standard.Taken, error) {
	q := newQuery(`SELECT v.authority, v.level, v.place, v.at, v.by_name, ` + packageColumns + ` FROM policy_drafts p
		JOIN policy_versions v ON v.authority = p.authority AND v.draft = p.id JOIN template_packages k ON k.id = p.package
		WHERE p.package <> '' AND v.undone = '' AND v.undoes = '' AND `)
	q.places("v.authority", "v.school", branches)
	q.add(` ORDER BY v.at DESC, v.id DESC LIMIT 5000`)
	taken, err := collect(ctx, s.reader(ctx), func(row scanner) (standard.Taken, error) {
		var t standard.Taken
		var at int64
		var err error
		t.Pack, err = scanPackage(behind{row, []any{&t.Place.Branch.Authority, &t.Place.Level, &t.Place.ID, &at, &t.ByName}})
		t.At = instant(at)
		return t, err
	}, q.text(), q.args...)
	if err != nil {
		return nil, err
	}
	return taken, namePlaces(ctx, s, taken, func(t *standard.Taken) *standard.Place { return &t.Place })
}

// FindDecline returns why a place does not want a package.
func (s *Store) FindDecline(ctx context.Context, place standard.Place, pack org.ID) (standard.Decline, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT reason, staff, by_name, at FROM template_declines WHERE authority = $1 AND level = $2 AND place = $3 AND package = $4`,
		place.Branch.Authority, place.Level, place.ID, pack), func(row scanner) (standard.Decline, error) {
		var d standard.Decline
		var at int64
		err := row.Scan(&d.Reason, &d.By, &d.ByName, &at)
		d.At = instant(at)
		return d, err
	}, "not_found")
}

// CreateDecline notes that a place does not want a package.
func (s *Store) CreateDecline(ctx context.Context, permit may.Permit, place standard.Place, p standard.Package, d standard.Decline) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO template_declines (authority, level, place, package, reason, staff, by_name, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (authority, level, place, package) DO NOTHING`, place.Branch.Authority, place.Level, place.ID, p.ID, d.Reason, d.By, d.ByName, millis(d.At))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"template", p.ID}, nil, aboutPackage{p.Name, p.Version, p.Title, p.Publisher, d.Reason})
	})
}

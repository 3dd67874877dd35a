package store

import (
	"context"
	"encoding/json"
	"fmt"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/shelf"
	"schulwart.org/server/staff"
)

const entrySelect = `SELECT e.authority, e.school, e.id, e.audience, e.group_id, COALESCE(g.name, ''), e.staff, COALESCE(s.salutation, ''), COALESCE(s.name, ''), e.by_name, e.at, e.package, p.facts,
	(SELECT COUNT(*) FROM app_wishes w WHERE w.authority = e.authority AND w.entry = e.id) FROM app_shelf e JOIN app_packages p ON p.id = e.package
	LEFT JOIN school_groups g ON g.authority = e.authority AND g.id = e.group_id LEFT JOIN staff s ON s.id = e.staff WHERE `

func scanEntry(row scanner) (shelf.Entry, error) {
	var e shelf.Entry
	var salutation, name, facts string
	var at int64
	var pack org.ID
	err := row.Scan(&e.Branch.Authority, &e.Branch.School, &e.ID, &e.For, &e.Group, &e.GroupName, &e.Staff, &salutation, &name, &e.ByName, &at, &pack, &facts, &e.Picked)
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal([]byte(facts), &e.Package); err != nil {
		return e, fmt.Errorf("reading package %s: %w", pack, err)
	}
	e.Package.ID, e.At = pack, instant(at)
	e.StaffName = staff.Person{Salutation: salutation, Name: name}.Display()
	return e, nil
}

// ListEntries lists what a school lets people pick, by name, the newest version first.
func (s *Store) ListEntries(ctx context.Context, school org.Branch) ([]shelf.Entry, error) {
	return collect(ctx, s.reader(ctx), scanEntry, entrySelect+`e.authority = $1 AND e.school = $2 ORDER BY p.name, p.kind, p.at DESC, e.audience, e.id LIMIT 1000`, school.Authority, school.School)
}

// FindEntry returns an entry.
func (s *Store) FindEntry(ctx context.Context, id org.ID) (shelf.Entry, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, entrySelect+`e.id = $1`, id), scanEntry, "shelf.not_found")
}

func aboutEntry(e shelf.Entry) any {
	return struct {
		What    string `json:"what"`
		Name    string `json:"name"`
		Version string `json:"version"`
		For     string `json:"for"`
	}{"offer", e.Package.Name, e.Package.Version, string(e.For)}
}

// AddEntry lets people pick an app.
func (s *Store) AddEntry(ctx context.Context, permit may.Permit, e shelf.Entry) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		added, err := s.addEntry(ctx, tx, permit, e)
		if err == nil && !added {
			err = errs.E(errs.Conflict, "shelf.exists").In("package")
		}
		return err
	})
}

func (s *Store) addEntry(ctx context.Context, tx Tx, permit may.Permit, e shelf.Entry) (bool, error) {
	result, err := tx.ExecContext(ctx, `INSERT INTO app_shelf (authority, id, school, package, audience, group_id, staff, by_name, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (authority, school, package, audience, group_id, staff) DO NOTHING`, e.Branch.Authority, e.ID, e.Branch.School, e.Package.ID, e.For, e.Group, e.Staff, e.ByName, millis(e.At))
	if err != nil {
		return false, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	return true, s.record(ctx, tx, permit, Target{"shelf", e.ID}, nil, aboutEntry(e))
}

// RemoveEntry lets nobody pick it any more, and takes it from who did.
func (s *Store) RemoveEntry(ctx context.Context, permit may.Permit, e shelf.Entry) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM app_shelf WHERE authority = $1 AND id = $2`, e.Branch.Authority, e.ID); err != nil {
			return err
		}
		if err := s.dropWishes(ctx, tx, e); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"shelf", e.ID}, aboutEntry(e), nil)
	})
}

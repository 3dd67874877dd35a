package store

import (
	"context"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
)

const personSelect = `SELECT p.authority, p.id, p.school, p.name, p.external, p.source, p.created FROM persons p WHERE `

func scanPerson(row scanner) (roster.Person, error) {
	var p roster.Person
	var created int64
	err := row.Scan(&p.Authority, &p.ID, &p.School, &p.Name, &p.External, &p.Source, &created)
	p.Created = instant(created)
	return p, err
}

func scanNamed(row scanner) (roster.Named, error) {
	var n roster.Named
	return n, row.Scan(&n.ID, &n.Name)
}

// ListPersons lists pupils of the branches, by name.
func (s *Store) ListPersons(ctx context.Context, branches []org.Branch, text string, school org.ID, cursor string, limit int) ([]roster.Person, string, error) {
	q := newQuery(personSelect)
	q.places("p.authority", "p.school", branches)
	if school != "" {
		q.add(` AND p.school = ?`, school)
	}
	for _, term := range terms(text) {
		q.add(` AND p.id IN (SELECT id FROM words WHERE authority = p.authority AND kind = 'person' AND word >= ? AND word < ?)`, term, term+beyond)
	}
	limit = q.page("p.name", "p.id", cursor, limit, 100)
	persons, err := collect(ctx, s.reader(ctx), scanPerson, q.text(), q.args...)
	if err != nil {
		return nil, "", err
	}
	persons, next := cut(persons, limit, func(p roster.Person) (string, org.ID) { return p.Name, p.ID })
	return persons, next, nil
}

// FindPerson returns a pupil with devices and groups.
func (s *Store) FindPerson(ctx context.Context, id org.ID) (roster.Person, error) {
	tx := s.reader(ctx)
	person, err := one(tx.QueryRowContext(ctx, personSelect+`p.id = $1`, id), scanPerson, "not_found")
	if err != nil {
		return person, err
	}
	person.Devices, err = collect(ctx, tx, scanNamed, `SELECT id, name FROM devices WHERE authority = $1 AND person = $2 AND retired = 0 ORDER BY name, id`, person.Authority, id)
	if err != nil {
		return person, err
	}
	person.Groups, err = collect(ctx, tx, scanNamed, `SELECT g.id, g.name FROM group_persons m JOIN school_groups g ON g.authority = m.authority AND g.id = m.group_id
		WHERE m.authority = $1 AND m.person = $2 ORDER BY `+natural("g.name")+`, g.id`, person.Authority, id)
	return person, err
}

func aboutPerson(p roster.Person) any {
	return struct {
		Name     string `json:"name"`
		External string `json:"external,omitempty"`
	}{p.Name, p.External}
}

// CreatePerson adds a pupil.
func (s *Store) CreatePerson(ctx context.Context, permit may.Permit, p roster.Person) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := addPerson(ctx, tx, p); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"person", p.ID}, nil, aboutPerson(p))
	})
}

func addPerson(ctx context.Context, tx Tx, p roster.Person) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO persons (authority, id, school, name, external, source, created) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		p.Authority, p.ID, p.School, p.Name, p.External, p.Source, millis(p.Created))
	if err != nil {
		return err
	}
	return putWords(ctx, tx, p.Authority, "person", p.ID, "", p.Name)
}

func renamePerson(ctx context.Context, tx Tx, before, after roster.Person) error {
	if _, err := tx.ExecContext(ctx, `UPDATE persons SET name = $1 WHERE authority = $2 AND id = $3`, after.Name, after.Authority, after.ID); err != nil {
		return err
	}
	return putWords(ctx, tx, after.Authority, "person", after.ID, before.Name, after.Name)
}

// DeletePerson removes a pupil. The devices stay, and leave the groups that
// they were in because of the person.
func (s *Store) DeletePerson(ctx context.Context, permit may.Permit, p roster.Person) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.dropPerson(ctx, tx, p); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"person", p.ID}, nil, note{"person_deleted"})
	})
}

func (s *Store) dropPerson(ctx context.Context, tx Tx, p roster.Person) error {
	devices, err := collect(ctx, tx, scanNamed, `SELECT id, name FROM devices WHERE authority = $1 AND person = $2 ORDER BY id`, p.Authority, p.ID)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		`UPDATE devices SET person = '' WHERE authority = $1 AND person = $2`,
		`DELETE FROM group_persons WHERE authority = $1 AND person = $2`,
		`DELETE FROM persons WHERE authority = $1 AND id = $2`,
	} {
		if _, err := tx.ExecContext(ctx, statement, p.Authority, p.ID); err != nil {
			return err
		}
	}
	if err := putWords(ctx, tx, p.Authority, "person", p.ID, p.Name, ""); err != nil {
		return err
	}
	for _, device := range devices {
		if err := s.followPerson(ctx, tx, org.Branch{Authority: p.Authority, School: p.School}, device.ID); err != nil {
			return err
		}
	}
	return nil
}

// followPerson makes a device's memberships those of its person, as far as they
// came about that way.
func (s *Store) followPerson(ctx context.Context, tx Tx, school org.Branch, device org.ID) error {
	// CROSS JOIN keeps SQLite on the way from the device to its person's groups.
	const groups = `SELECT m.group_id FROM devices d CROSS JOIN group_persons m CROSS JOIN school_groups g
		WHERE d.authority = $1 AND d.id = $2 AND d.person <> '' AND d.retired = 0 AND m.authority = d.authority AND m.person = d.person
		AND g.authority = m.authority AND g.id = m.group_id AND g.school = d.school`
	_, err := tx.ExecContext(ctx, `DELETE FROM group_devices WHERE authority = $1 AND device = $2 AND source = 'person' AND group_id NOT IN (`+groups+`)`, school.Authority, device)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO group_devices (authority, group_id, device, source)
		SELECT authority, id, $2, 'person' FROM school_groups WHERE authority = $1 AND id IN (`+groups+`)
		ON CONFLICT (authority, group_id, device) DO NOTHING`, school.Authority, device)
	if err != nil {
		return err
	}
	return s.changed(ctx, tx, school, device)
}

// RecordLook leaves the trace of somebody who read a person's data.
func (s *Store) RecordLook(ctx context.Context, permit may.Permit, p roster.Person) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		return s.record(ctx, tx, permit, Target{"person", p.ID}, nil, note{"looked"})
	})
}

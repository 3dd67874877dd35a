package store

import (
	"context"
	"encoding/json"
	"strings"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
)

func scanAuthority(row scanner) (roster.Authority, error) {
	var a roster.Authority
	var created int64
	err := row.Scan(&a.ID, &a.Name, &a.Timezone, &created, &a.Schools, &a.Devices)
	a.Created = instant(created)
	return a, err
}

const authoritySelect = `SELECT a.id, a.name, a.timezone, a.created, (SELECT COUNT(*) FROM schools s WHERE s.authority = a.id),
	(SELECT COUNT(*) FROM devices d WHERE d.authority = a.id AND d.retired = 0) FROM authorities a WHERE `

// ListAuthorities lists the authorities of the branches, by name.
func (s *Store) ListAuthorities(ctx context.Context, branches []org.Branch) ([]roster.Authority, error) {
	tops := make([]org.Branch, len(branches))
	for i, branch := range branches {
		tops[i] = org.Branch{Authority: branch.Authority}
	}
	q := newQuery(authoritySelect)
	q.places("a.id", "", tops)
	q.add(` ORDER BY a.name, a.id`)
	return collect(ctx, s.reader(ctx), scanAuthority, q.text(), q.args...)
}

// FindAuthority returns an authority.
func (s *Store) FindAuthority(ctx context.Context, id org.ID) (roster.Authority, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, authoritySelect+`a.id = $1`, id), scanAuthority, "not_found")
}

// CreateAuthority makes an authority.
func (s *Store) CreateAuthority(ctx context.Context, permit may.Permit, a roster.Authority) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO authorities (id, name, timezone, created) VALUES ($1, $2, $3, $4)`, a.ID, a.Name, a.Timezone, millis(a.Created))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"authority", a.ID}, nil, named{a.Name})
	})
}

// named is an audit row's content for things of which the name says enough.
type named struct {
	Name string `json:"name"`
}

const schoolSelect = `SELECT s.authority, a.name, s.id, s.name, s.short, s.number, a.timezone, s.bells, s.minutes, s.created,
	(SELECT COUNT(*) FROM devices d WHERE d.authority = s.authority AND d.school = s.id AND d.retired = 0)
	FROM schools s JOIN authorities a ON a.id = s.authority WHERE `

func scanSchool(row scanner) (roster.School, error) {
	var v roster.School
	var bells string
	var created int64
	err := row.Scan(&v.Authority, &v.AuthorityName, &v.ID, &v.Name, &v.Short, &v.Number, &v.Timezone, &bells, &v.Minutes, &created, &v.Devices)
	if err != nil {
		return v, err
	}
	v.Created = instant(created)
	return v, json.Unmarshal([]byte(bells), &v.Bells)
}

// ListSchools lists the schools of the branches, by name.
func (s *Store) ListSchools(ctx context.Context, branches []org.Branch, text, cursor string, limit int) ([]roster.School, string, error) {
	q := newQuery(schoolSelect)
	q.places("s.authority", "s.id", branches)
	if text = strings.TrimSpace(text); text != "" {
		q.add(` AND (LOWER(s.name) LIKE ? ESCAPE '\' OR LOWER(s.short) LIKE ? ESCAPE '\')`, "%"+prefix(text), prefix(text))
	}
	limit = q.page("s.name", "s.id", cursor, limit, 100)
	schools, err := collect(ctx, s.reader(ctx), scanSchool, q.text(), q.args...)
	if err != nil {
		return nil, "", err
	}
	schools, next := cut(schools, limit, func(v roster.School) (string, org.ID) { return v.Name, v.ID })
	return schools, next, nil
}

// FindSchool returns a school.
func (s *Store) FindSchool(ctx context.Context, id org.ID) (roster.School, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, schoolSelect+`s.id = $1`, id), scanSchool, "not_found")
}

// CreateSchool makes a school.
func (s *Store) CreateSchool(ctx context.Context, permit may.Permit, v roster.School) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO schools (authority, id, name, short, number, bells, minutes, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			v.Authority, v.ID, v.Name, v.Short, v.Number, documentList(v.Bells), v.Minutes, millis(v.Created))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"school", v.ID}, nil, aboutSchool(v))
	})
}

func aboutSchool(v roster.School) any {
	return struct {
		Name    string        `json:"name"`
		Short   string        `json:"short,omitempty"`
		Number  string        `json:"number,omitempty"`
		Bells   []roster.Bell `json:"bells,omitempty"`
		Minutes int           `json:"minutes,omitempty"`
	}{v.Name, v.Short, v.Number, v.Bells, v.Minutes}
}

// UpdateSchool changes a school's settings. Its devices name the school, so
// they may have to hear of it.
func (s *Store) UpdateSchool(ctx context.Context, permit may.Permit, before, after roster.School) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE schools SET name = $1, short = $2, number = $3, bells = $4, minutes = $5 WHERE authority = $6 AND id = $7`,
			after.Name, after.Short, after.Number, documentList(after.Bells), after.Minutes, after.Authority, after.ID)
		if err != nil {
			return err
		}
		if before.Name != after.Name {
			if err := s.changedRules(ctx, tx, after.Branch(), ""); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, permit, Target{"school", after.ID}, aboutSchool(before), aboutSchool(after))
	})
}

package store

import (
	"context"
	"fmt"
	"slices"

	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
)

const staffColumns = `p.authority, p.id, p.salutation, p.name, p.login, p.password <> '', p.factor <> '', p.lang, p.theme, p.locked, p.last_seen, p.source, p.created`

func scanStaff(row scanner) (staff.Person, error) {
	var p staff.Person
	var chosen bool
	var locked, seen, created int64
	err := row.Scan(&p.Authority, &p.ID, &p.Salutation, &p.Name, &p.Login, &chosen, &p.Factor, &p.Lang, &p.Theme, &locked, &seen, &p.Source, &created)
	p.Invited, p.Locked, p.LastSeen, p.Created = !chosen, instant(locked), instant(seen), instant(created)
	return p, err
}

func scanGrant(row scanner) (may.Grant, error) {
	var g may.Grant
	return g, row.Scan(&g.Role, &g.Branch.Authority, &g.Branch.School)
}

// FindStaff returns somebody with their grants.
func (s *Store) FindStaff(ctx context.Context, id org.ID) (staff.Person, error) {
	return s.oneStaff(ctx, `SELECT `+staffColumns+` FROM staff p WHERE p.id = $1`, id)
}

// FindLogin returns who a login belongs to.
func (s *Store) FindLogin(ctx context.Context, login string) (staff.Person, error) {
	return s.oneStaff(ctx, `SELECT `+staffColumns+` FROM logins l JOIN staff p ON p.authority = l.authority AND p.id = l.staff WHERE l.login = $1`, login)
}

func (s *Store) oneStaff(ctx context.Context, query string, key any) (staff.Person, error) {
	tx := s.reader(ctx)
	person, err := one(tx.QueryRowContext(ctx, query, key), scanStaff, "not_found")
	if err != nil {
		return person, err
	}
	person.Grants, err = collect(ctx, tx, scanGrant, `SELECT role, at_authority, at_school FROM staff_grants WHERE authority = $1 AND staff = $2
		ORDER BY role, at_authority, at_school`, person.Authority, person.ID)
	return person, err
}

// ListStaff lists who has a role in one of the branches, by name.
func (s *Store) ListStaff(ctx context.Context, branches []org.Branch, filter staff.Filter) ([]staff.Person, string, error) {
	q := newQuery(`SELECT ` + staffColumns + ` FROM staff p WHERE `)
	q.add(`EXISTS (SELECT 1 FROM staff_grants g WHERE g.authority = p.authority AND g.staff = p.id AND `)
	q.places("g.at_authority", "g.at_school", branches)
	if filter.Role != "" {
		q.add(` AND g.role = ?`, filter.Role)
	}
	if filter.School != "" {
		q.add(` AND g.at_school = ?`, filter.School)
	}
	q.add(`)`)
	if text := strings.TrimSpace(filter.Query); text != "" {
		pattern := "%" + prefix(text)
		q.add(` AND (LOWER(p.name) LIKE ? ESCAPE '\' OR p.login LIKE ? ESCAPE '\')`, pattern, pattern)
	}
	limit := q.page("p.name", "p.id", filter.Cursor, filter.Limit, 50)
	people, err := collect(ctx, s.reader(ctx), scanStaff, q.text(), q.args...)
	if err != nil {
		return nil, "", err
	}
	people, next := cut(people, limit, func(p staff.Person) (string, org.ID) { return p.Name, p.ID })
	for i := range people {
		people[i].Grants, err = collect(ctx, s.reader(ctx), scanGrant, `SELECT role, at_authority, at_school FROM staff_grants WHERE authority = $1 AND staff = $2
			ORDER BY role, at_authority, at_school`, people[i].Authority, people[i].ID)
		if err != nil {
			return nil, "", err
		}
	}
	return people, next, nil
}

// CountStaff counts all people with logins.
func (s *Store) CountStaff(ctx context.Context) (int, error) {
	var n int
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT COUNT(*) FROM staff`).Scan(&n)
	return n, err
}

// CreateStaff adds a person with login, grants and, where its hash is not
// empty, a code.
func (s *Store) CreateStaff(ctx context.Context, permit may.Permit, person staff.Person, password string, code staff.Code) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.addStaff(ctx, tx, person, password); err != nil {
			return err
		}
		if code.Hash != "" {
			if err := putCode(ctx, tx, person, code); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, permit, Target{"staff", person.ID}, nil, aboutStaff(person))
	})
}

// addStaff adds the rows of a person who is not known yet.
func (s *Store) addStaff(ctx context.Context, tx Tx, p staff.Person, password string) error {
	result, err := tx.ExecContext(ctx, `INSERT INTO logins (login, authority, staff) VALUES ($1, $2, $3) ON CONFLICT (login) DO NOTHING`, p.Login, p.Authority, p.ID)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errs.E(errs.Conflict, "staff.login_taken", "login", p.Login).In("email")
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO staff (authority, id, salutation, name, login, password, lang, theme, source, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		p.Authority, p.ID, p.Salutation, p.Name, p.Login, password, p.Lang, p.Theme, p.Source, millis(p.Created))
	if err != nil {
		return err
	}
	for _, grant := range p.Grants {
		if err := addGrant(ctx, tx, p, grant, p.Source); err != nil {
			return err
		}
	}
	return nil
}

// aboutStaff is what an audit row says of a person: no secrets, no preferences.
func aboutStaff(p staff.Person) any {
	return struct {
		Name   string      `json:"name"`
		Login  string      `json:"login"`
		Grants []may.Grant `json:"grants"`
		Locked bool        `json:"locked,omitempty"`
	}{strings.TrimSpace(p.Salutation + " " + p.Name), p.Login, p.Grants, !p.Locked.IsZero()}
}

// UpdateStaff changes name, login and preferences.
func (s *Store) UpdateStaff(ctx context.Context, permit may.Permit, before, after staff.Person) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if before.Login != after.Login {
			if err := moveLogin(ctx, tx, before, after); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE staff SET salutation = $1, name = $2, login = $3, lang = $4, theme = $5 WHERE authority = $6 AND id = $7`,
			after.Salutation, after.Name, after.Login, after.Lang, after.Theme, after.Authority, after.ID)
		if err != nil || document(aboutStaff(before)) == document(aboutStaff(after)) {
			return err // a change of theme is nobody's business
		}
		return s.record(ctx, tx, permit, Target{"staff", after.ID}, aboutStaff(before), aboutStaff(after))
	})
}

func moveLogin(ctx context.Context, tx Tx, before, after staff.Person) error {
	result, err := tx.ExecContext(ctx, `INSERT INTO logins (login, authority, staff) VALUES ($1, $2, $3) ON CONFLICT (login) DO NOTHING`, after.Login, after.Authority, after.ID)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errs.E(errs.Conflict, "staff.login_taken", "login", after.Login).In("email")
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM logins WHERE login = $1`, before.Login)
	return err
}

// AddGrant gives somebody a role; one that is there already changes nothing.
func (s *Store) AddGrant(ctx context.Context, permit may.Permit, person staff.Person, grant may.Grant) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if slices.Contains(person.Grants, grant) {
			return nil
		}
		if err := addGrant(ctx, tx, person, grant, "hand"); err != nil {
			return err
		}
		after := person
		after.Grants = append(slices.Clone(person.Grants), grant)
		if staff.Shortens(person, after) {
			if err := endSessions(ctx, tx, person.ID, ""); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, permit, Target{"staff", person.ID}, aboutStaff(person), aboutStaff(after))
	})
}

func addGrant(ctx context.Context, tx Tx, person staff.Person, grant may.Grant, source string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO staff_grants (authority, staff, role, at_authority, at_school, source) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (authority, staff, role, at_authority, at_school) DO NOTHING`, person.Authority, person.ID, grant.Role, grant.Branch.Authority, grant.Branch.School, source)
	return err
}

// RemoveGrant takes a role away, and with the last role in a school its groups.
func (s *Store) RemoveGrant(ctx context.Context, permit may.Permit, person staff.Person, grant may.Grant) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		at := slices.Index(person.Grants, grant)
		if at < 0 {
			return errs.E(errs.NotFound, "not_found")
		}
		if err := removeGrant(ctx, tx, person.Authority, person.ID, grant); err != nil {
			return err
		}
		after := person
		after.Grants = slices.Delete(slices.Clone(person.Grants), at, at+1)
		return s.record(ctx, tx, permit, Target{"staff", person.ID}, aboutStaff(person), aboutStaff(after))
	})
}

func removeGrant(ctx context.Context, tx Tx, authority, id org.ID, grant may.Grant) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM staff_grants WHERE authority = $1 AND staff = $2 AND role = $3 AND at_authority = $4 AND at_school = $5`,
		authority, id, grant.Role, grant.Branch.Authority, grant.Branch.School)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM group_staff WHERE authority = $1 AND staff = $2
		AND group_id IN (SELECT id FROM school_groups WHERE authority = $1 AND school = $3)
		AND NOT EXISTS (SELECT 1 FROM staff_grants g WHERE g.authority = $4 AND g.staff = $2 AND g.at_authority IN ('', $1) AND g.at_school IN ('', $3))`,
		grant.Branch.Authority, id, grant.Branch.School, authority)
	return err
}

// LockStaff locks or unlocks. Who is locked has no session and no token left.
func (s *Store) LockStaff(ctx context.Context, permit may.Permit, person staff.Person, at time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE staff SET locked = $1, epoch = epoch + 1 WHERE authority = $2 AND id = $3`, millis(at), person.Authority, person.ID); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, person.ID, ""); err != nil {
			return err
		}
		after := person
		after.Locked = at
		return s.record(ctx, tx, permit, Target{"staff", person.ID}, aboutStaff(person), aboutStaff(after))
	})
}

// TouchStaff notes that somebody was here.
func (s *Store) TouchStaff(ctx context.Context, id org.ID, at time.Time) error {
	_, err := s.exec(ctx, `UPDATE staff SET last_seen = $1 WHERE id = $2 AND last_seen < $1`, millis(at), id)
	return err
}

// StaffSecrets returns what somebody is known by.
func (s *Store) StaffSecrets(ctx context.Context, id org.ID) (staff.Secrets, error) {
	secrets, err := one(s.reader(ctx).QueryRowContext(ctx, `SELECT password, factor, pending, step, epoch FROM staff WHERE id = $1`, id), func(row scanner) (staff.Secrets, error) {
		var c staff.Secrets
		return c, row.Scan(&c.Password, &c.Factor, &c.Pending, &c.Step, &c.Epoch)
	}, "not_found")
	if err != nil {
		return staff.Secrets{}, err
	}
	for _, sealed := range []*string{&secrets.Factor, &secrets.Pending} {
		if *sealed == "" {
			continue
		}
		open, err := s.vault.open("factor:"+id.String(), *sealed)
		if err != nil {
			return staff.Secrets{}, err
		}
		*sealed = string(open)
	}
	return secrets, nil
}

// PutPassword sets a password. Everything that the old one let in goes.
func (s *Store) PutPassword(ctx context.Context, permit may.Permit, person staff.Person, password, keepSession string) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE staff SET password = $1, epoch = epoch + 1 WHERE authority = $2 AND id = $3`, password, person.Authority, person.ID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM staff_codes WHERE authority = $1 AND staff = $2`, person.Authority, person.ID); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, person.ID, keepSession); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"staff", person.ID}, nil, note{"password_chosen"})
	})
}

// note is an audit row's content where only what happened matters.
type note struct {
	What string `json:"what"`
}

// PutFactor changes the second factor, sealed. Nothing is recorded while one
// only waits for its first code.
func (s *Store) PutFactor(ctx context.Context, permit may.Permit, person staff.Person, factor, pending string) error {
	sealed := [2]string{}
	for i, secret := range []string{factor, pending} {
		if secret == "" {
			continue
		}
		var err error
		if sealed[i], err = s.vault.seal("factor:"+person.ID.String(), []byte(secret)); err != nil {
			return fmt.Errorf("sealing a second factor: %w", err)
		}
	}
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE staff SET factor = $1, pending = $2 WHERE authority = $3 AND id = $4`, sealed[0], sealed[1], person.Authority, person.ID)
		if err != nil || person.Factor == (factor != "") {
			return err
		}
		what := "factor_removed"
		if factor != "" {
			what = "factor_added"
		}
		return s.record(ctx, tx, permit, Target{"staff", person.ID}, nil, note{what})
	})
}

// UseStep notes a TOTP step; false if it or a later one was used before.
func (s *Store) UseStep(ctx context.Context, id org.ID, step int64) (bool, error) {
	n, err := s.exec(ctx, `UPDATE staff SET step = $1 WHERE id = $2 AND step < $1`, step, id)
	return n == 1, err
}

// PutCode replaces the person's open codes of the kind.
func (s *Store) PutCode(ctx context.Context, permit may.Permit, person staff.Person, code staff.Code) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := putCode(ctx, tx, person, code); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"staff", person.ID}, nil, note{"code_" + string(code.Kind)})
	})
}

func putCode(ctx context.Context, tx Tx, person staff.Person, code staff.Code) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM staff_codes WHERE authority = $1 AND staff = $2 AND kind = $3`, person.Authority, person.ID, code.Kind); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO staff_codes (hash, authority, staff, kind, by_name, until) VALUES ($1, $2, $3, $4, $5, $6)`,
		code.Hash, person.Authority, person.ID, code.Kind, code.By, millis(code.Until))
	return err
}

// FindCode returns what a code is good for at the instant.
func (s *Store) FindCode(ctx context.Context, hash string, at time.Time) (staff.Code, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT hash, kind, staff, by_name, until FROM staff_codes WHERE hash = $1 AND until > $2`, hash, millis(at)), func(row scanner) (staff.Code, error) {
		var c staff.Code
		var until int64
		err := row.Scan(&c.Hash, &c.Kind, &c.Staff, &c.By, &until)
		c.Until = instant(until)
		return c, err
	}, "staff.bad_code")
}

// StaffName returns the display name of somebody who has a role that reaches
// the branch.
func (s *Store) StaffName(ctx context.Context, branch org.Branch, id org.ID) (string, error) {
	person, err := s.FindStaff(ctx, id)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(person.Grants, func(g may.Grant) bool { return g.Branch.Holds(branch) }) {
		return "", errs.E(errs.NotFound, "not_found")
	}
	return person.Display(), nil
}

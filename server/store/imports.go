package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/staff"
)

const importColumns = `authority, id, school, staff, staff_name, what, file, profile, content, columns, state, counts, created`

func scanImport(row scanner) (roster.Import, error) {
	var i roster.Import
	var content, columns, counts string
	var created int64
	err := row.Scan(&i.Authority, &i.ID, &i.School, &i.Staff, &i.StaffName, &i.What, &i.File, &i.Profile, &content, &columns, &i.State, &counts, &created)
	if err != nil {
		return i, err
	}
	i.Created = instant(created)
	if content != "" {
		if err := json.Unmarshal([]byte(content), &i.Table); err != nil {
			return i, fmt.Errorf("reading an import's table: %w", err)
		}
	}
	if err := json.Unmarshal([]byte(columns), &i.Columns); err != nil {
		return i, fmt.Errorf("reading an import's columns: %w", err)
	}
	return i, json.Unmarshal([]byte(counts), &i.Counts)
}

// CreateImport keeps a file on its way into the roster.
func (s *Store) CreateImport(ctx context.Context, permit may.Permit, i roster.Import) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO imports (`+importColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			i.Authority, i.ID, i.School, i.Staff, i.StaffName, i.What, i.File, i.Profile, document(i.Table), document(i.Columns), i.State, document(i.Counts), millis(i.Created))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"import", i.ID}, nil, aboutImport(i))
	})
}

func aboutImport(i roster.Import) any {
	return struct {
		What    roster.What        `json:"what"`
		File    string             `json:"file"`
		Profile string             `json:"profile"`
		State   roster.ImportState `json:"state"`
		Rows    int                `json:"rows,omitempty"`
		Counts  roster.Counts      `json:"counts"`
	}{i.What, i.File, i.Profile, i.State, len(i.Table.Rows), i.Counts}
}

// FindImport returns an import with its table.
func (s *Store) FindImport(ctx context.Context, id org.ID) (roster.Import, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT `+importColumns+` FROM imports WHERE id = $1`, id), scanImport, "not_found")
}

// ListImports lists the latest imports of the branches, without their tables.
func (s *Store) ListImports(ctx context.Context, branches []org.Branch, limit int) ([]roster.Import, error) {
	q := newQuery(`SELECT authority, id, school, staff, staff_name, what, file, profile, '', columns, state, counts, created FROM imports WHERE `)
	q.places("authority", "school", branches)
	q.add(` ORDER BY created DESC, id DESC LIMIT ?`, limit)
	return collect(ctx, s.reader(ctx), scanImport, q.text(), q.args...)
}

// PutImport keeps mapping and state.
func (s *Store) PutImport(ctx context.Context, permit may.Permit, i roster.Import) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := putImport(ctx, tx, i); err != nil {
			return err
		}
		if i.State != roster.Dropped {
			return nil // until it is applied or dropped an import does nothing
		}
		return s.record(ctx, tx, permit, Target{"import", i.ID}, nil, aboutImport(i))
	})
}

func putImport(ctx context.Context, tx Tx, i roster.Import) error {
	if _, err := tx.ExecContext(ctx, `UPDATE imports SET columns = $1, state = $2, counts = $3 WHERE authority = $4 AND id = $5`,
		document(i.Columns), i.State, document(i.Counts), i.Authority, i.ID); err != nil {
		return err
	}
	if i.State != roster.Done && i.State != roster.Dropped {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE imports SET content = '' WHERE authority = $1 AND id = $2`, i.Authority, i.ID)
	return err
}

// Profile returns the saved columns of a profile by their titles.
func (s *Store) Profile(ctx context.Context, branch org.Branch, what roster.What, name string) (map[string]roster.Field, error) {
	var columns string
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT columns FROM import_profiles WHERE authority = $1 AND school = $2 AND what = $3 AND name = $4`,
		branch.Authority, branch.School, what, name).Scan(&columns)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var saved map[string]roster.Field
	return saved, json.Unmarshal([]byte(columns), &saved)
}

// Inventory returns what a school has, as far as imports touch it.
func (s *Store) Inventory(ctx context.Context, school org.Branch) (roster.Inventory, error) {
	var inv roster.Inventory
	tx := s.reader(ctx)
	var err error
	if inv.Devices, err = collect(ctx, tx, devicesAt(s.now()), deviceSelect+`d.authority = $1 AND d.school = $2 ORDER BY d.id`, school.Authority, school.School); err != nil {
		return inv, err
	}
	if inv.Groups, err = collect(ctx, tx, scanGroup, groupSelect+`g.authority = $1 AND g.school = $2 ORDER BY g.id`, school.Authority, school.School); err != nil {
		return inv, err
	}
	if inv.Persons, err = collect(ctx, tx, scanPerson, personSelect+`p.authority = $1 AND p.school = $2 ORDER BY p.id`, school.Authority, school.School); err != nil {
		return inv, err
	}
	inv.Teachers, err = collect(ctx, tx, func(row scanner) (roster.KnownTeacher, error) {
		var t roster.KnownTeacher
		return t, row.Scan(&t.Staff, &t.Login, &t.Salutation, &t.Name, &t.Source)
	}, `SELECT p.id, p.login, p.salutation, p.name, g.source FROM staff_grants g JOIN staff p ON p.authority = g.authority AND p.id = g.staff
		WHERE g.at_authority = $1 AND g.at_school = $2 AND g.role = 'teacher' ORDER BY p.id`, school.Authority, school.School)
	if err != nil {
		return inv, err
	}
	for table, into := range map[string]*[]roster.Link{"group_devices": &inv.Members, "group_persons": &inv.Pupils, "group_staff": &inv.Teaching} {
		member := map[string]string{"group_devices": "device", "group_persons": "person", "group_staff": "staff"}[table]
		owners := ""
		if table == "group_staff" {
			owners = ` AND m.how = 'owner'`
		}
		*into, err = collect(ctx, tx, func(row scanner) (roster.Link, error) {
			var l roster.Link
			return l, row.Scan(&l.Group, &l.Member, &l.Source)
		}, `SELECT m.group_id, m.`+member+`, m.source FROM `+table+` m JOIN school_groups g ON g.authority = m.authority AND g.id = m.group_id
			WHERE m.authority = $1 AND g.school = $2`+owners+` ORDER BY m.group_id, m.`+member, school.Authority, school.School)
		if err != nil {
			return inv, err
		}
	}
	return inv, nil
}

// ApplyImport does what a plan says, in one transaction: all of it, or nothing.
func (s *Store) ApplyImport(ctx context.Context, permit may.Permit, imp roster.Import, plan roster.Plan) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		// Somebody else may have applied it a moment ago.
		var state roster.ImportState
		if err := tx.QueryRowContext(ctx, `SELECT state FROM imports WHERE authority = $1 AND id = $2`, imp.Authority, imp.ID).Scan(&state); err != nil {
			return err
		}
		if state == roster.Done || state == roster.Dropped {
			return errs.E(errs.Conflict, "import.over")
		}
		a := &applier{s: s, tx: tx, imp: imp, plan: plan}
		for _, step := range []func(context.Context) error{a.groups, a.persons, a.devices, a.teachers, a.links, a.profile} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		if err := putImport(ctx, tx, imp); err != nil {
			return err
		}
		if err := s.changed(ctx, tx, imp.Branch(), ""); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"import", imp.ID}, nil, aboutImport(imp))
	})
}

// applier carries out one plan.
type applier struct {
	s    *Store
	tx   Tx
	imp  roster.Import
	plan roster.Plan
}

func (a *applier) groups(ctx context.Context) error {
	for _, group := range a.plan.CreateGroups {
		if err := a.s.addGroup(ctx, a.tx, group); err != nil {
			return fmt.Errorf("making group %s: %w", group.Name, err)
		}
	}
	for _, group := range a.plan.UpdateGroups {
		before, err := a.s.FindGroup(ctx, group.ID, a.s.now())
		if err != nil {
			return err
		}
		if err := a.s.putGroup(ctx, a.tx, before, group); err != nil {
			return fmt.Errorf("changing group %s: %w", group.Name, err)
		}
	}
	for _, group := range a.plan.RemoveGroups {
		if err := a.s.dropGroup(ctx, a.tx, group); err != nil {
			return fmt.Errorf("removing group %s: %w", group.Name, err)
		}
	}
	return nil
}

func (a *applier) persons(ctx context.Context) error {
	for _, person := range a.plan.CreatePersons {
		if err := addPerson(ctx, a.tx, person); err != nil {
			return fmt.Errorf("entering a person: %w", err)
		}
	}
	for _, person := range a.plan.UpdatePersons {
		before, err := a.s.FindPerson(ctx, person.ID)
		if err != nil {
			return err
		}
		if err := renamePerson(ctx, a.tx, before, person); err != nil {
			return fmt.Errorf("renaming a person: %w", err)
		}
	}
	for _, person := range a.plan.RemovePersons {
		if err := a.s.dropPerson(ctx, a.tx, person); err != nil {
			return fmt.Errorf("removing a person: %w", err)
		}
	}
	return nil
}

func (a *applier) devices(ctx context.Context) error {
	for _, device := range a.plan.CreateDevices {
		if err := addRosterDevice(ctx, a.tx, device); err != nil {
			return fmt.Errorf("entering device %s: %w", device.Name, err)
		}
		if device.Person != "" {
			if err := a.s.followPerson(ctx, a.tx, device.Branch(), device.ID); err != nil {
				return err
			}
		}
	}
	for _, device := range a.plan.UpdateDevices {
		before, err := a.s.FindDevice(ctx, device.ID)
		if err != nil {
			return err
		}
		if err := a.s.putDevice(ctx, a.tx, before, device); err != nil {
			return fmt.Errorf("changing device %s: %w", device.Name, err)
		}
	}
	for _, device := range a.plan.RetireDevices {
		if err := a.s.retire(ctx, a.tx, device, a.s.now()); err != nil {
			return fmt.Errorf("taking device %s out of use: %w", device.Name, err)
		}
	}
	return nil
}

func (a *applier) teachers(ctx context.Context) error {
	grant := may.Grant{Role: may.Teacher, Branch: a.imp.Branch()}
	for _, teacher := range a.plan.CreateTeachers {
		if err := a.teacher(ctx, teacher, grant); err != nil {
			return err
		}
	}
	for _, teacher := range a.plan.UpdateTeachers {
		_, err := a.tx.ExecContext(ctx, `UPDATE staff SET salutation = $1, name = $2 WHERE id = $3`, teacher.Salutation, teacher.Name, teacher.Staff)
		if err != nil {
			return fmt.Errorf("renaming a teacher: %w", err)
		}
	}
	for _, teacher := range a.plan.RemoveTeachers {
		if err := removeGrant(ctx, a.tx, a.imp.Authority, teacher.Staff, grant); err != nil {
			return fmt.Errorf("removing a teacher: %w", err)
		}
	}
	return nil
}

// teacher makes a login, or lets somebody of the authority teach here too.
func (a *applier) teacher(ctx context.Context, teacher roster.KnownTeacher, grant may.Grant) error {
	known, err := a.s.FindLogin(ctx, teacher.Login)
	if errs.Is(err, errs.NotFound) {
		return a.s.addStaff(ctx, a.tx, staff.Person{
			Authority: a.imp.Authority, ID: teacher.Staff, Salutation: teacher.Salutation, Name: teacher.Name, Login: teacher.Login,
			Grants: []may.Grant{grant}, Source: a.plan.Source, Created: a.s.now(),
		}, "")
	}
	if err != nil {
		return err
	}
	if known.Authority != a.imp.Authority {
		return errs.E(errs.Conflict, "staff.login_taken", "login", teacher.Login).In("email")
	}
	// The plan gave the new teacher an id of its own; what is linked to it
	// belongs to the known one.
	for i := range a.plan.AddTeaching {
		if a.plan.AddTeaching[i].Member == teacher.Staff {
			a.plan.AddTeaching[i].Member = known.ID
		}
	}
	return addGrant(ctx, a.tx, known, grant, a.plan.Source)
}

// links brings memberships in line. A pupil's groups are those of the devices.
func (a *applier) links(ctx context.Context) error {
	type change struct {
		statement string
		links     []roster.Link
		source    bool
	}
	for _, c := range []change{
		{`DELETE FROM group_devices WHERE authority = $1 AND group_id = $2 AND device = $3`, a.plan.DropMembers, false},
		{`INSERT INTO group_devices (authority, group_id, device, source) VALUES ($1, $2, $3, $4) ON CONFLICT (authority, group_id, device) DO NOTHING`, a.plan.AddMembers, true},
		{`DELETE FROM group_persons WHERE authority = $1 AND group_id = $2 AND person = $3`, a.plan.DropPupils, false},
		{`INSERT INTO group_persons (authority, group_id, person, source) VALUES ($1, $2, $3, $4) ON CONFLICT (authority, group_id, person) DO NOTHING`, a.plan.AddPupils, true},
		{`DELETE FROM group_staff WHERE authority = $1 AND group_id = $2 AND staff = $3 AND how = 'owner'`, a.plan.DropTeaching, false},
		{`INSERT INTO group_staff (authority, group_id, staff, how, source) VALUES ($1, $2, $3, 'owner', $4) ON CONFLICT (authority, group_id, staff, how) DO NOTHING`, a.plan.AddTeaching, true},
	} {
		for _, link := range c.links {
			args := []any{a.imp.Authority, link.Group, link.Member}
			if c.source {
				args = append(args, a.plan.Source)
			}
			if _, err := a.tx.ExecContext(ctx, c.statement, args...); err != nil {
				return fmt.Errorf("bringing memberships in line: %w", err)
			}
		}
	}
	return a.follow(ctx)
}

func (a *applier) follow(ctx context.Context) error {
	persons := map[org.ID]bool{}
	for _, link := range append(append([]roster.Link{}, a.plan.AddPupils...), a.plan.DropPupils...) {
		persons[link.Member] = true
	}
	for person := range persons {
		devices, err := collect(ctx, a.tx, scanNamed, `SELECT id, name FROM devices WHERE authority = $1 AND person = $2 ORDER BY id`, a.imp.Authority, person)
		if err != nil {
			return err
		}
		for _, device := range devices {
			if err := a.s.followPerson(ctx, a.tx, a.imp.Branch(), device.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// profile remembers what the columns meant, for the next file of the kind.
func (a *applier) profile(ctx context.Context) error {
	saved := make(map[string]roster.Field, len(a.imp.Columns))
	for i, title := range a.imp.Table.Header {
		saved[title] = a.imp.Columns[i]
	}
	_, err := a.tx.ExecContext(ctx, `INSERT INTO import_profiles (authority, school, what, name, columns, changed) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (authority, school, what, name) DO UPDATE SET columns = excluded.columns, changed = excluded.changed`,
		a.imp.Authority, a.imp.School, a.imp.What, a.imp.Profile, document(saved), millis(a.s.now()))
	return err
}

package store

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/staff"
)

const groupSelect = `SELECT g.authority, g.id, g.school, s.name, g.kind, g.name, g.room, g.priority, g.starts, g.ends, g.source,
	(SELECT COUNT(*) FROM group_devices m WHERE m.authority = g.authority AND m.group_id = g.id)
	FROM school_groups g JOIN schools s ON s.authority = g.authority AND s.id = g.school WHERE `

func scanGroup(row scanner) (roster.Group, error) {
	var g roster.Group
	var starts, ends int64
	err := row.Scan(&g.Authority, &g.ID, &g.School, &g.SchoolName, &g.Kind, &g.Name, &g.Room, &g.Priority, &starts, &ends, &g.Source, &g.Devices)
	g.Starts, g.Ends = instant(starts), instant(ends)
	return g, err
}

// ListGroups lists the groups of the branches, by name, with their teachers.
func (s *Store) ListGroups(ctx context.Context, branches []org.Branch, filter roster.GroupFilter, at time.Time) ([]roster.Group, string, error) {
	q := newQuery(groupSelect)
	q.places("g.authority", "g.school", branches)
	if filter.Authority != "" {
		q.add(` AND g.authority = ?`, filter.Authority)
	}
	if filter.School != "" {
		q.add(` AND g.school = ?`, filter.School)
	}
	if filter.Kind != "" {
		q.add(` AND g.kind = ?`, filter.Kind)
	}
	if !filter.Past {
		q.add(` AND (g.ends = 0 OR g.ends > ?)`, millis(at))
	}
	for _, term := range terms(filter.Query) {
		pattern := prefix(filter.Query)
		q.add(` AND (g.id IN (SELECT id FROM words WHERE authority = g.authority AND kind = 'group' AND word >= ? AND word < ?)
			OR EXISTS (SELECT 1 FROM group_staff t JOIN staff p ON p.id = t.staff WHERE t.authority = g.authority AND t.group_id = g.id
				AND (LOWER(p.name) LIKE ? ESCAPE '\' OR LOWER(p.name) LIKE ? ESCAPE '\')))`, term, term+beyond, pattern, "% "+pattern)
	}
	limit := q.page("g.name", "g.id", filter.Cursor, filter.Limit, 100)
	groups, err := collect(ctx, s.reader(ctx), scanGroup, q.text(), q.args...)
	if err != nil {
		return nil, "", err
	}
	groups, next := cut(groups, limit, func(g roster.Group) (string, org.ID) { return g.Name, g.ID })
	for i := range groups {
		if groups[i].Teachers, err = s.teachers(ctx, groups[i], at); err != nil {
			return nil, "", err
		}
	}
	return groups, next, nil
}

// FindGroup returns a group with its teachers at the instant.
func (s *Store) FindGroup(ctx context.Context, id org.ID, at time.Time) (roster.Group, error) {
	group, err := one(s.reader(ctx).QueryRowContext(ctx, groupSelect+`g.id = $1`, id), scanGroup, "not_found")
	if err != nil {
		return group, err
	}
	group.Teachers, err = s.teachers(ctx, group, at)
	return group, err
}

// teachers lists who has a group at the instant, its owners first.
func (s *Store) teachers(ctx context.Context, group roster.Group, at time.Time) ([]roster.Teacher, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (roster.Teacher, error) {
		var t roster.Teacher
		var who staff.Person
		var since, until int64
		err := row.Scan(&t.Staff, &who.Salutation, &who.Name, &t.How, &since, &until)
		t.Name, t.Since, t.Until = who.Display(), instant(since), instant(until)
		return t, err
	}, `SELECT t.staff, p.salutation, p.name, t.how, t.since, t.until FROM group_staff t JOIN staff p ON p.id = t.staff
		WHERE t.authority = $1 AND t.group_id = $2 AND t.since <= $3 AND (t.until = 0 OR t.until > $3)
		ORDER BY CASE t.how WHEN 'owner' THEN 0 ELSE 1 END, p.name, t.staff`, group.Authority, group.ID, millis(at))
}

func aboutGroup(g roster.Group) any {
	return struct {
		Name     string        `json:"name"`
		Kind     org.GroupKind `json:"kind"`
		Room     string        `json:"room,omitempty"`
		Priority int           `json:"priority,omitempty"`
		Starts   time.Time     `json:"starts,omitzero"`
		Ends     time.Time     `json:"ends,omitzero"`
	}{g.Name, g.Kind, g.Room, g.Priority, g.Starts, g.Ends}
}

// CreateGroup makes a group.
func (s *Store) CreateGroup(ctx context.Context, permit may.Permit, g roster.Group) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.addGroup(ctx, tx, g); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"group", g.ID}, nil, aboutGroup(g))
	})
}

func (s *Store) addGroup(ctx context.Context, tx Tx, g roster.Group) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO school_groups (authority, id, school, kind, name, room, priority, starts, ends, source, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		g.Authority, g.ID, g.School, g.Kind, g.Name, g.Room, g.Priority, millis(g.Starts), millis(g.Ends), g.Source, millis(s.now()))
	if err != nil {
		return err
	}
	return putWords(ctx, tx, g.Authority, "group", g.ID, "", groupText(g))
}

func groupText(g roster.Group) string { return g.Name + " " + g.Room }

// UpdateGroup changes a group. Its priority may decide what devices get.
func (s *Store) UpdateGroup(ctx context.Context, permit may.Permit, before, after roster.Group) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.putGroup(ctx, tx, before, after); err != nil {
			return err
		}
		if before.Priority != after.Priority || !before.Ends.Equal(after.Ends) || !before.Starts.Equal(after.Starts) {
			if err := s.changed(ctx, tx, schoolOf(after.Branch()), ""); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, permit, Target{"group", after.ID}, aboutGroup(before), aboutGroup(after))
	})
}

func (s *Store) putGroup(ctx context.Context, tx Tx, before, after roster.Group) error {
	_, err := tx.ExecContext(ctx, `UPDATE school_groups SET kind = $1, name = $2, room = $3, priority = $4, starts = $5, ends = $6 WHERE authority = $7 AND id = $8`,
		after.Kind, after.Name, after.Room, after.Priority, millis(after.Starts), millis(after.Ends), after.Authority, after.ID)
	if err != nil {
		return err
	}
	return putWords(ctx, tx, after.Authority, "group", after.ID, groupText(before), groupText(after))
}

// schoolOf is the branch that marks are made for: what a group has is decided
// with its school.
func schoolOf(branch org.Branch) org.Branch {
	return org.Branch{Authority: branch.Authority, School: branch.School}
}

// DeleteGroup removes a group with all that hangs on it.
func (s *Store) DeleteGroup(ctx context.Context, permit may.Permit, g roster.Group) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.dropGroup(ctx, tx, g); err != nil {
			return err
		}
		if err := s.changed(ctx, tx, schoolOf(g.Branch()), ""); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"group", g.ID}, aboutGroup(g), nil)
	})
}

func (s *Store) dropGroup(ctx context.Context, tx Tx, g roster.Group) error {
	for _, table := range []string{"group_devices", "group_plans", "group_persons", "group_staff", "absences"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE authority = $1 AND group_id = $2`, g.Authority, g.ID); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM base_policies WHERE authority = $1 AND level = 'group' AND place = $2`, g.Authority, g.ID); err != nil {
		return err
	}
	if err := putWords(ctx, tx, g.Authority, "group", g.ID, groupText(g), ""); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM school_groups WHERE authority = $1 AND id = $2`, g.Authority, g.ID)
	return err
}

// ListMembers lists the devices of a group, planned ones too, by name.
func (s *Store) ListMembers(ctx context.Context, group roster.Group, cursor string, limit int) ([]roster.Membership, string, error) {
	q := newQuery(`SELECT d.id, d.name, COALESCE(p.name, ''), d.platform, m.starts, m.ends, m.source, COALESCE(st.last_seen, 0)
		FROM (SELECT device, starts, ends, source FROM group_devices WHERE authority = ? AND group_id = ?
			UNION ALL SELECT device, starts, ends, source FROM group_plans WHERE authority = ? AND group_id = ?) m
		JOIN devices d ON d.authority = ? AND d.id = m.device
		LEFT JOIN persons p ON p.authority = d.authority AND p.id = d.person
		LEFT JOIN device_states st ON st.authority = d.authority AND st.device = d.id WHERE d.retired = 0`,
		group.Authority, group.ID, group.Authority, group.ID, group.Authority)
	limit = q.page("d.name", "d.id", cursor, limit, 100)
	members, err := collect(ctx, s.reader(ctx), func(row scanner) (roster.Membership, error) {
		var m roster.Membership
		var starts, ends, seen int64
		err := row.Scan(&m.Device.ID, &m.Device.Name, &m.Person, &m.Platform, &starts, &ends, &m.Source, &seen)
		m.Starts, m.Ends, m.LastSeen = instant(starts), instant(ends), instant(seen)
		return m, err
	}, q.text(), q.args...)
	if err != nil {
		return nil, "", err
	}
	members, next := cut(members, limit, func(m roster.Membership) (string, org.ID) { return m.Device.Name, m.Device.ID })
	return members, next, nil
}

// PutMembers adds devices to a group, now or later.
func (s *Store) PutMembers(ctx context.Context, permit may.Permit, group roster.Group, devices []org.ID, starts, ends time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		table := "group_devices"
		if !starts.IsZero() {
			table = "group_plans"
		}
		for _, device := range devices {
			_, err := tx.ExecContext(ctx, `INSERT INTO `+table+` (authority, group_id, device, starts, ends, source) VALUES ($1, $2, $3, $4, $5, 'hand')
				ON CONFLICT (authority, group_id, device) DO UPDATE SET starts = excluded.starts, ends = excluded.ends, source = 'hand'`,
				group.Authority, group.ID, device, millis(starts), millis(ends))
			if err != nil {
				return err
			}
			if err := s.changed(ctx, tx, schoolOf(group.Branch()), device); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, permit, Target{"group", group.ID}, nil, memberNote{"devices_added", devices})
	})
}

// memberNote is what an audit row says of members that came or went.
type memberNote struct {
	What    string   `json:"what"`
	Devices []org.ID `json:"devices"`
}

// RemoveMembers takes devices out of a group.
func (s *Store) RemoveMembers(ctx context.Context, permit may.Permit, group roster.Group, devices []org.ID) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		for _, device := range devices {
			for _, table := range []string{"group_devices", "group_plans"} {
				if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE authority = $1 AND group_id = $2 AND device = $3`, group.Authority, group.ID, device); err != nil {
					return err
				}
			}
			if err := s.changed(ctx, tx, schoolOf(group.Branch()), device); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, permit, Target{"group", group.ID}, nil, memberNote{"devices_removed", devices})
	})
}

// SweepMembers lets memberships begin and end, and lets devices come back whose
// absence is over.
func (s *Store) SweepMembers(ctx context.Context, at time.Time) (int, error) {
	due, err := collect(ctx, s.reader(ctx), func(row scanner) (int, error) {
		var n int
		return n, row.Scan(&n)
	}, `SELECT (SELECT COUNT(*) FROM group_plans WHERE starts <= $1) + (SELECT COUNT(*) FROM group_devices WHERE ends > 0 AND ends <= $1) + (SELECT COUNT(*) FROM absences WHERE until <= $1)`, millis(at))
	if err != nil || due[0] == 0 {
		return 0, err
	}
	return due[0], s.write(ctx, func(ctx context.Context, tx Tx) error {
		moving, err := collect(ctx, tx, func(row scanner) (roster.Device, error) {
			var d roster.Device
			return d, row.Scan(&d.Authority, &d.School, &d.ID)
		}, `SELECT DISTINCT d.authority, d.school, d.id FROM (SELECT authority, device FROM group_plans WHERE starts <= $1
				UNION ALL SELECT authority, device FROM group_devices WHERE ends > 0 AND ends <= $1
				UNION ALL SELECT authority, device FROM absences WHERE until <= $1) m
			JOIN devices d ON d.authority = m.authority AND d.id = m.device ORDER BY d.id`, millis(at))
		if err != nil {
			return err
		}
		for _, device := range moving {
			if err := s.changed(ctx, tx, device.Branch(), device.ID); err != nil {
				return err
			}
		}
		for _, statement := range []string{
			`INSERT INTO group_devices (authority, group_id, device, starts, ends, source) SELECT authority, group_id, device, starts, ends, source FROM group_plans WHERE starts <= $1
				ON CONFLICT (authority, group_id, device) DO UPDATE SET starts = excluded.starts, ends = excluded.ends`,
			`DELETE FROM group_plans WHERE starts <= $1`,
			`DELETE FROM group_devices WHERE ends > 0 AND ends <= $1`,
			`DELETE FROM absences WHERE until <= $1`,
		} {
			if _, err := tx.ExecContext(ctx, statement, millis(at)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Teaches reports whether somebody has the group at the instant.
func (s *Store) Teaches(ctx context.Context, id, group org.ID, at time.Time) (bool, error) {
	var n int
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT COUNT(*) FROM group_staff t JOIN school_groups g ON g.authority = t.authority AND g.id = t.group_id
		WHERE g.id = $1 AND t.staff = $2 AND t.since <= $3 AND (t.until = 0 OR t.until > $3)`, group, id, millis(at)).Scan(&n)
	return n > 0, err
}

// ListTeaching lists the groups that somebody has at the instant.
func (s *Store) ListTeaching(ctx context.Context, id org.ID, at time.Time) ([]roster.Teaching, error) {
	type held struct {
		group org.ID
		how   roster.How
		until time.Time
	}
	all, err := collect(ctx, s.reader(ctx), func(row scanner) (held, error) {
		var h held
		var until int64
		err := row.Scan(&h.group, &h.how, &until)
		h.until = instant(until)
		return h, err
	}, `SELECT t.group_id, t.how, t.until FROM group_staff t JOIN school_groups g ON g.authority = t.authority AND g.id = t.group_id
		WHERE t.staff = $1 AND t.since <= $2 AND (t.until = 0 OR t.until > $2) AND (g.ends = 0 OR g.ends > $2)
		ORDER BY CASE t.how WHEN 'owner' THEN 0 ELSE 1 END, g.name, g.id`, id, millis(at))
	if err != nil {
		return nil, err
	}
	var teaching []roster.Teaching
	seen := map[org.ID]bool{}
	for _, h := range all {
		if seen[h.group] {
			continue // owner and substitute at once: the wider right counts
		}
		seen[h.group] = true
		group, err := s.FindGroup(ctx, h.group, at)
		if errs.Is(err, errs.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		teaching = append(teaching, roster.Teaching{Group: group, How: h.how, Until: h.until})
	}
	return teaching, nil
}

// PutTeacher gives somebody a group, and ends the right of a former holder.
func (s *Store) PutTeacher(ctx context.Context, permit may.Permit, group roster.Group, t roster.Teacher, former *roster.Teacher) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		if former != nil {
			// It counts as ended even for who looks in the same millisecond.
			_, err := tx.ExecContext(ctx, `UPDATE group_staff SET until = $1 WHERE authority = $2 AND group_id = $3 AND staff = $4 AND how = $5`,
				millis(t.Since), group.Authority, group.ID, former.Staff, former.How)
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO group_staff (authority, group_id, staff, how, since, until, source) VALUES ($1, $2, $3, $4, $5, $6, 'hand')
			ON CONFLICT (authority, group_id, staff, how) DO UPDATE SET since = excluded.since, until = excluded.until`,
			group.Authority, group.ID, t.Staff, t.How, millis(t.Since), millis(t.Until))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"group", group.ID}, aboutTeacher(former), aboutTeacher(&t))
	})
}

func aboutTeacher(t *roster.Teacher) any {
	if t == nil {
		return nil
	}
	return struct {
		Staff org.ID     `json:"staff"`
		Name  string     `json:"name"`
		How   roster.How `json:"how"`
		Until time.Time  `json:"until,omitzero"`
	}{t.Staff, t.Name, t.How, t.Until}
}

// RemoveTeacher takes a group from somebody; none is fine.
func (s *Store) RemoveTeacher(ctx context.Context, permit may.Permit, group roster.Group, id org.ID, how roster.How) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM group_staff WHERE authority = $1 AND group_id = $2 AND staff = $3 AND how = $4`, group.Authority, group.ID, id, how)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, permit, Target{"group", group.ID}, aboutTeacher(&roster.Teacher{Staff: id, How: how}), nil)
	})
}

// chosen marks what a teacher chose, so that choosing again takes away only
// that.
const chosen = "chosen"

// ChooseGroups makes exactly these groups of the schools somebody's own.
func (s *Store) ChooseGroups(ctx context.Context, permit may.Permit, id org.ID, schools []org.ID, groups []roster.Group) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		marks, args := list(3, schools)
		_, err := tx.ExecContext(ctx, `DELETE FROM group_staff WHERE staff = $1 AND how = 'owner' AND source = $2
			AND group_id IN (SELECT id FROM school_groups WHERE school IN (`+marks+`))`, append([]any{id, chosen}, args...)...)
		if err != nil {
			return err
		}
		names := make([]string, len(groups))
		for i, group := range groups {
			_, err := tx.ExecContext(ctx, `INSERT INTO group_staff (authority, group_id, staff, how, since, until, source) VALUES ($1, $2, $3, 'owner', 0, 0, $4)
				ON CONFLICT (authority, group_id, staff, how) DO NOTHING`, group.Authority, group.ID, id, chosen)
			if err != nil {
				return err
			}
			names[i] = group.Name
		}
		return s.record(ctx, tx, permit, Target{"staff", id}, nil, struct {
			Groups []string `json:"groups"`
		}{names})
	})
}

// PutAbsence marks a device absent in a group, or present again.
func (s *Store) PutAbsence(ctx context.Context, permit may.Permit, group roster.Group, device org.ID, until time.Time) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		var err error
		if until.IsZero() {
			_, err = tx.ExecContext(ctx, `DELETE FROM absences WHERE authority = $1 AND group_id = $2 AND device = $3`, group.Authority, group.ID, device)
		} else {
			_, err = tx.ExecContext(ctx, `INSERT INTO absences (authority, group_id, device, until) VALUES ($1, $2, $3, $4)
				ON CONFLICT (authority, group_id, device) DO UPDATE SET until = excluded.until`, group.Authority, group.ID, device, millis(until))
		}
		if err != nil {
			return err
		}
		if err := s.changed(ctx, tx, schoolOf(group.Branch()), device); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"device", device}, nil, struct {
			Group string    `json:"group"`
			Until time.Time `json:"absent_until,omitzero"`
		}{group.Name, until})
	})
}

// ListAbsences returns until when devices of a group are absent.
func (s *Store) ListAbsences(ctx context.Context, group roster.Group, at time.Time) (map[org.ID]time.Time, error) {
	type absence struct {
		device org.ID
		until  int64
	}
	rows, err := collect(ctx, s.reader(ctx), func(row scanner) (absence, error) {
		var a absence
		return a, row.Scan(&a.device, &a.until)
	}, `SELECT device, until FROM absences WHERE authority = $1 AND group_id = $2 AND until > $3 ORDER BY device`, group.Authority, group.ID, millis(at))
	absences := make(map[org.ID]time.Time, len(rows))
	for _, row := range rows {
		absences[row.device] = instant(row.until)
	}
	return absences, err
}

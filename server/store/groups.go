package store

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
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
	limit := q.page(natural("g.name"), "g.id", filter.Cursor, filter.Limit, 100)
	groups, err := collect(ctx, s.reader(ctx), scanGroup, q.text(), q.args...)
	if err != nil {
		return nil, "", err
	}
	groups, next := cut(groups, limit, func(g roster.Group) (string, org.ID) { return naturalKey(g.Name), g.ID })
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

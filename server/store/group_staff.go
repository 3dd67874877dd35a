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
		ORDER BY CASE t.how WHEN 'owner' THEN 0 ELSE 1 END, `+natural("g.name")+`, g.id`, id, millis(at))
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

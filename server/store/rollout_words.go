package store

import (
	"context"
	"encoding/json"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/rollout"
)

// Members lists the enrolled devices of a branch with their groups.
func (s *Store) Members(ctx context.Context, branch org.Branch) ([]rollout.Member, error) {
	q := newQuery(`SELECT d.authority, d.school, d.id, d.platform, d.name, COALESCE(st.last_seen, 0) FROM devices d LEFT JOIN device_states st ON st.authority = d.authority AND st.device = d.id
		WHERE d.retired = 0 AND EXISTS (SELECT 1 FROM enrolments e WHERE e.authority = d.authority AND e.device = d.id AND e.state = 'enrolled') AND `)
	q.place("d.authority", "d.school", branch)
	q.add(` ORDER BY d.id`)
	members, err := collect(ctx, s.reader(ctx), func(row scanner) (rollout.Member, error) {
		var m rollout.Member
		var seen int64
		err := row.Scan(&m.Branch.Authority, &m.Branch.School, &m.ID, &m.Platform, &m.Name, &seen)
		m.Seen = instant(seen)
		return m, err
	}, q.text(), q.args...)
	if err != nil {
		return nil, err
	}
	groups, err := s.memberships(ctx, s.reader(ctx), branch)
	for i := range members {
		members[i].Groups = groups[members[i].ID]
	}
	return members, err
}

// memberships lists the groups of each device of a branch.
func (s *Store) memberships(ctx context.Context, tx Tx, branch org.Branch) (map[org.ID][]org.ID, error) {
	type membership struct{ device, group org.ID }
	q := newQuery(`SELECT g.device, g.group_id FROM group_devices g JOIN devices d ON d.authority = g.authority AND d.id = g.device WHERE `)
	q.place("d.authority", "d.school", branch)
	q.add(` ORDER BY g.device, g.group_id`)
	rows, err := collect(ctx, tx, func(row scanner) (membership, error) {
		var m membership
		return m, row.Scan(&m.device, &m.group)
	}, q.text(), q.args...)
	groups := map[org.ID][]org.ID{}
	for _, m := range rows {
		groups[m.device] = append(groups[m.device], m.group)
	}
	return groups, err
}

// Words returns what each device last said of a rollout.
func (s *Store) Words(ctx context.Context, authority, id org.ID) (map[org.ID]rollout.Word, error) {
	return s.words(ctx, s.reader(ctx), authority, id)
}

func (s *Store) words(ctx context.Context, tx Tx, authority, id org.ID) (map[org.ID]rollout.Word, error) {
	type row struct {
		device org.ID
		word   rollout.Word
	}
	rows, err := collect(ctx, tx, func(sc scanner) (row, error) {
		var r row
		var said string
		var at int64
		if err := sc.Scan(&r.device, &said, &at, &r.word.Changes); err != nil {
			return r, err
		}
		r.word.At = instant(at)
		return r, json.Unmarshal([]byte(said), &r.word.PackageStatus)
	}, `SELECT device, said, at, changes FROM rollout_words WHERE authority = $1 AND rollout = $2`, authority, id)
	words := make(map[org.ID]rollout.Word, len(rows))
	for _, r := range rows {
		words[r.device] = r.word
	}
	return words, err
}

// SaveWords keeps what a device says of packages. What it said before costs
// nothing; what no rollout of its authority is, is not kept.
func (s *Store) SaveWords(ctx context.Context, authority, device org.ID, said []ddm.PackageStatus, at time.Time) error {
	type kept struct{ rollout, said string }
	rows, err := collect(ctx, s.reader(ctx), func(row scanner) (kept, error) {
		var k kept
		return k, row.Scan(&k.rollout, &k.said)
	}, `SELECT rollout, said FROM rollout_words WHERE authority = $1 AND device = $2`, authority, device)
	if err != nil {
		return err
	}
	before := map[string]string{}
	for _, row := range rows {
		before[row.rollout] = row.said
	}
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		for _, one := range said {
			text := document(one)
			if before[one.Rollout] == text {
				continue
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO rollout_words (authority, rollout, device, said, at) SELECT authority, id, CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT) FROM
				(SELECT authority, id FROM rollouts UNION ALL SELECT authority, id FROM app_wishes WHERE device = CAST($3 AS TEXT)) known WHERE authority = $1 AND id = $2
				ON CONFLICT (authority, rollout, device) DO UPDATE SET said = excluded.said, at = excluded.at, changes = rollout_words.changes + 1`,
				authority, one.Rollout, device, text, millis(at))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// forgetWords forgets what was said of a wish that is no more.
func (s *Store) forgetWords(ctx context.Context, tx Tx, authority, id org.ID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM rollout_words WHERE authority = $1 AND rollout = $2`, authority, id)
	return err
}

// FindTarget returns where an authority, a school or a group is.
func (s *Store) FindTarget(ctx context.Context, level org.Level, id org.ID) (org.Branch, error) {
	query := map[org.Level]string{
		org.Authority: `SELECT id, '', '' FROM authorities WHERE id = $1`,
		org.School:    `SELECT authority, id, '' FROM schools WHERE id = $1`,
		org.Group:     `SELECT authority, school, id FROM school_groups WHERE id = $1`,
	}[level]
	if query == "" {
		query = `SELECT id, '', '' FROM authorities WHERE id = $1 AND 1 = 0`
	}
	return one(s.reader(ctx).QueryRowContext(ctx, query, id), func(row scanner) (org.Branch, error) {
		var b org.Branch
		return b, row.Scan(&b.Authority, &b.School, &b.Group)
	}, "not_found")
}

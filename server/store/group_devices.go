package store

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
)

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

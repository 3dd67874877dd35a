package store

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
)

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
		if err := s.changedRules(ctx, tx, schoolOf(group.Branch()), device); err != nil {
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

package store

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// EndEnrolments revokes the certificates of a device and ends its enrolments:
// what it sends from now on is refused.
func (s *Store) EndEnrolments(ctx context.Context, permit may.Permit, authority, device org.ID) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		now := millis(s.now())
		if _, err := tx.ExecContext(ctx, `UPDATE certificates SET revoked = $1 WHERE authority = $2 AND device = $3 AND revoked = 0`, now, authority, device); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE certificates SET revoked = $1 WHERE revoked = 0 AND authority = $2 AND enrolment IN (SELECT id FROM enrolments WHERE authority = $2 AND device = $3)`, now, authority, device); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE enrolments SET state = 'left', changed = $1 WHERE authority = $2 AND device = $3 AND state <> 'left'`, now, authority, device); err != nil {
			return err
		}
		if err := s.record(ctx, tx, permit, Target{"device", device}, nil, map[string]any{"what": "certificates revoked"}); err != nil {
			return err
		}
		return s.changed(ctx, tx, permit.Branch(), device)
	})
}

// VersionCount is how many devices run a version of our agent.
type VersionCount struct {
	Version  string
	Platform org.Platform
	Devices  int
}

// AgentVersions counts the versions of our agent in use.
func (s *Store) AgentVersions(ctx context.Context) ([]VersionCount, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (VersionCount, error) {
		var v VersionCount
		return v, row.Scan(&v.Version, &v.Platform, &v.Devices)
	}, `SELECT st.agent, d.platform, COUNT(*) FROM device_states st JOIN devices d ON d.authority = st.authority AND d.id = st.device
		WHERE st.agent <> '' AND d.retired = 0 GROUP BY st.agent, d.platform ORDER BY st.agent DESC, d.platform`)
}

// WaitingCommands counts commands that wait for devices.
func (s *Store) WaitingCommands(ctx context.Context) (int, error) {
	var n int
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT COUNT(*) FROM commands`).Scan(&n)
	return n, err
}

// Size returns how many bytes the database takes.
func (s *Store) Size(ctx context.Context) (int64, error) {
	query := `SELECT pg_database_size(current_database())`
	if s.dialect == sqlite {
		query = `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`
	}
	var n int64
	err := s.reader(ctx).QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

// Kind returns "sqlite" or "postgres".
func (s *Store) Kind() string { return string(s.dialect) }

// ReportedSince counts the devices that reported since the instant.
func (s *Store) ReportedSince(ctx context.Context, at time.Time) (int, error) {
	var n int
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT COUNT(*) FROM device_states WHERE reported >= $1`, millis(at)).Scan(&n)
	return n, err
}

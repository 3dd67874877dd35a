package store

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// holding is the condition that a lease l may still hold on its device: it was
// fetched, and neither refused nor read back as ended.
const holding = `l.keep_until > $1 AND l.state <> 'refused' AND (l.delivered_rev > 0 OR l.state <> '') AND NOT (l.state = 'ended' AND (l.reported_rev >= l.rev OR l.delivered_rev <= l.reported_rev))`

// letLeave lets a device that goes out of use speak on until its leases were
// read back as ended, at the latest until they end by themselves: its word and
// its hearing end then. Without leases they end at once.
func (s *Store) letLeave(ctx context.Context, tx Tx, authority, device org.ID, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE enrolments SET leaving = COALESCE((SELECT MAX(l.keep_until) FROM leases l
		WHERE l.authority = enrolments.authority AND l.enrolment = enrolments.id AND `+holding+`), 0), changed = $1 WHERE authority = $2 AND device = $3 AND state = 'enrolled'`, millis(at), authority, device)
	return err
}

// Leaving returns until when a device that is out of use may still speak, zero
// if it may not.
func (s *Store) Leaving(ctx context.Context, authority, device org.ID, at time.Time) (time.Time, error) {
	var until int64
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT COALESCE(MAX(e.leaving), 0) FROM enrolments e WHERE e.authority = $2 AND e.device = $3 AND e.leaving > $1 AND e.state = 'enrolled'
		AND EXISTS (SELECT 1 FROM leases l WHERE l.authority = e.authority AND l.enrolment = e.id AND `+holding+`)`, millis(at), authority, device).Scan(&until)
	return instant(until), err
}

// Gone is a device that is out of use and has nothing left to say.
type Gone struct {
	Branch org.Branch
	Device org.ID
}

// GoneDevices lists devices that were let leave and whose time is over.
func (s *Store) GoneDevices(ctx context.Context, at time.Time, most int) ([]Gone, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (Gone, error) {
		var g Gone
		return g, row.Scan(&g.Branch.Authority, &g.Branch.School, &g.Device)
	}, `SELECT d.authority, d.school, d.id FROM enrolments e JOIN devices d ON d.authority = e.authority AND d.id = e.device AND d.retired > 0
		WHERE e.leaving > 0 AND e.state = 'enrolled' AND (e.leaving <= $1 OR NOT EXISTS (SELECT 1 FROM leases l WHERE l.authority = e.authority AND l.enrolment = e.id AND `+holding+`))
		ORDER BY d.authority, d.id LIMIT $2`, millis(at), most)
}

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
		if _, err := tx.ExecContext(ctx, `UPDATE enrolments SET state = 'left', leaving = 0, changed = $1 WHERE authority = $2 AND device = $3 AND state <> 'left'`, now, authority, device); err != nil {
			return err
		}
		if err := s.clearQueue(ctx, tx, authority, device); err != nil {
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

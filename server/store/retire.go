package store

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/ids"
)

// How long finished things are kept. What is about pupils goes first.
const (
	keepModes    = 14 * 24 * time.Hour
	keepEvents   = 30 * 24 * time.Hour
	keepContacts = 8 * 24 * time.Hour
	keepRuns     = 90 * 24 * time.Hour
	keepSigned   = 400 * 24 * time.Hour // longer than any certificate: the latest of a device must stay known
)

// retireAtOnce bounds how long the writer is held by one round of retirement.
const retireAtOnce = 2000

// Retire deletes what is finished and older than its time. It returns how many
// rows went; call it again while that is many.
func (s *Store) Retire(ctx context.Context, at time.Time) (int64, error) {
	var total int64
	for _, step := range []struct {
		query  string
		before time.Time
	}{
		{`DELETE FROM leases WHERE id IN (SELECT id FROM leases WHERE keep_until < $1 ORDER BY keep_until LIMIT $2)`, at.Add(-keepModes)},
		{`DELETE FROM modes WHERE id IN (SELECT m.id FROM modes m WHERE m.ends < $1 AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.authority = m.authority AND l.mode = m.id) ORDER BY m.ends LIMIT $2)`, at.Add(-keepModes)},
		{`DELETE FROM device_events WHERE received < $1 AND id IN (SELECT id FROM device_events WHERE received < $1 ORDER BY received LIMIT $2)`, at.Add(-keepEvents)},
		{`DELETE FROM contacts WHERE minute < $1 AND $2 > 0`, at.Add(-keepContacts)},
		{`DELETE FROM absences WHERE until < $1 AND $2 > 0`, at},
		{`DELETE FROM group_staff WHERE how <> 'owner' AND until > 0 AND until < $1 AND $2 > 0`, at.Add(-keepModes)},
		{`DELETE FROM signed_messages WHERE at < $1 AND $2 > 0`, at.Add(-keepSigned)},
		{`DELETE FROM job_runs WHERE at < $1 AND $2 > 0`, at.Add(-keepRuns)},
	} {
		n, err := s.exec(ctx, step.query, millis(step.before), retireAtOnce)
		if err != nil {
			return total, err
		}
		total += n
	}
	n, err := s.retireLicenceDays(ctx, at)
	return total + n, err
}

// ClaimRun notes that a job runs for a due date, and reports false if it did
// already: no job is lost or doubled, whoever asks.
func (s *Store) ClaimRun(ctx context.Context, job, due string) (bool, error) {
	n, err := s.exec(ctx, `INSERT INTO job_runs (job, due, at) VALUES ($1, $2, $3) ON CONFLICT (job, due) DO NOTHING`, job, due, millis(s.now()))
	return n == 1, err
}

// EnsureIssuer returns the name of this installation in leases and tokens; the
// first time it makes one.
func (s *Store) EnsureIssuer(ctx context.Context) (string, error) {
	issuer, err := s.Setting(ctx, "issuer")
	if err != nil || issuer != "" {
		return issuer, err
	}
	return s.ensureSetting(ctx, "issuer", "schulwart:"+ids.New().String())
}

// Authorities lists the authorities, for jobs that go through all of them.
func (s *Store) Authorities(ctx context.Context) ([]org.ID, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (org.ID, error) {
		var id org.ID
		return id, row.Scan(&id)
	}, `SELECT id FROM authorities ORDER BY id`)
}

package store

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
)

// The column state holds what the device last said of the lease (ddm.LeasePhase,
// empty if it never did); state_key and state_args hold its reason.
const leaseColumns = `l.authority, l.school, l.id, l.mode, l.device, l.enrolment, l.rev, l.kind, l.rules, l.starts, l.ends, l.keep_until, l.by_name, l.reason,
	l.state, l.state_key, l.state_args, l.since, l.delivered_rev, l.reported_rev, l.parts, l.away`

func leaseFields(l *lesson.Lease, raw *leaseRaw) []any {
	return []any{&l.Branch.Authority, &l.Branch.School, &l.ID, &l.Mode, &l.Device, &l.Enrolment, &l.Rev, &l.Kind, &raw.rules, &raw.starts, &raw.ends, &raw.keep, &l.ByName, &l.Reason,
		&l.Phase, &raw.key, &raw.args, &raw.since, &l.DeliveredRev, &l.ReportedRev, &raw.parts, &l.Away}
}

type leaseRaw struct {
	rules, key, args, parts   string
	starts, ends, keep, since int64
}

func (raw leaseRaw) fill(l *lesson.Lease) error {
	l.Starts, l.Ends, l.KeepUntil, l.Since = instant(raw.starts), instant(raw.ends), instant(raw.keep), instant(raw.since)
	if raw.key != "" {
		l.PhaseReason = &ddm.Reason{Code: raw.key}
		if err := json.Unmarshal([]byte(raw.args), &l.PhaseReason.Details); err != nil {
			return err
		}
	}
	if err := json.Unmarshal([]byte(raw.rules), &l.Rules); err != nil {
		return err
	}
	return json.Unmarshal([]byte(raw.parts), &l.Parts)
}

func scanLease(row scanner) (lesson.Lease, error) {
	var l lesson.Lease
	var raw leaseRaw
	if err := row.Scan(leaseFields(&l, &raw)...); err != nil {
		return l, err
	}
	return l, raw.fill(&l)
}

func scanPlatformLease(row scanner) (lesson.Lease, error) {
	var l lesson.Lease
	var raw leaseRaw
	if err := row.Scan(append(leaseFields(&l, &raw), &l.Platform)...); err != nil {
		return l, err
	}
	return l, raw.fill(&l)
}

func (s *Store) insertLeases(ctx context.Context, tx Tx, leases []lesson.Lease) error {
	for _, l := range leases {
		_, err := tx.ExecContext(ctx, `INSERT INTO leases (authority, school, id, mode, device, enrolment, rev, kind, rules, starts, ends, keep_until, by_name, reason, state, since)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, '', $15)`,
			l.Branch.Authority, l.Branch.School, l.ID, l.Mode, l.Device, l.Enrolment, l.Rev, l.Kind, document(l.Rules), millis(l.Starts), millis(l.Ends), millis(l.KeepUntil), l.ByName, l.Reason, millis(l.Since))
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) reviseLeases(ctx context.Context, tx Tx, leases []lesson.Lease) error {
	for _, l := range leases {
		_, err := tx.ExecContext(ctx, `UPDATE leases SET rev = $1, starts = $2, ends = $3, keep_until = $4, since = $5, away = $6, rules = $7 WHERE authority = $8 AND id = $9`,
			l.Rev, millis(l.Starts), millis(l.Ends), millis(l.KeepUntil), millis(l.Since), l.Away, document(l.Rules), l.Branch.Authority, l.ID)
		if err != nil {
			return err
		}
	}
	return nil
}

// AddLeases gives a running mode to devices that came later.
func (s *Store) AddLeases(ctx context.Context, permit may.Permit, m lesson.Mode, leases []lesson.Lease) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		// Two who look at the same time both find a device missing.
		there, err := collect(ctx, tx, func(row scanner) (id org.ID, err error) { return id, row.Scan(&id) },
			`SELECT enrolment FROM leases WHERE authority = $1 AND mode = $2`, m.Branch.Authority, m.ID)
		if err != nil {
			return err
		}
		leases := slices.DeleteFunc(slices.Clone(leases), func(l lesson.Lease) bool { return slices.Contains(there, l.Enrolment) })
		if err := s.insertLeases(ctx, tx, leases); err != nil {
			return err
		}
		for _, l := range leases {
			if err := s.record(ctx, tx, permit, Target{"mode", m.ID}, nil, map[string]any{"what": "join", "device": l.Device}); err != nil {
				return err
			}
		}
		return s.changedLeases(ctx, tx, m.Branch)
	})
}

// ModeLines returns the leases of a mode, each with its device, by name.
func (s *Store) ModeLines(ctx context.Context, m lesson.Mode) ([]lesson.DeviceMode, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (lesson.DeviceMode, error) {
		var line lesson.DeviceMode
		var raw leaseRaw
		var facts string
		var seen, absent int64
		fields := append(leaseFields(&line.Lease, &raw), &line.Name, &line.Platform, &line.Simulated, &line.Person, &facts, &seen, &absent)
		if err := row.Scan(fields...); err != nil {
			return line, err
		}
		line.Device, line.Enrolment = line.Lease.Device, line.Lease.Enrolment
		line.Lease.Platform = line.Platform
		line.Member.Seen, line.Absent = instant(seen), absent > 0
		var said struct {
			Battery *int `json:"battery"`
		}
		_ = json.Unmarshal([]byte(facts), &said)
		line.Battery = said.Battery
		return line, raw.fill(&line.Lease)
	}, `SELECT `+leaseColumns+`, d.name, d.platform, d.simulated, COALESCE(p.name, ''), COALESCE(st.facts, '{}'), COALESCE(st.last_seen, 0), COALESCE(a.until, 0)
		FROM leases l
		JOIN devices d ON d.authority = l.authority AND d.id = l.device
		LEFT JOIN persons p ON p.authority = d.authority AND p.id = d.person
		LEFT JOIN device_states st ON st.authority = d.authority AND st.device = d.id
		LEFT JOIN absences a ON a.authority = l.authority AND a.device = l.device AND a.group_id = $3 AND a.until > $4
		WHERE l.authority = $1 AND l.mode = $2 ORDER BY COALESCE(p.name, d.name), d.name, l.id`,
		m.Branch.Authority, m.ID, m.Branch.Group, millis(s.now()))
}

// DeviceLeases lists the leases that a device still has in its manifest.
func (s *Store) DeviceLeases(ctx context.Context, authority, device org.ID, at time.Time) ([]lesson.Lease, error) {
	return collect(ctx, s.reader(ctx), scanLease, `SELECT `+leaseColumns+` FROM leases l WHERE l.authority = $1 AND l.device = $2 AND l.keep_until > $3 ORDER BY l.starts DESC, l.id`, authority, device, millis(at))
}

// LateJoiners lists devices that belong to a running or planned group mode of
// the school, are enrolled and present, and have no lease of it.
func (s *Store) LateJoiners(ctx context.Context, branch org.Branch, at time.Time) ([]lesson.Joiner, error) {
	type pair struct {
		mode   org.ID
		joiner lesson.Joiner
	}
	pairs, err := collect(ctx, s.reader(ctx), func(row scanner) (pair, error) {
		var p pair
		m := &p.joiner.Member
		return p, row.Scan(&p.mode, &m.Device, &m.Name, &m.Platform, &m.Enrolment)
	}, `SELECT m.id, d.id, d.name, d.platform, e.id
		FROM modes m
		JOIN group_devices g ON g.authority = m.authority AND g.group_id = m.group_id
		JOIN devices d ON d.authority = g.authority AND d.id = g.device AND d.retired = 0
		JOIN enrolments e ON e.authority = d.authority AND e.device = d.id AND e.state = 'enrolled'
		LEFT JOIN leases l ON l.authority = m.authority AND l.mode = m.id AND l.enrolment = e.id
		LEFT JOIN absences a ON a.authority = g.authority AND a.group_id = g.group_id AND a.device = g.device AND a.until > $3
		WHERE m.authority = $1 AND ($2 = '' OR m.school = $2) AND m.group_id <> '' AND m.ended = 0 AND m.ends > $3 AND l.id IS NULL AND a.device IS NULL
		ORDER BY m.id, d.id`, branch.Authority, branch.School, millis(at))
	if err != nil {
		return nil, err
	}
	joiners := make([]lesson.Joiner, len(pairs))
	for i, p := range pairs {
		joiners[i] = p.joiner
		if joiners[i].Mode, err = s.FindMode(ctx, p.mode); err != nil {
			return nil, err
		}
	}
	return joiners, nil
}

// Leavers lists the running leases of group modes whose device left the group
// or is absent, and all of devices that are out of use.
func (s *Store) Leavers(ctx context.Context, branch org.Branch, at time.Time) ([]lesson.Lease, error) {
	return collect(ctx, s.reader(ctx), scanPlatformLease, `SELECT `+leaseColumns+`, d.platform FROM modes m
		JOIN leases l ON l.authority = m.authority AND l.mode = m.id
		JOIN devices d ON d.authority = l.authority AND d.id = l.device
		LEFT JOIN group_devices g ON g.authority = m.authority AND g.group_id = m.group_id AND g.device = l.device
		LEFT JOIN absences a ON a.authority = m.authority AND a.group_id = m.group_id AND a.device = l.device AND a.until > $3
		WHERE m.authority = $1 AND ($2 = '' OR m.school = $2) AND m.ended = 0 AND m.ends > $3 AND l.ends > $3
		AND (m.group_id <> '' AND (g.device IS NULL OR a.device IS NOT NULL) OR d.retired > 0)
		ORDER BY l.id`, branch.Authority, branch.School, millis(at))
}

// Returners lists the leases of running group modes whose device was let go
// because it had left or was absent, and is there again.
func (s *Store) Returners(ctx context.Context, branch org.Branch, at time.Time) ([]lesson.Lease, error) {
	return collect(ctx, s.reader(ctx), scanPlatformLease, `SELECT `+leaseColumns+`, d.platform FROM modes m
		JOIN leases l ON l.authority = m.authority AND l.mode = m.id AND l.away
		JOIN devices d ON d.authority = l.authority AND d.id = l.device AND d.retired = 0
		JOIN enrolments e ON e.authority = l.authority AND e.id = l.enrolment AND e.state = 'enrolled'
		JOIN group_devices g ON g.authority = m.authority AND g.group_id = m.group_id AND g.device = l.device
		LEFT JOIN absences a ON a.authority = m.authority AND a.group_id = m.group_id AND a.device = l.device AND a.until > $3
		WHERE m.authority = $1 AND ($2 = '' OR m.school = $2) AND m.group_id <> '' AND m.ended = 0 AND m.ends > $3 AND a.device IS NULL
		ORDER BY l.id`, branch.Authority, branch.School, millis(at))
}

// LeaseDelivered notes that the device fetched a revision.
func (s *Store) LeaseDelivered(ctx context.Context, authority, id org.ID, rev int, at time.Time) error {
	_, err := s.exec(ctx, `UPDATE leases SET delivered_rev = $1, since = CASE WHEN reported_rev < $1 THEN $2 ELSE since END WHERE authority = $3 AND id = $4 AND delivered_rev < $1`, rev, millis(at), authority, id)
	return err
}

// LeasesReported notes what a device said of its leases. A report on an older
// revision than one already reported is ignored; so is one on a lease that is
// not the device's own. An end that a release code brought about leaves its
// audit row, once.
func (s *Store) LeasesReported(ctx context.Context, permit may.Permit, device org.ID, said []ddm.LeaseStatus, at time.Time) error {
	authority := permit.Branch().Authority
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		for _, status := range said {
			if err := s.codeUsed(ctx, tx, permit, device, status); err != nil {
				return err
			}
			key, args := "", "{}"
			if status.Reason != nil {
				key, args = status.Reason.Code, document(status.Reason.Details)
			}
			parts := document(status.Parts)
			if status.Parts == nil {
				parts = "[]"
			}
			// An end by a release code counts as a revision beyond what was given meanwhile.
			_, err := tx.ExecContext(ctx, `UPDATE leases SET
				since = CASE WHEN state = $1 AND reported_rev = $2 AND state_key = $3 AND parts = $5 THEN since ELSE $6 END,
				state = $1, reported_rev = $2, state_key = $3, state_args = $4, parts = $5, reported = $6,
				delivered_rev = CASE WHEN delivered_rev < $2 THEN $2 ELSE delivered_rev END
				WHERE authority = $7 AND device = $8 AND id = $9 AND reported_rev <= $2
				AND NOT (state = $1 AND reported_rev = $2 AND state_key = $3 AND parts = $5)`,
				status.Phase, status.Rev, key, args, parts, millis(at), authority, device, status.ID)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// codeUsed leaves the audit row of a release code that was typed on a device,
// when the device tells it for the first time.
func (s *Store) codeUsed(ctx context.Context, tx Tx, permit may.Permit, device org.ID, status ddm.LeaseStatus) error {
	if status.Phase != ddm.LeaseEnded || status.Reason == nil || status.Reason.Code != ddm.EndedByCode {
		return nil
	}
	modes, err := collect(ctx, tx, func(row scanner) (org.ID, error) {
		var mode org.ID
		return mode, row.Scan(&mode)
	}, `SELECT mode FROM leases WHERE authority = $1 AND device = $2 AND id = $3 AND reported_rev <= $4 AND NOT (state = $5 AND state_key = $6)`,
		permit.Branch().Authority, device, status.ID, status.Rev, status.Phase, ddm.EndedByCode)
	if err != nil || len(modes) == 0 {
		return err
	}
	return s.record(ctx, tx, permit, Target{"mode", modes[0]}, nil, map[string]any{"what": "release code used", "device": device})
}

// ReleaseSecret returns the secret that the device made for release codes, nil
// if it never escrowed one.
func (s *Store) ReleaseSecret(ctx context.Context, authority, enrolment org.ID) ([]byte, error) {
	sealed, err := one(s.reader(ctx).QueryRowContext(ctx, `SELECT unlock_sealed FROM enrolments WHERE authority = $1 AND id = $2`, authority, enrolment), func(row scanner) (string, error) {
		var sealed string
		return sealed, row.Scan(&sealed)
	}, "device.not_enrolled")
	if err != nil || sealed == "" {
		return nil, err
	}
	return s.vault.open("unlock:"+enrolment.String(), sealed)
}

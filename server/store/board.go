package store

import (
	"context"
	"encoding/json"
	"slices"
	"sort"
	"strings"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/board"
	"schulwart.org/server/roster"
)

const notSeenFor = 14 * 24 * time.Hour

// Today counts for a school's start page.
func (s *Store) Today(ctx context.Context, school org.Branch, midnight, now time.Time) (board.Today, error) {
	var t board.Today
	tx := s.reader(ctx)
	err := tx.QueryRowContext(ctx, `SELECT s.name, a.name FROM schools s JOIN authorities a ON a.id = s.authority WHERE s.authority = $1 AND s.id = $2`,
		school.Authority, school.School).Scan(&t.School, &t.Authority)
	if err != nil {
		return t, err
	}
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(e.id),
			COALESCE(SUM(CASE WHEN st.last_seen >= $3 THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN e.id IS NOT NULL AND COALESCE(st.last_seen, 0) < $4 AND e.created < $4 THEN 1 ELSE 0 END), 0)
		FROM devices d
		LEFT JOIN enrolments e ON e.authority = d.authority AND e.device = d.id AND e.state = 'enrolled'
		LEFT JOIN device_states st ON st.authority = d.authority AND st.device = d.id
		WHERE d.authority = $1 AND d.school = $2 AND d.retired = 0`,
		school.Authority, school.School, millis(midnight), millis(now.Add(-notSeenFor))).Scan(&t.Devices, &t.Enrolled, &t.Seen, &t.Missing)
	if err != nil {
		return t, err
	}
	err = tx.QueryRowContext(ctx, `SELECT COUNT(DISTINCT device) FROM leases WHERE authority = $1 AND school = $2 AND keep_until > $3 AND ends > $3
		AND reported_rev >= rev AND (state = $4 OR parts LIKE '%"deviating"%')`,
		school.Authority, school.School, millis(now), ddm.LeaseRefused).Scan(&t.Deviating)
	if err != nil {
		return t, err
	}
	t.Contacts, err = collect(ctx, tx, func(row scanner) (board.Contacts, error) {
		var c board.Contacts
		var minute int64
		err := row.Scan(&minute, &c.N)
		c.Minute = instant(minute)
		return c, err
	}, `SELECT minute, n FROM contacts WHERE authority = $1 AND school = $2 AND minute >= $3 ORDER BY minute`, school.Authority, school.School, millis(midnight))
	return t, err
}

// Glance counts what a list of schools shows of one, from indexes alone.
func (s *Store) Glance(ctx context.Context, school org.Branch, midnight, now time.Time) (board.Glance, error) {
	var g board.Glance
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT
		(SELECT COUNT(*) FROM device_states st JOIN devices d ON d.authority = st.authority AND d.id = st.device
			WHERE st.authority = $1 AND st.school = $2 AND st.last_seen >= $3 AND d.school = $2 AND d.retired = 0),
		(SELECT COUNT(DISTINCT device) FROM leases WHERE authority = $1 AND school = $2 AND keep_until > $4 AND ends > $4
			AND reported_rev >= rev AND (state = $5 OR parts LIKE '%"deviating"%')),
		(SELECT COUNT(*) FROM modes WHERE authority = $1 AND school = $2 AND ended = 0 AND starts <= $4 AND ends > $4)`,
		school.Authority, school.School, millis(midnight), millis(now), ddm.LeaseRefused).Scan(&g.Seen, &g.Deviating, &g.Modes)
	return g, err
}

// RunningModes lists the modes that run in a school.
func (s *Store) RunningModes(ctx context.Context, school org.Branch, at time.Time) ([]board.Running, error) {
	modes, err := collect(ctx, s.reader(ctx), scanMode, `SELECT `+modeColumns+` FROM modes
		WHERE authority = $1 AND school = $2 AND ended = 0 AND starts <= $3 AND ends > $3 ORDER BY starts DESC, id LIMIT 200`,
		school.Authority, school.School, millis(at))
	if err != nil {
		return nil, err
	}
	running := make([]board.Running, len(modes))
	for i, mode := range modes {
		running[i].Mode = mode
		err := s.reader(ctx).QueryRowContext(ctx, `SELECT COALESCE((SELECT name FROM school_groups WHERE authority = $1 AND id = $2), ''),
			COALESCE((SELECT kind FROM school_groups WHERE authority = $1 AND id = $2), ''), (SELECT COUNT(*) FROM leases WHERE authority = $1 AND mode = $3)`,
			school.Authority, mode.Branch.Group, mode.ID).Scan(&running[i].Group, &running[i].Kind, &running[i].Devices)
		if err == nil && running[i].Group == "" {
			running[i].Names, err = collect(ctx, s.reader(ctx), func(row scanner) (name string, err error) { return name, row.Scan(&name) },
				`SELECT d.name FROM leases l JOIN devices d ON d.authority = l.authority AND d.id = l.device
				WHERE l.authority = $1 AND l.mode = $2 ORDER BY d.name, d.id LIMIT 3`, school.Authority, mode.ID)
		}
		if err != nil {
			return nil, err
		}
	}
	return running, nil
}

// Overdue lists leases that were received, ended before the instant, and whose
// end was not read back.
func (s *Store) Overdue(ctx context.Context, school org.Branch, at time.Time) ([]board.Overdue, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (board.Overdue, error) {
		var o board.Overdue
		var ends int64
		err := row.Scan(&o.Device, &o.Enrolment, &o.Name, &ends)
		o.Ends = instant(ends)
		return o, err
	}, `SELECT l.device, l.enrolment, d.name, l.ends FROM leases l JOIN devices d ON d.authority = l.authority AND d.id = l.device
		JOIN enrolments e ON e.authority = l.authority AND e.id = l.enrolment AND e.state = 'enrolled'
		WHERE l.state IN ('active', 'covered', 'waiting', 'ending') AND l.ends < $3 AND ($1 = '' OR l.authority = $1) AND ($2 = '' OR l.school = $2)
		ORDER BY l.ends, l.id LIMIT 500`, school.Authority, school.School, millis(at))
}

const sheetSelect = `SELECT d.authority, d.school, s.name, d.id, COALESCE(e.id, ''), d.name, COALESCE(p.name, ''), d.serial, d.model, d.platform, d.simulated,
	d.retired, COALESCE(e.leaving, 0), COALESCE(e.supervised, FALSE), COALESCE(e.created, 0), COALESCE(e.certificate_until, 0),
	EXISTS (SELECT 1 FROM enrolments x WHERE x.authority = d.authority AND x.device = d.id AND x.state = 'left'),
	COALESCE(st.last_seen, 0), COALESCE(st.reported, 0), COALESCE(st.agent, ''), COALESCE(st.facts, '{}'), COALESCE(st.declarations, '[]'), COALESCE(st.said_times, '{}'), COALESCE(st.said_since, 0)
	FROM devices d JOIN schools s ON s.authority = d.authority AND s.id = d.school
	LEFT JOIN persons p ON p.authority = d.authority AND p.id = d.person
	LEFT JOIN enrolments e ON e.authority = d.authority AND e.device = d.id AND e.state = 'enrolled'
	LEFT JOIN device_states st ON st.authority = d.authority AND st.device = d.id`

func scanSheet(row scanner) (board.Sheet, error) {
	var sheet board.Sheet
	var since, enrolled, until, seen, reported, retired, leaving int64
	var facts, said, times string
	err := row.Scan(&sheet.Branch.Authority, &sheet.Branch.School, &sheet.School, &sheet.Device, &sheet.Enrolment, &sheet.Name, &sheet.Person, &sheet.Serial, &sheet.Model, &sheet.Platform, &sheet.Simulated,
		&retired, &leaving, &sheet.Supervised, &enrolled, &until, &sheet.Left, &seen, &reported, &sheet.Agent, &facts, &said, &times, &since)
	sheet.Enrolled, sheet.Until, sheet.Seen, sheet.Reported = instant(enrolled), instant(until), instant(seen), instant(reported)
	sheet.Retired, sheet.Leaving = instant(retired), instant(leaving)
	if err == nil {
		// Facts come from a device: what does not parse is simply not known.
		_ = json.Unmarshal([]byte(facts), &sheet.Facts)
		sheet.Said = configurations(said)
		sheet.SaidSince = saidSince(sheet.Said, times, since)
	}
	return sheet, err
}

// Sheet returns what is remembered of a device.
func (s *Store) Sheet(ctx context.Context, device org.ID) (board.Sheet, error) {
	tx := s.reader(ctx)
	sheet, err := one(tx.QueryRowContext(ctx, sheetSelect+` WHERE d.id = $1`, device), scanSheet, "device.not_found")
	if err != nil {
		return sheet, err
	}
	sheet.Groups, err = collect(ctx, tx, func(row scanner) (board.GroupName, error) {
		var g board.GroupName
		return g, row.Scan(&g.ID, &g.Name, &g.Kind)
	}, `SELECT g.id, g.name, g.kind FROM group_devices m JOIN school_groups g ON g.authority = m.authority AND g.id = m.group_id
		WHERE m.authority = $1 AND m.device = $2 ORDER BY g.kind, `+natural("g.name")+`, g.id`, sheet.Branch.Authority, device)
	return sheet, err
}

// History merges what a device reported, what was done to it and its leases,
// newest first.
func (s *Store) History(ctx context.Context, sheet board.Sheet, before time.Time, n int) ([]board.Entry, error) {
	tx := s.reader(ctx)
	events, err := collect(ctx, tx, func(row scanner) (board.Entry, error) {
		var e board.Entry
		var at int64
		var args string
		if err := row.Scan(&at, &e.Key, &args); err != nil {
			return e, err
		}
		e.At = instant(at)
		_ = json.Unmarshal([]byte(args), &e.Args)
		return e, nil
	}, `SELECT at, key, args FROM device_events WHERE authority = $1 AND device = $2 AND at < $3 ORDER BY at DESC, id LIMIT $4`,
		sheet.Branch.Authority, sheet.Device, millis(before), n)
	if err != nil {
		return nil, err
	}
	acts, err := collect(ctx, tx, func(row scanner) (board.Entry, error) {
		var e board.Entry
		var at int64
		var action string
		err := row.Scan(&at, &e.By, &action)
		e.At, e.Key = instant(at), "audit."+strings.ReplaceAll(action, ".", "_")
		return e, err
	}, `SELECT at, actor_name, action FROM audit WHERE authority = $1 AND target_kind = 'device' AND target = $2 AND at < $3 ORDER BY at DESC, seq DESC LIMIT $4`,
		sheet.Branch.Authority, sheet.Device, millis(before), n)
	if err != nil {
		return nil, err
	}
	modes, err := collect(ctx, tx, func(row scanner) (board.Entry, error) {
		e := board.Entry{Key: "mode_started", Args: map[string]string{}}
		var at, ends int64
		var kind string
		err := row.Scan(&at, &kind, &e.By, &ends)
		e.At, e.Args["kind"], e.Args["until"] = instant(at), kind, instant(ends).Format(time.RFC3339)
		return e, err
	}, // Whose end in an examination is later is not told here.
		`SELECT l.starts, l.kind, l.by_name, CASE WHEN l.kind = 'exam' THEN COALESCE(m.ends, l.ends) ELSE l.ends END FROM leases l
		LEFT JOIN modes m ON m.authority = l.authority AND m.id = l.mode
		WHERE l.authority = $1 AND l.device = $2 AND l.starts < $3 ORDER BY l.starts DESC, l.id LIMIT $4`,
		sheet.Branch.Authority, sheet.Device, millis(before), n)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(events, acts, modes)
	sort.SliceStable(all, func(i, j int) bool { return all[i].At.After(all[j].At) })
	return all[:min(n, len(all))], nil
}

// Seek finds devices by the beginning of a name, serial number, person or
// group, within the branches.
func (s *Store) Seek(ctx context.Context, branches []org.Branch, text string, n int) ([]board.Sheet, error) {
	if strings.TrimSpace(text) == "" || len(branches) == 0 {
		return nil, nil
	}
	found, _, err := s.ListDevices(ctx, branches, roster.DeviceFilter{Query: text, Limit: n}, s.now())
	if err != nil || len(found) == 0 {
		return nil, err
	}
	ids := make([]org.ID, len(found))
	for i, device := range found {
		ids[i] = device.ID
	}
	marks, args := list(1, ids)
	return collect(ctx, s.reader(ctx), scanSheet, sheetSelect+` WHERE d.id IN (`+marks+`) ORDER BY d.name, d.id`, args...)
}

// Counts is for the operations page.
func (s *Store) Counts(ctx context.Context) (board.Counts, error) {
	var c board.Counts
	var oldest int64
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM authorities), (SELECT COUNT(*) FROM schools), (SELECT COUNT(*) FROM devices WHERE retired = 0),
		(SELECT COUNT(*) FROM enrolments WHERE state = 'enrolled'), (SELECT COUNT(*) FROM staff), (SELECT COUNT(*) FROM modes), (SELECT COUNT(*) FROM leases),
		(SELECT COUNT(*) FROM marks), (SELECT COALESCE(MAX(seq), 0) FROM audit), (SELECT COALESCE(MIN(at), 0) FROM marks)`).
		Scan(&c.Authorities, &c.Schools, &c.Devices, &c.Enrolled, &c.Staff, &c.Modes, &c.Leases, &c.Marks, &c.AuditRows, &oldest)
	c.OldestMark = instant(oldest)
	return c, err
}

package store

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
)

const modeColumns = `authority, id, school, group_id, kind, rules, starts, ends, ended, staff, by_name, reason, created, changed`

func scanMode(row scanner) (lesson.Mode, error) {
	var m lesson.Mode
	var rules string
	var starts, ends, ended, created, changed int64
	err := row.Scan(&m.Branch.Authority, &m.ID, &m.Branch.School, &m.Branch.Group, &m.Kind, &rules, &starts, &ends, &ended, &m.Staff, &m.ByName, &m.Reason, &created, &changed)
	if err != nil {
		return m, err
	}
	m.Starts, m.Ends, m.Ended, m.Created, m.Changed = instant(starts), instant(ends), instant(ended), instant(created), instant(changed)
	return m, json.Unmarshal([]byte(rules), &m.Rules)
}

// CreateMode keeps a mode with its leases, its audit row and its mark. It is
// lesson.ErrRevised if somebody has kept it already.
func (s *Store) CreateMode(ctx context.Context, permit may.Permit, m lesson.Mode, leases []lesson.Lease) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO modes (`+modeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (authority, id) DO NOTHING`,
			m.Branch.Authority, m.ID, m.Branch.School, m.Branch.Group, m.Kind, document(m.Rules), millis(m.Starts), millis(m.Ends), millis(m.Ended), m.Staff, m.ByName, m.Reason, millis(m.Created), millis(m.Changed))
		if err != nil {
			return err
		}
		// An examination is armed by who saves it and by the clock, whoever is first.
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, lesson.ErrRevised)
		}
		if err := s.insertLeases(ctx, tx, leases); err != nil {
			return err
		}
		if err := s.record(ctx, tx, permit, Target{"mode", m.ID}, nil, modeNote(m, len(leases))); err != nil {
			return err
		}
		return s.changedLeases(ctx, tx, m.Branch)
	})
}

// ReviseMode keeps a mode's new window and rules, and the leases given, unless somebody changed
// the mode since the instant.
func (s *Store) ReviseMode(ctx context.Context, permit may.Permit, m lesson.Mode, since time.Time, leases []lesson.Lease, what string) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		before, err := s.findMode(ctx, tx, m.ID)
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE modes SET starts = $1, ends = $2, ended = $3, changed = $4, rules = $5 WHERE authority = $6 AND id = $7 AND changed = $8`,
			millis(m.Starts), millis(m.Ends), millis(m.Ended), millis(m.Changed), document(m.Rules), m.Branch.Authority, m.ID, millis(since))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, lesson.ErrRevised)
		}
		if err := s.reviseLeases(ctx, tx, leases); err != nil {
			return err
		}
		note := modeNote(m, len(leases))
		note["what"] = what
		if len(leases) == 1 {
			note["device"] = leases[0].Device
		}
		if err := s.record(ctx, tx, permit, Target{"mode", m.ID}, modeNote(before, 0), note); err != nil {
			return err
		}
		return s.changedMode(ctx, tx, m)
	})
}

// RecordRelease leaves the audit row of a release code that was shown; an empty
// device means the codes of the whole mode.
func (s *Store) RecordRelease(ctx context.Context, permit may.Permit, m lesson.Mode, device org.ID) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		return s.record(ctx, tx, permit, Target{"mode", m.ID}, nil, map[string]any{"what": "release code", "device": device})
	})
}

// mostEnds bounds how many ends are recorded in one round; the next takes the rest.
const mostEnds = 2000

// RecordEnds leaves an audit row of every mode that came to its end by itself
// within the day before the instant. A row in job_runs says that it was told, so
// that several replicas tell it once.
func (s *Store) RecordEnds(ctx context.Context, at time.Time) error {
	over, err := collect(ctx, s.reader(ctx), scanMode, `SELECT `+modeColumns+` FROM modes
		WHERE ends <= $1 AND ends > $2 AND ended = 0 AND NOT EXISTS (SELECT 1 FROM job_runs r WHERE r.job = 'mode-end' AND r.due = modes.id)
		ORDER BY ends LIMIT $3`, millis(at), millis(at.Add(-24*time.Hour)), mostEnds)
	if err != nil {
		return err
	}
	for _, m := range over {
		err := s.write(ctx, func(ctx context.Context, tx Tx) error {
			result, err := tx.ExecContext(ctx, `INSERT INTO job_runs (job, due, at) VALUES ('mode-end', $1, $2) ON CONFLICT (job, due) DO NOTHING`, m.ID, millis(at))
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				return err
			}
			return s.record(ctx, tx, may.System("end", m.Branch), Target{"mode", m.ID}, nil, modeNote(m, 0))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func modeNote(m lesson.Mode, devices int) map[string]any {
	note := map[string]any{"kind": m.Kind, "rules": m.Rules, "starts": m.Starts, "ends": m.Ends, "group": m.Branch.Group}
	if !m.Ended.IsZero() {
		note["ended"] = m.Ended
	}
	if devices > 0 {
		note["devices"] = devices
	}
	return note
}

// FindMode returns a mode.
func (s *Store) FindMode(ctx context.Context, id org.ID) (lesson.Mode, error) {
	return s.findMode(ctx, s.reader(ctx), id)
}

func (s *Store) findMode(ctx context.Context, tx Tx, id org.ID) (lesson.Mode, error) {
	return one(tx.QueryRowContext(ctx, `SELECT `+modeColumns+` FROM modes WHERE id = $1`, id), scanMode, "mode.not_found")
}

// GroupModes lists modes that end after the instant and target the group or
// touch one of its devices, the latest start first.
func (s *Store) GroupModes(ctx context.Context, group lesson.Group, after time.Time) ([]lesson.Mode, error) {
	return collect(ctx, s.reader(ctx), scanMode, `SELECT `+modeColumns+` FROM modes m
		WHERE m.authority = $1 AND m.school = $2 AND m.ends > $3 AND (m.group_id = $4 OR EXISTS (
			SELECT 1 FROM leases l JOIN group_devices g ON g.authority = l.authority AND g.device = l.device
			WHERE l.authority = m.authority AND l.mode = m.id AND g.group_id = $4 AND l.ends > $3))
		ORDER BY m.starts DESC, m.id DESC LIMIT 20`, group.Branch.Authority, group.Branch.School, millis(after), group.Branch.Group)
}

// TeachesAll reports whether each of the devices is in some group that the
// person has at the instant.
func (s *Store) TeachesAll(ctx context.Context, staff org.ID, devices []org.ID, at time.Time) (bool, error) {
	if len(devices) == 0 {
		return true, nil
	}
	marks, args := list(3, devices)
	var n int
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT COUNT(DISTINCT m.device) FROM group_staff t JOIN group_devices m ON m.authority = t.authority AND m.group_id = t.group_id
		WHERE t.staff = $1 AND t.since <= $2 AND (t.until = 0 OR t.until > $2) AND m.device IN (`+marks+`)`, append([]any{staff, millis(at)}, args...)...).Scan(&n)
	return n == len(devices), err
}

// LastMode returns the latest mode that the person gave the group.
func (s *Store) LastMode(ctx context.Context, group lesson.Group, staff org.ID) (lesson.Mode, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT `+modeColumns+` FROM modes
		WHERE authority = $1 AND group_id = $2 AND staff = $3 ORDER BY starts DESC, id DESC LIMIT 1`,
		group.Branch.Authority, group.Branch.Group, staff), scanMode, "mode.not_found")
}

// LessonGroup returns what lessons need to know of a group.
func (s *Store) LessonGroup(ctx context.Context, id org.ID) (lesson.Group, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT authority, school, id, kind, name FROM school_groups WHERE id = $1`, id), func(row scanner) (lesson.Group, error) {
		var g lesson.Group
		err := row.Scan(&g.Branch.Authority, &g.Branch.School, &g.Branch.Group, &g.Kind, &g.Name)
		return g, err
	}, "group.not_found")
}

// memberSelect joins a device with its person, its living enrolment and what it
// last said. It wants FROM-side conditions on d.
const memberSelect = `SELECT d.id, d.name, d.platform, d.simulated, COALESCE(p.name, ''), COALESCE(e.id, ''), COALESCE(st.facts, '{}'), COALESCE(st.last_seen, 0),
	COALESCE(a.until, 0)
	FROM devices d
	LEFT JOIN persons p ON p.authority = d.authority AND p.id = d.person
	LEFT JOIN enrolments e ON e.authority = d.authority AND e.device = d.id AND e.state = 'enrolled'
	LEFT JOIN device_states st ON st.authority = d.authority AND st.device = d.id
	LEFT JOIN absences a ON a.authority = d.authority AND a.device = d.id AND a.group_id = $1 AND a.until > $2`

func scanMember(row scanner) (lesson.Member, error) {
	var m lesson.Member
	var facts string
	var seen, absent int64
	if err := row.Scan(&m.Device, &m.Name, &m.Platform, &m.Simulated, &m.Person, &m.Enrolment, &facts, &seen, &absent); err != nil {
		return m, err
	}
	m.Seen, m.Absent = instant(seen), absent > 0
	var said struct {
		Battery  *int  `json:"battery"`
		Charging *bool `json:"charging"`
	}
	// Facts come from a device: what does not parse is simply not known.
	_ = json.Unmarshal([]byte(facts), &said)
	m.Battery = said.Battery
	m.Charging = said.Charging != nil && *said.Charging
	return m, nil
}

// LessonMembers lists the devices of a group by name, absent ones marked.
func (s *Store) LessonMembers(ctx context.Context, group lesson.Group, at time.Time) ([]lesson.Member, error) {
	return collect(ctx, s.reader(ctx), scanMember, memberSelect+`
		JOIN group_devices g ON g.authority = d.authority AND g.device = d.id AND g.group_id = $1
		WHERE d.authority = $3 AND d.retired = 0 ORDER BY COALESCE(p.name, d.name), d.name, d.id`,
		group.Branch.Group, millis(at), group.Branch.Authority)
}

// LessonDevices lists named devices with the branch that they share.
func (s *Store) LessonDevices(ctx context.Context, devices []org.ID) (org.Branch, []lesson.Member, error) {
	marks, args := list(3, devices)
	args = append([]any{"", int64(0)}, args...)
	members, err := collect(ctx, s.reader(ctx), scanMember, memberSelect+` WHERE d.id IN (`+marks+`) AND d.retired = 0 ORDER BY d.name, d.id`, args...)
	if err != nil {
		return org.Branch{}, nil, err
	}
	if len(members) != len(devices) {
		return org.Branch{}, nil, errs.E(errs.NotFound, "device.not_found").In("devices")
	}
	marks, args = list(1, devices)
	branches, err := collect(ctx, s.reader(ctx), func(row scanner) (org.Branch, error) {
		var b org.Branch
		return b, row.Scan(&b.Authority, &b.School)
	}, `SELECT DISTINCT authority, school FROM devices WHERE id IN (`+marks+`) ORDER BY authority, school`, args...)
	if err != nil {
		return org.Branch{}, nil, err
	}
	if len(branches) != 1 {
		return org.Branch{}, nil, errs.E(errs.Invalid, "mode.several_schools").In("devices")
	}
	return branches[0], members, nil
}

// list returns "$3, $4, …" beginning at first, and the values as arguments.
func list[T any](first int, values []T) (string, []any) {
	marks, args := make([]string, len(values)), make([]any, len(values))
	for i, value := range values {
		marks[i], args[i] = "$"+strconv.Itoa(first+i), value
	}
	return strings.Join(marks, ", "), args
}

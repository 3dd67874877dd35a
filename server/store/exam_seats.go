package store

import (
	"context"
	"encoding/json"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
)

// ExamSeats lists the devices that take part: those of the group now, of the
// persons and those named, with what took another's place. A device that is out
// of use is among them only if something happened to it here, without enrolment.
func (s *Store) ExamSeats(ctx context.Context, e exam.Exam) ([]exam.Seat, error) {
	q := newQuery(`SELECT d.id, d.name, d.platform, d.simulated, COALESCE(NULLIF(t.person, ''), d.person), COALESCE(p.name, ''), CASE WHEN d.retired = 0 THEN COALESCE(n.id, '') ELSE '' END,
		COALESCE(x.minutes, y.minutes, 0), COALESCE(x.percent, y.percent, 0), COALESCE(x.changed, y.changed, 0),
		COALESCE(t.instead, ''), COALESCE(t.person, ''), COALESCE(t.shifts, '[]'), COALESCE(t.released, 0), COALESCE(t.again, 0)
		FROM devices d
		LEFT JOIN exam_seats t ON t.authority = d.authority AND t.exam = ? AND t.device = d.id
		LEFT JOIN persons p ON p.authority = d.authority AND p.id = COALESCE(NULLIF(t.person, ''), d.person)
		LEFT JOIN enrolments n ON n.authority = d.authority AND n.device = d.id AND n.state = 'enrolled'
		LEFT JOIN extra_times x ON x.authority = d.authority AND x.kind = 'person' AND x.target = COALESCE(NULLIF(t.person, ''), d.person)
		LEFT JOIN extra_times y ON y.authority = d.authority AND y.kind = 'device' AND y.target = d.id
		WHERE d.authority = ? AND (t.device IS NOT NULL OR d.id IN (SELECT instead FROM exam_seats WHERE authority = ? AND exam = ?) OR d.retired = 0 AND (1 = 0`,
		e.ID, e.Branch.Authority, e.Branch.Authority, e.ID)
	if e.Branch.Group != "" {
		q.add(` OR d.id IN (SELECT device FROM group_devices WHERE authority = ? AND group_id = ?)`, e.Branch.Authority, e.Branch.Group)
	}
	q.add(` OR d.school = ? AND (`, e.Branch.School)
	oneOf(q, "d.person", e.Persons)
	q.add(` OR `)
	oneOf(q, "d.id", e.Devices)
	q.add(`))) ORDER BY COALESCE(p.name, d.name), d.name, d.id`)
	return collect(ctx, s.reader(ctx), scanSeat, q.text(), q.args...)
}

func scanSeat(row scanner) (exam.Seat, error) {
	var seat exam.Seat
	var shifts string
	var changed, released, again int64
	err := row.Scan(&seat.Device, &seat.Name, &seat.Platform, &seat.Simulated, &seat.Person, &seat.PersonNow, &seat.Enrolment, &seat.Extra.Minutes, &seat.Extra.Percent, &changed,
		&seat.Note.Instead, &seat.Note.Person, &shifts, &released, &again)
	if err != nil {
		return seat, err
	}
	seat.Extra.Since, seat.Note.Released, seat.Note.Again = instant(changed), instant(released), instant(again)
	return seat, json.Unmarshal([]byte(shifts), &seat.Note.Shifts)
}

// PutSeats keeps what happened to seats.
func (s *Store) PutSeats(ctx context.Context, permit may.Permit, e exam.Exam, seats []exam.Seat, what string, records []exam.Record) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		for _, seat := range seats {
			_, err := tx.ExecContext(ctx, `INSERT INTO exam_seats (authority, exam, device, instead, person, shifts, released, again) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
				ON CONFLICT (authority, exam, device) DO UPDATE SET instead = excluded.instead, person = excluded.person, shifts = excluded.shifts, released = excluded.released, again = excluded.again`,
				e.Branch.Authority, e.ID, seat.Device, seat.Note.Instead, seat.Note.Person, documentList(seat.Note.Shifts), millis(seat.Note.Released), millis(seat.Note.Again))
			if err != nil {
				return err
			}
		}
		// The note names devices and no times: who has more time is nobody's business
		// who reads the log.
		devices := make([]org.ID, len(seats))
		for i, seat := range seats {
			devices[i] = seat.Device
		}
		if err := s.record(ctx, tx, permit, Target{"exam", e.ID}, nil, map[string]any{"what": what, "name": e.Name, "devices": devices}); err != nil {
			return err
		}
		return s.addRecords(ctx, tx, e, records)
	})
}

// ExamDevices resolves named persons and devices of a school.
func (s *Store) ExamDevices(ctx context.Context, school org.Branch, persons, devices []org.ID) ([]org.ID, error) {
	var found []org.ID
	for _, of := range []struct {
		query string
		ids   []org.ID
		fault string
	}{
		{`SELECT id FROM persons WHERE authority = $1 AND school = $2 AND id IN (`, persons, "person.not_found"},
		{`SELECT id FROM devices WHERE authority = $1 AND school = $2 AND retired = 0 AND id IN (`, devices, "device.not_found"},
		{`SELECT id FROM devices WHERE authority = $1 AND school = $2 AND retired = 0 AND person IN (`, persons, ""},
	} {
		if len(of.ids) == 0 {
			continue
		}
		marks, args := list(3, of.ids)
		ids, err := collect(ctx, s.reader(ctx), scanID, of.query+marks+`) ORDER BY id`, append([]any{school.Authority, school.School}, args...)...)
		if err != nil {
			return nil, err
		}
		if of.fault != "" && len(ids) != len(of.ids) {
			return nil, errs.E(errs.NotFound, of.fault).In("target")
		}
		if of.fault != "person.not_found" {
			found = append(found, ids...)
		}
	}
	return found, nil
}

// ExamStaff lists who may invigilate in a school: its teachers and its office.
func (s *Store) ExamStaff(ctx context.Context, school org.Branch) ([]exam.Invigilator, error) {
	return collect(ctx, s.reader(ctx), scanInvigilator, `SELECT p.id, p.salutation, p.name FROM staff p
		WHERE p.locked = 0 AND EXISTS (SELECT 1 FROM staff_grants g WHERE g.staff = p.id AND g.at_authority = $1 AND g.at_school = $2 AND g.role IN ('teacher', 'school_admin'))
		ORDER BY p.name, p.id`, school.Authority, school.School)
}

// ExamGroup returns the branch and the name of a group.
func (s *Store) ExamGroup(ctx context.Context, id org.ID) (org.Branch, string, error) {
	group, err := s.LessonGroup(ctx, id)
	return group.Branch, group.Name, err
}

// ListExtra lists the extra times of a school, by name.
func (s *Store) ListExtra(ctx context.Context, school org.Branch) ([]exam.ExtraTime, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (exam.ExtraTime, error) {
		x := exam.ExtraTime{Branch: school}
		var kind string
		var target org.ID
		var changed int64
		err := row.Scan(&kind, &target, &x.Name, &x.Minutes, &x.Percent, &x.ByName, &changed)
		x.Changed, x.Since = instant(changed), instant(changed)
		if kind == "person" {
			x.Person = target
		} else {
			x.Device = target
		}
		return x, err
	}, `SELECT x.kind, x.target, COALESCE(p.name, d.name, ''), x.minutes, x.percent, x.by_name, x.changed FROM extra_times x
		LEFT JOIN persons p ON x.kind = 'person' AND p.authority = x.authority AND p.id = x.target
		LEFT JOIN devices d ON x.kind = 'device' AND d.authority = x.authority AND d.id = x.target
		WHERE x.authority = $1 AND x.school = $2 AND (p.id IS NOT NULL OR d.id IS NOT NULL) ORDER BY COALESCE(p.name, d.name), x.target`, school.Authority, school.School)
}

// PutExtra enters extra time, or takes it back. The audit row says that it was
// done and for whom, not how much.
func (s *Store) PutExtra(ctx context.Context, permit may.Permit, x exam.ExtraTime) error {
	kind, target := "person", x.Person
	if x.Device != "" {
		kind, target = "device", x.Device
	}
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		var err error
		if x.Minutes == 0 && x.Percent == 0 {
			_, err = tx.ExecContext(ctx, `DELETE FROM extra_times WHERE authority = $1 AND kind = $2 AND target = $3`, x.Branch.Authority, kind, target)
		} else {
			_, err = tx.ExecContext(ctx, `INSERT INTO extra_times (authority, school, kind, target, minutes, percent, by_name, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
				ON CONFLICT (authority, kind, target) DO UPDATE SET school = excluded.school, minutes = excluded.minutes, percent = excluded.percent, by_name = excluded.by_name, changed = excluded.changed`,
				x.Branch.Authority, x.Branch.School, kind, target, x.Minutes, x.Percent, x.ByName, millis(x.Changed))
		}
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{kind, target}, nil, nil)
	})
}

// ExamSpares lists enrolled devices of the school beside the seats, the latest
// seen first.
func (s *Store) ExamSpares(ctx context.Context, e exam.Exam, seats []org.ID, n int) ([]exam.Seat, error) {
	q := newQuery(`SELECT d.id, d.name, d.platform, n.id FROM devices d
		JOIN enrolments n ON n.authority = d.authority AND n.device = d.id AND n.state = 'enrolled'
		LEFT JOIN device_states st ON st.authority = d.authority AND st.device = d.id
		WHERE d.authority = ? AND d.school = ? AND d.retired = 0`, e.Branch.Authority, e.Branch.School)
	q.add(` AND NOT `)
	oneOf(q, "d.id", seats)
	q.add(` ORDER BY CASE WHEN d.person = '' THEN 0 ELSE 1 END, COALESCE(st.last_seen, 0) DESC, d.name, d.id LIMIT ?`, n)
	return collect(ctx, s.reader(ctx), func(row scanner) (exam.Seat, error) {
		var seat exam.Seat
		return seat, row.Scan(&seat.Device, &seat.Name, &seat.Platform, &seat.Enrolment)
	}, q.text(), q.args...)
}

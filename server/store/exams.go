package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
)

const examColumns = `e.authority, e.id, e.school, e.group_id, e.name, e.room, e.targets, e.starts, e.ends, e.shifts, e.paused, e.rules, e.preset, e.draft,
	e.ended, e.cancelled, e.mode, e.last, e.rehearsal, e.of_exam, e.staff, e.by_name, e.created, e.changed`

// examTargets is who takes part where no group does, and of whom work was asked for.
type examTargets struct {
	Persons []org.ID             `json:"persons,omitempty"`
	Devices []org.ID             `json:"devices,omitempty"`
	Asked   map[org.ID]time.Time `json:"asked,omitempty"`
}

func scanExam(row scanner) (exam.Exam, error) {
	var e exam.Exam
	var targets, shifts, rules, rehearsal string
	var starts, ends, paused, ended, cancelled, last, created, changed int64
	err := row.Scan(&e.Branch.Authority, &e.ID, &e.Branch.School, &e.Branch.Group, &e.Name, &e.Room, &targets, &starts, &ends, &shifts, &paused, &rules, &e.Preset, &e.Draft,
		&ended, &cancelled, &e.Mode, &last, &rehearsal, &e.Of, &e.Staff, &e.ByName, &created, &changed)
	if err != nil {
		return e, err
	}
	e.Starts, e.Ends, e.Paused, e.Ended, e.Cancelled = instant(starts), instant(ends), instant(paused), instant(ended), instant(cancelled)
	e.Last, e.Created, e.Changed = instant(last), instant(created), instant(changed)
	var who examTargets
	errs := []error{json.Unmarshal([]byte(targets), &who), json.Unmarshal([]byte(shifts), &e.Shifts), json.Unmarshal([]byte(rules), &e.Rules)}
	e.Persons, e.Devices, e.Asked = who.Persons, who.Devices, who.Asked
	if rehearsal != "" {
		errs = append(errs, json.Unmarshal([]byte(rehearsal), &e.Rehearsal))
	}
	return e, errors.Join(errs...)
}

// FindExam returns an examination with its invigilators.
func (s *Store) FindExam(ctx context.Context, id org.ID) (exam.Exam, error) {
	e, err := one(s.reader(ctx).QueryRowContext(ctx, `SELECT `+examColumns+` FROM exams e WHERE e.id = $1`, id), scanExam, "exam.not_found")
	if err != nil {
		return e, err
	}
	e.Invigilators, err = s.invigilators(ctx, e)
	return e, err
}

// ExamOfMode returns the examination, or rehearsal, that a mode belongs to.
func (s *Store) ExamOfMode(ctx context.Context, mode org.ID) (exam.Exam, error) {
	e, err := one(s.reader(ctx).QueryRowContext(ctx, `SELECT `+examColumns+` FROM modes m JOIN exams e ON e.authority = m.authority AND e.school = m.school
		WHERE m.id = $1 AND m.kind = 'exam' AND (e.mode = m.id OR e.rehearsal LIKE '%"' || m.id || '"%') ORDER BY e.id LIMIT 1`, mode), scanExam, "exam.not_found")
	if err != nil {
		return e, err
	}
	e.Invigilators, err = s.invigilators(ctx, e)
	return e, err
}

func scanInvigilator(row scanner) (exam.Invigilator, error) {
	var i exam.Invigilator
	var who staff.Person
	err := row.Scan(&i.Staff, &who.Salutation, &who.Name)
	i.Name = who.Display()
	return i, err
}

func (s *Store) invigilators(ctx context.Context, e exam.Exam) ([]exam.Invigilator, error) {
	return collect(ctx, s.reader(ctx), scanInvigilator, `SELECT p.id, p.salutation, p.name FROM exam_staff i JOIN staff p ON p.id = i.staff
		WHERE i.authority = $1 AND i.exam = $2 ORDER BY p.name, p.id`, e.Branch.Authority, e.ID)
}

// invigilatorsAtOnce bounds the examinations of one question for invigilators.
const invigilatorsAtOnce = 200

// addInvigilators fills in who invigilates, for many examinations at once.
func (s *Store) addInvigilators(ctx context.Context, exams []exam.Exam) error {
	for some := range slices.Chunk(exams, invigilatorsAtOnce) {
		at := make(map[org.ID]*exam.Exam, len(some))
		known := make([]org.ID, len(some))
		for i := range some {
			at[some[i].ID], known[i] = &some[i], some[i].ID
		}
		type row struct {
			exam org.ID
			exam.Invigilator
		}
		q := newQuery(`SELECT i.exam, p.id, p.salutation, p.name FROM exam_staff i JOIN staff p ON p.id = i.staff JOIN exams e ON e.authority = i.authority AND e.id = i.exam WHERE `)
		oneOf(q, "e.id", known)
		q.add(` ORDER BY p.name, p.id`)
		found, err := collect(ctx, s.reader(ctx), func(from scanner) (row, error) {
			var r row
			var who staff.Person
			err := from.Scan(&r.exam, &r.Staff, &who.Salutation, &who.Name)
			r.Name = who.Display()
			return r, err
		}, q.text(), q.args...)
		if err != nil {
			return err
		}
		for _, r := range found {
			at[r.exam].Invigilators = append(at[r.exam].Invigilators, r.Invigilator)
		}
	}
	return nil
}

// ListExams lists examinations of the branches: the next first, or the latest.
func (s *Store) ListExams(ctx context.Context, branches []org.Branch, filter exam.Filter) ([]exam.Exam, string, error) {
	q := newQuery(`SELECT ` + examColumns + ` FROM exams e WHERE `)
	q.places("e.authority", "e.school", branches)
	if filter.School != "" {
		q.add(` AND e.school = ?`, filter.School)
	}
	if filter.Staff != "" {
		q.add(` AND (e.staff = ? OR EXISTS (SELECT 1 FROM exam_staff i WHERE i.authority = e.authority AND i.exam = e.id AND i.staff = ?)
			OR EXISTS (SELECT 1 FROM group_staff t WHERE t.authority = e.authority AND t.group_id = e.group_id AND t.staff = ?))`, filter.Staff, filter.Staff, filter.Staff)
	}
	if !filter.From.IsZero() {
		q.add(` AND (e.ends > ? OR e.last > ?)`, millis(filter.From), millis(filter.From))
	}
	if !filter.Until.IsZero() {
		q.add(` AND e.starts < ?`, millis(filter.Until))
	}
	var limit int
	if filter.Past {
		limit = q.latest("e.starts", "e.id", filter.Cursor, filter.Limit)
	} else {
		limit = q.soonest("e.starts", "e.id", filter.Cursor, filter.Limit)
	}
	exams, err := collect(ctx, s.reader(ctx), scanExam, q.text(), q.args...)
	if err != nil {
		return nil, "", err
	}
	exams, next := cut(exams, limit, func(e exam.Exam) (string, org.ID) { return instantKey(e.Starts), e.ID })
	return exams, next, s.addInvigilators(ctx, exams)
}

// PendingExams lists what may have to be armed, changed or ended on devices.
// What somebody ended or called off just now is among it: the devices may not
// have heard of it. What is interrupted is among it whatever end was noted last: with
// the interruption goes the end.
func (s *Store) PendingExams(ctx context.Context, branch org.Branch, at, before time.Time) ([]exam.Exam, error) {
	exams, err := collect(ctx, s.reader(ctx), scanExam, `SELECT `+examColumns+` FROM exams e
		WHERE ($1 = '' OR e.authority = $1) AND ($2 = '' OR e.school = $2) AND NOT e.draft AND e.starts < $3
		AND (e.mode = '' AND e.ends > $4 AND e.cancelled = 0 AND e.ended = 0 OR e.mode <> '' AND (e.last > $4 OR e.changed > $5 OR e.paused > 0 AND e.ended = 0 AND e.cancelled = 0))
		ORDER BY e.starts, e.id`, branch.Authority, branch.School, millis(before), millis(at), millis(at.Add(-healTime)))
	if err != nil {
		return nil, err
	}
	return exams, s.addInvigilators(ctx, exams)
}

// healTime is how long what was ended is looked at again.
const healTime = 10 * time.Minute

// CreateExam keeps a new examination.
func (s *Store) CreateExam(ctx context.Context, permit may.Permit, e exam.Exam) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO exams (authority, id, school, group_id, name, room, targets, starts, ends, rules, preset, draft, of_exam, staff, by_name, created, changed)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
			e.Branch.Authority, e.ID, e.Branch.School, e.Branch.Group, e.Name, e.Room, document(examTargets{e.Persons, e.Devices, e.Asked}), millis(e.Starts), millis(e.Ends),
			document(e.Rules), e.Preset, e.Draft, e.Of, e.Staff, e.ByName, millis(e.Created), millis(e.Changed))
		if err != nil {
			return err
		}
		if err := s.putInvigilators(ctx, tx, e); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"exam", e.ID}, nil, aboutExam(e))
	})
}

// UpdateExam keeps what people changed. Mode and last end are the server's own,
// see NoteArmed.
func (s *Store) UpdateExam(ctx context.Context, permit may.Permit, e exam.Exam, since time.Time, what string, records []exam.Record) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		before, err := s.FindExam(ctx, e.ID)
		if err != nil {
			return err
		}
		rehearsal := ""
		if e.Rehearsal != nil {
			rehearsal = document(e.Rehearsal)
		}
		result, err := tx.ExecContext(ctx, `UPDATE exams SET group_id = $1, name = $2, room = $3, targets = $4, starts = $5, ends = $6, shifts = $7, paused = $8, rules = $9, preset = $10,
			draft = $11, ended = $12, cancelled = $13, rehearsal = $14, changed = $15 WHERE authority = $16 AND id = $17 AND changed = $18`,
			e.Branch.Group, e.Name, e.Room, document(examTargets{e.Persons, e.Devices, e.Asked}), millis(e.Starts), millis(e.Ends), documentList(e.Shifts), millis(e.Paused), document(e.Rules), e.Preset,
			e.Draft, millis(e.Ended), millis(e.Cancelled), rehearsal, millis(e.Changed), e.Branch.Authority, e.ID, millis(since))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, exam.ErrChanged)
		}
		if err := s.putInvigilators(ctx, tx, e); err != nil {
			return err
		}
		note := aboutExam(e)
		note["what"] = what
		if err := s.record(ctx, tx, permit, Target{"exam", e.ID}, aboutExam(before), note); err != nil {
			return err
		}
		return s.addRecords(ctx, tx, e, records)
	})
}

func (s *Store) putInvigilators(ctx context.Context, tx Tx, e exam.Exam) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM exam_staff WHERE authority = $1 AND exam = $2`, e.Branch.Authority, e.ID); err != nil {
		return err
	}
	for _, i := range e.Invigilators {
		if _, err := tx.ExecContext(ctx, `INSERT INTO exam_staff (authority, exam, staff) VALUES ($1, $2, $3)`, e.Branch.Authority, e.ID, i.Staff); err != nil {
			return err
		}
	}
	return nil
}

// NoteArmed keeps under which mode the examination is known, the first one told,
// and when its last seat ends. It returns the mode that counts.
func (s *Store) NoteArmed(ctx context.Context, e exam.Exam) (org.ID, error) {
	var mode org.ID
	err := s.write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.QueryRowContext(ctx, `UPDATE exams SET mode = CASE WHEN mode = '' THEN $1 ELSE mode END, last = $2 WHERE authority = $3 AND id = $4 RETURNING mode`,
			e.Mode, millis(e.Last), e.Branch.Authority, e.ID).Scan(&mode)
	})
	return mode, err
}

// DeleteExam forgets an examination that never was on a device.
func (s *Store) DeleteExam(ctx context.Context, permit may.Permit, e exam.Exam) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		if err := s.dropExam(ctx, tx, e); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"exam", e.ID}, aboutExam(e), nil)
	})
}

func (s *Store) dropExam(ctx context.Context, tx Tx, e exam.Exam) error {
	for _, query := range []string{
		`DELETE FROM exam_staff WHERE authority = $1 AND exam = $2`, `DELETE FROM exam_seats WHERE authority = $1 AND exam = $2`,
		`DELETE FROM exam_records WHERE authority = $1 AND exam = $2`, `DELETE FROM exam_origins WHERE authority = $1 AND exam = $2`, `DELETE FROM exam_given WHERE authority = $1 AND exam = $2`,
		`DELETE FROM exam_given_pieces WHERE authority = $1 AND exam = $2`, `DELETE FROM exam_work WHERE authority = $1 AND exam = $2`,
		`DELETE FROM exam_work_pieces WHERE authority = $1 AND exam = $2`, `DELETE FROM exam_work_parts WHERE authority = $1 AND exam = $2`, `DELETE FROM exams WHERE authority = $1 AND id = $2`,
	} {
		if _, err := tx.ExecContext(ctx, query, e.Branch.Authority, e.ID); err != nil {
			return err
		}
	}
	return nil
}

// RecordExam leaves the audit row of something that was shown.
func (s *Store) RecordExam(ctx context.Context, permit may.Permit, e exam.Exam, what string, records []exam.Record) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		if err := s.record(ctx, tx, permit, Target{"exam", e.ID}, nil, map[string]any{"what": what, "name": e.Name}); err != nil {
			return err
		}
		return s.addRecords(ctx, tx, e, records)
	})
}

func aboutExam(e exam.Exam) map[string]any {
	note := map[string]any{"name": e.Name, "group": e.Branch.Group, "starts": e.Starts, "ends": e.End(e.Changed), "rules": e.Rules}
	if len(e.Persons)+len(e.Devices) > 0 {
		note["seats"] = len(e.Persons) + len(e.Devices)
	}
	if e.Draft {
		note["draft"] = true
	}
	if !e.Ended.IsZero() {
		note["ended"] = e.Ended
	}
	if !e.Cancelled.IsZero() {
		note["cancelled"] = e.Cancelled
	}
	return note
}

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/exam/agenda"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
)

// PutExamImport keeps a file of planned examinations. Of each person one is kept
// that is neither taken nor dropped.
func (s *Store) PutExamImport(ctx context.Context, permit may.Permit, i exam.Import) error {
	over := i.State == exam.ImportDone || i.State == exam.ImportDropped
	content := ""
	if !over {
		content = document(i.Table)
	}
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM exam_imports WHERE authority = $1 AND staff = $2 AND id <> $3 AND state IN ('mapping', 'preview')`, i.Branch.Authority, i.Staff, i.ID)
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO exam_imports (authority, id, school, staff, by_name, file, content, columns, minutes, preset, state, counts, created)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
			ON CONFLICT (authority, id) DO UPDATE SET content = excluded.content, columns = excluded.columns, minutes = excluded.minutes, preset = excluded.preset, state = excluded.state, counts = excluded.counts
			WHERE exam_imports.state IN ('mapping', 'preview')`,
			i.Branch.Authority, i.ID, i.Branch.School, i.Staff, i.ByName, i.File, content, document(i.Columns), i.Minutes, i.Preset, i.State, document(i.Counts), millis(i.Created))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errs.E(errs.Conflict, "import.over")) // somebody took it a moment ago
		}
		if !over {
			return nil // until it is taken or dropped an import does nothing
		}
		return s.record(ctx, tx, permit, Target{"import", i.ID}, nil, map[string]any{"what": "exams", "file": i.File, "state": i.State, "counts": i.Counts})
	})
}

// FindExamImport returns an import with its table.
func (s *Store) FindExamImport(ctx context.Context, id org.ID) (exam.Import, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT authority, id, school, staff, by_name, file, content, columns, minutes, preset, state, counts, created FROM exam_imports WHERE id = $1`, id), scanExamImport, "not_found")
}

func scanExamImport(row scanner) (exam.Import, error) {
	var i exam.Import
	var content, columns, counts string
	var created int64
	err := row.Scan(&i.Branch.Authority, &i.ID, &i.Branch.School, &i.Staff, &i.ByName, &i.File, &content, &columns, &i.Minutes, &i.Preset, &i.State, &counts, &created)
	if err != nil {
		return i, err
	}
	i.Created = instant(created)
	if content != "" {
		if err := json.Unmarshal([]byte(content), &i.Table); err != nil {
			return i, fmt.Errorf("reading an import's table: %w", err)
		}
	}
	return i, errors.Join(json.Unmarshal([]byte(columns), &i.Columns), json.Unmarshal([]byte(counts), &i.Counts))
}

// ExamColumns returns what columns were said to mean, by their titles.
func (s *Store) ExamColumns(ctx context.Context, school org.Branch, signature string) (map[string]agenda.Field, error) {
	var columns string
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT columns FROM exam_columns WHERE authority = $1 AND school = $2 AND signature = $3`, school.Authority, school.School, signature).Scan(&columns)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var saved map[string]agenda.Field
	return saved, json.Unmarshal([]byte(columns), &saved)
}

// PutExamColumns remembers what columns mean.
func (s *Store) PutExamColumns(ctx context.Context, school org.Branch, signature string, columns map[string]agenda.Field, at time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO exam_columns (authority, school, signature, columns, changed) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (authority, school, signature) DO UPDATE SET columns = excluded.columns, changed = excluded.changed`, school.Authority, school.School, signature, document(columns), millis(at))
	return err
}

// ExamOrigins lists what was imported into the school.
func (s *Store) ExamOrigins(ctx context.Context, school org.Branch) ([]exam.Origin, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (exam.Origin, error) {
		var o exam.Origin
		var content string
		if err := row.Scan(&o.Exam, &o.Key, &o.Signature, &content); err != nil {
			return o, err
		}
		return o, json.Unmarshal([]byte(content), &o.Row)
	}, `SELECT exam, origin, signature, content FROM exam_origins WHERE authority = $1 AND school = $2 ORDER BY origin`, school.Authority, school.School)
}

// PutExamOrigin keeps where an examination came from. The row of one that is gone
// may be taken again.
func (s *Store) PutExamOrigin(ctx context.Context, school org.Branch, o exam.Origin) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO exam_origins (authority, school, origin, exam, signature, content) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (authority, school, origin) DO UPDATE SET exam = excluded.exam, signature = excluded.signature, content = excluded.content
			WHERE exam_origins.exam = excluded.exam OR NOT EXISTS (SELECT 1 FROM exams e WHERE e.authority = exam_origins.authority AND e.id = exam_origins.exam)`,
			school.Authority, school.School, o.Key, o.Exam, o.Signature, document(o.Row))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, exam.ErrChanged)
		}
		return nil
	})
}

// SchoolExams lists examinations of a school that end after the instant, and all
// that were imported.
func (s *Store) SchoolExams(ctx context.Context, school org.Branch, after time.Time) ([]exam.Exam, error) {
	exams, err := collect(ctx, s.reader(ctx), scanExam, `SELECT `+examColumns+` FROM exams e WHERE e.authority = $1 AND e.school = $2
		AND (e.ends > $3 OR EXISTS (SELECT 1 FROM exam_origins o WHERE o.authority = e.authority AND o.exam = e.id)) ORDER BY e.starts, e.id`, school.Authority, school.School, millis(after))
	if err != nil {
		return nil, err
	}
	return exams, s.addInvigilators(ctx, exams)
}

// ExamGroups lists classes and courses of a school.
func (s *Store) ExamGroups(ctx context.Context, school org.Branch) ([]exam.NamedGroup, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (exam.NamedGroup, error) {
		var g exam.NamedGroup
		return g, row.Scan(&g.ID, &g.Name)
	}, `SELECT id, name FROM school_groups WHERE authority = $1 AND school = $2 AND kind IN ('class', 'course') ORDER BY name, id`, school.Authority, school.School)
}

// ExamColleagues lists who may invigilate in a school, with how files write them.
func (s *Store) ExamColleagues(ctx context.Context, school org.Branch) ([]exam.Colleague, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (exam.Colleague, error) {
		var c exam.Colleague
		var who staff.Person
		err := row.Scan(&c.Staff, &who.Salutation, &who.Name, &c.Login)
		c.Name, c.Full = who.Display(), who.Name
		return c, err
	}, `SELECT p.id, p.salutation, p.name, p.login FROM staff p
		WHERE p.locked = 0 AND EXISTS (SELECT 1 FROM staff_grants g WHERE g.staff = p.id AND g.at_authority = $1 AND g.at_school = $2 AND g.role IN ('teacher', 'school_admin'))
		ORDER BY p.name, p.id`, school.Authority, school.School)
}

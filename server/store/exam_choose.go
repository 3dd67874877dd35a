package store

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
)

const (
	candidatePerson = `SELECT p.id, '', p.name, COALESCE((SELECT MIN(d.name) FROM devices d WHERE d.authority = p.authority AND d.person = p.id AND d.retired = 0), '') FROM persons p WHERE p.authority = ? AND p.school = ?`
	candidateDevice = `SELECT '', d.id, d.name, COALESCE(p.name, '') FROM devices d LEFT JOIN persons p ON p.authority = d.authority AND p.id = d.person WHERE d.authority = ? AND d.school = ? AND d.retired = 0`
)

func scanCandidate(row scanner) (exam.Candidate, error) {
	var c exam.Candidate
	return c, row.Scan(&c.Person, &c.Device, &c.Name, &c.Beside)
}

// ExamCandidates finds persons and devices by the beginnings of their names.
func (s *Store) ExamCandidates(ctx context.Context, school org.Branch, text string, staff org.ID, at time.Time, n int) ([]exam.Candidate, error) {
	var found []exam.Candidate
	for _, kind := range []struct{ query, kind, id, device string }{{candidatePerson, "person", "p.id", ""}, {candidateDevice, "device", "d.id", "d.id"}} {
		q := newQuery(kind.query, school.Authority, school.School)
		for _, term := range terms(text) {
			q.add(` AND `+kind.id+` IN (SELECT id FROM words WHERE authority = ? AND kind = ? AND word >= ? AND word < ?)`, school.Authority, kind.kind, term, term+beyond)
		}
		if staff != "" {
			own := kind.device
			if own == "" {
				q.add(` AND EXISTS (SELECT 1 FROM devices o WHERE o.authority = p.authority AND o.person = p.id AND o.retired = 0 AND `)
				own = "o.id"
			} else {
				q.add(` AND (`)
			}
			q.add(own+` IN (SELECT m.device FROM group_staff t JOIN group_devices m ON m.authority = t.authority AND m.group_id = t.group_id
				WHERE t.authority = ? AND t.staff = ? AND t.since <= ? AND (t.until = 0 OR t.until > ?)))`, school.Authority, staff, millis(at), millis(at))
		}
		q.add(` ORDER BY 3, 1, 2 LIMIT ?`, n)
		some, err := collect(ctx, s.reader(ctx), scanCandidate, q.text(), q.args...)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found[:min(n, len(found))], nil
}

// ExamNamed names persons and devices.
func (s *Store) ExamNamed(ctx context.Context, school org.Branch, persons, devices []org.ID) ([]exam.Candidate, error) {
	var found []exam.Candidate
	for _, kind := range []struct {
		query, id string
		ids       []org.ID
	}{{candidatePerson, "p.id", persons}, {candidateDevice, "d.id", devices}} {
		if len(kind.ids) == 0 {
			continue
		}
		q := newQuery(kind.query+` AND `, school.Authority, school.School)
		oneOf(q, kind.id, kind.ids)
		q.add(` ORDER BY 3, 1, 2`)
		some, err := collect(ctx, s.reader(ctx), scanCandidate, q.text(), q.args...)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

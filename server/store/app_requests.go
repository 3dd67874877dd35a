package store

import (
	"context"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/shelf"
)

const requestSelect = `SELECT authority, school, id, staff, staff_name, package, title, why, at, answer, reason, by_name, answered FROM app_requests WHERE `

func scanRequest(row scanner) (shelf.Request, error) {
	var r shelf.Request
	var at, answered int64
	err := row.Scan(&r.Branch.Authority, &r.Branch.School, &r.ID, &r.Staff, &r.StaffName, &r.Package, &r.Title, &r.Why, &at, &r.Answer, &r.Reason, &r.ByName, &answered)
	r.At, r.Answered = instant(at), instant(answered)
	return r, err
}

// RequestsIn lists what teachers of a school ask for: what waits first, the oldest
// of it at the top, then the latest answers.
func (s *Store) RequestsIn(ctx context.Context, school org.Branch) ([]shelf.Request, error) {
	return collect(ctx, s.reader(ctx), scanRequest, requestSelect+`authority = $1 AND school = $2 ORDER BY CASE WHEN answer = 'open' THEN 0 ELSE 1 END, CASE WHEN answer = 'open' THEN at ELSE -answered END, id LIMIT 200`, school.Authority, school.School)
}

// RequestsOf lists what somebody asked for, the latest first.
func (s *Store) RequestsOf(ctx context.Context, staff org.ID) ([]shelf.Request, error) {
	return collect(ctx, s.reader(ctx), scanRequest, requestSelect+`staff = $1 ORDER BY at DESC, id LIMIT 50`, staff)
}

// FindRequest returns a request.
func (s *Store) FindRequest(ctx context.Context, id org.ID) (shelf.Request, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, requestSelect+`id = $1`, id), scanRequest, "request.not_found")
}

func aboutRequest(r shelf.Request, what string) any {
	return struct {
		What   string `json:"what"`
		Name   string `json:"name"`
		Staff  org.ID `json:"staff"`
		Reason string `json:"reason,omitempty"`
	}{what, r.Title, r.Staff, r.Reason}
}

// MakeRequest keeps what a teacher asks for.
func (s *Store) MakeRequest(ctx context.Context, permit may.Permit, r shelf.Request) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO app_requests (authority, id, school, staff, staff_name, package, title, why, at, answer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			r.Branch.Authority, r.ID, r.Branch.School, r.Staff, r.StaffName, r.Package, r.Title, r.Why, millis(r.At), r.Answer)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"app_request", r.ID}, nil, aboutRequest(r, "ask"))
	})
}

// AnswerRequest keeps a school's answer, once; with an entry, it goes on the shelf.
func (s *Store) AnswerRequest(ctx context.Context, permit may.Permit, r shelf.Request, entry *shelf.Entry) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE app_requests SET answer = $1, reason = $2, by_name = $3, answered = $4, package = $5 WHERE authority = $6 AND id = $7 AND answer = 'open'`,
			r.Answer, r.Reason, r.ByName, millis(r.Answered), r.Package, r.Branch.Authority, r.ID)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return err
			}
			return errs.E(errs.Conflict, "request.answered")
		}
		if err := s.record(ctx, tx, permit, Target{"app_request", r.ID}, nil, aboutRequest(r, string(r.Answer))); err != nil || entry == nil {
			return err
		}
		_, err = s.addEntry(ctx, tx, permit, *entry)
		return err
	})
}

package store

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
)

func scanGiven(row scanner) (exam.GivenFile, error) {
	var f exam.GivenFile
	var at int64
	err := row.Scan(&f.ID, &f.Name, &f.Size, &f.Hash, &f.By, &at)
	f.At = instant(at)
	return f, err
}

// GivenFiles lists the files that are given out with an examination, by name.
func (s *Store) GivenFiles(ctx context.Context, e exam.Exam) ([]exam.GivenFile, error) {
	return collect(ctx, s.reader(ctx), scanGiven, `SELECT id, name, size, hash, by_name, at FROM exam_given WHERE authority = $1 AND exam = $2 ORDER BY name, id`, e.Branch.Authority, e.ID)
}

// PutGivenPiece keeps a piece of a file that is on its way here.
func (s *Store) PutGivenPiece(ctx context.Context, e exam.Exam, file org.ID, n int, content []byte, at time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO exam_given_pieces (authority, exam, file, n, at, content) VALUES ($1, $2, $3, $4, $5, $6)`, e.Branch.Authority, e.ID, file, n, millis(at), content)
	return err
}

// GivenPiece returns a piece of a file.
func (s *Store) GivenPiece(ctx context.Context, e exam.Exam, file org.ID, n int) ([]byte, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT content FROM exam_given_pieces WHERE authority = $1 AND exam = $2 AND file = $3 AND n = $4`,
		e.Branch.Authority, e.ID, file, n), scanBytes, "exam.no_such_file")
}

func scanBytes(row scanner) ([]byte, error) {
	var content []byte
	return content, row.Scan(&content)
}

// KeepGiven makes the pieces that were kept a file.
func (s *Store) KeepGiven(ctx context.Context, permit may.Permit, e exam.Exam, f exam.GivenFile, records []exam.Record) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO exam_given (authority, exam, id, name, size, hash, staff, by_name, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			e.Branch.Authority, e.ID, f.ID, f.Name, f.Size, f.Hash, permit.Actor().ID, f.By, millis(f.At))
		if err != nil {
			return err
		}
		if err := s.record(ctx, tx, permit, Target{"exam", e.ID}, nil, aboutGiven(e, f)); err != nil {
			return err
		}
		return s.addRecords(ctx, tx, e, records)
	})
}

// DropGiven forgets a file with its pieces.
func (s *Store) DropGiven(ctx context.Context, permit may.Permit, e exam.Exam, f exam.GivenFile, records []exam.Record) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		for _, query := range []string{
			`DELETE FROM exam_given WHERE authority = $1 AND exam = $2 AND id = $3`, `DELETE FROM exam_given_pieces WHERE authority = $1 AND exam = $2 AND file = $3`,
		} {
			if _, err := tx.ExecContext(ctx, query, e.Branch.Authority, e.ID, f.ID); err != nil {
				return err
			}
		}
		if err := s.record(ctx, tx, permit, Target{"exam", e.ID}, aboutGiven(e, f), nil); err != nil {
			return err
		}
		return s.addRecords(ctx, tx, e, records)
	})
}

func aboutGiven(e exam.Exam, f exam.GivenFile) map[string]any {
	return map[string]any{"what": "give", "name": e.Name, "file": f.Name, "size": f.Size, "hash": f.Hash}
}

// CopyGiven gives the files of one examination out with another.
func (s *Store) CopyGiven(ctx context.Context, permit may.Permit, from, to exam.Exam) error {
	return s.write(Urgent(ctx), func(ctx context.Context, tx Tx) error {
		files, err := s.GivenFiles(ctx, from)
		if err != nil {
			return err
		}
		for _, f := range files {
			id := ids.New()
			_, err := tx.ExecContext(ctx, `INSERT INTO exam_given_pieces (authority, exam, file, n, at, content) SELECT authority, $1, $2, n, at, content FROM exam_given_pieces
				WHERE authority = $3 AND exam = $4 AND file = $5`, to.ID, id, from.Branch.Authority, from.ID, f.ID)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO exam_given (authority, exam, id, name, size, hash, staff, by_name, at) SELECT authority, $1, $2, name, size, hash, $3, by_name, at FROM exam_given
				WHERE authority = $4 AND exam = $5 AND id = $6`, to.ID, id, permit.Actor().ID, from.Branch.Authority, from.ID, f.ID)
			if err != nil {
				return err
			}
			if err := s.record(ctx, tx, permit, Target{"exam", to.ID}, nil, aboutGiven(to, f)); err != nil {
				return err
			}
		}
		return nil
	})
}

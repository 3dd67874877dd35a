package store

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
)

func scanText(row scanner) (string, error) {
	var text string
	return text, row.Scan(&text)
}

// MissingPieces returns those of the pieces that the device has not sent.
func (s *Store) MissingPieces(ctx context.Context, e exam.Exam, device org.ID, hashes []string) ([]string, error) {
	if len(hashes) == 0 {
		return nil, nil
	}
	marks, args := list(4, hashes)
	known, err := collect(ctx, s.reader(ctx), scanText, `SELECT hash FROM exam_work_pieces WHERE authority = $1 AND exam = $2 AND device = $3 AND hash IN (`+marks+`)`,
		append([]any{e.Branch.Authority, e.ID, device}, args...)...)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, hash := range hashes {
		if !slices.Contains(known, hash) {
			missing = append(missing, hash)
		}
	}
	return missing, nil
}

// PutPiece keeps a sealed piece, unless the device has sent so many bytes already.
func (s *Store) PutPiece(ctx context.Context, e exam.Exam, device org.ID, hash string, sealed []byte, at time.Time, most int64) (kept bool, err error) {
	err = s.write(ctx, func(ctx context.Context, tx Tx) error {
		var held int64
		err := tx.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM exam_work_pieces WHERE authority = $1 AND exam = $2 AND device = $3`, e.Branch.Authority, e.ID, device).Scan(&held)
		if kept = held+int64(len(sealed)) <= most; err != nil || !kept {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO exam_work_pieces (authority, exam, device, hash, size, at, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (authority, exam, device, hash) DO UPDATE SET at = excluded.at`, e.Branch.Authority, e.ID, device, hash, len(sealed), millis(at), sealed)
		return err
	})
	return kept, err
}

// Piece returns a sealed piece.
func (s *Store) Piece(ctx context.Context, e exam.Exam, device org.ID, hash string) ([]byte, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT sealed FROM exam_work_pieces WHERE authority = $1 AND exam = $2 AND device = $3 AND hash = $4`,
		e.Branch.Authority, e.ID, device, hash), scanBytes, "exam.no_such_file")
}

// PutWork keeps a list whose pieces are all there.
func (s *Store) PutWork(ctx context.Context, e exam.Exam, w exam.Work, n int, record exam.Record) (missing []string, err error) {
	err = s.write(ctx, func(ctx context.Context, tx Tx) error {
		pieces := w.All()
		// Asked in the transaction: the job that clears up must not come between.
		if missing, err = s.MissingPieces(ctx, e, w.Device, pieces); err != nil || len(missing) > 0 {
			return err
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO exam_work (authority, exam, device, list, final, made, received, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (authority, exam, device, list) DO NOTHING`, e.Branch.Authority, e.ID, w.Device, w.ID, w.Final, millis(w.At), millis(w.Received), document(w.List))
		if err != nil {
			return err
		}
		if fresh, err := result.RowsAffected(); err != nil || fresh == 0 {
			return err
		}
		for _, hash := range pieces {
			if _, err := tx.ExecContext(ctx, `INSERT INTO exam_work_parts (authority, exam, device, list, hash) VALUES ($1, $2, $3, $4, $5)`, e.Branch.Authority, e.ID, w.Device, w.ID, hash); err != nil {
				return err
			}
		}
		if err := s.addRecords(ctx, tx, e, []exam.Record{record}); err != nil {
			return err
		}
		return s.thin(ctx, tx, e, w.Device, n)
	})
	return missing, err
}

// thin keeps the latest lists of a device, and no piece that none of them names.
func (s *Store) thin(ctx context.Context, tx Tx, e exam.Exam, device org.ID, n int) error {
	old, err := collect(ctx, tx, scanText, `SELECT list FROM exam_work WHERE authority = $1 AND exam = $2 AND device = $3 ORDER BY made DESC, final DESC, received DESC, list LIMIT 100 OFFSET $4`,
		e.Branch.Authority, e.ID, device, n)
	if err != nil {
		return err
	}
	for _, list := range old {
		for _, query := range []string{
			`DELETE FROM exam_work_pieces WHERE authority = $1 AND exam = $2 AND device = $3
				AND hash IN (SELECT p.hash FROM exam_work_parts p WHERE p.authority = $1 AND p.exam = $2 AND p.device = $3 AND p.list = $4)
				AND hash NOT IN (SELECT p.hash FROM exam_work_parts p WHERE p.authority = $1 AND p.exam = $2 AND p.device = $3 AND p.list <> $4)`,
			`DELETE FROM exam_work_parts WHERE authority = $1 AND exam = $2 AND device = $3 AND list = $4`,
			`DELETE FROM exam_work WHERE authority = $1 AND exam = $2 AND device = $3 AND list = $4`,
		} {
			if _, err := tx.ExecContext(ctx, query, e.Branch.Authority, e.ID, device, list); err != nil {
				return err
			}
		}
	}
	return nil
}

// ListWork lists what was handed in, the latest state of a device first.
func (s *Store) ListWork(ctx context.Context, e exam.Exam) ([]exam.Work, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (exam.Work, error) {
		var w exam.Work
		var received int64
		var content string
		if err := row.Scan(&w.Device, &w.ID, &received, &content); err != nil {
			return w, err
		}
		w.Received = instant(received)
		return w, json.Unmarshal([]byte(content), &w.List)
	}, `SELECT device, list, received, content FROM exam_work WHERE authority = $1 AND exam = $2 ORDER BY device, made DESC, final DESC, received DESC, list`, e.Branch.Authority, e.ID)
}

// DropUnclaimed deletes what broke off.
func (s *Store) DropUnclaimed(ctx context.Context, before time.Time) error {
	for _, query := range []string{
		`DELETE FROM exam_given_pieces WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM exam_given g WHERE g.authority = exam_given_pieces.authority AND g.exam = exam_given_pieces.exam AND g.id = exam_given_pieces.file)`,
		`DELETE FROM exam_work_pieces WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM exam_work_parts p WHERE p.authority = exam_work_pieces.authority AND p.exam = exam_work_pieces.exam
			AND p.device = exam_work_pieces.device AND p.hash = exam_work_pieces.hash)`,
	} {
		if _, err := s.exec(ctx, query, millis(before)); err != nil {
			return err
		}
	}
	return nil
}

package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
)

const uploadSelect = `SELECT authority, id, file, size, received, hash, wanted, staff, by_name, created, changed FROM app_uploads WHERE `

func scanUpload(row scanner) (packages.Upload, error) {
	var u packages.Upload
	var wanted string
	var created, changed int64
	err := row.Scan(&u.Authority, &u.ID, &u.File, &u.Size, &u.Received, &u.Hash, &wanted, &u.By, &u.ByName, &created, &changed)
	if err != nil {
		return u, err
	}
	u.Created, u.Changed = instant(created), instant(changed)
	if err := json.Unmarshal([]byte(wanted), &u.Wanted); err != nil {
		return u, fmt.Errorf("reading upload %s: %w", u.ID, err)
	}
	return u, nil
}

// FindUpload returns a file on its way.
func (s *Store) FindUpload(ctx context.Context, id org.ID) (packages.Upload, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, uploadSelect+`id = $1`, id), scanUpload, "upload.not_found")
}

// CreateUpload makes room for a file.
func (s *Store) CreateUpload(ctx context.Context, permit may.Permit, u packages.Upload) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO app_uploads (authority, id, file, size, wanted, staff, by_name, created, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			u.Authority, u.ID, u.File, u.Size, document(u.Wanted), u.By, u.ByName, millis(u.Created), millis(u.Changed))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"upload", u.ID}, nil, aboutUpload(u))
	})
}

func aboutUpload(u packages.Upload) any {
	return struct {
		File string `json:"file"`
		Size int64  `json:"size"`
	}{u.File, u.Size}
}

// AddPiece keeps the next piece of a file.
func (s *Store) AddPiece(ctx context.Context, u packages.Upload, piece []byte, hash string, at time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE app_uploads SET received = received + $1, hash = $2, changed = $3 WHERE authority = $4 AND id = $5 AND received = $6`,
			len(piece), hash, millis(at), u.Authority, u.ID, u.Received)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return err
			}
			return errs.E(errs.Conflict, "upload.offset", "offset", u.Received).In("Upload-Offset")
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO app_pieces (authority, blob, begins, content) VALUES ($1, $2, $3, $4)`, u.Authority, u.ID, u.Received, piece)
		return err
	})
}

// DeleteUpload throws a file on its way away.
func (s *Store) DeleteUpload(ctx context.Context, permit may.Permit, u packages.Upload) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM app_uploads WHERE authority = $1 AND id = $2`, u.Authority, u.ID)
		if err != nil {
			return err
		}
		// Without its row the file has become a package, whose pieces they are.
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if err := dropPieces(ctx, tx, u.Authority, u.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"upload", u.ID}, aboutUpload(u), nil)
	})
}

// DropUploads throws away files on their way that were not touched since.
func (s *Store) DropUploads(ctx context.Context, before time.Time) (int, error) {
	old, err := collect(ctx, s.reader(ctx), scanUpload, uploadSelect+`changed < $1 ORDER BY changed LIMIT 20`, millis(before))
	for _, upload := range old {
		if err := s.DeleteUpload(ctx, may.System("uploads", org.Branch{Authority: upload.Authority}), upload); err != nil {
			return 0, err
		}
	}
	return len(old), err
}

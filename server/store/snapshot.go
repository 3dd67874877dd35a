package store

import (
	"context"
	"fmt"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Snapshot writes a consistent copy of the database to an SQLite file that does
// not exist yet, while others read and write.
func (s *Store) Snapshot(ctx context.Context, file string) error {
	if s.dialect == postgres {
		return s.snapshotPostgres(ctx, file)
	}
	if _, err := s.copier.ExecContext(ctx, `VACUUM INTO $1`, file); err != nil {
		return fmt.Errorf("copying the database: %w", err)
	}
	return nil
}

// SaveSecret seals and keeps a value of the whole installation, with its audit
// row. The row does not hold the value.
func (s *Store) SaveSecret(ctx context.Context, permit may.Permit, name string, secret []byte) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.PutSecret(ctx, name, secret); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{Kind: "secret", ID: org.ID(name)}, nil, nil)
	})
}

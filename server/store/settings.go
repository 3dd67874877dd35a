package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Setting returns a value of the whole installation, empty if it was never set.
func (s *Store) Setting(ctx context.Context, name string) (string, error) {
	var value string
	err := s.reader(ctx).QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

// PutSetting keeps a value of the whole installation.
func (s *Store) PutSetting(ctx context.Context, name, value string) error {
	_, err := s.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// ensureSetting keeps a value unless there is one, and returns the one that is
// kept: of several servers that begin at once the first is right.
func (s *Store) ensureSetting(ctx context.Context, name, value string) (string, error) {
	if _, err := s.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, value); err != nil {
		return "", err
	}
	return s.Setting(ctx, name)
}

// Secret returns a sealed value of the whole installation, nil if there is none.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	sealed, err := s.Setting(ctx, "secret:"+name)
	if err != nil || sealed == "" {
		return nil, err
	}
	return s.vault.open(name, sealed)
}

// PutSecret seals and keeps a value of the whole installation.
func (s *Store) PutSecret(ctx context.Context, name string, secret []byte) error {
	sealed, err := s.vault.seal(name, secret)
	if err != nil {
		return fmt.Errorf("sealing %s: %w", name, err)
	}
	return s.PutSetting(ctx, "secret:"+name, sealed)
}

// EnsureSecret seals and keeps a value of the whole installation unless there is
// one, and returns the one that is kept.
func (s *Store) EnsureSecret(ctx context.Context, name string, secret []byte) ([]byte, error) {
	sealed, err := s.vault.seal(name, secret)
	if err != nil {
		return nil, fmt.Errorf("sealing %s: %w", name, err)
	}
	if sealed, err = s.ensureSetting(ctx, "secret:"+name, sealed); err != nil {
		return nil, err
	}
	return s.vault.open(name, sealed)
}

// SaveKeys seals and keeps signing keys, leaves the audit row, and marks every
// school: what devices hold names the key that signed it.
func (s *Store) SaveKeys(ctx context.Context, permit may.Permit, name string, secret []byte) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.PutSecret(ctx, name, secret); err != nil {
			return err
		}
		if err := s.record(ctx, tx, permit, Target{Kind: "keys", ID: org.ID(name)}, nil, nil); err != nil {
			return err
		}
		return s.changedRules(ctx, tx, org.Branch{}, "")
	})
}

package store

import (
	"context"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// SaveSetting keeps a value of the whole installation with its audit row.
func (s *Store) SaveSetting(ctx context.Context, permit may.Permit, name, value string) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		before, err := s.Setting(ctx, name)
		if err != nil {
			return err
		}
		if before == value {
			return nil
		}
		if err := s.PutSetting(ctx, name, value); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"setting", org.ID(name)}, settingNote{before}, settingNote{value})
	})
}

// settingNote is what an audit row says of a setting. Secrets are kept
// elsewhere.
type settingNote struct {
	Value string `json:"value"`
}

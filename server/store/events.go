package store

import (
	"context"

	"schulwart.org/policies/ddm"
	"schulwart.org/server/checkin"
)

// SaveEvents keeps what happened on a device; one that is known is ignored.
func (s *Store) SaveEvents(ctx context.Context, e checkin.Enrolment, events []ddm.Event) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		for _, event := range events {
			args := "{}"
			if len(event.Args) > 0 {
				args = document(event.Args)
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO device_events (authority, device, id, at, received, key, args) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (authority, device, id) DO NOTHING`, e.Authority, e.Device, event.ID, millis(event.At), millis(s.now()), event.Key, args)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

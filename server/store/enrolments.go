package store

import (
	"context"
	"encoding/base64"

	"schulwart.org/policies/org"
	"schulwart.org/server/checkin"
	"schulwart.org/server/may"
)

// Authenticated binds an enrolment to the device whose hardware it is, or to a
// new one, empties the queue and leaves a mark.
func (s *Store) Authenticated(ctx context.Context, e checkin.Enrolment, hardware checkin.Hardware) (checkin.Enrolment, error) {
	bound := e
	err := s.write(ctx, func(ctx context.Context, tx Tx) error {
		bound = e
		token, err := s.tokenOf(ctx, tx, e)
		if err != nil {
			return err
		}
		fresh := e.Device == ""
		if fresh {
			if err := token.admits(hardware.Serial); err != nil {
				return err
			}
			bound.School = token.School
		}
		if bound.Device, err = s.bindDevice(ctx, tx, bound, hardware); err != nil {
			return err
		}
		bound.UDID, bound.State, bound.Platform = hardware.UDID, checkin.Pending, hardware.Platform
		if hardware.Serial != "" {
			bound.Serial = hardware.Serial
		}
		if err := s.bindEnrolment(ctx, tx, bound); err != nil {
			return err
		}
		if fresh {
			if err := s.joinGroup(ctx, tx, bound, token.Group); err != nil {
				return err
			}
			after := map[string]any{"serial": bound.Serial, "platform": bound.Platform, "token": e.Token, "enrolment": e.ID}
			if err := s.record(ctx, tx, may.DeviceSays(bound.Device, bound.Branch()), Target{"device", bound.Device}, nil, after); err != nil {
				return err
			}
		}
		return s.changed(ctx, tx, bound.Branch(), bound.Device)
	})
	return bound, err
}

// bindEnrolment writes what Authenticate said of the enrolment, and clears what
// was meant for whoever it was before.
func (s *Store) bindEnrolment(ctx context.Context, tx Tx, e checkin.Enrolment) error {
	_, err := tx.ExecContext(ctx, `UPDATE enrolments SET device = $1, udid = $2, school = $3, state = $4, changed = $5 WHERE authority = $6 AND id = $7`,
		e.Device, e.UDID, e.School, e.State, millis(s.now()), e.Authority, e.ID)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE certificates SET device = $1 WHERE hash = $2`, e.Device, e.Certificate); err != nil {
		return err
	}
	return s.clearQueue(ctx, tx, e.Authority, e.Device)
}

// TokenUpdated makes the enrolment the only one of its device; the keys of
// former ones are good for nothing from now on.
func (s *Store) TokenUpdated(ctx context.Context, e checkin.Enrolment, push checkin.Push, unlock []byte) (checkin.Enrolment, error) {
	err := s.write(ctx, func(ctx context.Context, tx Tx) error {
		now := millis(s.now())
		_, err := tx.ExecContext(ctx, `UPDATE enrolments SET state = 'enrolled', topic = $1, push_magic = $2, push_token = $3, changed = $4 WHERE authority = $5 AND id = $6`,
			push.Topic, push.Magic, base64.StdEncoding.EncodeToString(push.Token), now, e.Authority, e.ID)
		if err != nil {
			return err
		}
		if len(unlock) > 0 {
			if err := s.putSealed(ctx, tx, e, "unlock_sealed", "unlock:", unlock); err != nil {
				return err
			}
		}
		if e.State == checkin.Enrolled {
			return nil
		}
		_, err = tx.ExecContext(ctx, `UPDATE certificates SET revoked = $1 WHERE revoked = 0 AND authority = $2 AND enrolment IN
			(SELECT id FROM enrolments WHERE authority = $2 AND device = $3 AND id <> $4)`, now, e.Authority, e.Device, e.ID)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE enrolments SET state = 'left', changed = $1 WHERE authority = $2 AND device = $3 AND id <> $4 AND state <> 'left'`, now, e.Authority, e.Device, e.ID)
		if err != nil {
			return err
		}
		return s.changed(ctx, tx, e.Branch(), e.Device)
	})
	e.State = checkin.Enrolled
	return e, err
}

// CheckedOut ends an enrolment on the device's word.
func (s *Store) CheckedOut(ctx context.Context, e checkin.Enrolment) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE enrolments SET state = 'left', changed = $1 WHERE authority = $2 AND id = $3`, millis(s.now()), e.Authority, e.ID)
		if err != nil {
			return err
		}
		if err := s.clearQueue(ctx, tx, e.Authority, e.Device); err != nil {
			return err
		}
		if err := s.record(ctx, tx, may.DeviceSays(e.Device, e.Branch()), Target{"device", e.Device}, map[string]any{"state": e.State}, map[string]any{"state": checkin.Left}); err != nil {
			return err
		}
		return s.changed(ctx, tx, e.Branch(), e.Device)
	})
}

// PutBootstrapToken keeps what a Mac or Shared iPad escrows.
func (s *Store) PutBootstrapToken(ctx context.Context, e checkin.Enrolment, token []byte) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		return s.putSealed(ctx, tx, e, "bootstrap_sealed", "bootstrap:", token)
	})
}

// BootstrapToken returns it, nil if there is none.
func (s *Store) BootstrapToken(ctx context.Context, e checkin.Enrolment) ([]byte, error) {
	sealed, err := one(s.reader(ctx).QueryRowContext(ctx, `SELECT bootstrap_sealed FROM enrolments WHERE authority = $1 AND id = $2`, e.Authority, e.ID), func(row scanner) (string, error) {
		var sealed string
		return sealed, row.Scan(&sealed)
	}, "device.not_enrolled")
	if err != nil || sealed == "" {
		return nil, err
	}
	return s.vault.open("bootstrap:"+e.ID.String(), sealed)
}

// putSealed keeps a secret of the enrolment in one of its columns; an empty one
// clears it.
func (s *Store) putSealed(ctx context.Context, tx Tx, e checkin.Enrolment, column, name string, secret []byte) error {
	sealed := ""
	if len(secret) > 0 {
		var err error
		if sealed, err = s.vault.seal(name+e.ID.String(), secret); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE enrolments SET `+column+` = $1, changed = $2 WHERE authority = $3 AND id = $4`, sealed, millis(s.now()), e.Authority, e.ID)
	return err
}

// SetSupervised notes whether an Apple device is supervised, which decides what
// modes it can have.
func (s *Store) SetSupervised(ctx context.Context, e checkin.Enrolment, supervised bool) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE enrolments SET supervised = $1, changed = $2 WHERE authority = $3 AND device = $4 AND state = 'enrolled' AND supervised <> $1`,
			supervised, millis(s.now()), e.Authority, e.Device)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		school, err := one(tx.QueryRowContext(ctx, `SELECT school FROM devices WHERE authority = $1 AND id = $2`, e.Authority, e.Device), scanID, "device.not_found")
		if err != nil {
			return err
		}
		return s.changed(ctx, tx, org.Branch{Authority: e.Authority, School: school}, e.Device)
	})
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/enroll"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
)

// freshEnough is how long a kept certificate must still hold to be given again.
const freshEnough = 60 * 24 * time.Hour

// renewalsADay bounds how many certificates one enrolment can have made.
const renewalsADay = 20

// Admit lets a key in by a token, all or nothing.
func (s *Store) Admit(ctx context.Context, a enroll.Admission, certify func(authority, enrolment org.ID) (enroll.Issued, error)) ([]byte, error) {
	var der []byte
	err := s.write(ctx, func(ctx context.Context, tx Tx) error {
		// Holds the token's row: of two requests with one key, the second must
		// see what the first did.
		if _, err := tx.ExecContext(ctx, `UPDATE enrol_tokens SET uses = uses WHERE id = $1`, a.Credential.Token); err != nil {
			return err
		}
		token, err := one(tx.QueryRowContext(ctx, tokenSelect+` WHERE t.id = $1`, a.Credential.Token), scanToken, "token.not_found")
		if err != nil {
			return err
		}
		if err := s.spend(ctx, tx, token.Place.Branch.Authority, a); err != nil {
			return err
		}
		der, err = s.knownKey(ctx, tx, token.Place.Branch.Authority, a, certify)
		if err != nil || der != nil {
			return err
		}
		der, err = s.newKey(ctx, tx, token, a, certify)
		return err
	})
	return der, err
}

// spend notes that a one-time credential was used by a key. The same key may use
// it again: its answer got lost.
func (s *Store) spend(ctx context.Context, tx Tx, authority org.ID, a enroll.Admission) error {
	// Those that have expired cannot be used anyhow; this is where they go.
	if _, err := tx.ExecContext(ctx, `DELETE FROM enrol_credentials WHERE expires < $1`, millis(s.now())); err != nil {
		return err
	}
	var key string
	err := tx.QueryRowContext(ctx, `INSERT INTO enrol_credentials (authority, id, key_hash, expires) VALUES ($1, $2, $3, $4)
		ON CONFLICT (authority, id) DO UPDATE SET expires = enrol_credentials.expires RETURNING key_hash`,
		authority, a.Credential.ID, a.KeyHash, millis(a.Credential.Expires)).Scan(&key)
	if err == nil && key != a.KeyHash {
		return errs.E(errs.Denied, "token.credential_used")
	}
	return err
}

// knownKey returns the certificate of a key that was let in before, nil if it
// was not, or if its enrolment is over.
func (s *Store) knownKey(ctx context.Context, tx Tx, authority org.ID, a enroll.Admission, certify func(authority, enrolment org.ID) (enroll.Issued, error)) ([]byte, error) {
	var enrolment, device org.ID
	var kept string
	var until, revoked int64
	err := tx.QueryRowContext(ctx, `SELECT k.enrolment, e.device, k.certificate, e.certificate_until, (SELECT COUNT(*) FROM certificates c WHERE c.authority = e.authority AND c.enrolment = e.id AND c.revoked <> 0)
		FROM enrolled_keys k JOIN enrolments e ON e.authority = k.authority AND e.id = k.enrolment
		WHERE k.authority = $1 AND k.key_hash = $2 AND e.state <> 'left'`, authority, a.KeyHash).Scan(&enrolment, &device, &kept, &until, &revoked)
	if errors.Is(err, sql.ErrNoRows) || err == nil && revoked > 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if instant(until).After(s.now().Add(freshEnough)) {
		return decodeDER(kept)
	}
	issued, err := certify(authority, enrolment)
	if err != nil {
		return nil, err
	}
	if err := s.addCertificate(ctx, tx, authority, enrolment, device, issued.Hash, issued.Serial, issued.Expires); err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE enrolled_keys SET certificate = $1 WHERE authority = $2 AND key_hash = $3`, encodeDER(issued.DER), authority, a.KeyHash)
	return issued.DER, err
}

// newKey counts a use and makes an enrolment.
func (s *Store) newKey(ctx context.Context, tx Tx, token enroll.Token, a enroll.Admission, certify func(authority, enrolment org.ID) (enroll.Issued, error)) ([]byte, error) {
	branch, now := token.Place.Branch, millis(s.now())
	result, err := tx.ExecContext(ctx, `UPDATE enrol_tokens SET uses = uses + 1 WHERE authority = $1 AND id = $2 AND uses < max_uses AND revoked = 0 AND expires > $3`, branch.Authority, token.ID, now)
	if err != nil {
		return nil, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		if err == nil {
			err = refused(token, s.now())
		}
		return nil, err
	}
	enrolment := ids.New()
	issued, err := certify(branch.Authority, enrolment)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO enrolments (authority, id, device, school, udid, state, token, created, changed) VALUES ($1, $2, '', $3, $4, 'pending', $5, $6, $6)`,
		branch.Authority, enrolment, branch.School, a.UDID, token.ID, now)
	if err != nil {
		return nil, err
	}
	if err := s.addCertificate(ctx, tx, branch.Authority, enrolment, "", issued.Hash, issued.Serial, issued.Expires); err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO enrolled_keys (authority, key_hash, enrolment, certificate) VALUES ($1, $2, $3, $4)
		ON CONFLICT (authority, key_hash) DO UPDATE SET enrolment = excluded.enrolment, certificate = excluded.certificate`, branch.Authority, a.KeyHash, enrolment, encodeDER(issued.DER))
	return issued.DER, err
}

// refused says why a token counted no use, or that another device was faster.
func refused(token enroll.Token, at time.Time) error {
	if err := token.Valid(at); err != nil {
		return err
	}
	return errs.E(errs.Denied, "token.used_up", "uses", token.MaxUses)
}

// Renew notes a further certificate of an enrolment, and forgets those that can
// no longer be renewed.
func (s *Store) Renew(ctx context.Context, authority, enrolment org.ID, issued enroll.Issued) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		var device org.ID
		var today int
		err := tx.QueryRowContext(ctx, `SELECT e.device, (SELECT COUNT(*) FROM certificates c WHERE c.authority = e.authority AND c.enrolment = e.id AND c.created > $3)
			FROM enrolments e WHERE e.authority = $1 AND e.id = $2 AND e.state <> 'left'`, authority, enrolment, millis(s.now().Add(-24*time.Hour))).Scan(&device, &today)
		if errors.Is(err, sql.ErrNoRows) {
			return errs.E(errs.Denied, "device.left", "reason", "left")
		}
		if err != nil {
			return err
		}
		if today >= renewalsADay {
			return errs.E(errs.Unavailable, "enrol.renewed_too_often")
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM certificates WHERE authority = $1 AND enrolment = $2 AND revoked = 0 AND expires < $3`, authority, enrolment, millis(s.now().Add(-enroll.RenewFor)))
		if err != nil {
			return err
		}
		return s.addCertificate(ctx, tx, authority, enrolment, device, issued.Hash, issued.Serial, issued.Expires)
	})
}

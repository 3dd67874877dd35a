package store

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/checkin"
)

const enrolmentSelect = `SELECT c.hash, c.expires, c.revoked, e.id, e.authority, COALESCE(d.school, e.school), e.device, e.udid, COALESCE(d.serial, ''),
	COALESCE(d.platform, ''), COALESCE(d.retired, 0), e.leaving, e.state, e.supervised, e.token
	FROM certificates c JOIN enrolments e ON e.authority = c.authority AND e.id = c.enrolment
	LEFT JOIN devices d ON d.authority = e.authority AND d.id = e.device`

func scanEnrolment(row scanner) (checkin.Enrolment, error) {
	var e checkin.Enrolment
	var expires, revoked, retired, leaving int64
	err := row.Scan(&e.Certificate, &expires, &revoked, &e.ID, &e.Authority, &e.School, &e.Device, &e.UDID, &e.Serial, &e.Platform, &retired, &leaving, &e.State, &e.Supervised, &e.Token)
	e.Expires, e.Revoked = instant(expires), revoked != 0 || retired != 0 && leaving == 0
	return e, err
}

// EnrolmentByCertificate returns the enrolment that a certificate was issued for.
func (s *Store) EnrolmentByCertificate(ctx context.Context, hash string) (checkin.Enrolment, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, enrolmentSelect+` WHERE c.hash = $1`, hash), scanEnrolment, "certificate.unknown")
}

// addCertificate notes a certificate in the directory, and as the latest of its
// enrolment.
func (s *Store) addCertificate(ctx context.Context, tx Tx, authority, enrolment, device org.ID, hash, serial string, expires time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO certificates (hash, authority, enrolment, device, serial, expires, created) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (hash) DO NOTHING`, hash, authority, enrolment, device, serial, millis(expires), millis(s.now()))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE enrolments SET certificate = $1, certificate_until = $2, changed = $3 WHERE authority = $4 AND id = $5 AND certificate_until <= $2`,
		hash, millis(expires), millis(s.now()), authority, enrolment)
	return err
}

// AdoptCertificate notes a certificate that our authority signed after the
// backup that this database was restored from.
func (s *Store) AdoptCertificate(ctx context.Context, certificate checkin.Certificate) (checkin.Enrolment, error) {
	var adopted checkin.Enrolment
	err := s.write(ctx, func(ctx context.Context, tx Tx) error {
		device, err := one(tx.QueryRowContext(ctx, `SELECT device FROM enrolments WHERE authority = $1 AND id = $2 AND state <> 'left'`, certificate.Authority, certificate.Enrolment), scanID, "certificate.unknown")
		if err != nil {
			return err
		}
		if err := s.addCertificate(ctx, tx, certificate.Authority, certificate.Enrolment, device, certificate.Hash, certificate.Serial, certificate.Expires); err != nil {
			return err
		}
		adopted, err = one(tx.QueryRowContext(ctx, enrolmentSelect+` WHERE c.hash = $1`, certificate.Hash), scanEnrolment, "certificate.unknown")
		return err
	})
	return adopted, err
}

func scanID(row scanner) (org.ID, error) {
	var id org.ID
	return id, row.Scan(&id)
}

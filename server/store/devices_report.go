package store

import (
	"context"
	"strings"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/checkin"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
)

// bindDevice returns the device whose hardware authenticated: the one that the
// enrolment has, else one of the same serial number (or, without one, of the
// same UDID) in the authority, else a new one. A device that comes back keeps
// its id and its groups; one that comes to another school leaves the groups of
// the former.
func (s *Store) bindDevice(ctx context.Context, tx Tx, e checkin.Enrolment, hardware checkin.Hardware) (org.ID, error) {
	device, err := s.findHardware(ctx, tx, e, hardware)
	if errs.Is(err, errs.NotFound) {
		return s.addDevice(ctx, tx, e, hardware)
	}
	if err != nil {
		return "", err
	}
	// The school that it leaves counts one less.
	_, err = tx.ExecContext(ctx, `INSERT INTO member_turns (authority, school, turn) SELECT authority, school, 1 FROM devices WHERE authority = $1 AND id = $2 AND school <> $3
		ON CONFLICT (authority, school) DO UPDATE SET turn = member_turns.turn + 1`, e.Authority, device, e.School)
	if err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `UPDATE devices SET school = $1, platform = $2, retired = 0, serial = CASE WHEN serial = '' THEN $3 ELSE serial END,
		model = CASE WHEN $4 = '' THEN model ELSE $4 END WHERE authority = $5 AND id = $6`, e.School, hardware.Platform, hardware.Serial, hardware.Model, e.Authority, device)
	if err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM group_devices WHERE authority = $1 AND device = $2 AND group_id IN
		(SELECT id FROM school_groups WHERE authority = $1 AND school <> $3)`, e.Authority, device, e.School)
	if err != nil {
		return "", err
	}
	return device, s.beginState(ctx, tx, e, device, hardware)
}

// free is the condition under which a device can be taken over by who says to be
// it: it is of the school ($5) that the token lets into, or nobody speaks for it.
// A link of one school must not carry off the devices of another.
const free = `(d.school = $5 OR d.retired <> 0 OR NOT EXISTS (SELECT 1 FROM enrolments x WHERE x.authority = d.authority AND x.device = d.id AND x.state = 'enrolled'))`

func (s *Store) findHardware(ctx context.Context, tx Tx, e checkin.Enrolment, hardware checkin.Hardware) (org.ID, error) {
	if e.Device != "" {
		return e.Device, nil
	}
	if hardware.Serial != "" {
		// Lists that people import write serial numbers in either case.
		device, err := one(tx.QueryRowContext(ctx, `SELECT d.id FROM devices d WHERE d.authority = $1 AND d.serial IN ($2, $3, $4) AND `+free+` ORDER BY d.retired, d.created DESC, d.id LIMIT 1`,
			e.Authority, hardware.Serial, strings.ToUpper(hardware.Serial), strings.ToLower(hardware.Serial), e.School), scanID, "device.not_found")
		if !errs.Is(err, errs.NotFound) {
			return device, err
		}
	}
	// A copied disk has the UDID of the original, but another serial number.
	return one(tx.QueryRowContext(ctx, `SELECT d.id FROM enrolments e JOIN devices d ON d.authority = e.authority AND d.id = e.device
		WHERE e.authority = $1 AND e.udid = $2 AND (d.serial = '' OR d.serial = $3 OR $3 = $4) AND `+free+` ORDER BY e.created DESC, e.id LIMIT 1`,
		e.Authority, hardware.UDID, hardware.Serial, "", e.School), scanID, "device.not_found")
}

func (s *Store) addDevice(ctx context.Context, tx Tx, e checkin.Enrolment, hardware checkin.Hardware) (org.ID, error) {
	device := ids.New()
	name := hardware.Name
	if name == "" {
		name = hardware.Serial
	}
	if name == "" {
		name = "…" + hardware.UDID[max(0, len(hardware.UDID)-6):]
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO devices (authority, id, school, name, serial, platform, model, source, created, simulated) VALUES ($1, $2, $3, $4, $5, $6, $7, 'enrolment', $8, $9)`,
		e.Authority, device, e.School, name, hardware.Serial, hardware.Platform, hardware.Model, millis(s.now()), hardware.Simulated)
	if err != nil {
		return "", err
	}
	return device, s.beginState(ctx, tx, e, device, hardware)
}

// beginState makes the row of what the device says of itself, with what it said
// at Authenticate.
func (s *Store) beginState(ctx context.Context, tx Tx, e checkin.Enrolment, device org.ID, hardware checkin.Hardware) error {
	facts := ddm.Facts{Platform: string(hardware.Platform), OSVersion: hardware.System, Model: hardware.Model, Serial: hardware.Serial, Hostname: hardware.Name}
	_, err := tx.ExecContext(ctx, `INSERT INTO device_states (authority, device, school, last_seen, facts) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (authority, device) DO UPDATE SET school = excluded.school, last_seen = excluded.last_seen, programs = '',
		facts = CASE WHEN device_states.facts = '{}' THEN excluded.facts ELSE device_states.facts END`,
		e.Authority, device, e.School, millis(s.now()), document(facts))
	return err
}

// joinGroup puts a device that was just enrolled into the group of its token,
// if the group still exists.
func (s *Store) joinGroup(ctx context.Context, tx Tx, e checkin.Enrolment, group org.ID) error {
	if group == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO group_devices (authority, group_id, device, source)
		SELECT authority, id, $3, 'enrolment' FROM school_groups WHERE authority = $1 AND id = $2
		ON CONFLICT (authority, group_id, device) DO NOTHING`, e.Authority, group, e.Device)
	return err
}

// reportDevice brings the device's row in line with what it says of itself.
func (s *Store) reportDevice(ctx context.Context, tx Tx, e checkin.Enrolment, report checkin.Report) error {
	if report.Simulated {
		if _, err := tx.ExecContext(ctx, `UPDATE devices SET simulated = TRUE WHERE authority = $1 AND id = $2 AND simulated = FALSE`, e.Authority, e.Device); err != nil {
			return err
		}
	}
	if report.Facts == nil {
		return nil
	}
	serial := checkin.Serial(report.Facts.Serial)
	_, err := tx.ExecContext(ctx, `UPDATE devices SET serial = CASE WHEN serial = '' THEN $1 ELSE serial END, model = CASE WHEN $2 = '' THEN model ELSE $2 END
		WHERE authority = $3 AND id = $4 AND (serial = '' AND $1 <> '' OR model <> $2 AND $2 <> '')`, serial, report.Facts.Model, e.Authority, e.Device)
	return err
}

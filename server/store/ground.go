package store

import (
	"context"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/declare"
)

// Ground reads what changes rarely in a school: its name, the policies that can
// reach it, its enrolled devices with their groups.
func (s *Store) Ground(ctx context.Context, school org.Branch) (declare.Ground, error) {
	var ground declare.Ground
	tx := s.reader(ctx)
	name, err := one(tx.QueryRowContext(ctx, `SELECT name FROM schools WHERE authority = $1 AND id = $2`, school.Authority, school.School), func(row scanner) (string, error) {
		var name string
		return name, row.Scan(&name)
	}, "school.not_found")
	if err != nil {
		return ground, err
	}
	ground.Name = name
	if ground.Policies, err = s.policiesFor(ctx, tx, school); err != nil {
		return ground, err
	}
	if ground.Exceptions, err = s.exceptionsFor(ctx, tx, school); err != nil {
		return ground, err
	}
	if ground.Priorities, err = s.priorities(ctx, tx, school); err != nil {
		return ground, err
	}
	if ground.Offers, err = s.offersFor(ctx, tx, school); err != nil {
		return ground, err
	}
	if ground.Wishes, err = s.wishesAsOffers(ctx, tx, school, nil); err != nil {
		return ground, err
	}
	if len(ground.Offers) > 0 || len(ground.Wishes) > 0 {
		calendars, err := s.calendars(ctx, tx, school)
		if err != nil {
			return ground, err
		}
		ground.Calendar = calendars[school.School]
	}
	ground.Devices, err = s.groundDevices(ctx, tx, school)
	return ground, err
}

func (s *Store) groundDevices(ctx context.Context, tx Tx, school org.Branch) ([]desired.Device, error) {
	devices, err := collect(ctx, tx, func(row scanner) (desired.Device, error) {
		var d desired.Device
		return d, row.Scan(&d.ID, &d.Enrolment, &d.Platform, &d.Schema, &d.Supervised)
	}, `SELECT d.id, e.id, d.platform, COALESCE(st.schema_no, 0), e.supervised FROM devices d
		JOIN enrolments e ON e.authority = d.authority AND e.device = d.id AND e.state IN ('enrolled', 'pending')
		LEFT JOIN device_states st ON st.authority = d.authority AND st.device = d.id
		WHERE d.authority = $1 AND d.school = $2 AND (d.retired = 0 OR e.leaving > 0) ORDER BY d.id, e.state DESC, e.id`, school.Authority, school.School)
	if err != nil {
		return nil, err
	}
	place := make(map[org.ID]int, len(devices))
	unique := devices[:0]
	for _, device := range devices {
		// While a device enrols anew it has two rows: the pending one is the
		// one that asks now.
		if _, twice := place[device.ID]; twice {
			continue
		}
		place[device.ID] = len(unique)
		unique = append(unique, device)
	}
	type membership struct{ device, group org.ID }
	members, err := collect(ctx, tx, func(row scanner) (membership, error) {
		var m membership
		return m, row.Scan(&m.device, &m.group)
	}, `SELECT g.device, g.group_id FROM group_devices g JOIN devices d ON d.authority = g.authority AND d.id = g.device
		WHERE d.authority = $1 AND d.school = $2 ORDER BY g.device, g.group_id`, school.Authority, school.School)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if i, ok := place[m.device]; ok {
			unique[i].Groups = append(unique[i].Groups, m.group)
		}
	}
	return unique, nil
}

// Granted lists the leases of a school's agents that are still in a manifest.
func (s *Store) Granted(ctx context.Context, school org.Branch, at time.Time) ([]desired.Granted, error) {
	issuer, err := s.Issuer(ctx)
	if err != nil {
		return nil, err
	}
	return collect(ctx, s.reader(ctx), func(row scanner) (desired.Granted, error) {
		l, err := scanLease(row)
		return desired.Granted{Device: l.Device, Lease: l.Signed(issuer), Until: l.KeepUntil}, err
	}, `SELECT `+leaseColumns+` FROM leases l JOIN devices d ON d.authority = l.authority AND d.id = l.device
		WHERE d.authority = $1 AND d.school = $2 AND l.keep_until > $3 ORDER BY l.device, l.id`, school.Authority, school.School, millis(at))
}

// Schools lists the branches of an authority, or of the whole installation.
func (s *Store) Schools(ctx context.Context, authority org.ID) ([]org.Branch, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (org.Branch, error) {
		var b org.Branch
		return b, row.Scan(&b.Authority, &b.School)
	}, `SELECT authority, id FROM schools WHERE $1 = '' OR authority = $1 ORDER BY authority, id`, authority)
}

// Issuer returns the name under which this installation signs leases.
func (s *Store) Issuer(ctx context.Context) (string, error) { return s.Setting(ctx, "issuer") }

package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"schulwart.org/policies/ddm"
	"schulwart.org/server/checkin"
	"schulwart.org/server/errs"
)

// DeviceFacts returns what the device last said of itself, empty facts if
// nothing.
func (s *Store) DeviceFacts(ctx context.Context, e checkin.Enrolment) (ddm.Facts, error) {
	facts, err := one(s.reader(ctx).QueryRowContext(ctx, `SELECT facts FROM device_states WHERE authority = $1 AND device = $2`, e.Authority, e.Device), func(row scanner) (ddm.Facts, error) {
		var text string
		var facts ddm.Facts
		if err := row.Scan(&text); err != nil {
			return facts, err
		}
		return facts, json.Unmarshal([]byte(text), &facts)
	}, "device.not_found")
	if errs.Is(err, errs.NotFound) {
		return ddm.Facts{}, nil
	}
	return facts, err
}

// SaveReport keeps a status report. What the report does not say stays as it was.
func (s *Store) SaveReport(ctx context.Context, e checkin.Enrolment, report checkin.Report) error {
	facts, programs := "", ""
	if report.Facts != nil {
		facts = document(report.Facts)
	}
	if report.Programs != nil {
		programs = document(report.Programs)
	}
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		now := millis(s.now())
		times, err := saidTimes(ctx, tx, e, report.Declarations, now)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE device_states SET reported = $1, last_seen = $1,
			agent = CASE WHEN $2 = '' THEN agent ELSE $2 END, schema_no = CASE WHEN $3 = 0 THEN schema_no ELSE $3 END,
			boot = CASE WHEN $4 = '' THEN boot ELSE $4 END, token = CASE WHEN $5 = '' THEN token ELSE $5 END,
			facts = CASE WHEN $6 = '' THEN facts ELSE $6 END,
			declarations = CASE WHEN $7 = '' THEN declarations ELSE $7 END, said_times = CASE WHEN $8 = '' THEN said_times ELSE $8 END,
			programs = CASE WHEN $9 = '' THEN programs ELSE $9 END
			WHERE authority = $10 AND device = $11`,
			now, report.Agent, report.Schema, report.Boot, report.Token, facts, report.Declarations, times, programs, e.Authority, e.Device)
		if err != nil {
			return err
		}
		return s.reportDevice(ctx, tx, e, report)
	})
}

// SaveSightings writes who was seen, and how many messages came in each minute.
// Rows are taken in order, so that two replicas never wait for each other.
func (s *Store) SaveSightings(ctx context.Context, sightings []checkin.Sighting, minutes []checkin.Minute) error {
	slices.SortFunc(sightings, func(a, b checkin.Sighting) int {
		return strings.Compare(string(a.Authority)+string(a.Device), string(b.Authority)+string(b.Device))
	})
	slices.SortFunc(minutes, func(a, b checkin.Minute) int {
		return strings.Compare(string(a.Authority)+string(a.School)+a.Minute.String(), string(b.Authority)+string(b.School)+b.Minute.String())
	})
	const atOnce = 500 // keeps one transaction from holding up what people wait for
	for chunk := range slices.Chunk(sightings, atOnce) {
		if err := s.saveSightings(ctx, chunk); err != nil {
			return err
		}
	}
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		for _, m := range minutes {
			_, err := tx.ExecContext(ctx, `INSERT INTO contacts (authority, school, minute, n) VALUES ($1, $2, $3, $4)
				ON CONFLICT (authority, school, minute) DO UPDATE SET n = contacts.n + excluded.n`, m.Authority, m.School, millis(m.Minute), m.N)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) saveSightings(ctx context.Context, sightings []checkin.Sighting) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		for _, seen := range sightings {
			_, err := tx.ExecContext(ctx, `UPDATE device_states SET last_seen = $1 WHERE authority = $2 AND device = $3 AND last_seen < $1`, millis(seen.At), seen.Authority, seen.Device)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

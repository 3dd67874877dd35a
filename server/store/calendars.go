package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/may"
)

// FindCalendar returns where an authority lies and its school holidays; nothing
// while nobody said it.
func (s *Store) FindCalendar(ctx context.Context, authority org.ID) (ground.Land, []ground.Break, error) {
	return findCalendar(ctx, s.reader(ctx), authority)
}

func findCalendar(ctx context.Context, tx Tx, authority org.ID) (ground.Land, []ground.Break, error) {
	var land ground.Land
	var text string
	err := tx.QueryRowContext(ctx, `SELECT land, breaks FROM calendars WHERE authority = $1`, authority).Scan(&land, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	var breaks []ground.Break
	return land, breaks, json.Unmarshal([]byte(text), &breaks)
}

type calendarRow struct {
	Land   ground.Land    `json:"land,omitempty"`
	Breaks []ground.Break `json:"breaks,omitempty"`
}

// SaveCalendar keeps where an authority lies and its school holidays.
func (s *Store) SaveCalendar(ctx context.Context, permit may.Permit, authority org.ID, land ground.Land, breaks []ground.Break) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		formerLand, formerBreaks, err := findCalendar(ctx, tx, authority)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO calendars (authority, land, breaks, changed) VALUES ($1, $2, $3, $4)
			ON CONFLICT (authority) DO UPDATE SET land = excluded.land, breaks = excluded.breaks, changed = excluded.changed`, authority, land, documentList(breaks), millis(s.now()))
		if err != nil {
			return err
		}
		if err := s.record(ctx, tx, permit, Target{"calendar", authority}, calendarRow{formerLand, formerBreaks}, calendarRow{land, breaks}); err != nil {
			return err
		}
		return s.changed(ctx, tx, org.Branch{Authority: authority}, "")
	})
}

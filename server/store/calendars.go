package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

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

// FindBreaks returns the days without lessons that a school has of its own.
func (s *Store) FindBreaks(ctx context.Context, school org.Branch) ([]ground.Break, error) {
	return findBreaks(ctx, s.reader(ctx), school)
}

func findBreaks(ctx context.Context, tx Tx, school org.Branch) ([]ground.Break, error) {
	var text string
	err := tx.QueryRowContext(ctx, `SELECT breaks FROM school_breaks WHERE authority = $1 AND school = $2`, school.Authority, school.School).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var breaks []ground.Break
	return breaks, json.Unmarshal([]byte(text), &breaks)
}

// SaveBreaks keeps the days without lessons that a school has of its own.
func (s *Store) SaveBreaks(ctx context.Context, permit may.Permit, school org.Branch, breaks []ground.Break) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		former, err := findBreaks(ctx, tx, school)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO school_breaks (authority, school, breaks, changed) VALUES ($1, $2, $3, $4)
			ON CONFLICT (authority, school) DO UPDATE SET breaks = excluded.breaks, changed = excluded.changed`, school.Authority, school.School, documentList(breaks), millis(s.now()))
		if err != nil {
			return err
		}
		if err := s.record(ctx, tx, permit, Target{"calendar", school.School}, calendarRow{Breaks: former}, calendarRow{Breaks: breaks}); err != nil {
			return err
		}
		return s.changedRules(ctx, tx, school, "")
	})
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
		return s.changedRules(ctx, tx, org.Branch{Authority: authority}, "")
	})
}

const calendarSelect = `SELECT s.id, a.timezone, s.bells, COALESCE(c.land, ''), COALESCE(c.breaks, '[]'), COALESCE(b.breaks, '[]') FROM schools s JOIN authorities a ON a.id = s.authority
	LEFT JOIN calendars c ON c.authority = s.authority LEFT JOIN school_breaks b ON b.authority = s.authority AND b.school = s.id WHERE `

// dated is a school with its time.
type dated struct {
	school   org.ID
	calendar ground.Calendar
}

func scanCalendar(row scanner) (dated, error) {
	var d dated
	var bells, breaks, own string
	if err := row.Scan(&d.school, &d.calendar.Zone, &bells, &d.calendar.Land, &breaks, &own); err != nil {
		return d, err
	}
	var lessons []struct{ From, Until int }
	if err := json.Unmarshal([]byte(bells), &lessons); err != nil {
		return d, fmt.Errorf("reading the bells of school %s: %w", d.school, err)
	}
	for i, lesson := range lessons {
		if i == 0 || ground.Clock(lesson.From) < d.calendar.Lessons.From {
			d.calendar.Lessons.From = ground.Clock(lesson.From)
		}
		d.calendar.Lessons.To = max(d.calendar.Lessons.To, ground.Clock(lesson.Until))
	}
	for _, text := range []string{breaks, own} {
		var some []ground.Break
		if err := json.Unmarshal([]byte(text), &some); err != nil {
			return d, fmt.Errorf("reading the holidays of school %s: %w", d.school, err)
		}
		d.calendar.Breaks = append(d.calendar.Breaks, some...)
	}
	return d, nil
}

// Calendars returns the time of each school of a branch.
func (s *Store) Calendars(ctx context.Context, branch org.Branch) (map[org.ID]ground.Calendar, error) {
	return s.calendars(ctx, s.reader(ctx), branch)
}

func (s *Store) calendars(ctx context.Context, tx Tx, branch org.Branch) (map[org.ID]ground.Calendar, error) {
	q := newQuery(calendarSelect)
	q.place("s.authority", "s.id", branch)
	list, err := collect(ctx, tx, scanCalendar, q.text(), q.args...)
	calendars := make(map[org.ID]ground.Calendar, len(list))
	for _, d := range list {
		calendars[d.school] = d.calendar
	}
	return calendars, err
}

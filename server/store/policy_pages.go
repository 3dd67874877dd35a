package store

import (
	"context"
	"strconv"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/ids"
	"schulwart.org/server/standard"
)

// pageOf reads a page of what the room of the standard lists: things with a place,
// ordered by an instant. about says of one its instant, id and place.
func pageOf[T any](ctx context.Context, s *Store, q *query, limit int, scan func(scanner) (T, error), about func(*T) (time.Time, org.ID, *standard.Place)) ([]T, string, error) {
	rows, err := collect(ctx, s.reader(ctx), scan, q.text(), q.args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(row T) (string, org.ID) {
		at, id, _ := about(&row)
		return instantKey(at), id
	})
	err = namePlaces(ctx, s, rows, func(row *T) *standard.Place {
		_, _, place := about(row)
		return place
	})
	return rows, next, err
}

// at narrows to a place, or to what lies in an authority or a school.
func (q *query) at(table string, place *desired.Place, authority, school org.ID) {
	if place != nil {
		q.add(" AND "+table+"level = ? AND "+table+"place = ?", place.Level, place.ID)
	}
	if authority != "" {
		q.add(" AND "+table+"authority = ?", authority)
	}
	if school != "" {
		q.add(" AND "+table+"school = ?", school)
	}
}

// latest and soonest add order and bounds of a list that is read by cursor: the
// latest instant first, or the next one.
func (q *query) latest(at, id, cursor string, limit int) int {
	return q.byInstant(at, id, cursor, limit, "<", " DESC")
}

func (q *query) soonest(at, id, cursor string, limit int) int {
	return q.byInstant(at, id, cursor, limit, ">", "")
}

// instantKey is what a cursor of such a list says of an instant.
func instantKey(at time.Time) string { return strconv.FormatInt(millis(at), 10) }

func (q *query) byInstant(at, id, cursor string, limit int, beyond, order string) int {
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 200)
	if after, last, ok := ids.ReadCursor(cursor); ok {
		ms, _ := strconv.ParseInt(after, 10, 64)
		q.add(" AND ("+at+" "+beyond+" ? OR "+at+" = ? AND "+id+" "+beyond+" ?)", ms, ms, last)
	}
	q.add(" ORDER BY "+at+order+", "+id+order+" LIMIT ?", limit+1)
	return limit
}

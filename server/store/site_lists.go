package store

import (
	"context"
	"encoding/json"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/staff"
)

const siteSelect = `SELECT l.authority, l.id, l.school, l.staff, COALESCE(p.salutation, ''), COALESCE(p.name, ''), l.name, l.sites, l.shared, l.changed
	FROM site_lists l LEFT JOIN staff p ON p.id = l.staff WHERE `

func scanSites(row scanner) (roster.SiteList, error) {
	var l roster.SiteList
	var owner staff.Person
	var sites string
	var changed int64
	if err := row.Scan(&l.Authority, &l.ID, &l.School, &l.Owner, &owner.Salutation, &owner.Name, &l.Name, &sites, &l.Shared, &changed); err != nil {
		return l, err
	}
	l.OwnerName, l.Changed = owner.Display(), instant(changed)
	return l, json.Unmarshal([]byte(sites), &l.Sites)
}

// ListSites lists somebody's own lists and the shared ones of the branches.
func (s *Store) ListSites(ctx context.Context, branches []org.Branch, id org.ID) ([]roster.SiteList, error) {
	q := newQuery(siteSelect)
	q.places("l.authority", "l.school", branches)
	q.add(` AND (l.staff = ? OR l.shared) ORDER BY CASE WHEN l.staff = ? THEN 0 ELSE 1 END, l.name, l.id LIMIT 500`, id, id)
	return collect(ctx, s.reader(ctx), scanSites, q.text(), q.args...)
}

// FindSites returns a list.
func (s *Store) FindSites(ctx context.Context, id org.ID) (roster.SiteList, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, siteSelect+`l.id = $1`, id), scanSites, "not_found")
}

func aboutSites(l roster.SiteList) any {
	return struct {
		Name   string   `json:"name"`
		Sites  []string `json:"sites"`
		Shared bool     `json:"shared"`
	}{l.Name, l.Sites, l.Shared}
}

// PutSites makes or changes a list.
func (s *Store) PutSites(ctx context.Context, permit may.Permit, l roster.SiteList) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		var before any
		if old, err := s.FindSites(ctx, l.ID); err == nil {
			before = aboutSites(old)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO site_lists (authority, id, school, staff, name, sites, shared, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (authority, id) DO UPDATE SET name = excluded.name, sites = excluded.sites, shared = excluded.shared, changed = excluded.changed`,
			l.Authority, l.ID, l.School, l.Owner, l.Name, document(l.Sites), l.Shared, millis(l.Changed))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"sites", l.ID}, before, aboutSites(l))
	})
}

// DeleteSites removes a list.
func (s *Store) DeleteSites(ctx context.Context, permit may.Permit, l roster.SiteList) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM site_lists WHERE authority = $1 AND id = $2`, l.Authority, l.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"sites", l.ID}, aboutSites(l), nil)
	})
}

package store

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

const versionSelect = `SELECT v.authority, v.id, v.level, v.place, v.draft, v.title, COALESCE(p.reason, ''), v.before, v.after, v.undoes, v.undone, v.staff, v.by_name, v.approver, v.approver_name, v.at
	FROM policy_versions v LEFT JOIN policy_drafts p ON p.authority = v.authority AND p.id = v.draft WHERE `

func (s *Store) scanVersion(row scanner) (standard.Version, error) {
	var v standard.Version
	var before, after string
	var at int64
	err := row.Scan(&v.Place.Branch.Authority, &v.ID, &v.Place.Level, &v.Place.ID, &v.Draft, &v.Title, &v.Reason, &before, &after, &v.Undoes, &v.Undone, &v.By, &v.ByName, &v.Approver, &v.ApproverName, &at)
	if err != nil {
		return v, err
	}
	v.At = instant(at)
	if v.Before, err = s.readSays(before); err != nil {
		return v, err
	}
	v.After, err = s.readSays(after)
	return v, err
}

// FindVersion returns a version.
func (s *Store) FindVersion(ctx context.Context, id org.ID) (standard.Version, error) {
	v, err := one(s.reader(ctx).QueryRowContext(ctx, versionSelect+`v.id = $1`, id), s.scanVersion, "policy.version_not_found")
	if err != nil {
		return v, err
	}
	v.Place, err = s.PolicyPlace(ctx, v.Place.Place)
	return v, err
}

// ListVersions lists versions of the branches, the latest first.
func (s *Store) ListVersions(ctx context.Context, branches []org.Branch, filter standard.VersionFilter) ([]standard.Version, string, error) {
	q := newQuery(versionSelect)
	q.places("v.authority", "v.school", branches)
	q.at("v.", filter.Place, filter.Authority, filter.School)
	limit := q.latest("v.at", "v.id", filter.Cursor, filter.Limit)
	return pageOf(ctx, s, q, limit, s.scanVersion, func(v *standard.Version) (time.Time, org.ID, *standard.Place) { return v.At, v.ID, &v.Place })
}

// VersionsSince lists what was published at a place from an instant on, the
// latest first.
func (s *Store) VersionsSince(ctx context.Context, place standard.Place, since time.Time) ([]standard.Version, error) {
	versions, err := collect(ctx, s.reader(ctx), s.scanVersion, versionSelect+`v.authority = $1 AND v.level = $2 AND v.place = $3 AND v.at >= $4 ORDER BY v.at DESC, v.id DESC LIMIT 500`,
		place.Branch.Authority, place.Level, place.ID, millis(since))
	for i := range versions {
		versions[i].Place = place
	}
	return versions, err
}

// publish makes a version hold. The caller is inside a transaction.
func (s *Store) publish(ctx context.Context, tx Tx, permit may.Permit, v standard.Version) error {
	if err := s.unmoved(ctx, tx, v.Place, v.Before, v.After); err != nil {
		return err
	}
	for family, say := range v.After {
		if err := s.putSay(ctx, tx, v.Place, family, say, "", v.ID); err != nil {
			return err
		}
	}
	before, err := s.writeSays(v.Before)
	if err != nil {
		return err
	}
	after, err := s.writeSays(v.After)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO policy_versions (authority, id, school, level, place, draft, title, before, after, undoes, staff, by_name, approver, approver_name, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		v.Place.Branch.Authority, v.ID, v.Place.Branch.School, v.Place.Level, v.Place.ID, v.Draft, v.Title, before, after, v.Undoes, v.By, v.ByName, v.Approver, v.ApproverName, millis(v.At))
	if err != nil {
		return err
	}
	if err := s.changedPlace(ctx, tx, v.Place); err != nil {
		return err
	}
	return s.record(ctx, tx, permit, Target{"policy", v.ID}, said{v.Title, v.Place.Level, v.Place.ID, standard.Masked(v.Before)}, said{v.Title, v.Place.Level, v.Place.ID, standard.Masked(v.After)})
}

// said is what the audit log keeps of a version: no secrets.
type said struct {
	Title string                  `json:"title"`
	Level org.Level               `json:"level"`
	Place org.ID                  `json:"place,omitempty"`
	Says  map[string]standard.Say `json:"says"`
}

// UndoVersion publishes a version that takes another one back.
func (s *Store) UndoVersion(ctx context.Context, permit may.Permit, v standard.Version) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.markUndone(ctx, tx, v); err != nil {
			return err
		}
		return s.publish(ctx, tx, permit, v)
	})
}

// markUndone notes that a version takes another one back, which nothing did
// before.
func (s *Store) markUndone(ctx context.Context, tx Tx, v standard.Version) error {
	result, err := tx.ExecContext(ctx, `UPDATE policy_versions SET undone = $1 WHERE authority = $2 AND id = $3 AND undone = ''`, v.ID, v.Place.Branch.Authority, v.Undoes)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		if err != nil {
			return err
		}
		return errs.E(errs.Conflict, "policy.undone_already")
	}
	return nil
}

package store

import (
	"context"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
)

// Icons lists the hashes of the pictures of apps, each under the scope whose it is.
func (s *Store) Icons(ctx context.Context, scopes []org.ID) (map[packages.Owned]string, error) {
	q := newQuery(`SELECT authority, kind, name, sha256 FROM app_icons WHERE `)
	q.scopes("authority", scopes)
	type icon struct {
		packages.Owned
		hash string
	}
	list, err := collect(ctx, s.reader(ctx), func(row scanner) (icon, error) {
		var i icon
		return i, row.Scan(&i.Authority, &i.Kind, &i.Name, &i.hash)
	}, q.text(), q.args...)
	icons := make(map[packages.Owned]string, len(list))
	for _, i := range list {
		icons[i.Owned] = i.hash
	}
	return icons, err
}

// Icon returns a picture by its hash.
func (s *Store) Icon(ctx context.Context, sha256 string) ([]byte, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT picture FROM app_icons WHERE sha256 = $1 LIMIT 1`, sha256), func(row scanner) ([]byte, error) {
		var picture []byte
		return picture, row.Scan(&picture)
	}, "not_found")
}

// DressApp keeps the texts of a package, and the picture of all of its versions: an
// empty one is taken away, nil leaves what is there.
func (s *Store) DressApp(ctx context.Context, permit may.Permit, p packages.Package, before ground.Package, picture []byte) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE app_packages SET facts = $3 WHERE authority = $1 AND id = $2`, p.Authority, p.ID, document(p.Package)); err != nil {
			return err
		}
		if picture != nil {
			if _, err := tx.ExecContext(ctx, `DELETE FROM app_icons WHERE authority = $1 AND kind = $2 AND name = $3`, p.Authority, p.Kind, p.Name); err != nil {
				return err
			}
		}
		if len(picture) > 0 {
			if _, err := tx.ExecContext(ctx, `INSERT INTO app_icons (authority, kind, name, sha256, picture, at) VALUES ($1, $2, $3, $4, $5, $6)`, p.Authority, p.Kind, p.Name, p.Icon, picture, millis(s.now())); err != nil {
				return err
			}
		}
		type look struct {
			Title       ground.Text `json:"title,omitzero"`
			Description ground.Text `json:"description,omitzero"`
			Picture     string      `json:"picture,omitempty"`
		}
		after := look{p.Title, p.Description, ""}
		if picture != nil {
			after.Picture = p.Icon
		}
		return s.record(ctx, tx, permit, Target{"package", p.ID}, look{before.Title, before.Description, ""}, after)
	})
}

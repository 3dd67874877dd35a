package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/rollout"
)

// memberships lists the groups of each device of a branch.
func (s *Store) memberships(ctx context.Context, tx Tx, branch org.Branch) (map[org.ID][]org.ID, error) {
	type membership struct{ device, group org.ID }
	q := newQuery(`SELECT g.device, g.group_id FROM group_devices g JOIN devices d ON d.authority = g.authority AND d.id = g.device WHERE `)
	q.place("d.authority", "d.school", branch)
	q.add(` ORDER BY g.device, g.group_id`)
	rows, err := collect(ctx, tx, func(row scanner) (membership, error) {
		var m membership
		return m, row.Scan(&m.device, &m.group)
	}, q.text(), q.args...)
	groups := map[org.ID][]org.ID{}
	for _, m := range rows {
		groups[m.device] = append(groups[m.device], m.group)
	}
	return groups, err
}

// words returns what each device last said of a rollout.
func (s *Store) words(ctx context.Context, tx Tx, authority, id org.ID) (map[org.ID]ddm.PackageStatus, error) {
	rows, err := collect(ctx, tx, scanWord, wordSelect+`rollout_words w WHERE w.authority = $1 AND w.rollout = $2`, authority, id)
	words := make(map[org.ID]ddm.PackageStatus, len(rows))
	for _, r := range rows {
		words[r.device] = r.said
	}
	return words, err
}

// SaveWords keeps what a device says of packages, with the figures that follow.
// What it said before costs nothing; what no rollout of its authority is, is not
// kept.
func (s *Store) SaveWords(ctx context.Context, authority, device org.ID, said []ddm.PackageStatus, troubles *int, at time.Time) error {
	type kept struct {
		rollout, said string
		troubles      int
		ailing        bool
	}
	rows, err := collect(ctx, s.reader(ctx), func(row scanner) (kept, error) {
		var k kept
		return k, row.Scan(&k.rollout, &k.said, &k.troubles, &k.ailing)
	}, `SELECT rollout, said, troubles, ailing FROM rollout_words WHERE authority = $1 AND device = $2`, authority, device)
	if err != nil {
		return err
	}
	before := map[string]kept{}
	for _, row := range rows {
		before[row.rollout] = row
	}
	news := slices.DeleteFunc(slices.Clone(said), func(one ddm.PackageStatus) bool {
		was := before[one.Rollout]
		return was.said == document(one) && was.ailing == ails(was.troubles, was.ailing, troubles)
	})
	if len(news) == 0 {
		return nil
	}
	// In one order, so that two devices never wait for each other.
	slices.SortStableFunc(news, func(a, b ddm.PackageStatus) int { return strings.Compare(a.Rollout, b.Rollout) })
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		member, reached, err := s.member(ctx, tx, authority, device)
		if err != nil {
			return err
		}
		for _, one := range news {
			if err := s.saveWord(ctx, tx, member, reached, one, troubles, at); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) saveWord(ctx context.Context, tx Tx, m ground.Member, reached bool, said ddm.PackageStatus, troubles *int, at time.Time) error {
	r := rollout.Rollout{ID: org.ID(said.Rollout), Branch: org.Branch{Authority: m.Branch.Authority}}
	// Whoever holds the tally reads what those before have written.
	if _, _, err := s.hold(ctx, tx, r, m.Branch.School); err != nil {
		return err
	}
	r, err := one(tx.QueryRowContext(ctx, rolloutSelect+`r.authority = $1 AND r.id = $2`, m.Branch.Authority, said.Rollout), scanRollout, "rollout.not_found")
	if errs.Is(err, errs.NotFound) {
		return s.saveWishWord(ctx, tx, m, said, at)
	}
	if err != nil {
		return err
	}
	offer := r.Offer()
	if offer.Seats, err = s.seatOf(ctx, tx, m, r.Package.App()); err != nil {
		return err
	}
	before, spoke, err := s.wordOf(ctx, tx, r, m.ID)
	if err != nil {
		return err
	}
	after := wordKept{school: m.Branch.School, stand: ground.Stand{Ring: ground.Outside}, tries: before.tries, troubles: -1}
	if said.State == ddm.PackageVerified {
		after.troubles, after.ailing = before.weigh(said, spoke, troubles)
	}
	if reached {
		after.stand = offer.Stand(m, &said, after.ailing)
	} else {
		after.school = ""
	}
	if !spoke {
		// Without a word it was counted where it is.
		before.school, before.stand = after.school, ground.Stand{Ring: ground.Outside}
		if reached {
			before.stand = offer.Stand(m, nil, false)
		}
	}
	if ends(said, before.said, spoke) {
		after.tries++
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO rollout_words (authority, rollout, device, said, at, school, ring, outcome, reason, ailing, tries, troubles) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (authority, rollout, device) DO UPDATE SET said = excluded.said, at = excluded.at, changes = rollout_words.changes + 1,
		school = excluded.school, ring = excluded.ring, outcome = excluded.outcome, reason = excluded.reason, ailing = excluded.ailing, tries = excluded.tries, troubles = excluded.troubles`,
		m.Branch.Authority, r.ID, m.ID, document(said), millis(at), after.school, after.stand.Ring, after.stand.Outcome, after.stand.Reason, after.ailing, after.tries, after.troubles)
	if err != nil {
		return err
	}
	return s.shift(ctx, tx, r, before.school, before.stand, after.school, after.stand)
}

// weigh says how many troubles a device had when it got there, and whether it has
// more of them now. Nil: it does not say how many there are.
func (w wordKept) weigh(said ddm.PackageStatus, spoke bool, troubles *int) (had int, ailing bool) {
	there := spoke && w.said.State == ddm.PackageVerified && w.said.Try == said.Try && w.said.Present == said.Present && w.troubles >= 0
	switch {
	case there:
		return w.troubles, ails(w.troubles, w.ailing, troubles)
	case troubles != nil:
		return *troubles, false
	}
	return -1, false
}

// ails reports whether a device is worse off than it was with so many troubles.
func ails(had int, before bool, now *int) bool {
	if had < 0 || now == nil {
		return before
	}
	return *now > had
}

// ends reports whether a word tells of a try that came to its end, and the one
// before did not tell of the same.
func ends(said, before ddm.PackageStatus, spoke bool) bool {
	switch said.State {
	case ddm.PackageFailed:
		return true
	case ddm.PackageVerified:
		return !spoke || before.State != ddm.PackageVerified || before.Try != said.Try
	}
	return false
}

// wordOf returns what a device said before, or reports false.
func (s *Store) wordOf(ctx context.Context, tx Tx, r rollout.Rollout, device org.ID) (wordKept, bool, error) {
	rows, err := collect(ctx, tx, scanWord, wordSelect+`rollout_words w WHERE w.authority = $1 AND w.rollout = $2 AND w.device = $3`, r.Branch.Authority, r.ID, device)
	if err != nil || len(rows) == 0 {
		return wordKept{}, false, err
	}
	return rows[0], true, nil
}

// saveWishWord keeps what a device says of what was picked for it.
func (s *Store) saveWishWord(ctx context.Context, tx Tx, m ground.Member, said ddm.PackageStatus, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO rollout_words (authority, rollout, device, said, at) SELECT authority, id, device, CAST($4 AS TEXT), CAST($5 AS BIGINT) FROM app_wishes WHERE authority = $1 AND id = $2 AND device = $3
		ON CONFLICT (authority, rollout, device) DO UPDATE SET said = excluded.said, at = excluded.at, changes = rollout_words.changes + 1`,
		m.Branch.Authority, said.Rollout, m.ID, document(said), millis(at))
	return err
}

// forgetWords forgets what was said of a wish that is no more.
func (s *Store) forgetWords(ctx context.Context, tx Tx, authority, id org.ID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM rollout_words WHERE authority = $1 AND rollout = $2`, authority, id)
	return err
}

// FindTarget returns where an authority, a school or a group is.
func (s *Store) FindTarget(ctx context.Context, level org.Level, id org.ID) (org.Branch, error) {
	query := map[org.Level]string{
		org.Authority: `SELECT id, '', '' FROM authorities WHERE id = $1`,
		org.School:    `SELECT authority, id, '' FROM schools WHERE id = $1`,
		org.Group:     `SELECT authority, school, id FROM school_groups WHERE id = $1`,
	}[level]
	if query == "" {
		query = `SELECT id, '', '' FROM authorities WHERE id = $1 AND 1 = 0`
	}
	return one(s.reader(ctx).QueryRowContext(ctx, query, id), func(row scanner) (org.Branch, error) {
		var b org.Branch
		return b, row.Scan(&b.Authority, &b.School, &b.Group)
	}, "not_found")
}

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/rollout"
)

// Tallies returns what is kept of a rollout, by school.
func (s *Store) Tallies(ctx context.Context, r rollout.Rollout) (map[org.ID]ground.Tally, error) {
	type row struct {
		school org.ID
		tally  ground.Tally
	}
	rows, err := collect(ctx, s.reader(ctx), func(sc scanner) (row, error) {
		var r row
		var text string
		if err := sc.Scan(&r.school, &text); err != nil {
			return r, err
		}
		return r, json.Unmarshal([]byte(text), &r.tally)
	}, `SELECT c.school, c.tally FROM rollout_tallies c JOIN schools s ON s.authority = c.authority AND s.id = c.school WHERE c.authority = $1 AND c.rollout = $2`, r.Branch.Authority, r.ID)
	tallies := make(map[org.ID]ground.Tally, len(rows))
	for _, row := range rows {
		tallies[row.school] = row.tally
	}
	return tallies, err
}

// Reach counts the devices of each school that a rollout would reach.
func (s *Store) Reach(ctx context.Context, r rollout.Rollout) (map[org.ID]ground.Tally, error) {
	return s.reach(ctx, s.reader(ctx), r)
}

func (s *Store) reach(ctx context.Context, tx Tx, r rollout.Rollout) (map[org.ID]ground.Tally, error) {
	tallies := map[org.ID]ground.Tally{}
	members, err := s.members(ctx, tx, r.Plan, r.Branch)
	if err != nil {
		return nil, err
	}
	offer := r.Offer()
	if offer.Seats, err = s.seatsOf(ctx, tx, r.Branch, r.Package.App()); err != nil {
		return nil, err
	}
	for _, m := range members {
		tally, known := tallies[m.Branch.School]
		if !known {
			tally = ground.NewTally(r.Plan)
		}
		tally.Join(offer.Stand(m, nil, false))
		tallies[m.Branch.School] = tally
	}
	return tallies, nil
}

// tallyNew keeps the figures of a rollout of which no device has heard.
func (s *Store) tallyNew(ctx context.Context, tx Tx, r rollout.Rollout) error {
	turns, err := s.turns(ctx, tx, r, false)
	if err != nil {
		return err
	}
	tallies, err := s.reach(ctx, tx, r)
	if err != nil {
		return err
	}
	for _, turn := range turns {
		tally, known := tallies[turn.school]
		if !known {
			tally = ground.NewTally(r.Plan)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO rollout_tallies (authority, rollout, school, turn, tally) VALUES ($1, $2, $3, $4, $5)`, r.Branch.Authority, r.ID, turn.school, turn.turn, document(tally))
		if err != nil {
			return err
		}
	}
	return nil
}

// schoolTurn is the turn of a school's devices.
type schoolTurn struct {
	school org.ID
	turn   int64
}

// turns lists the schools that a rollout is for, or only those that were counted at
// another turn than it is now.
func (s *Store) turns(ctx context.Context, tx Tx, r rollout.Rollout, stale bool) ([]schoolTurn, error) {
	where := ""
	if stale {
		where = ` AND COALESCE(t.turn, 0) <> COALESCE(c.turn, -1)`
	}
	return collect(ctx, tx, func(row scanner) (schoolTurn, error) {
		var t schoolTurn
		return t, row.Scan(&t.school, &t.turn)
	}, `SELECT s.id, COALESCE(t.turn, 0) FROM schools s LEFT JOIN member_turns t ON t.authority = s.authority AND t.school = s.id
		LEFT JOIN rollout_tallies c ON c.authority = s.authority AND c.rollout = $2 AND c.school = s.id WHERE s.authority = $1 AND ($3 = '' OR s.id = $3)`+where+` ORDER BY s.id`,
		r.Branch.Authority, r.ID, r.Branch.School)
}

// Recount counts a rollout's devices in the schools where they changed since, one
// transaction each.
func (s *Store) Recount(ctx context.Context, r rollout.Rollout) error {
	stale, err := s.turns(ctx, s.reader(ctx), r, true)
	if err != nil {
		return err
	}
	for _, school := range stale {
		err := s.write(ctx, func(ctx context.Context, tx Tx) error { return s.recountSchool(ctx, tx, r, school.school) })
		if err != nil {
			return fmt.Errorf("counting a rollout in a school: %w", err)
		}
	}
	return nil
}

// recountSchool counts the devices of a school in a rollout. First it takes the
// tally for itself, then it reads the turn, then everything else: who changes
// devices meanwhile leaves another turn behind.
func (s *Store) recountSchool(ctx context.Context, tx Tx, r rollout.Rollout, school org.ID) error {
	branch := org.Branch{Authority: r.Branch.Authority, School: school}
	_, err := tx.ExecContext(ctx, `INSERT INTO rollout_tallies (authority, rollout, school, turn, words, tally) VALUES ($1, $2, $3, -1, 1, $4)
		ON CONFLICT (authority, rollout, school) DO UPDATE SET words = rollout_tallies.words + 1`, branch.Authority, r.ID, school, document(ground.NewTally(r.Plan)))
	if err != nil {
		return err
	}
	var turn int64
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE((SELECT turn FROM member_turns WHERE authority = $1 AND school = $2), 0)`, branch.Authority, school).Scan(&turn); err != nil {
		return err
	}
	// Its status may have changed since somebody read it.
	r, err = one(tx.QueryRowContext(ctx, rolloutSelect+`r.authority = $1 AND r.id = $2`, branch.Authority, r.ID), scanRollout, "rollout.not_found")
	if err != nil {
		return err
	}
	tally, err := s.countSchool(ctx, tx, r, branch)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE rollout_tallies SET turn = $1, tally = $2 WHERE authority = $3 AND rollout = $4 AND school = $5`, turn, document(tally), branch.Authority, r.ID, school)
	return err
}

// countSchool counts, and writes down how each device stands.
func (s *Store) countSchool(ctx context.Context, tx Tx, r rollout.Rollout, branch org.Branch) (ground.Tally, error) {
	tally, offer := ground.NewTally(r.Plan), r.Offer()
	members, err := s.members(ctx, tx, r.Plan, branch)
	if err != nil {
		return tally, err
	}
	words, err := s.wordsIn(ctx, tx, r.ID, branch)
	if err != nil {
		return tally, err
	}
	if offer.Seats, err = s.seatsOf(ctx, tx, branch, r.Package.App()); err != nil {
		return tally, err
	}
	for _, m := range members {
		word, spoke := words[m.ID]
		delete(words, m.ID)
		if !spoke {
			tally.Join(offer.Stand(m, nil, false))
			continue
		}
		stand := offer.Stand(m, &word.said, word.ailing)
		tally.Join(stand)
		if err := s.place(ctx, tx, r, word, branch.School, stand); err != nil {
			return tally, err
		}
	}
	// Who spoke and is here no more. Another school counts it, if it is there.
	for _, word := range words {
		if err := s.place(ctx, tx, r, word, "", ground.Stand{Ring: ground.Outside}); err != nil {
			return tally, err
		}
	}
	return tally, nil
}

// members lists the enrolled devices of a branch, with those of their groups that a
// plan names.
func (s *Store) members(ctx context.Context, tx Tx, plan ground.Plan, branch org.Branch) ([]ground.Member, error) {
	q := newQuery(`SELECT d.school, d.id, d.platform FROM devices d WHERE d.retired = 0 AND ` + enrolled + ` AND `)
	q.place("d.authority", "d.school", branch)
	members, err := collect(ctx, tx, func(row scanner) (ground.Member, error) {
		m := ground.Member{Branch: org.Branch{Authority: branch.Authority}}
		return m, row.Scan(&m.Branch.School, &m.ID, &m.Platform)
	}, q.text(), q.args...)
	if err != nil {
		return nil, err
	}
	groups, err := s.named(ctx, tx, plan, branch.Authority)
	for i := range members {
		members[i].Groups = groups[members[i].ID]
	}
	return members, err
}

// named lists the groups of each device, of those that a plan names.
func (s *Store) named(ctx context.Context, tx Tx, plan ground.Plan, authority org.ID) (map[org.ID][]org.ID, error) {
	named := plan.Groups()
	if len(named) == 0 {
		return nil, nil
	}
	type membership struct{ group, device org.ID }
	q := newQuery(`SELECT group_id, device FROM group_devices WHERE authority = ? AND `, authority)
	oneOf(q, "group_id", named)
	rows, err := collect(ctx, tx, func(row scanner) (membership, error) {
		var m membership
		return m, row.Scan(&m.group, &m.device)
	}, q.text(), q.args...)
	groups := map[org.ID][]org.ID{}
	for _, m := range rows {
		groups[m.device] = append(groups[m.device], m.group)
	}
	return groups, err
}

// enrolled is the condition that the device d can be reached at all.
const enrolled = `EXISTS (SELECT 1 FROM enrolments e WHERE e.authority = d.authority AND e.device = d.id AND e.state = 'enrolled')`

// member reads one device as members does, or reports false.
func (s *Store) member(ctx context.Context, tx Tx, authority, device org.ID) (ground.Member, bool, error) {
	m := ground.Member{ID: device, Branch: org.Branch{Authority: authority}}
	err := tx.QueryRowContext(ctx, `SELECT d.school, d.platform FROM devices d WHERE d.authority = $1 AND d.id = $2 AND d.retired = 0 AND `+enrolled, authority, device).Scan(&m.Branch.School, &m.Platform)
	if errors.Is(err, sql.ErrNoRows) {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	m.Groups, err = collect(ctx, tx, scanID, `SELECT group_id FROM group_devices WHERE authority = $1 AND device = $2 ORDER BY group_id`, authority, device)
	return m, true, err
}

// hold takes the tally of a school for this transaction and returns it, or reports
// false where nobody counted there yet.
func (s *Store) hold(ctx context.Context, tx Tx, r rollout.Rollout, school org.ID) (ground.Tally, bool, error) {
	var text string
	var tally ground.Tally
	err := tx.QueryRowContext(ctx, `UPDATE rollout_tallies SET words = words + 1 WHERE authority = $1 AND rollout = $2 AND school = $3 RETURNING tally`, r.Branch.Authority, r.ID, school).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return tally, false, nil
	}
	if err != nil {
		return tally, false, err
	}
	return tally, true, json.Unmarshal([]byte(text), &tally)
}

// shift moves a device in the tallies from where it stood to where it stands.
func (s *Store) shift(ctx context.Context, tx Tx, r rollout.Rollout, from org.ID, before ground.Stand, to org.ID, after ground.Stand) error {
	if before == after && from == to {
		return nil
	}
	for _, school := range slices.Compact(slices.SortedFunc(slices.Values([]org.ID{from, to}), func(a, b org.ID) int { return strings.Compare(a.String(), b.String()) })) {
		tally, counted, err := s.hold(ctx, tx, r, school)
		if err != nil {
			return err
		}
		if !counted {
			continue
		}
		was, is := ground.Stand{Ring: ground.Outside}, ground.Stand{Ring: ground.Outside}
		if school == from {
			was = before
		}
		if school == to {
			is = after
		}
		tally.Shift(was, is)
		_, err = tx.ExecContext(ctx, `UPDATE rollout_tallies SET tally = $1 WHERE authority = $2 AND rollout = $3 AND school = $4`, document(tally), r.Branch.Authority, r.ID, school)
		if err != nil {
			return err
		}
	}
	return nil
}

// outdate has a rollout counted anew in all its schools, or only where some of the
// figures say so.
func (s *Store) outdate(ctx context.Context, tx Tx, r rollout.Rollout, where func(ground.Tally) bool) error {
	if where == nil {
		_, err := tx.ExecContext(ctx, `UPDATE rollout_tallies SET turn = -1 WHERE authority = $1 AND rollout = $2`, r.Branch.Authority, r.ID)
		return err
	}
	type row struct {
		school org.ID
		tally  ground.Tally
	}
	rows, err := collect(ctx, tx, func(sc scanner) (row, error) {
		var r row
		var text string
		if err := sc.Scan(&r.school, &text); err != nil {
			return r, err
		}
		return r, json.Unmarshal([]byte(text), &r.tally)
	}, `UPDATE rollout_tallies SET words = words + 1 WHERE authority = $1 AND rollout = $2 RETURNING school, tally`, r.Branch.Authority, r.ID)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if !where(row.tally) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE rollout_tallies SET turn = -1 WHERE authority = $1 AND rollout = $2 AND school = $3`, r.Branch.Authority, r.ID, row.school); err != nil {
			return err
		}
	}
	return nil
}

// wordKept is a word with how its device was counted.
type wordKept struct {
	device org.ID
	said   ddm.PackageStatus
	school org.ID
	stand  ground.Stand
	ailing bool
	tries  int
	// troubles is how many the device had when it got there; -1 before.
	troubles int
}

const wordSelect = `SELECT w.device, w.said, w.school, w.ring, w.outcome, w.reason, w.ailing, w.tries, w.troubles FROM `

func scanWord(row scanner) (wordKept, error) {
	var w wordKept
	var said string
	if err := row.Scan(&w.device, &said, &w.school, &w.stand.Ring, &w.stand.Outcome, &w.stand.Reason, &w.ailing, &w.tries, &w.troubles); err != nil {
		return w, err
	}
	w.stand.Ailing = w.ailing && w.stand.Outcome == ground.OutcomeVerified
	return w, json.Unmarshal([]byte(said), &w.said)
}

// wordsIn returns the words of devices that are in a school, or were when they were
// counted.
func (s *Store) wordsIn(ctx context.Context, tx Tx, id org.ID, branch org.Branch) (map[org.ID]wordKept, error) {
	words := map[org.ID]wordKept{}
	for _, query := range []string{
		`rollout_words w WHERE w.authority = $1 AND w.rollout = $2 AND w.school = $3`,
		`devices d CROSS JOIN rollout_words w WHERE d.authority = $1 AND d.school = $3 AND w.authority = d.authority AND w.rollout = $2 AND w.device = d.id`,
	} {
		rows, err := collect(ctx, tx, scanWord, wordSelect+query, branch.Authority, id, branch.School)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			words[row.device] = row
		}
	}
	return words, nil
}

// place writes down how a device was counted, where that is news. A device that
// another school has counted stays there.
func (s *Store) place(ctx context.Context, tx Tx, r rollout.Rollout, word wordKept, school org.ID, stand ground.Stand) error {
	if word.school == school && word.stand == stand {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE rollout_words SET school = $1, ring = $2, outcome = $3, reason = $4 WHERE authority = $5 AND rollout = $6 AND device = $7`,
		school, stand.Ring, stand.Outcome, stand.Reason, r.Branch.Authority, r.ID, word.device)
	return err
}

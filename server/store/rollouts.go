package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/rollout"
)

const rolloutSelect = `SELECT r.authority, r.school, r.id, r.title, r.plan, r.status, r.staff, r.by_name, r.created, r.started, r.changed, r.package, p.facts, r.former, COALESCE(f.facts, '')
	FROM rollouts r JOIN app_packages p ON p.id = r.package LEFT JOIN app_packages f ON f.id = r.former WHERE `

func scanRollout(row scanner) (rollout.Rollout, error) {
	var r rollout.Rollout
	var plan, status, facts, before string
	var pack, former org.ID
	var created, started, changed int64
	err := row.Scan(&r.Branch.Authority, &r.Branch.School, &r.ID, &r.Title, &plan, &status, &r.By, &r.ByName, &created, &started, &changed, &pack, &facts, &former, &before)
	if err != nil {
		return r, err
	}
	r.Created, r.Started, r.Changed = instant(created), instant(started), instant(changed)
	for _, document := range []struct {
		text string
		into any
	}{{plan, &r.Plan}, {status, &r.Status}, {facts, &r.Package}} {
		if err := json.Unmarshal([]byte(document.text), document.into); err != nil {
			return r, fmt.Errorf("reading rollout %s: %w", r.ID, err)
		}
	}
	r.Package.ID = pack
	if before != "" {
		r.Former = &ground.Package{}
		if err := json.Unmarshal([]byte(before), r.Former); err != nil {
			return r, fmt.Errorf("reading rollout %s: %w", r.ID, err)
		}
		r.Former.ID = former
	}
	return r, nil
}

// ListRollouts lists rollouts that reach into the branches, the latest first.
func (s *Store) ListRollouts(ctx context.Context, branches []org.Branch, filter rollout.Filter) ([]rollout.Rollout, string, error) {
	q := newQuery(rolloutSelect)
	q.add("(")
	q.places("r.authority", "r.school", branches)
	// What an authority brings to all of its schools each of them sees, once it is begun.
	for _, branch := range branches {
		if branch.School != "" {
			q.add(" OR r.authority = ? AND r.school = '' AND r.state <> 'draft'", branch.Authority)
		}
	}
	q.add(")")
	if filter.State != "" {
		q.add(" AND r.state = ?", filter.State)
	}
	if created, id, ok := ids.ReadCursor(filter.After); ok {
		at, _ := strconv.ParseInt(created, 10, 64)
		q.add(" AND (r.created < ? OR r.created = ? AND r.id < ?)", at, at, id)
	}
	limit := filter.Limit
	if limit <= 0 || limit > 200 {
		limit = 50
	}
	q.add(` ORDER BY r.created DESC, r.id DESC LIMIT ?`, limit+1)
	list, err := collect(ctx, s.reader(ctx), scanRollout, q.text(), q.args...)
	list, next := cut(list, limit, func(r rollout.Rollout) (string, org.ID) { return strconv.FormatInt(millis(r.Created), 10), r.ID })
	return list, next, err
}

// FindRollout returns a rollout.
func (s *Store) FindRollout(ctx context.Context, id org.ID) (rollout.Rollout, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, rolloutSelect+`r.id = $1`, id), scanRollout, "rollout.not_found")
}

// LiveRollouts lists rollouts on which the figures decide.
func (s *Store) LiveRollouts(ctx context.Context) ([]rollout.Rollout, error) {
	return collect(ctx, s.reader(ctx), scanRollout, rolloutSelect+`r.state IN ('running', 'waiting') ORDER BY r.started, r.id`)
}

// offersFor reads what is rolled out where a school is, as devices are told of it.
func (s *Store) offersFor(ctx context.Context, tx Tx, school org.Branch) ([]ground.Offer, error) {
	list, err := collect(ctx, tx, scanRollout, rolloutSelect+`r.authority = $1 AND r.state <> 'draft' AND (r.school = '' OR r.school = $2) ORDER BY r.started, r.id`, school.Authority, school.School)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	seats, err := s.seats(ctx, tx, school)
	offers := make([]ground.Offer, len(list))
	for i, r := range list {
		offers[i] = r.Offer()
		offers[i].Seats = seats[r.Package.App()]
	}
	return offers, err
}

type rolloutRow struct {
	What    string        `json:"what,omitempty"`
	Title   string        `json:"title"`
	Package string        `json:"package"`
	Version string        `json:"version"`
	Status  ground.Status `json:"status"`
}

func aboutRollout(r rollout.Rollout, what string) any {
	return rolloutRow{what, r.Title, r.Package.Name, r.Package.Version, r.Status}
}

// CreateRollout keeps a new rollout.
func (s *Store) CreateRollout(ctx context.Context, permit may.Permit, r rollout.Rollout) error {
	former := org.ID("")
	if r.Former != nil {
		former = r.Former.ID
	}
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO rollouts (authority, id, school, title, package, former, plan, status, state, staff, by_name, created, started, changed)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`, r.Branch.Authority, r.ID, r.Branch.School, r.Title, r.Package.ID, former,
			document(r.Plan), document(r.Status), r.Status.State, r.By, r.ByName, millis(r.Created), millis(r.Started), millis(r.Changed))
		if err != nil {
			return err
		}
		if err := s.record(ctx, tx, permit, Target{"rollout", r.ID}, nil, aboutRollout(r, "")); err != nil {
			return err
		}
		if err := s.keepStep(ctx, tx, permit, ground.Status{}, r, ""); err != nil {
			return err
		}
		if _, err := s.settleApp(ctx, tx, r.Branch.Authority, r.Package.App()); err != nil {
			return err
		}
		if err := s.tallyNew(ctx, tx, r); err != nil {
			return err
		}
		return s.changedRules(ctx, tx, r.Branch, "")
	})
}

// SaveStatus moves a rollout on, unless somebody else did.
func (s *Store) SaveStatus(ctx context.Context, permit may.Permit, before, after rollout.Rollout, what string) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE rollouts SET status = $1, state = $2, started = $3, changed = $4 WHERE authority = $5 AND id = $6 AND status = $7`,
			document(after.Status), after.Status.State, millis(after.Started), millis(after.Changed), after.Branch.Authority, after.ID, document(before.Status))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return err
			}
			return errs.E(errs.Conflict, "rollout.changed")
		}
		if err := s.record(ctx, tx, permit, Target{"rollout", after.ID}, aboutRollout(before, ""), aboutRollout(after, what)); err != nil {
			return err
		}
		if err := s.keepStep(ctx, tx, permit, before.Status, after, what); err != nil {
			return err
		}
		if told(before.Status) == told(after.Status) {
			return nil
		}
		if _, err := s.settleApp(ctx, tx, after.Branch.Authority, after.Package.App()); err != nil {
			return err
		}
		if err := s.weighAnew(ctx, tx, before, after); err != nil {
			return err
		}
		return s.changedRules(ctx, tx, after.Branch, "")
	})
}

// weighAnew has devices counted anew whose words weigh something else now, and
// those of a ring that is offered something for which they have no licence.
func (s *Store) weighAnew(ctx context.Context, tx Tx, before, after rollout.Rollout) error {
	if after.Status.State == ground.RolledBack {
		return s.outdate(ctx, tx, after, nil)
	}
	if seats, err := s.counted(ctx, tx, after.Branch.Authority, after.Package.App()); err != nil || seats != nil {
		if err != nil {
			return err
		}
		return s.outdate(ctx, tx, after, nil)
	}
	if before.Status.Try == after.Status.Try {
		return nil
	}
	// A higher try asks for another word of whoever has not got there yet.
	return s.outdate(ctx, tx, after, func(t ground.Tally) bool {
		return slices.ContainsFunc(t.Rings, func(f ground.Figures) bool { return f.Begun+f.Failed+f.Unable > 0 })
	})
}

// told is what of a status devices are told: whether a window is open at this very
// minute they know themselves.
func told(s ground.Status) ground.Status {
	if s.State == ground.Waiting || s.State == ground.Done {
		s.State = ground.Running
	}
	return ground.Status{State: s.State, Ring: s.Ring, Try: s.Try}
}

// FormerOf returns the package that the last good rollout of the same thing
// brought or is bringing, in another version; one that halted was none.
func (s *Store) FormerOf(ctx context.Context, branch org.Branch, pack ground.Package) (org.ID, error) {
	former, err := one(s.reader(ctx).QueryRowContext(ctx, `SELECT r.package FROM rollouts r JOIN app_packages p ON p.id = r.package
		WHERE r.authority = $1 AND (r.school = '' OR r.school = $2) AND r.state IN ('done', 'running', 'waiting') AND p.kind = $3 AND p.name = $4 AND p.id <> $5 ORDER BY r.started DESC, r.id LIMIT 1`,
		branch.Authority, branch.School, pack.Kind, pack.Name, pack.ID), func(row scanner) (org.ID, error) {
		var id org.ID
		return id, row.Scan(&id)
	}, "not_found")
	if errs.Is(err, errs.NotFound) {
		return "", nil
	}
	return former, err
}

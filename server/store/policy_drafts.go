package store

import (
	"context"
	"encoding/json"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

const draftSelect = `SELECT p.authority, p.id, p.level, p.place, p.title, p.reason, p.changes, p.base, p.state, p.pilot, COALESCE(g.name, ''), p.source,
	p.author, p.author_name, p.approver, p.approver_name, p.created, p.changed, p.published
	FROM policy_drafts p LEFT JOIN school_groups g ON g.authority = p.authority AND g.id = p.pilot WHERE `

// scanDraft reads a draft, its place by level and id only.
func (s *Store) scanDraft(row scanner) (standard.Draft, error) {
	var d standard.Draft
	var changes, base, source string
	var created, changed, published int64
	err := row.Scan(&d.Place.Branch.Authority, &d.ID, &d.Place.Level, &d.Place.ID, &d.Title, &d.Reason, &changes, &base, &d.State, &d.Pilot, &d.PilotName, &source,
		&d.Author, &d.AuthorName, &d.Approver, &d.ApproverName, &created, &changed, &published)
	if err != nil {
		return d, err
	}
	d.Created, d.Changed, d.Published = instant(created), instant(changed), instant(published)
	if source != "" {
		if err := json.Unmarshal([]byte(source), &d.Source); err != nil {
			return d, err
		}
	}
	if d.Changes, err = s.readSays(changes); err != nil {
		return d, err
	}
	d.Base, err = s.readSays(base)
	return d, err
}

// FindDraft returns a draft.
func (s *Store) FindDraft(ctx context.Context, id org.ID) (standard.Draft, error) {
	d, err := one(s.reader(ctx).QueryRowContext(ctx, draftSelect+`p.id = $1`, id), s.scanDraft, "policy.draft_not_found")
	if err != nil {
		return d, err
	}
	d.Place, err = s.PolicyPlace(ctx, d.Place.Place)
	return d, err
}

// ListDrafts lists drafts of the branches, the latest change first.
func (s *Store) ListDrafts(ctx context.Context, branches []org.Branch, filter standard.DraftFilter) ([]standard.Draft, string, error) {
	q := newQuery(draftSelect)
	q.places("p.authority", "p.school", branches)
	q.at("p.", filter.Place, filter.Authority, filter.School)
	states := filter.States
	if len(states) == 0 {
		states = []standard.State{standard.Open, standard.Proposed, standard.Pilot}
	}
	q.add(" AND ")
	oneOf(q, "p.state", states)
	limit := q.latest("p.changed", "p.id", filter.Cursor, filter.Limit)
	return pageOf(ctx, s, q, limit, s.scanDraft, func(d *standard.Draft) (time.Time, org.ID, *standard.Place) { return d.Changed, d.ID, &d.Place })
}

// CreateDraft keeps a new draft.
func (s *Store) CreateDraft(ctx context.Context, permit may.Permit, d standard.Draft) error {
	changes, err := s.writeSays(d.Changes)
	if err != nil {
		return err
	}
	base, err := s.writeSays(d.Base)
	if err != nil {
		return err
	}
	source := ""
	if d.Source.Kind != "" {
		source = document(d.Source)
	}
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO policy_drafts (authority, id, school, level, place, title, reason, changes, base, state, pilot, source, author, author_name, created, changed, package)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
			d.Place.Branch.Authority, d.ID, d.Place.Branch.School, d.Place.Level, d.Place.ID, d.Title, d.Reason, changes, base, d.State, d.Pilot, source,
			d.Author, d.AuthorName, millis(d.Created), millis(d.Changed), d.Source.Package)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"draft", d.ID}, nil, aboutDraft(d))
	})
}

// aboutDraft is what the audit log keeps of a draft: no secrets.
func aboutDraft(d standard.Draft) any {
	return struct {
		Title   string                  `json:"title"`
		Reason  string                  `json:"reason,omitempty"`
		State   standard.State          `json:"state"`
		Level   org.Level               `json:"level"`
		Place   org.ID                  `json:"place,omitempty"`
		Pilot   org.ID                  `json:"pilot,omitempty"`
		Changes map[string]standard.Say `json:"changes,omitempty"`
	}{d.Title, d.Reason, d.State, d.Place.Level, d.Place.ID, d.Pilot, standard.Masked(d.Changes)}
}

// UpdateDraft changes a draft, unless somebody did since it was read.
func (s *Store) UpdateDraft(ctx context.Context, permit may.Permit, before, after standard.Draft) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		return s.updateDraft(ctx, tx, permit, before, after)
	})
}

func (s *Store) updateDraft(ctx context.Context, tx Tx, permit may.Permit, before, after standard.Draft) error {
	changes, err := s.writeSays(after.Changes)
	if err != nil {
		return err
	}
	base, err := s.writeSays(after.Base)
	if err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, `UPDATE policy_drafts SET title = $1, reason = $2, changes = $3, base = $4, state = $5, pilot = $6, approver = $7, approver_name = $8, changed = $9, published = $10
		WHERE authority = $11 AND id = $12 AND changed = $13 AND state = $14`,
		after.Title, after.Reason, changes, base, after.State, after.Pilot, after.Approver, after.ApproverName, millis(after.Changed), millis(after.Published),
		after.Place.Branch.Authority, after.ID, millis(before.Changed), before.State)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		if err != nil {
			return err
		}
		return errs.E(errs.Conflict, "policy.draft_changed")
	}
	return s.record(ctx, tx, permit, Target{"draft", after.ID}, aboutDraft(before), aboutDraft(after))
}

// PilotDraft publishes a draft for its pilot group.
func (s *Store) PilotDraft(ctx context.Context, permit may.Permit, before, after standard.Draft) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.unmoved(ctx, tx, after.Place, after.Base, after.Changes); err != nil {
			return err
		}
		for family, say := range after.Changes {
			if err := s.putSay(ctx, tx, after.Place, family, say, after.Pilot, after.ID); err != nil {
				return err
			}
		}
		if err := s.changedPlace(ctx, tx, after.Place); err != nil {
			return err
		}
		return s.updateDraft(ctx, tx, permit, before, after)
	})
}

// EndPilot takes a pilot's words away; the draft goes on as after says.
func (s *Store) EndPilot(ctx context.Context, permit may.Permit, before, after standard.Draft) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.dropPilot(ctx, tx, before.Place, before.Pilot); err != nil {
			return err
		}
		if err := s.changedPlace(ctx, tx, before.Place); err != nil {
			return err
		}
		return s.updateDraft(ctx, tx, permit, before, after)
	})
}

// PublishDraft makes a draft hold for all: its families, the version, the draft,
// the audit row and the mark are one transaction. It is the Conflict fault
// "policy.clash" if a family is not as the version says it was.
func (s *Store) PublishDraft(ctx context.Context, permit may.Permit, before, after standard.Draft, v standard.Version) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if before.State == standard.Pilot {
			if err := s.dropPilot(ctx, tx, before.Place, before.Pilot); err != nil {
				return err
			}
		}
		if v.Undoes != "" {
			if err := s.markUndone(ctx, tx, v); err != nil {
				return err
			}
		}
		if err := s.publish(ctx, tx, permit, v); err != nil {
			return err
		}
		return s.updateDraft(ctx, tx, permit, before, after)
	})
}

// unmoved makes sure that families are as somebody saw them, and that no pilot
// tries something else with them.
func (s *Store) unmoved(ctx context.Context, tx Tx, place standard.Place, was, touched map[string]standard.Say) error {
	is, err := s.saidAt(ctx, tx, place, "")
	if err != nil {
		return err
	}
	for family := range touched {
		if !standard.SameSay(is[family], was[family]) {
			return errs.E(errs.Conflict, "policy.clash", "family", family)
		}
		var pilots int
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM base_policies WHERE authority = $1 AND level = $2 AND place = $3 AND family = $4 AND pilot <> ''`,
			place.Branch.Authority, place.Level, place.ID, family).Scan(&pilots)
		if err != nil {
			return err
		}
		if pilots > 0 {
			return errs.E(errs.Conflict, "policy.pilot_runs", "family", family)
		}
	}
	return nil
}

// CountDrafts counts drafts of a branch in a state.
func (s *Store) CountDrafts(ctx context.Context, branch org.Branch, state standard.State) (int, error) {
	q := newQuery(`SELECT COUNT(*) FROM policy_drafts p WHERE p.state = ? AND `, state)
	q.place("p.authority", "p.school", branch)
	var n int
	err := s.reader(ctx).QueryRowContext(ctx, q.text(), q.args...).Scan(&n)
	return n, err
}

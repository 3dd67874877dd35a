package store

import (
	"context"
	"encoding/json"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/may"
	"schulwart.org/server/rollout"
)

// keepStep writes down what happens to a rollout, in the transaction in which it
// happens.
func (s *Store) keepStep(ctx context.Context, tx Tx, permit may.Permit, before ground.Status, after rollout.Rollout, what string) error {
	step := rollout.StepOf(before, after.Status, what)
	if step == "" {
		return nil
	}
	by := permit.Actor().Name
	if permit.Actor().Via == "job" {
		by = ""
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO rollout_steps (authority, rollout, n, at, what, by_name, status)
		VALUES ($1, $2, (SELECT COALESCE(MAX(n), 0) + 1 FROM rollout_steps WHERE authority = $1 AND rollout = $2), $3, $4, $5, $6)`,
		after.Branch.Authority, after.ID, millis(after.Changed), step, by, document(after.Status))
	return err
}

// Steps returns what happened to a rollout, the last first.
func (s *Store) Steps(ctx context.Context, authority, id org.ID) ([]rollout.Step, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (rollout.Step, error) {
		var step rollout.Step
		var at int64
		var status string
		if err := row.Scan(&at, &step.What, &step.By, &status); err != nil {
			return step, err
		}
		step.At = instant(at)
		return step, json.Unmarshal([]byte(status), &step.Status)
	}, `SELECT at, what, by_name, status FROM rollout_steps WHERE authority = $1 AND rollout = $2 ORDER BY n DESC LIMIT 200`, authority, id)
}

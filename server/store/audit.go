package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"schulwart.org/policies/org"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
)

// Target is what an audited act was done to.
type Target struct {
	Kind string // "mode", "device", "staff", …
	ID   org.ID
}

var errNoPermit = errors.New("store: write without a permit")

// record adds the audit row of an act to its transaction. The row is made from
// the permit; before and after are values that marshal to JSON, nil for none.
func (s *Store) record(ctx context.Context, tx Tx, permit may.Permit, target Target, before, after any) error {
	if !permit.Valid() {
		return errNoPermit
	}
	actor, branch := permit.Actor(), permit.Branch()
	was, is := document(before), document(after)
	salt := ids.Secret()
	at := millis(s.now())
	content := contentHash(salt, string(branch.Authority), string(actor.ID), actor.Name, actor.Via, actor.From, string(permit.Action()), string(branch.School), target.Kind, string(target.ID), was, is)
	_, err := tx.ExecContext(ctx, `INSERT INTO audit (authority, at, actor, actor_name, via, origin, action, school, target_kind, target, before, after, salt, content_hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		branch.Authority, at, actor.ID, actor.Name, actor.Via, actor.From, permit.Action(), branch.School, target.Kind, target.ID, was, is, salt, content)
	return err
}

func document(value any) string {
	if value == nil {
		return ""
	}
	data, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(data)
}

// documentList is document of a list, "[]" for an empty one.
func documentList[T any](list []T) string {
	if len(list) == 0 {
		return "[]"
	}
	return document(list)
}

func contentHash(salt string, fields ...string) string {
	sum := sha256.Sum256([]byte(salt + "\x00" + strings.Join(fields, "\x00")))
	return hex.EncodeToString(sum[:])
}

package store

import (
	"context"

	"schulwart.org/policies/org"
)

// turnMembers says that devices of a school, or of all schools of an authority,
// came, went, or changed their groups or licences. The row that it writes is held
// until the commit; whoever counted devices before that reads another turn after.
func (s *Store) turnMembers(ctx context.Context, tx Tx, branch org.Branch) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO member_turns (authority, school, turn) SELECT authority, id, 1 FROM schools WHERE authority = $1 AND ($2 = '' OR id = $2) ORDER BY id
		ON CONFLICT (authority, school) DO UPDATE SET turn = member_turns.turn + 1`, branch.Authority, branch.School)
	return err
}

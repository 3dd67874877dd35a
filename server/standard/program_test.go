package standard_test

import (
	"testing"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func execProgram(t *testing.T, s *store.Store, id org.ID, maker may.Actor, authority org.ID) {
	t.Helper()
	storetest.Exec(t, s, `INSERT INTO programs (authority, id, name, maker, maker_name, grants, created, expires) VALUES ($1, $2, 'Skript', $3, $4, '[]', 1, 9000000000000)`, authority, id, maker.ID, maker.Name)
}

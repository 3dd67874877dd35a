// Package storetest opens stores for tests: SQLite in a temporary file always,
// PostgreSQL where TEST_POSTGRES_DSN names one, each with empty tables.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"schulwart.org/scripts/need"
	"schulwart.org/server/ids"
	"schulwart.org/server/store"
)

// Open returns a store on SQLite in a temporary file.
func Open(t testing.TB) *store.Store {
	t.Helper()
	return open(t, "sqlite:"+filepath.Join(t.TempDir(), "schulwart.db"))
}

// Run runs the test on both databases. Without PostgreSQL that half is skipped
// with one line.
func Run(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, Open(t)) })
	t.Run("postgres", func(t *testing.T) {
		test(t, open(t, Postgres(t)))
	})
}

// Postgres returns the address of a PostgreSQL database without tables; the test
// is skipped with one line where there is none.
func Postgres(t testing.TB) string {
	t.Helper()
	dsn := os.Getenv("TEST_POSTGRES_DSN")
	if dsn == "" {
		need.Missing(t, "TEST_POSTGRES_DSN (a PostgreSQL server)")
	}
	return ownSchema(t, dsn)
}

// ownSchema gives the test a schema of its own, dropped at its end.
func ownSchema(t testing.TB, dsn string) string {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	schema := "t_" + strings.ReplaceAll(ids.New().String(), "-", "")
	if _, err := db.Exec(`CREATE SCHEMA ` + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = db.Exec(fmt.Sprintf(`DROP SCHEMA %s CASCADE`, schema))
		_ = db.Close()
	})
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

func open(t testing.TB, address string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{URL: address, KeyFile: filepath.Join(t.TempDir(), "key")})
	if err != nil {
		t.Fatal(err)
	}
	addresses.Store(s, address)
	t.Cleanup(func() {
		addresses.Delete(s)
		_ = s.Close()
	})
	return s
}

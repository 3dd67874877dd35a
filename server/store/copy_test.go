package store_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// Rows of every kind go to PostgreSQL and back: texts that it does not take,
// booleans, more rows than one statement carries, numbers that were given.
func TestADatabaseMovesToPostgreSQLAndBack(t *testing.T) {
	ctx := context.Background()
	first, address := storetest.Open(t), storetest.Postgres(t)
	school, _ := storetest.School(t, first)
	permit := may.System("test", school)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(first.CreateDevice(ctx, permit, roster.Device{Authority: school.Authority, ID: "d1", School: school.School, Name: "Tablet äöü \u2603", Platform: org.IPadOS, Source: "hand"}))
	storetest.Exec(t, first, `UPDATE devices SET simulated = TRUE, model = 'a' || CHAR(0) || 'b' || CAST(x'ff' AS TEXT)`)
	storetest.Exec(t, first, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) INSERT INTO contacts (authority, school, minute, n) SELECT 'a', 's', i, i FROM n`)
	for piece := range 12 { // more than one statement carries, and no text
		storetest.Exec(t, first, `INSERT INTO app_pieces (authority, blob, begins, content) VALUES ('a', 'b', $1, $2)`, piece, append([]byte{0, 0xff, 0x27, byte(piece)}, make([]byte, 1_000_000)...))
	}
	// Archived: the rows are gone, and their numbers are not given again.
	given := storetest.Ask(t, first, `SELECT MAX(seq) FROM audit`)
	storetest.Exec(t, first, `DELETE FROM audit`)

	file := filepath.Join(t.TempDir(), "first.db")
	must(first.Snapshot(ctx, file))
	must(store.Vacant(ctx, address))
	must(store.CopyInto(ctx, file, address))
	if err := store.CopyInto(ctx, file, address); !errs.Is(err, errs.Conflict) {
		t.Fatalf("onto a database that holds something: %v", err)
	}
	second, err := store.Open(ctx, store.Options{URL: address, KeyFile: filepath.Join(t.TempDir(), "key")})
	must(err)
	defer second.Close()
	back := filepath.Join(t.TempDir(), "second.db")
	must(second.Snapshot(ctx, back))

	left, right := dump(t, file), dump(t, back)
	for table, rows := range left {
		if table != "goose_db_version" && table != "devices" && rows != right[table] {
			t.Errorf("%s: %s became %s", table, rows, right[table])
		}
	}
	if len(left) < 20 || len(left) != len(right) {
		t.Errorf("%d tables became %d", len(left), len(right))
	}
	device, err := second.FindDevice(ctx, "d1")
	if err != nil || device.Name != "Tablet äöü \u2603" || device.Model != "ab\ufffd" || !device.Simulated {
		t.Errorf("%+v, %v", device, err)
	}
	must(second.CreateDevice(ctx, permit, roster.Device{Authority: school.Authority, ID: "d2", School: school.School, Name: "Neu", Platform: org.Linux, Source: "hand"}))
	db, err := sql.Open("pgx", address)
	must(err)
	defer db.Close()
	var next int64
	must(db.QueryRow(`SELECT MIN(seq) FROM audit`).Scan(&next))
	if before, err := strconv.ParseInt(given, 10, 64); err != nil || next <= before {
		t.Errorf("after row %s of the audit chain, which is archived, came row %d", given, next)
	}
}

// A snapshot is what one transaction saw, whatever is written beside it.
func TestASnapshotOfPostgreSQLIsOfOneMoment(t *testing.T) {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{URL: storetest.Postgres(t), KeyFile: filepath.Join(t.TempDir(), "key")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// How often it was counted, written in the same transactions: the tables lie
	// far apart, and are copied one after the other.
	written := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		for n := 1; ; n++ {
			select {
			case <-done:
				written <- nil
				return
			default:
			}
			err := s.Atomically(ctx, func(ctx context.Context) error {
				if err := s.PutSetting(ctx, "count", strconv.Itoa(n)); err != nil {
					return err
				}
				_, err := s.ClaimRun(ctx, "job", strconv.Itoa(n))
				return err
			})
			if err != nil {
				written <- err
				return
			}
		}
	}()
	var last int
	for range 5 {
		file := filepath.Join(t.TempDir(), "copy.db")
		if err := s.Snapshot(ctx, file); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", file)
		if err != nil {
			t.Fatal(err)
		}
		var runs, count int
		if err := db.QueryRow(`SELECT (SELECT COUNT(*) FROM job_runs), COALESCE((SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'count'), 0)`).Scan(&runs, &count); err != nil {
			t.Fatal(err)
		}
		_ = db.Close()
		if runs != count {
			t.Errorf("%d runs of %d", runs, count)
		}
		last = runs
	}
	close(done)
	if err := <-written; err != nil || last == 0 {
		t.Fatalf("%d written, %v", last, err)
	}
}

// dump says of every table how many rows it has, and what is in them.
func dump(t *testing.T, file string) map[string]string {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables := map[string]string{}
	rows, err := db.Query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables[name] = ""
	}
	for name := range tables {
		tables[name] = content(t, db, name)
	}
	return tables
}

func content(t *testing.T, db *sql.DB, table string) string {
	t.Helper()
	rows, err := db.Query(`SELECT * FROM "` + table + `"`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var lines []string
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprint(values...))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return fmt.Sprintf("%d rows, %x", len(lines), sum[:8])
}

package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"

	"schulwart.org/server/errs"
)

// A backup always holds an SQLite database, whatever the installation runs on:
// so it goes onto either. Both databases have the same tables, by the same
// migrations; what is copied are rows.

// snapshotPostgres copies the database as one transaction saw it into a new
// SQLite file.
func (s *Store) snapshotPostgres(ctx context.Context, file string) error {
	// As with any snapshot, whoever stops half-way throws the file away.
	to, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)")
	if err != nil {
		return fmt.Errorf("opening the snapshot: %w", err)
	}
	defer to.Close()
	to.SetMaxOpenConns(1)
	if err := migrate(ctx, to, goose.DialectSQLite3, "migrations/sqlite"); err != nil {
		return err
	}
	from, err := s.copier.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("beginning the snapshot: %w", err)
	}
	defer from.Rollback() //nolint:errcheck // it only read
	if err := copyAll(ctx, copied{from, postgres}, to, sqlite); err != nil {
		return fmt.Errorf("copying the database: %w", err)
	}
	return to.Close()
}

// CopyInto puts the database of an SQLite file, brought up to date first, into
// the one at the address, all of it or nothing. One that holds anything is a
// Conflict fault "restore.not_empty".
func CopyInto(ctx context.Context, file, address string) error {
	before, err := sql.Open("sqlite", sqliteURL(file, false))
	if err != nil {
		return fmt.Errorf("opening %s: %w", file, err)
	}
	defer before.Close()
	before.SetMaxOpenConns(1)
	if err := migrate(ctx, before, goose.DialectSQLite3, "migrations/sqlite"); err != nil {
		return err
	}
	to := &Store{log: slog.New(slog.DiscardHandler)}
	if err := to.openPostgres(ctx, address); err != nil {
		return err
	}
	defer to.Close() //nolint:errcheck // all is committed or nothing
	if err := to.vacant(ctx); err != nil {
		return err
	}
	from, err := before.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer from.Rollback() //nolint:errcheck // it only read
	if err := copyAll(ctx, copied{from, sqlite}, to.copier, postgres); err != nil {
		return fmt.Errorf("copying the database: %w", err)
	}
	return nil
}

// Vacant is a Conflict fault "restore.not_empty" where the PostgreSQL database
// at the address holds anything.
func Vacant(ctx context.Context, address string) error {
	s := &Store{log: slog.New(slog.DiscardHandler)}
	if err := s.openPostgres(ctx, address); err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // it only read
	return s.vacant(ctx)
}

func (s *Store) vacant(ctx context.Context) error {
	var rows int
	if err := s.readers.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM settings) + (SELECT COUNT(*) FROM authorities) + (SELECT COUNT(*) FROM audit)`).Scan(&rows); err != nil {
		return err
	}
	if rows > 0 {
		return errs.E(errs.Conflict, "restore.not_empty", "file", "PostgreSQL")
	}
	return nil
}

// copied is a transaction with its dialect.
type copied struct {
	*sql.Tx
	dialect dialect
}

// copyAll replaces every row of to by those of from, in one transaction.
func copyAll(ctx context.Context, from copied, to *sql.DB, dialect dialect) error {
	tx, err := to.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	into := copied{tx, dialect}
	tables, err := from.tables(ctx)
	if err != nil {
		return err
	}
	known, err := into.tables(ctx)
	if err != nil {
		return err
	}
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		if known[table] == nil {
			return fmt.Errorf("there is no table %s", table)
		}
		if err := copyTable(ctx, from, into, table, tables[table], known[table]); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
	}
	if err := copyCounters(ctx, from, into); err != nil {
		return err
	}
	return tx.Commit()
}

// columns are the types of a table's columns, by name.
type columns map[string]string

// tables lists all tables but the one in which migrations are counted.
func (d copied) tables(ctx context.Context) (map[string]columns, error) {
	query := `SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()`
	if d.dialect == sqlite {
		query = `SELECT t.name, c.name, LOWER(c.type) FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'`
	}
	type column struct{ table, name, kind string }
	found, err := collect(ctx, d.Tx, func(row scanner) (column, error) {
		var c column
		return c, row.Scan(&c.table, &c.name, &c.kind)
	}, query)
	if err != nil {
		return nil, err
	}
	tables := map[string]columns{}
	for _, c := range found {
		if c.table == goose.DefaultTablename {
			continue
		}
		if tables[c.table] == nil {
			tables[c.table] = columns{}
		}
		tables[c.table][c.name] = c.kind
	}
	return tables, nil
}

// valuesAtOnce bounds how many values one statement carries: SQLite takes 32766.
const valuesAtOnce = 30_000

// bytesAtOnce bounds what files it carries, whatever their number.
const bytesAtOnce = 8 << 20

func copyTable(ctx context.Context, from, to copied, table string, columns, known columns) error {
	if _, err := to.ExecContext(ctx, `DELETE FROM `+quoted(table)); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(columns))
	list := make([]string, len(names))
	for i, name := range names {
		if known[name] == "" {
			return fmt.Errorf("there is no column %s", name)
		}
		list[i] = quoted(name)
	}
	rows, err := from.QueryContext(ctx, `SELECT `+strings.Join(list, ", ")+` FROM `+quoted(table))
	if err != nil {
		return err
	}
	defer rows.Close()
	head := `INSERT INTO ` + quoted(table) + ` (` + strings.Join(list, ", ") + `) `
	if to.dialect == postgres {
		head += `OVERRIDING SYSTEM VALUE `
	}
	var batch []any
	var held int
	flush := func() error {
		held = 0
		if len(batch) == 0 {
			return nil
		}
		_, err := to.ExecContext(ctx, head+`VALUES `+placeholders(len(batch)/len(names), len(names)), batch...)
		batch = batch[:0]
		return err
	}
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, value := range values {
			value = fitting(value, known[names[i]], to.dialect)
			if bytes, ok := value.([]byte); ok {
				held += len(bytes)
			}
			batch = append(batch, value)
		}
		if len(batch)+len(names) > valuesAtOnce || held > bytesAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return flush()
}

// fitting turns a value of one database into one of the other: SQLite has no
// booleans, PostgreSQL takes no text with zero bytes or broken UTF-8.
func fitting(value any, kind string, to dialect) any {
	if bytes, ok := value.([]byte); ok {
		if kind == "bytea" || kind == "blob" {
			return bytes
		}
		value = string(bytes)
	}
	if to != postgres {
		return value
	}
	switch v := value.(type) {
	case int64:
		if kind == "boolean" {
			return v != 0
		}
	case string:
		return strings.ToValidUTF8(strings.ReplaceAll(v, "\x00", ""), "\ufffd")
	}
	return value
}

func placeholders(rows, columns int) string {
	var text strings.Builder
	n := 0
	for row := range rows {
		if row > 0 {
			text.WriteString(", ")
		}
		for column := range columns {
			text.WriteString([]string{"(", ", "}[min(column, 1)])
			n++
			text.WriteString("$" + strconv.Itoa(n))
		}
		text.WriteByte(')')
	}
	return text.String()
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// counted are the tables whose rows are numbered by the database. A number is
// never given twice, though the row may be gone: the audit chain counts on it.
var counted = []string{"audit", "marks"}

func copyCounters(ctx context.Context, from, to copied) error {
	for _, table := range counted {
		last, err := from.counter(ctx, table)
		if err != nil {
			return err
		}
		if err := to.count(ctx, table, last); err != nil {
			return fmt.Errorf("numbers of %s: %w", table, err)
		}
	}
	return nil
}

// counter returns the last number that was given, 0 if none was.
func (d copied) counter(ctx context.Context, table string) (int64, error) {
	query := `SELECT COALESCE((SELECT last_value FROM pg_sequences WHERE schemaname = current_schema() AND sequencename = $1 || '_seq_seq'), 0)`
	if d.dialect == sqlite {
		query = `SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = $1), 0)`
	}
	var last int64
	return last, d.QueryRowContext(ctx, query, table).Scan(&last)
}

func (d copied) count(ctx context.Context, table string, last int64) error {
	if d.dialect == postgres {
		if last == 0 {
			return nil
		}
		_, err := d.ExecContext(ctx, `SELECT setval(pg_get_serial_sequence($1, 'seq'), $2)`, table, last)
		return err
	}
	if _, err := d.ExecContext(ctx, `DELETE FROM sqlite_sequence WHERE name = $1`, table); err != nil {
		return err
	}
	_, err := d.ExecContext(ctx, `INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)`, table, last)
	return err
}

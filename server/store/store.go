// Package store is the only place with SQL. One text serves SQLite and
// PostgreSQL; what differs is in open.go. Rooms see it through the small
// interfaces that they declare themselves.
//
// Each table is written by one file, named after it; reads may join. A use case
// is one method and one transaction. Where two rooms must agree, Atomically
// makes their calls one transaction.
package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"schulwart.org/server/errs"
)

// Store keeps everything that the server must not forget.
type Store struct {
	log     *slog.Logger
	dialect dialect
	writer  writer
	readers Tx
	copier  *sql.DB // makes snapshots beside the readers
	vault   *Vault
	now     func() time.Time
	close   func() error
}

// Tx is what a statement needs: a transaction or a pool of readers.
type Tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// writer runs functions in transactions. It returns after the commit.
type writer interface {
	write(ctx context.Context, urgent bool, fn func(ctx context.Context, tx Tx) error) error
}

type txKey struct{}
type urgentKey struct{}

// Urgent marks work that a person waits for; it overtakes what devices send.
func Urgent(ctx context.Context) context.Context { return context.WithValue(ctx, urgentKey{}, true) }

// Atomically makes the store calls inside fn one transaction. It may run fn
// twice, so fn must do nothing else.
func (s *Store) Atomically(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.write(ctx, func(ctx context.Context, _ Tx) error { return fn(ctx) })
}

// write runs fn in a transaction: the one of the context if there is one, else
// one of its own that is durable when write returns.
func (s *Store) write(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error {
	if tx, ok := ctx.Value(txKey{}).(Tx); ok {
		return fn(ctx, tx)
	}
	urgent, _ := ctx.Value(urgentKey{}).(bool)
	return s.writer.write(ctx, urgent, func(ctx context.Context, tx Tx) error {
		return fn(context.WithValue(ctx, txKey{}, tx), tx)
	})
}

// exec is write for a single statement. It returns the number of rows changed.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	var changed int64
	err := s.write(ctx, func(ctx context.Context, tx Tx) error {
		result, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		changed, err = result.RowsAffected()
		return err
	})
	return changed, err
}

// reader returns where to read from: the transaction of the context, so that it
// sees its own writes, else the pool of readers.
func (s *Store) reader(ctx context.Context) Tx {
	if tx, ok := ctx.Value(txKey{}).(Tx); ok {
		return tx
	}
	return s.readers
}

// scanner is a row or rows.
type scanner interface{ Scan(dest ...any) error }

// collect reads all rows of a query with one scan function per noun.
func collect[T any](ctx context.Context, tx Tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// one reads a single row; no row is a NotFound fault with the key.
func one[T any](row *sql.Row, scan func(scanner) (T, error), notFound string) (T, error) {
	found, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return found, errs.E(errs.NotFound, notFound)
	}
	return found, err
}

// millis and instant translate times: BIGINT unix milliseconds, 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Ready reports whether the database answers.
func (s *Store) Ready(ctx context.Context) error {
	var n int
	return s.readers.QueryRowContext(ctx, `SELECT 1`).Scan(&n)
}

// Close waits for the last transaction and closes the database.
func (s *Store) Close() error { return s.close() }

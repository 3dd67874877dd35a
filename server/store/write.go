package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// batchSize bounds how many requests share one commit, and so how much work a
// failed commit undoes.
const batchSize = 256

// job is one request to write. done receives its fate after the commit.
type job struct {
	ctx  context.Context
	fn   func(ctx context.Context, tx Tx) error
	done chan error
}

// groupWriter owns SQLite's only writing connection. Requests that wait share
// one transaction, a savepoint each, so one fsync serves many; there is no
// timer: while one commit runs, the next batch gathers. Urgent requests go
// first.
type groupWriter struct {
	conn   Tx
	log    *slog.Logger
	urgent chan *job
	normal chan *job
	quit   chan struct{}
	ended  sync.WaitGroup
}

func newGroupWriter(conn *sql.Conn, log *slog.Logger) *groupWriter {
	w := &groupWriter{conn: prepare(conn), log: log, urgent: make(chan *job, batchSize), normal: make(chan *job, batchSize), quit: make(chan struct{})}
	w.ended.Add(1)
	go w.run()
	return w
}

func (w *groupWriter) write(ctx context.Context, urgent bool, fn func(context.Context, Tx) error) error {
	j := &job{ctx: ctx, fn: fn, done: make(chan error, 1)}
	queue := w.normal
	if urgent {
		queue = w.urgent
	}
	select {
	case queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return errClosed
	}
	// Once queued, the fate is awaited: an answer before the commit would be a
	// promise that nobody keeps.
	select {
	case err := <-j.done:
		return err
	case <-w.quit:
		select {
		case err := <-j.done:
			return err
		default:
			return errClosed
		}
	}
}

var errClosed = errors.New("store: closed")

func (w *groupWriter) stop() {
	close(w.quit)
	w.ended.Wait()
}

func (w *groupWriter) run() {
	defer w.ended.Done()
	for {
		batch := w.gather()
		if batch == nil {
			return
		}
		w.commit(batch)
	}
}

// gather waits for one request and takes whatever else is there, urgent first.
func (w *groupWriter) gather() []*job {
	var batch []*job
	select {
	case j := <-w.urgent:
		batch = append(batch, j)
	default:
		select {
		case j := <-w.urgent:
			batch = append(batch, j)
		case j := <-w.normal:
			batch = append(batch, j)
		case <-w.quit:
			return nil
		}
	}
	for len(batch) < batchSize {
		select {
		case j := <-w.urgent:
			batch = append(batch, j)
			continue
		default:
		}
		select {
		case j := <-w.normal:
			batch = append(batch, j)
			continue
		default:
		}
		break
	}
	return batch
}

// commit runs a batch in one transaction. A request that fails rolls back to
// its savepoint and disturbs nobody. When the commit itself fails, each hears it.
func (w *groupWriter) commit(batch []*job) {
	ctx := context.Background()
	fates := make([]error, len(batch))
	err := w.begin(ctx)
	if err == nil {
		for i, j := range batch {
			fates[i] = w.runOne(j, len(batch) == 1)
		}
		err = w.end(ctx, len(batch) == 1 && fates[0] != nil)
	}
	if err != nil {
		w.log.Error("writing to the database", "error", err, "requests", len(batch))
	}
	for i, j := range batch {
		if fates[i] == nil {
			fates[i] = err
		}
		j.done <- fates[i]
	}
}

func (w *groupWriter) begin(ctx context.Context) error {
	_, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	if err != nil {
		// A former batch may have left its transaction open when it panicked.
		_, _ = w.conn.ExecContext(ctx, "ROLLBACK")
		_, err = w.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	}
	if err != nil {
		return fmt.Errorf("beginning: %w", err)
	}
	return nil
}

// end commits what the batch did, or undoes it all.
func (w *groupWriter) end(ctx context.Context, undo bool) error {
	if undo {
		_, err := w.conn.ExecContext(ctx, "ROLLBACK")
		return err
	}
	if _, err := w.conn.ExecContext(ctx, "COMMIT"); err != nil {
		_, _ = w.conn.ExecContext(ctx, "ROLLBACK")
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// runOne runs a request. One that is alone in its batch needs no savepoint: if it
// fails, the whole transaction is undone.
func (w *groupWriter) runOne(j *job, alone bool) (err error) {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	// The request's own deadline must not tear the connection out of the batch.
	ctx := context.WithoutCancel(j.ctx)
	if alone {
		return call(ctx, j.fn, w.conn)
	}
	if _, err := w.conn.ExecContext(ctx, "SAVEPOINT request"); err != nil {
		return fmt.Errorf("beginning: %w", err)
	}
	if err = call(ctx, j.fn, w.conn); err != nil {
		_, _ = w.conn.ExecContext(ctx, "ROLLBACK TO request")
	}
	_, _ = w.conn.ExecContext(ctx, "RELEASE request")
	return err
}

// call turns a panic of the request into its fault.
func call(ctx context.Context, fn func(context.Context, Tx) error, tx Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: panic in a transaction: %v", p)
		}
	}()
	return fn(ctx, tx)
}

// plainWriter gives each request a transaction of its own, as PostgreSQL likes
// it, and repeats one that lost against another.
type plainWriter struct{ db *sql.DB }

func (w plainWriter) write(ctx context.Context, _ bool, fn func(context.Context, Tx) error) error {
	var err error
	for range 5 {
		if err = w.once(ctx, fn); !lostRace(err) {
			return err
		}
	}
	return err
}

func (w plainWriter) once(ctx context.Context, fn func(context.Context, Tx) error) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	if err := fn(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// lostRace reports a serialization failure or a deadlock (SQLSTATE class 40).
func lostRace(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && len(pg.Code) == 5 && pg.Code[:2] == "40"
}

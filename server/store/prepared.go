package store

import (
	"context"
	"database/sql"
	"sync"
)

// mostPrepared bounds the statements that are kept; longest keeps lists of many
// parameters, which come in all lengths, from filling them up.
const (
	mostPrepared    = 400
	longestPrepared = 4096
)

// prepared keeps statements prepared, on one connection or on a pool. SQLite
// spends more time on reading a short statement than on doing it. (PostgreSQL's
// driver keeps its own.)
type prepared struct {
	on interface {
		Tx
		PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	}
	mu    sync.RWMutex
	stmts map[string]*sql.Stmt
}

func prepare(conn *sql.Conn) *prepared   { return &prepared{on: conn, stmts: map[string]*sql.Stmt{}} }
func preparePool(pool *sql.DB) *prepared { return &prepared{on: pool, stmts: map[string]*sql.Stmt{}} }

// statement returns a kept statement, nil if this one is not kept or cannot be
// read; running it as it stands then says why.
func (p *prepared) statement(ctx context.Context, query string) *sql.Stmt {
	p.mu.RLock()
	stmt, n := p.stmts[query], len(p.stmts)
	p.mu.RUnlock()
	if stmt != nil || n >= mostPrepared || len(query) > longestPrepared {
		return stmt
	}
	fresh, err := p.on.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if stmt := p.stmts[query]; stmt != nil {
		_ = fresh.Close() //nolint:sqlclosecheck // another goroutine was faster
		return stmt
	}
	p.stmts[query] = fresh
	return fresh
}

// ExecContext runs a statement.
func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := p.statement(ctx, query); stmt != nil { //nolint:sqlclosecheck // kept for the next time
		return stmt.ExecContext(ctx, args...)
	}
	return p.on.ExecContext(ctx, query, args...)
}

// QueryContext runs a query.
func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := p.statement(ctx, query); stmt != nil { //nolint:sqlclosecheck // kept for the next time
		return stmt.QueryContext(ctx, args...)
	}
	return p.on.QueryContext(ctx, query, args...)
}

// QueryRowContext runs a query for one row.
func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := p.statement(ctx, query); stmt != nil { //nolint:sqlclosecheck // kept for the next time
		return stmt.QueryRowContext(ctx, args...)
	}
	return p.on.QueryRowContext(ctx, query, args...)
}

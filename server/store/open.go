package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations
var migrations embed.FS

type dialect string

const (
	sqlite   dialect = "sqlite"
	postgres dialect = "postgres"
)

// Options say where the data is.
type Options struct {
	// URL is sqlite:FILE or postgres://….
	URL string
	// KeyFile holds the key under which secrets are sealed. It is made if it
	// does not exist; keep it apart from backups of the database.
	KeyFile string
	Log     *slog.Logger
	Now     func() time.Time
}

// Open opens the database, brings its tables up to date and unlocks the vault.
func Open(ctx context.Context, options Options) (*Store, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	vault, err := openVault(options.KeyFile)
	if err != nil {
		return nil, err
	}
	s := &Store{log: options.Log, now: options.Now, vault: vault}
	if strings.HasPrefix(options.URL, "postgres:") || strings.HasPrefix(options.URL, "postgresql:") {
		err = s.openPostgres(ctx, options.URL)
	} else {
		err = s.openSQLite(ctx, strings.TrimPrefix(options.URL, "sqlite:"))
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openSQLite opens one connection that writes and a pool that only reads,
// capped at the number of cores: more readers starve the writer.
func (s *Store) openSQLite(ctx context.Context, file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	// SQLite gives its other files the rights of this one. The directory may be
	// older than we are, and open to all.
	if made, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		_ = made.Close()
	}
	s.dialect = sqlite
	writing, err := sql.Open("sqlite", sqliteURL(file, false))
	if err != nil {
		return fmt.Errorf("opening %s: %w", file, err)
	}
	writing.SetMaxOpenConns(1)
	if err := migrate(ctx, writing, goose.DialectSQLite3, "migrations/sqlite"); err != nil {
		return err
	}
	reading, err := sql.Open("sqlite", sqliteURL(file, true))
	if err != nil {
		return fmt.Errorf("opening %s for reading: %w", file, err)
	}
	reading.SetMaxOpenConns(max(2, runtime.NumCPU()))
	reading.SetMaxIdleConns(max(2, runtime.NumCPU()))
	conn, err := writing.Conn(ctx)
	if err != nil {
		return fmt.Errorf("opening the writing connection: %w", err)
	}
	copying, err := sql.Open("sqlite", sqliteURL(file, false))
	if err != nil {
		return fmt.Errorf("opening %s for snapshots: %w", file, err)
	}
	copying.SetMaxOpenConns(1)
	group := newGroupWriter(conn, s.log)
	s.writer, s.readers, s.copier = group, preparePool(reading), copying
	s.close = func() error {
		group.stop()
		_ = reading.Close()
		_ = copying.Close()
		_ = conn.Close()
		return writing.Close()
	}
	return nil
}

func sqliteURL(file string, readOnly bool) string {
	q := url.Values{}
	q.Add("_pragma", "busy_timeout(10000)")
	q.Add("_pragma", "journal_mode(WAL)")
	q.Add("_pragma", "synchronous(FULL)")
	q.Add("_pragma", "foreign_keys(ON)")
	q.Add("_pragma", "temp_store(MEMORY)")
	q.Add("_pragma", "cache_size(-65536)")
	if readOnly {
		q.Add("_pragma", "query_only(ON)")
	}
	q.Set("_txlock", "immediate")
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + q.Encode()
}

func (s *Store) openPostgres(ctx context.Context, address string) error {
	s.dialect = postgres
	db, err := sql.Open("pgx", address)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	db.SetMaxOpenConns(4 * runtime.NumCPU())
	db.SetMaxIdleConns(4 * runtime.NumCPU())
	if err := migrate(ctx, db, goose.DialectPostgres, "migrations/postgres"); err != nil {
		return err
	}
	s.writer, s.readers, s.copier, s.close = plainWriter{db}, db, db, db.Close
	return nil
}

func migrate(ctx context.Context, db *sql.DB, dialect database.Dialect, folder string) error {
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, files)
	if err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bringing the tables up to date: %w", err)
	}
	return nil
}

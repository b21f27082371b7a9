package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/molnvakt/molnvakt/findings"
)

//go:embed schema/*.sql
var schema embed.FS

// migrate brings our tables and the queue's up to date.
func migrate(ctx context.Context, pool *sql.DB) error {
	ours, err := migrations(pool)
	if err != nil {
		return err
	}
	if err := notNewer(ctx, pool, ours); err != nil {
		return err
	}
	if _, err := ours.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	queue, err := rivermigrate.New(riversqlite.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if _, err := queue.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate queue: %w", err)
	}
	return nil
}

func migrations(pool *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, pool, files, goose.WithLogger(goose.NopLogger()))
}

// versionOf returns the schema's version in the database, 0 for a new one.
func versionOf(ctx context.Context, pool *sql.DB) (int64, error) {
	var version sql.NullInt64
	err := pool.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied = 1").Scan(&version)
	if foreign := (sqlite3.Error{}); errors.As(err, &foreign) && foreign.Code == sqlite3.ErrError {
		return 0, nil // no such table
	}
	return version.Int64, err
}

func latest(ours *goose.Provider) int64 { return slices.Max(versions(ours)) }

func versions(ours *goose.Provider) []int64 {
	var all []int64
	for _, s := range ours.ListSources() {
		all = append(all, s.Version)
	}
	return all
}

func notNewer(ctx context.Context, pool *sql.DB, ours *goose.Provider) error {
	version, err := versionOf(ctx, pool)
	if err != nil {
		return err
	}
	if version > latest(ours) {
		return fmt.Errorf("its schema is %d, this program knows %d: %w", version, latest(ours), findings.ErrNewer)
	}
	return nil
}

func upToDate(ctx context.Context, pool *sql.DB) (bool, error) {
	ours, err := migrations(pool)
	if err != nil {
		return false, err
	}
	if err := notNewer(ctx, pool, ours); err != nil {
		return false, err
	}
	version, err := versionOf(ctx, pool)
	return version == latest(ours), err
}

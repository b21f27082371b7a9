// Package sqlite keeps the register in one SQLite file: the choice for one
// machine. One process writes at a time; others may read meanwhile.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/molnvakt/molnvakt/findings"
)

// Options of Open. The zero value is good.
type Options struct {
	// ReadOnly opens the register for reports while another process may be
	// writing. What would write returns ErrUnwritable.
	ReadOnly bool
	Log      *slog.Logger     // of the queue's own trouble; nil: discarded
	Now      func() time.Time // nil: time.Now
}

// DB is a findings.Store in one file.
type DB struct {
	// SQLite allows one writer at a time: one connection writes, a pool reads.
	write, read *sql.DB
	lock        io.Closer // held while open for writing
	seal        sealer
	jobs        *river.Client[*sql.Tx] // inserts only; Work makes its own
	log         *slog.Logger
	now         func() time.Time
	working     atomic.Bool
}

var _ findings.Store = (*DB)(nil)

// Options go into the DSN: set by PRAGMA they would reach one connection only.
const (
	writer  = "_journal_mode=WAL&_busy_timeout=10000&_synchronous=NORMAL&_foreign_keys=on&_txlock=immediate&_stmt_cache_size=100"
	reader  = "mode=ro&_busy_timeout=10000&_foreign_keys=on&_query_only=true&_stmt_cache_size=20"
	readers = 8
)

// Open opens the register at path, creates it if it is not there and brings
// an older one up to date. The error wraps ErrLocked if another process has it
// open for writing, ErrNewer, ErrWrongKey, ErrFull, ErrUnwritable or
// ErrDamaged; with Options.ReadOnly also ErrNotFound. The caller closes it.
func Open(ctx context.Context, path string, key findings.Key, o Options) (*DB, error) {
	db, err := open(ctx, path, key, o)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", path, translate(err))
	}
	return db, nil
}

func open(ctx context.Context, path string, key findings.Key, o Options) (*DB, error) {
	if key.IsZero() {
		return nil, fmt.Errorf("%w: no key", findings.ErrWrongKey)
	}
	db := &DB{seal: newSealer(key), log: o.Log, now: o.Now}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if db.now == nil {
		db.now = time.Now
	}
	prepare := db.openWriter
	if o.ReadOnly {
		prepare = db.openReader
	}
	if err := prepare(ctx, path, key); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) openWriter(ctx context.Context, path string, key findings.Key) (err error) {
	if db.lock, err = takeLock(path + ".lock"); err != nil {
		return err
	}
	if err = createPrivate(path); err != nil {
		return err
	}
	if db.write, err = connect(path, writer, 1); err != nil {
		return err
	}
	if err = migrate(ctx, db.write); err != nil {
		return err
	}
	if err = db.bindKey(ctx, key); err != nil {
		return err
	}
	if db.jobs, err = river.NewClient(riversqlite.New(db.write), &river.Config{Logger: db.log}); err != nil {
		return err
	}
	db.read, err = connect(path, reader, readers)
	return err
}

func (db *DB) openReader(ctx context.Context, path string, key findings.Key) (err error) {
	if _, err = os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nothing was scanned yet: %w", findings.ErrNotFound)
	}
	if db.read, err = connect(path, reader, readers); err != nil {
		return err
	}
	current, err := upToDate(ctx, db.read)
	if err != nil {
		return err
	}
	if !current {
		if err := updateOnce(ctx, path, key); err != nil {
			return err
		}
	}
	return db.checkKey(ctx, key)
}

// updateOnce brings a register up to date for readers.
func updateOnce(ctx context.Context, path string, key findings.Key) error {
	db, err := open(ctx, path, key, Options{})
	if err != nil {
		return err
	}
	return db.Close()
}

func connect(path, options string, connections int) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	pool, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: absolute}).EscapedPath()+"?"+options)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// createPrivate makes the file, readable by its owner alone; SQLite gives the
// files beside it the same mode.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", findings.ErrUnwritable, err)
	}
	return f.Close()
}

// Close implements findings.Store.
func (db *DB) Close() error {
	var errs []error
	for _, pool := range []*sql.DB{db.read, db.write} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}

// inTx runs do in one writing transaction.
func (db *DB) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	if db.write == nil {
		return fmt.Errorf("opened for reading: %w", findings.ErrUnwritable)
	}
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return translate(err)
	}
	defer tx.Rollback() //nolint:errcheck // no-op after Commit
	if err := do(tx); err != nil {
		return translate(err)
	}
	return translate(tx.Commit())
}

// The moments of the database: microseconds since 1970 in UTC, 0 for never.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

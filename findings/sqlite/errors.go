package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"github.com/molnvakt/molnvakt/findings"
)

// translate gives SQLite's errors the names of package findings.
func translate(err error) error {
	var foreign sqlite3.Error
	if err == nil || !errors.As(err, &foreign) {
		if errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("%w: %w", findings.ErrFull, err)
		}
		if errors.Is(err, fs.ErrPermission) && !errors.Is(err, findings.ErrUnwritable) {
			return fmt.Errorf("%w: %w", findings.ErrUnwritable, err)
		}
		return err
	}
	if known := nameOf(foreign); known != nil && !errors.Is(err, known) {
		return fmt.Errorf("%w: %w", known, err)
	}
	return err
}

func nameOf(e sqlite3.Error) error {
	switch e.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return findings.ErrLocked
	case sqlite3.ErrFull:
		return findings.ErrFull
	case sqlite3.ErrIoErr:
		if e.SystemErrno == syscall.ENOSPC || e.SystemErrno == syscall.EDQUOT {
			return findings.ErrFull
		}
		return findings.ErrUnwritable
	case sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrPerm, sqlite3.ErrAuth:
		return findings.ErrUnwritable
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return findings.ErrDamaged
	}
	return nil
}

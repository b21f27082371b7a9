//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/molnvakt/molnvakt/findings"
)

// takeLock makes sure that one process writes at a time. The system lets go
// of the lock when the process ends, however it ends; the file stays.
func takeLock(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", findings.ErrUnwritable, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = findings.ErrLocked
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

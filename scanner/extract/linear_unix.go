//go:build unix

package extract

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// reserve takes addresses without memory behind them, or returns nil.
func reserve(size uint64) []byte {
	if size == 0 || size > 1<<32 {
		return nil
	}
	b, err := unix.Mmap(-1, 0, int(size), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil
	}
	return b
}

// linear is a reservation of which the beginning is in use.
type linear struct {
	reserved []byte
	usable   uint64
	held     *atomic.Int64
}

// linearStep is how much becomes usable at once, in bytes.
const linearStep = 1 << 20

// Reallocate implements experimental.LinearMemory. It returns nil where the
// process may not have so much.
func (l *linear) Reallocate(size uint64) []byte {
	if size > uint64(len(l.reserved)) {
		return nil
	}
	if size > l.usable {
		to := min((size+linearStep-1)&^(linearStep-1), uint64(len(l.reserved)))
		if unix.Mprotect(l.reserved[:to], unix.PROT_READ|unix.PROT_WRITE) != nil {
			return nil
		}
		l.held.Add(int64(to - l.usable)) //nolint:gosec // at most four GiB
		l.usable = to
	}
	return l.reserved[:size:size]
}

// Free implements experimental.LinearMemory.
func (l *linear) Free() {
	if l.reserved != nil {
		_ = unix.Munmap(l.reserved)
		l.held.Add(-int64(l.usable)) //nolint:gosec // at most four GiB
		l.reserved, l.usable = nil, 0
	}
}

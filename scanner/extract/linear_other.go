//go:build !unix

package extract

import (
	"sync/atomic"

	"github.com/tetratelabs/wazero/experimental"
)

func reserve(uint64) []byte { return nil }

// linear is never made here.
type linear struct {
	experimental.LinearMemory
	reserved []byte
	held     *atomic.Int64
}

package extract

import (
	"context"
	"sync/atomic"

	"github.com/tetratelabs/wazero/experimental"
)

// LinearMemory gives WebAssembly modules their memory outside the garbage
// collector's heap, where the system allows it: it grows without being copied
// and goes back to the system when its module is closed. What was read from it
// must not be used after that. The zero value is ready.
type LinearMemory struct{ held atomic.Int64 }

// In makes modules that are instantiated with the context use the memory.
func (m *LinearMemory) In(ctx context.Context) context.Context {
	return experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(m.allocate))
}

// Held is how many bytes the modules hold that are not closed.
func (m *LinearMemory) Held() int64 { return m.held.Load() }

func (m *LinearMemory) allocate(_, most uint64) experimental.LinearMemory {
	if r := reserve(most); r != nil {
		return &linear{reserved: r, held: &m.held}
	}
	return &heaped{most: most, held: &m.held}
}

// heaped is memory on the heap, for systems without reservations.
type heaped struct {
	content []byte
	most    uint64
	held    *atomic.Int64
}

// Reallocate implements experimental.LinearMemory.
func (h *heaped) Reallocate(size uint64) []byte {
	if size > h.most {
		return nil
	}
	h.held.Add(int64(size) - int64(len(h.content))) //nolint:gosec // at most four GiB
	if size <= uint64(cap(h.content)) {
		h.content = h.content[:size]
	} else {
		h.content = append(h.content, make([]byte, size-uint64(len(h.content)))...)
	}
	return h.content
}

// Free implements experimental.LinearMemory.
func (h *heaped) Free() {
	h.held.Add(-int64(len(h.content)))
	h.content = nil
}

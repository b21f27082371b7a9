package extract

import (
	"sync/atomic"
	"testing"

	"github.com/tetratelabs/wazero/experimental"
)

// TestLinearMemory: it starts as zeroes, keeps what is in it when it grows,
// does not grow over its bound, and is given back.
func TestLinearMemory(t *testing.T) {
	const page, most = 64 << 10, 8 << 20
	var counted atomic.Int64
	var m LinearMemory
	for name, memory := range map[string]struct {
		experimental.LinearMemory
		held func() int64
	}{
		"of the system": {m.allocate(0, most), m.Held},
		"of the heap":   {&heaped{most: most, held: &counted}, counted.Load},
	} {
		t.Run(name, func(t *testing.T) {
			for size := uint64(page); size <= most; size += 7 * page {
				b := memory.Reallocate(size)
				if uint64(len(b)) != size {
					t.Fatalf("%d bytes instead of %d", len(b), size)
				}
				if b[size-1] != 0 || size > page && b[0] != 1 {
					t.Fatalf("at %d bytes the first is %d, the last %d", size, b[0], b[size-1])
				}
				b[0] = 1
			}
			if memory.Reallocate(most+page) != nil {
				t.Error("grows over its bound")
			}
			if held := memory.held(); held < most/2 || held > most {
				t.Errorf("holds %d bytes", held)
			}
			memory.Free()
			if held := memory.held(); held != 0 {
				t.Errorf("%d bytes are still held", held)
			}
		})
	}
}

package graph

import (
	"bytes"
	"testing"
)

func TestQuickXor(t *testing.T) {
	pattern := func(n int, at func(i int) int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(at(i))
		}
		return b
	}
	// Computed with rclone's implementation.
	for want, content := range map[string][]byte{
		"AAAAAAAAAAAAAAAAAAAAAAAAAAA=": nil,
		"SgAAAAAAAAAAAAAAAQAAAAAAAAA=": []byte("J"),
		"aCiDGgAAAAAAAAAAAwAAAAAAAAA=": []byte("hej"),
		"////////////////X/////////8=": bytes.Repeat([]byte("a"), 160),
		"dgD8j0n8sM0aPE5CUJ8tqmilX/E=": pattern(1000, func(i int) int { return i*7 + 3 }),
		"iX5j+HYQjutkeUbWj9r2zABqqEM=": pattern(100003, func(i int) int { return i*i + i/7 }),
	} {
		for _, chunk := range []int{1, 7, 160, 4096, 1 << 20} {
			h := NewQuickXor()
			for rest := content; len(rest) > 0; rest = rest[min(chunk, len(rest)):] {
				h.Write(rest[:min(chunk, len(rest))])
			}
			if got := quickXorText(h); got != want {
				t.Errorf("%d bytes in chunks of %d: %s, want %s", len(content), chunk, got, want)
			}
		}
	}
}

func BenchmarkQuickXor(b *testing.B) {
	content := make([]byte, 1<<20)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		NewQuickXor().Write(content)
	}
}

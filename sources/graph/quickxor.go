package graph

import (
	"encoding/base64"
	"encoding/binary"
	"hash"
)

const (
	quickXorSize  = 20 // bytes: 160 bits
	quickXorShift = 11 // bits by which each further byte is rotated
)

// quickXor is QuickXorHash: byte i is exclusive-ored into a ring of 160 bits
// at bit 11·i; at the end the length is exclusive-ored into the last 64 bits.
// Source: Microsoft, "Code Snippets: QuickXorHash Algorithm".
type quickXor struct {
	// lanes[i] collects the bytes whose position is i modulo 160: after 160
	// bytes the ring has turned a whole number of times.
	lanes  [quickXorSize * 8]byte
	length uint64
}

// NewQuickXor returns a QuickXorHash, which SharePoint and OneDrive publish
// for every document.
func NewQuickXor() hash.Hash { return &quickXor{} }

// Write adds p; it never fails.
func (q *quickXor) Write(p []byte) (int, error) {
	n := len(p)
	at := int(q.length % uint64(len(q.lanes)))
	q.length += uint64(n)
	for len(p) > 0 {
		lane := q.lanes[at:]
		chunk := p[:min(len(lane), len(p))]
		lane = lane[:len(chunk)]
		for len(chunk) >= 8 {
			binary.LittleEndian.PutUint64(lane, binary.LittleEndian.Uint64(lane)^binary.LittleEndian.Uint64(chunk))
			at += 8
			p, chunk, lane = p[8:], chunk[8:], lane[8:]
		}
		for i := range chunk {
			lane[i] ^= chunk[i]
		}
		at = (at + len(chunk)) % len(q.lanes)
		p = p[len(chunk):]
	}
	return n, nil
}

// Sum appends the hash to b.
func (q *quickXor) Sum(b []byte) []byte {
	var ring [quickXorSize + 1]byte
	for i, v := range q.lanes {
		bit := i * quickXorShift % (quickXorSize * 8)
		wide := uint16(v) << (bit % 8)
		ring[bit/8] ^= byte(wide)
		ring[bit/8+1] ^= byte(wide >> 8)
	}
	ring[0] ^= ring[quickXorSize]
	for i := range 8 {
		ring[quickXorSize-8+i] ^= byte(q.length >> (8 * i))
	}
	return append(b, ring[:quickXorSize]...)
}

// Reset forgets everything written.
func (q *quickXor) Reset() { *q = quickXor{} }

// Size returns 20.
func (q *quickXor) Size() int { return quickXorSize }

// BlockSize returns 160, the length after which the ring has turned.
func (q *quickXor) BlockSize() int { return len(q.lanes) }

// quickXorText is the hash as the service writes it.
func quickXorText(h hash.Hash) string { return base64.StdEncoding.EncodeToString(h.Sum(nil)) }

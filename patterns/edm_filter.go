package patterns

import (
	"encoding/binary"
	"math/bits"
)

// exactFilter tells quickly that a value is not in an index: a Bloom filter in
// lines of 64 bytes, as large as those of the processor's cache, with one bit
// in each of the eight words of a value's line (Putze, Sanders and Singler
// 2009). Being asked about many values at once, it lets the processor wait for
// many lines at once.
type exactFilter struct {
	key   filterKey
	lines []byte
}

// Sizes of a filter: bytes of a line and, in tenths, bits a value; 0.36 % of
// all other values pass a full one.
const (
	filterLine      = 64
	filterBitTenths = 124
)

// filterLines returns how many lines a filter of so many values has.
func filterLines(values int) int {
	return max(1, (values*filterBitTenths+10*8*filterLine-1)/(10*8*filterLine))
}

func newExactFilter(key filterKey, lines int) *exactFilter {
	return &exactFilter{key, make([]byte, lines*filterLine)}
}

// filterKey is the key of a filter's hash, which is fast but may give its key
// away to whoever sees many of its values: files hold filters sealed.
type filterKey [3]uint64

func newFilterKey(b []byte) filterKey {
	var k filterKey
	for i := range k {
		k[i] = binary.LittleEndian.Uint64(b[8*i:]) | 1
	}
	return k
}

// hash hashes a normal value of a row by folded multiplication.
func (k *filterKey) hash(row uint32, value []byte) uint64 {
	h := k[0] ^ uint64(row)<<32 ^ uint64(len(value))
	for len(value) > 16 {
		h, value = fold(binary.LittleEndian.Uint64(value)^k[1], binary.LittleEndian.Uint64(value[8:])^h), value[16:]
	}
	// The reads overlap; with the length they are one to one.
	var head, tail uint64
	switch n := len(value); {
	case n >= 8:
		head, tail = binary.LittleEndian.Uint64(value), binary.LittleEndian.Uint64(value[n-8:])
	case n >= 4:
		head, tail = uint64(binary.LittleEndian.Uint32(value)), uint64(binary.LittleEndian.Uint32(value[n-4:]))
	case n > 0:
		head = uint64(value[0]) | uint64(value[n/2])<<8 | uint64(value[n-1])<<16
	}
	return fold(fold(head^k[1], tail^h), k[2])
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// line returns the line of a hash and, six by six, the bits in its words. What
// multiplication leaves over has little to do with the line.
func (f *exactFilter) line(hash uint64) (line []byte, chosen uint64) {
	n, rest := bits.Mul64(hash, uint64(len(f.lines)/filterLine))
	return f.lines[n*filterLine:][:filterLine], rest >> 16
}

func (f *exactFilter) add(hash uint64) {
	line, chosen := f.line(hash)
	for w := range filterLine / 8 {
		word := line[8*w:]
		binary.LittleEndian.PutUint64(word, binary.LittleEndian.Uint64(word)|1<<(chosen>>(6*w)&63))
	}
}

// probe appends to into the numbers of the hashes that may have been added.
func (f *exactFilter) probe(hashes []uint64, into []int) []int {
	f.fetch(hashes)
	for i, h := range hashes {
		line, chosen := f.line(h)
		if filterBits(line[:32], chosen)&1 != 0 && filterBits(line[32:], chosen>>24)&1 != 0 {
			into = append(into, i)
		}
	}
	return into
}

// filterBits has its lowest bit set if four words have theirs.
func filterBits(line []byte, h uint64) uint64 {
	_ = line[31]
	return binary.LittleEndian.Uint64(line) >> (h & 63) & (binary.LittleEndian.Uint64(line[8:]) >> (h >> 6 & 63)) &
		(binary.LittleEndian.Uint64(line[16:]) >> (h >> 12 & 63)) & (binary.LittleEndian.Uint64(line[24:]) >> (h >> 18 & 63))
}

// fetch reads a byte of the line of each hash and does nothing else, so that
// as many as possible are under way at the same time.
//
//go:noinline
func (f *exactFilter) fetch(hashes []uint64) (sum byte) {
	n := uint64(len(f.lines) / filterLine)
	for _, h := range hashes {
		line, _ := bits.Mul64(h, n)
		sum ^= f.lines[line*filterLine]
	}
	return sum
}

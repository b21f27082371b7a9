package patterns

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sort"

	"github.com/FastFilter/xorfilter"
)

// ExactIndex is an opened index. It is safe for concurrent use as far as its
// file is.
type ExactIndex struct {
	head    exactHead
	keys    exactKeys
	today   civilDate
	filter  xorfilter.BinaryFuse[uint8]
	starts  []uint32
	file    io.ReaderAt
	entries int64 // offset in the file
}

// maxExactHead bounds the head of a damaged file, in bytes.
const maxExactHead = 1 << 16

// OpenExact opens an index that an ExactBuilder wrote; the file of size bytes
// stays in use. It fails when the key is not the one it was made with.
func (e *Engine) OpenExact(file io.ReaderAt, size int64, m *Masker) (*ExactIndex, error) {
	x := &ExactIndex{file: file, keys: newExactKeys(m), today: e.today}
	lead := make([]byte, 4)
	if _, err := file.ReadAt(lead, 0); err != nil {
		return nil, fmt.Errorf("%w: read: %w", ErrExact, err)
	}
	n := int64(binary.LittleEndian.Uint32(lead))
	if n > maxExactHead {
		return nil, fmt.Errorf("%w: not an index", ErrExact)
	}
	encoded := make([]byte, n)
	if _, err := file.ReadAt(encoded, 4); err != nil {
		return nil, fmt.Errorf("%w: read: %w", ErrExact, err)
	}
	if err := json.Unmarshal(encoded, &x.head); err != nil {
		return nil, fmt.Errorf("%w: head: %w", ErrExact, err)
	}
	h := &x.head
	filterAt := 4 + n
	startsAt := filterAt + int64(h.Shape.Bytes)
	x.entries = startsAt + 4*int64(h.Buckets+1)
	switch {
	case h.Version != exactVersion:
		return nil, fmt.Errorf("%w: version %d, want %d", ErrExact, h.Version, exactVersion)
	case !hmac.Equal(h.Check, x.keys.check()):
		return nil, fmt.Errorf("%w: the index was made with another key", ErrExact)
	case h.Shape.Bytes < 0 || h.Buckets < 1 || h.Values < 0 || size != x.entries+int64(h.Values)*exactRecord:
		return nil, fmt.Errorf("%w: the index is cut off", ErrExact)
	}
	return x, x.load(filterAt, startsAt)
}

// load reads what lies in memory.
func (x *ExactIndex) load(filterAt, startsAt int64) error {
	s := x.head.Shape
	x.filter = xorfilter.BinaryFuse[uint8]{
		Seed: s.Seed, SegmentLength: s.SegmentLength, SegmentLengthMask: s.SegmentLengthMask,
		SegmentCount: s.SegmentCount, SegmentCountLength: s.CountLength, Fingerprints: make([]uint8, s.Bytes),
	}
	if _, err := x.file.ReadAt(x.filter.Fingerprints, filterAt); err != nil {
		return fmt.Errorf("%w: read filter: %w", ErrExact, err)
	}
	raw := make([]byte, 4*(x.head.Buckets+1))
	if _, err := x.file.ReadAt(raw, startsAt); err != nil {
		return fmt.Errorf("%w: read buckets: %w", ErrExact, err)
	}
	x.starts = make([]uint32, x.head.Buckets+1)
	for i := range x.starts {
		x.starts[i] = binary.LittleEndian.Uint32(raw[4*i:])
		if int(x.starts[i]) > x.head.Values || i > 0 && x.starts[i] < x.starts[i-1] {
			return fmt.Errorf("%w: buckets are damaged", ErrExact)
		}
	}
	return nil
}

// Name returns the name that the index was built with.
func (x *ExactIndex) Name() string { return x.head.Name }

// Columns returns the columns of the records.
func (x *ExactIndex) Columns() []ExactColumn { return x.head.Columns }

// Memory returns the bytes that the index takes in memory.
func (x *ExactIndex) Memory() int { return len(x.filter.Fingerprints) + 4*len(x.starts) }

// maybe reports whether a normal value may be in the index: false is certain.
func (x *ExactIndex) maybe(value []byte) bool { return x.filter.Contains(x.keys.filter.sum(value)) }

// place is a row and column where a value stands in the records.
type exactPlace struct {
	row    uint32
	column int
}

// lookup returns where a normal value stands in the records.
func (x *ExactIndex) lookup(value []byte) ([]exactPlace, error) {
	if !x.maybe(value) {
		return nil, nil
	}
	var want [exactHash]byte
	exactSum(hmac.New(sha256.New, x.keys.record), value, &want, x.keys.filter)
	bucket := exactBucketOf(want[:], x.head.Buckets)
	from, to := x.starts[bucket], x.starts[bucket+1]
	raw := make([]byte, int(to-from)*exactRecord)
	if _, err := x.file.ReadAt(raw, x.entries+int64(from)*exactRecord); err != nil {
		return nil, fmt.Errorf("%w: read: %w", ErrExact, err)
	}
	n := len(raw) / exactRecord
	record := func(i int) []byte { return raw[i*exactRecord : (i+1)*exactRecord] }
	first := sort.Search(n, func(i int) bool { return bytes.Compare(record(i)[:exactHash], want[:]) >= 0 })
	var places []exactPlace
	for i := first; i < n && bytes.Equal(record(i)[:exactHash], want[:]); i++ {
		v := binary.LittleEndian.Uint32(record(i)[exactHash:])
		places = append(places, exactPlace{v >> columnBits, int(v & (1<<columnBits - 1))})
	}
	return places, nil
}

// ExactFound is a record of the organisation met in a text.
type ExactFound struct {
	Start, End int // of the primary value, in the text
	Index      string
	Column     string // of the primary value
	Row        uint32 // of the record, from 0
	Columns    int    // how many columns of the record stand near, with the primary
	Confidence Confidence
}

// How far from a primary value the other columns of its record may stand, in
// bytes, and how many words a value has at most.
const (
	exactReach = 300
	exactWords = 4
)

// Find returns the records met in the text. A record counts High when two of
// its columns stand near each other, Medium when a primary of eight
// characters or more stands alone, otherwise Low.
func (x *ExactIndex) Find(text []byte) ([]ExactFound, error) {
	var found []ExactFound
	var buffer []byte
	for from, to := range numberedWords(text) {
		buffer = normalExact(buffer[:0], text[from:to], x.today)
		if !exactUsable(buffer, true) {
			continue
		}
		places, err := x.lookup(buffer)
		if err != nil {
			return nil, err
		}
		for _, p := range places {
			if !x.head.Columns[p.column].Primary {
				continue
			}
			f := ExactFound{Start: from, End: to, Index: x.head.Name, Column: x.head.Columns[p.column].Name, Row: p.row}
			if f.Columns, err = x.columnsNear(text, from, to, p); err != nil {
				return nil, err
			}
			f.Confidence = exactConfidence(f.Columns, len(buffer))
			found = append(found, f)
		}
	}
	return found, nil
}

func exactConfidence(columns, length int) Confidence {
	switch {
	case columns > 1:
		return High
	case length >= 8:
		return Medium
	}
	return Low
}

// columnsNear counts the columns of a record around its primary value.
func (x *ExactIndex) columnsNear(text []byte, from, to int, at exactPlace) (int, error) {
	if len(x.head.Columns) == 1 {
		return 1, nil
	}
	seen := map[int]bool{at.column: true}
	lo, hi := max(0, from-exactReach), min(len(text), to+exactReach)
	words := plainWords(text[lo:hi])
	var buffer []byte
	for i := range words {
		buffer = buffer[:0]
		for k := i; k < min(i+exactWords, len(words)); k++ {
			buffer = normalExact(buffer[:0], text[lo+words[i][0]:lo+words[k][1]], x.today)
			places, err := x.lookup(buffer)
			if err != nil {
				return 0, err
			}
			for _, p := range places {
				seen[p.column] = seen[p.column] || p.row == at.row
			}
		}
	}
	n := 0
	for _, here := range seen {
		if here {
			n++
		}
	}
	return n, nil
}

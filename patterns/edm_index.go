package patterns

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"sort"
)

// ExactIndex is an opened index. It is safe for concurrent use as far as its
// file is.
type ExactIndex struct {
	head   exactHead
	keys   *exactKeys
	today  civilDate
	filter *exactFilter
	starts []uint32
	file   io.ReaderAt
}

// maxExactHead bounds the head of a damaged file, in bytes.
const maxExactHead = 1 << 16

// OpenExact opens an index that an ExactBuilder wrote; the file of size bytes
// stays in use. It fails when the key is not the one it was made with.
func (e *Engine) OpenExact(file io.ReaderAt, size int64, m *Masker) (*ExactIndex, error) {
	keys, err := newExactKeys(m)
	if err != nil {
		return nil, err
	}
	x := &ExactIndex{file: file, keys: keys, today: e.today}
	encoded, err := x.readHead(size)
	if err != nil {
		return nil, err
	}
	h := &x.head
	sealedAt := int64(h.Values) * exactRecord
	sealed := make([]byte, h.Lines*filterLine+keys.seal.Overhead())
	startsAt := sealedAt + int64(len(sealed))
	starts := make([]byte, 4*(h.Buckets+1))
	if size != startsAt+int64(len(starts)+len(encoded)+exactTail) {
		return nil, fmt.Errorf("%w: the index is damaged", ErrExact)
	}
	if err := x.read(sealed, sealedAt); err != nil {
		return nil, err
	}
	if err := x.read(starts, startsAt); err != nil {
		return nil, err
	}
	lines, err := keys.seal.Open(sealed[:0], nil, sealed, encoded)
	if err != nil {
		return nil, fmt.Errorf("%w: the filter is damaged: %w", ErrExact, err)
	}
	x.filter = &exactFilter{keys.filter, lines}
	return x, x.readStarts(starts)
}

// CheckExact tells whether OpenExact would take a file, by its head alone.
func CheckExact(file io.ReaderAt, size int64, m *Masker) error {
	keys, err := newExactKeys(m)
	if err != nil {
		return err
	}
	x := &ExactIndex{file: file, keys: keys}
	_, err = x.readHead(size)
	return err
}

// exactTail is the size of what follows the head.
const exactTail = 4 + len(exactMagic)

// readHead reads and checks the head, and returns it as it is in the file.
func (x *ExactIndex) readHead(size int64) ([]byte, error) {
	tail := make([]byte, exactTail)
	if size < int64(exactTail) {
		return nil, fmt.Errorf("%w: the index is cut off", ErrExact)
	}
	if err := x.read(tail, size-int64(exactTail)); err != nil {
		return nil, err
	}
	if string(tail[4:]) != exactMagic {
		return nil, x.noIndex(tail[4:])
	}
	n := int64(binary.LittleEndian.Uint32(tail))
	if n > maxExactHead || n > size-int64(exactTail) {
		return nil, fmt.Errorf("%w: the index is damaged", ErrExact)
	}
	encoded := make([]byte, n)
	if err := x.read(encoded, size-int64(exactTail)-n); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(encoded, &x.head); err != nil {
		return nil, fmt.Errorf("%w: head: %w", ErrExact, err)
	}
	h := &x.head
	switch {
	case !hmac.Equal(h.Check, x.keys.check()):
		return nil, fmt.Errorf("%w: the index was made with another key: make it again", ErrExact)
	case h.Lines < 1 || h.Buckets < 1 || h.Values < 1 || int64(h.Lines)*filterLine > size || int64(h.Buckets) > size:
		return nil, fmt.Errorf("%w: the index is damaged", ErrExact)
	}
	return encoded, nil
}

// noIndex says why a file with another end is none: it is of another version
// (the first one began with the head), or only a part.
func (x *ExactIndex) noIndex(magic []byte) error {
	lead := make([]byte, 4+len(`{"version":1`))
	_, err := x.file.ReadAt(lead, 0)
	if err == nil && string(lead[4:]) == `{"version":1` || string(magic[:7]) == exactMagic[:7] {
		return fmt.Errorf("%w: the index is of another version of the program: make it again", ErrExact)
	}
	return fmt.Errorf("%w: no index, or cut off", ErrExact)
}

func (x *ExactIndex) read(into []byte, at int64) error {
	if _, err := x.file.ReadAt(into, at); err != nil {
		return fmt.Errorf("%w: read: %w", ErrExact, err)
	}
	return nil
}

func (x *ExactIndex) readStarts(raw []byte) error {
	x.starts = make([]uint32, len(raw)/4)
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

// Records returns the number of records.
func (x *ExactIndex) Records() int { return int(x.head.Rows) }

// Memory returns the bytes that the index takes in memory.
func (x *ExactIndex) Memory() int { return len(x.filter.lines) + 4*len(x.starts) }

// exactPlace is a row and column where a value stands in the records.
type exactPlace struct {
	row    uint32
	column int
}

// lookup returns where a normal value, which passed the filter, stands in the
// records. The bucket is read into *bucket, to be used again.
func (x *ExactIndex) lookup(row uint32, value []byte, bucket *[]byte) ([]exactPlace, error) {
	want := new([exactHash]byte)
	x.keys.hash(want, row, value)
	k := exactBucketOf(want[:], x.head.Buckets)
	from, to := int(x.starts[k]), int(x.starts[k+1])
	*bucket = slices.Grow((*bucket)[:0], (to-from)*exactRecord)[:(to-from)*exactRecord]
	raw := *bucket
	if err := x.read(raw, int64(from)*exactRecord); err != nil {
		return nil, err
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
	s := exactSearch{index: x, text: text}
	for from, to := range numberedWords(text) {
		s.value = normalExact(s.value[:0], text[from:to], x.today)
		if !x.head.Lengths.may(s.value) {
			continue
		}
		s.add(exactSpan{from, to, anywhere})
		if err := s.settleFull(s.primary); err != nil {
			return nil, err
		}
	}
	err := s.settle(s.primary)
	return s.found, err
}

// exactSearch looks for an index's records in a text. Candidates are probed
// many at a time.
type exactSearch struct {
	index  *ExactIndex
	text   []byte
	value  []byte // normal
	asked  int
	hashes [exactProbes]uint64
	spans  [exactProbes]exactSpan
	passed []int
	bucket []byte // see lookup
	found  []ExactFound
	near   *exactSearch // around a primary value
}

// exactSpan is where a candidate stands, and the row it is looked for in.
type exactSpan struct {
	from, to int
	row      uint32
}

// exactProbes are how many candidates are probed together.
const exactProbes = 128

// add remembers a candidate whose normal value is s.value.
func (s *exactSearch) add(at exactSpan) {
	i := s.asked & (exactProbes - 1) // spares the checks of bounds
	s.hashes[i], s.spans[i] = s.index.keys.filter.hash(at.row, s.value), at
	s.asked++
}

// settleFull settles if there is no room for two more candidates.
func (s *exactSearch) settleFull(found func(exactSpan) error) error {
	if s.asked+2 <= exactProbes {
		return nil
	}
	return s.settle(found)
}

// settle calls found for the candidates that pass the filter, and forgets all.
func (s *exactSearch) settle(found func(exactSpan) error) error {
	s.passed = s.index.filter.probe(s.hashes[:s.asked], s.passed[:0])
	s.asked = 0
	for _, i := range s.passed {
		if err := found(s.spans[i]); err != nil {
			return err
		}
	}
	return nil
}

// places returns where a candidate that passed the filter stands in the
// records.
func (s *exactSearch) places(at exactSpan) ([]exactPlace, error) {
	s.value = normalExact(s.value[:0], s.text[at.from:at.to], s.index.today)
	return s.index.lookup(at.row, s.value, &s.bucket)
}

// primary adds the records of which a candidate is a primary value.
func (s *exactSearch) primary(at exactSpan) error {
	places, err := s.places(at)
	if err != nil {
		return err
	}
	head, length := &s.index.head, len(s.value)
	for _, p := range places {
		f := ExactFound{Start: at.from, End: at.to, Index: head.Name, Column: head.Columns[p.column].Name, Row: p.row}
		if f.Columns, err = s.columnsNear(at, p); err != nil {
			return err
		}
		f.Confidence = exactConfidence(f.Columns, length)
		s.found = append(s.found, f)
	}
	return nil
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
func (s *exactSearch) columnsNear(at exactSpan, record exactPlace) (int, error) {
	head := &s.index.head
	if len(head.Columns) == 1 {
		return 1, nil
	}
	if s.near == nil {
		s.near = &exactSearch{index: s.index, text: s.text}
	}
	near, seen := s.near, uint(1)<<record.column
	found := func(at exactSpan) error {
		places, err := near.places(at)
		for _, p := range places {
			if p.row == record.row {
				seen |= 1 << p.column
			}
		}
		return err
	}
	lo, hi := max(0, at.from-exactReach), min(len(s.text), at.to+exactReach)
	words := plainWords(s.text[lo:hi])
	for i := range words {
		for k := i; k < min(i+exactWords, len(words)); k++ {
			from, to := lo+words[i][0], lo+words[k][1]
			near.value = normalExact(near.value[:0], s.text[from:to], s.index.today)
			if exactUsable(near.value, false) {
				near.add(exactSpan{from, to, record.row})
			}
			if head.Lengths.may(near.value) {
				near.add(exactSpan{from, to, anywhere})
			}
			if err := near.settleFull(found); err != nil {
				return 0, err
			}
		}
	}
	err := near.settle(found)
	return bits.OnesCount(seen), err
}

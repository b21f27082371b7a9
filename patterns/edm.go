package patterns

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/FastFilter/xorfilter"
)

// Exact data match finds the organisation's own records: an index of keyed
// hashes, made from a table that is not kept. In memory lies a filter of nine
// bits a value (binary fuse filter, Graf and Lemire 2022); what passes it, one
// of 256 wrongly, is confirmed in the file.

// ErrExact is wrapped by the errors of exact indexes.
var ErrExact = errors.New("exact data match")

// ExactColumn is a column of the records.
type ExactColumn struct {
	Name string `json:"name"`
	// Primary values are looked for everywhere; they hold at least four
	// digits. The others count when they stand near a primary of their row.
	Primary bool `json:"primary"`
}

// ExactBuilder collects records for an index. It holds 28 bytes a value in
// memory.
type ExactBuilder struct {
	name    string
	columns []ExactColumn
	keys    exactKeys
	today   civilDate
	entries []exactEntry
	rows    uint32
	skipped int
	buffer  []byte
}

// exactEntry is a value: the keyed hash and its row and column.
type exactEntry struct {
	hash [exactHash]byte
	row  uint32
}

// Sizes in bytes of a stored hash, of an entry with its row and column, and
// limits of what is indexed.
const (
	exactHash       = 16
	exactRecord     = exactHash + 4
	maxExactColumns = 15
	maxExactRows    = 1 << 28
	columnBits      = 4
	minExactDigits  = 4
	minExactLetters = 3
	// exactBucket is how many entries a bucket of the file holds on average.
	exactBucket = 128
)

// exactKeys are the keys of an index.
type exactKeys struct {
	filter sipKey
	record []byte
}

func newExactKeys(m *Masker) exactKeys {
	return exactKeys{newSIPKey(m.Subkey("exact match filter")), m.Subkey("exact match record")}
}

// NewExactBuilder returns a builder; name tells indexes apart in findings.
func (e *Engine) NewExactBuilder(name string, columns []ExactColumn, m *Masker) (*ExactBuilder, error) {
	primary := slices.ContainsFunc(columns, func(c ExactColumn) bool { return c.Primary })
	if !primary || len(columns) > maxExactColumns {
		return nil, fmt.Errorf("%w: %d columns: want 1 to %d, one of them primary", ErrExact, len(columns), maxExactColumns)
	}
	return &ExactBuilder{name: name, columns: columns, keys: newExactKeys(m), today: e.today}, nil
}

// Add adds a record, one value a column. Values too short to mean anything
// are skipped.
func (b *ExactBuilder) Add(values []string) error {
	if len(values) != len(b.columns) {
		return fmt.Errorf("%w: row %d has %d values, want %d", ErrExact, b.rows+1, len(values), len(b.columns))
	}
	if b.rows == maxExactRows {
		return fmt.Errorf("%w: more than %d rows", ErrExact, maxExactRows)
	}
	mac := hmac.New(sha256.New, b.keys.record)
	for column, value := range values {
		b.buffer = normalExact(b.buffer[:0], []byte(value), b.today)
		if !exactUsable(b.buffer, b.columns[column].Primary) {
			b.skipped++
			continue
		}
		e := exactEntry{row: b.rows<<columnBits | uint32(column)}
		exactSum(mac, b.buffer, &e.hash, b.keys.filter)
		b.entries = append(b.entries, e)
	}
	b.rows++
	return nil
}

// Skipped returns how many values were too short.
func (b *ExactBuilder) Skipped() int { return b.skipped }

// exactSum computes the hash: its first half is what the filter holds, the
// second half comes from HMAC-SHA256.
func exactSum(mac hash.Hash, value []byte, into *[exactHash]byte, filter sipKey) {
	binary.BigEndian.PutUint64(into[:], filter.sum(value))
	mac.Reset()
	_, _ = mac.Write(value)
	var sum [sha256.Size]byte
	copy(into[8:], mac.Sum(sum[:0]))
}

// exactUsable reports whether a normal value can be looked for.
func exactUsable(value []byte, primary bool) bool {
	digits := 0
	for _, c := range value {
		if asciiDigit(c) {
			digits++
		}
	}
	if primary {
		return digits >= minExactDigits && len(value) <= maxWord
	}
	return len(value) >= minExactLetters && len(value) <= maxWord
}

// normalExact appends a value in normal form: letters in lower case and
// digits, nothing else; personnummer with century.
func normalExact(into, text []byte, today civilDate) []byte {
	from, plus, digits := len(into), false, true
	for i, c := range text {
		switch {
		case asciiDigit(c):
			into = append(into, c)
		case asciiLetter(c):
			into = append(into, c|0x20)
			digits = false
		case c == '+':
			plus = plus || i > 0
		case c >= 0x80:
			digits = false
			return append(into[:from], normalLetters(text)...)
		}
	}
	value := into[from:]
	if digits && len(value) == 10 {
		if id, year := personTen(value, plus, today); id != NoIdentifier {
			var d [10]byte
			copy(d[:], value)
			into = append(into[:from], byte('0'+year/1000), byte('0'+year/100%10))
			into = append(into, d[:]...)
		}
	}
	return into
}

// normalLetters is normalExact for text beyond ASCII.
func normalLetters(text []byte) []byte {
	var c canonicalizer
	canon := c.canonicalize(text)
	return []byte(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, string(canon.text)))
}

// exactHead is the beginning of an index file, after its length.
type exactHead struct {
	Version int           `json:"version"`
	Name    string        `json:"name"`
	Columns []ExactColumn `json:"columns"`
	Rows    uint32        `json:"rows"`
	Values  int           `json:"values"`
	// Check is a hash of nothing under the index's keys: it tells a wrong
	// key.
	Check   []byte           `json:"check"`
	Shape   exactFilterShape `json:"filter"`
	Buckets int              `json:"buckets"`
}

// exactFilterShape is what describes a filter besides its bytes.
type exactFilterShape struct {
	Seed                                                        uint64
	SegmentLength, SegmentLengthMask, SegmentCount, CountLength uint32
	Bytes                                                       int
}

const exactVersion = 1

// WriteTo writes the index: the head as JSON, the filter, where each bucket
// begins, the entries by hash.
func (b *ExactBuilder) WriteTo(w io.Writer) (int64, error) {
	slices.SortFunc(b.entries, func(x, y exactEntry) int {
		return cmp.Or(bytes.Compare(x.hash[:], y.hash[:]), cmp.Compare(x.row, y.row))
	})
	b.entries = slices.Compact(b.entries)
	filter, err := b.filter()
	if err != nil {
		return 0, err
	}
	head := exactHead{
		Version: exactVersion, Name: b.name, Columns: b.columns, Rows: b.rows, Values: len(b.entries),
		Check: b.keys.check(), Buckets: max(1, len(b.entries)/exactBucket),
		Shape: exactFilterShape{filter.Seed, filter.SegmentLength, filter.SegmentLengthMask, filter.SegmentCount, filter.SegmentCountLength, len(filter.Fingerprints)},
	}
	encoded, err := json.Marshal(head)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrExact, err)
	}
	out := countingWriter{w: w}
	out.write(binary.LittleEndian.AppendUint32(nil, uint32(len(encoded))))
	out.write(encoded)
	out.write(filter.Fingerprints)
	out.write(b.bucketStarts(head.Buckets))
	var buf []byte
	for i, e := range b.entries {
		buf = binary.LittleEndian.AppendUint32(append(buf, e.hash[:]...), e.row)
		if len(buf) > 1<<16 || i == len(b.entries)-1 {
			out.write(buf)
			buf = buf[:0]
		}
	}
	return out.n, out.err
}

// filter makes the filter over the first halves of the hashes.
func (b *ExactBuilder) filter() (*xorfilter.BinaryFuse[uint8], error) {
	keys := make([]uint64, 0, len(b.entries)+1)
	for _, e := range b.entries {
		k := binary.BigEndian.Uint64(e.hash[:])
		if n := len(keys); n == 0 || keys[n-1] != k {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: no usable values", ErrExact)
	}
	f, err := xorfilter.NewBinaryFuse[uint8](keys)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrExact, err)
	}
	return f, nil
}

// bucketStarts tells for each bucket its first entry, and the end of the last.
func (b *ExactBuilder) bucketStarts(buckets int) []byte {
	starts := make([]byte, 0, 4*(buckets+1))
	i := 0
	for k := range buckets {
		for i < len(b.entries) && exactBucketOf(b.entries[i].hash[:], buckets) < k {
			i++
		}
		starts = binary.LittleEndian.AppendUint32(starts, uint32(i))
	}
	return binary.LittleEndian.AppendUint32(starts, uint32(len(b.entries)))
}

// exactBucketOf spreads hashes evenly over buckets, in order.
func exactBucketOf(hash []byte, buckets int) int {
	return int(uint64(binary.BigEndian.Uint32(hash)) * uint64(buckets) >> 32)
}

// check is stored to tell a wrong key.
func (k exactKeys) check() []byte {
	mac := hmac.New(sha256.New, k.record)
	var sum [exactHash]byte
	exactSum(mac, []byte("check"), &sum, k.filter)
	return sum[:]
}

type countingWriter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *countingWriter) write(b []byte) {
	if c.err != nil {
		return
	}
	n, err := c.w.Write(b)
	c.n += int64(n)
	if err != nil {
		c.err = fmt.Errorf("%w: write: %w", ErrExact, err)
	}
}

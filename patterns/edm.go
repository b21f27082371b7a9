package patterns

import (
	"bytes"
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Exact data match finds the organisation's own records: an index of keyed
// hashes, made from a table that is not kept. In memory lies a filter of about
// twelve bits a value; what passes it, wrongly one in 250, is confirmed in the
// file.

// ErrExact is wrapped by the errors of exact indexes.
var ErrExact = errors.New("exact data match")

// ExactColumn is a column of the records.
type ExactColumn struct {
	Name string `json:"name"`
	// Primary values are looked for everywhere; they hold at least four
	// digits. The others count when they stand near a primary of their row.
	Primary bool `json:"primary"`
}

// ExactBuilder collects records for an index. Whatever their number, it takes
// some 20 MB, and the index's filter in the end: what does not fit waits,
// hashed, in a scratch file. Close removes it.
type ExactBuilder struct {
	name    string
	columns []ExactColumn
	keys    *exactKeys
	today   civilDate
	batch   []exactEntry
	scratch exactScratch
	values  int
	primary int // of the values
	lengths exactLengths
	rows    uint32
	skipped int
	buffer  []byte
}

// exactEntry is a value: its keyed hash, row and column, and where the filter
// keeps it.
type exactEntry struct {
	hash  [exactHash]byte
	row   uint32
	probe uint64
}

func (e exactEntry) compare(o exactEntry) int {
	return cmp.Or(bytes.Compare(e.hash[:], o.hash[:]), cmp.Compare(e.row, o.row))
}

// Sizes in bytes of a stored hash, of an entry with its row and column, and
// limits of what is indexed.
const (
	exactHash       = aes.BlockSize
	exactRecord     = exactHash + 4
	maxExactColumns = 15
	maxExactRows    = 1 << 28
	columnBits      = 4
	minExactDigits  = 4
	minExactLetters = 3
	// maxExactPlaces is how many rows of one primary value are kept: what
	// stands in more identifies none of them.
	maxExactPlaces = 64
	// exactBucket is how many entries a bucket of the file holds on average.
	exactBucket = 128
	// exactBatch entries are sorted in memory.
	exactBatch = 1 << 19
)

// exactKeys are the keys of an index.
type exactKeys struct {
	record cipher.Block // of the hashes in the file
	filter filterKey
	seal   cipher.AEAD // of the filter in the file: its hashes are fast, not strong
}

func newExactKeys(m *Masker) (*exactKeys, error) {
	record, err := aes.NewCipher(m.Subkey("exact match record"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrExact, err)
	}
	block, err := aes.NewCipher(m.Subkey("exact match seal"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrExact, err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrExact, err)
	}
	return &exactKeys{record, newFilterKey(m.Subkey("exact match filter")), seal}, nil
}

// anywhere is the row of primary values. Values of the other columns are
// hashed with their row: they are asked for only where it is known, and equal
// ones cannot be told in the file.
const anywhere = math.MaxUint32

// hash computes the keyed hash of a normal value: the CBC-MAC of its length,
// its row and itself. No message begins like another of another length, so it
// is a random function to whoever lacks the key (Bellare, Kilian and Rogaway
// 2000).
func (k *exactKeys) hash(into *[exactHash]byte, row uint32, value []byte) {
	clear(into[:])
	into[0] = byte(len(value))
	binary.LittleEndian.PutUint32(into[4:], row)
	value = value[copy(into[8:], value):]
	for {
		k.record.Encrypt(into[:], into[:])
		if len(value) == 0 {
			return
		}
		n := min(len(value), exactHash)
		for i, c := range value[:n] {
			into[i] ^= c
		}
		value = value[n:]
	}
}

// check is stored to tell a wrong key.
func (k *exactKeys) check() []byte {
	var sum [exactHash]byte
	k.hash(&sum, 0, nil)
	return sum[:]
}

// NewExactBuilder returns a builder; name tells indexes apart in findings. The
// scratch file of many records lies in the folder scratch, "" is that of the
// system.
func (e *Engine) NewExactBuilder(name string, columns []ExactColumn, m *Masker, scratch string) (*ExactBuilder, error) {
	primary := slices.ContainsFunc(columns, func(c ExactColumn) bool { return c.Primary })
	if !primary || len(columns) > maxExactColumns {
		return nil, fmt.Errorf("%w: %d columns: want 1 to %d, one of them primary", ErrExact, len(columns), maxExactColumns)
	}
	keys, err := newExactKeys(m)
	if err != nil {
		return nil, err
	}
	return &ExactBuilder{name: name, columns: columns, keys: keys, today: e.today, scratch: exactScratch{dir: scratch}}, nil
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
	for column, value := range values {
		primary := b.columns[column].Primary
		b.buffer = normalExact(b.buffer[:0], []byte(value), b.today)
		if !exactUsable(b.buffer, primary) {
			b.skipped++
			continue
		}
		row := b.rows
		if primary {
			row = anywhere
			b.lengths.add(b.buffer)
			b.primary++
		}
		b.batch = append(b.batch, exactEntry{row: b.rows<<columnBits | uint32(column), probe: b.keys.filter.hash(row, b.buffer)})
		b.keys.hash(&b.batch[len(b.batch)-1].hash, row, b.buffer)
		b.values++
		if len(b.batch) == exactBatch {
			if err := b.spill(); err != nil {
				return err
			}
		}
	}
	b.rows++
	return nil
}

// Skipped returns how many values were too short.
func (b *ExactBuilder) Skipped() int { return b.skipped }

// Primary returns how many primary values there are; without any the index
// finds nothing, and WriteTo fails.
func (b *ExactBuilder) Primary() int { return b.primary }

// spill moves the batch to the scratch file.
func (b *ExactBuilder) spill() error {
	slices.SortFunc(b.batch, exactEntry.compare)
	err := b.scratch.write(b.batch)
	b.batch = b.batch[:0]
	return err
}

// Close frees what the builder holds.
func (b *ExactBuilder) Close() error {
	b.batch = nil
	return b.scratch.close()
}

// exactHead describes an index. It stands at the end of the file, before its
// own length and exactMagic.
type exactHead struct {
	Name    string        `json:"name"`
	Columns []ExactColumn `json:"columns"`
	Rows    uint32        `json:"rows"`
	Values  int           `json:"values"`
	Buckets int           `json:"buckets"`
	Lines   int           `json:"lines"` // of the filter
	Lengths exactLengths  `json:"lengths"`
	// Check is a hash of nothing under the index's keys: it tells a wrong
	// key.
	Check []byte `json:"check"`
}

// exactMagic ends a file. Its last byte is the version.
const exactMagic = "molnEDM\x02"

// WriteTo writes the index: the entries by hash, the filter sealed, where each
// bucket begins, the head as JSON, its length, exactMagic.
func (b *ExactBuilder) WriteTo(w io.Writer) (int64, error) {
	if b.primary == 0 {
		return 0, fmt.Errorf("%w: no usable values in the primary columns", ErrExact)
	}
	head := exactHead{
		Name: b.name, Columns: b.columns, Rows: b.rows,
		Buckets: max(1, b.values/exactBucket), Lines: filterLines(b.values), Lengths: b.lengths, Check: b.keys.check(),
	}
	filter := newExactFilter(b.keys.filter, head.Lines)
	out := countingWriter{w: w}
	starts, err := b.writeEntries(&out, filter, &head)
	if err != nil {
		return out.n, err
	}
	encoded, err := json.Marshal(head)
	if err != nil {
		return out.n, fmt.Errorf("%w: %w", ErrExact, err)
	}
	out.write(b.keys.seal.Seal(nil, nil, filter.lines, encoded))
	out.write(starts)
	out.write(encoded)
	out.write(binary.LittleEndian.AppendUint32(nil, uint32(len(encoded))))
	out.write([]byte(exactMagic))
	return out.n, out.err
}

// writeEntries writes the entries in order and enters them into the filter and
// the head. It returns where each bucket begins, and the end of the last.
func (b *ExactBuilder) writeEntries(out *countingWriter, filter *exactFilter, head *exactHead) ([]byte, error) {
	starts := make([]byte, 0, 4*(head.Buckets+1))
	until := func(bucket int) {
		for len(starts) < 4*(bucket+1) {
			starts = binary.LittleEndian.AppendUint32(starts, uint32(head.Values))
		}
	}
	var last exactEntry
	same := 0
	buf := make([]byte, 0, 1<<16)
	for e, err := range b.sorted() {
		if err != nil {
			return nil, err
		}
		if same++; e.hash != last.hash {
			same = 0
		}
		if head.Values > 0 && e == last || same >= maxExactPlaces {
			continue
		}
		last = e
		until(exactBucketOf(e.hash[:], head.Buckets))
		filter.add(e.probe)
		head.Values++
		buf = binary.LittleEndian.AppendUint32(append(buf, e.hash[:]...), e.row)
		if len(buf)+exactRecord > cap(buf) {
			out.write(buf)
			buf = buf[:0]
		}
	}
	out.write(buf)
	until(head.Buckets)
	return starts, nil
}

// exactBucketOf spreads hashes evenly over buckets, in order.
func exactBucketOf(hash []byte, buckets int) int {
	return int(uint64(binary.BigEndian.Uint32(hash)) * uint64(buckets) >> 32)
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

package patterns

import (
	"bufio"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
)

// exactScratch is a file of sorted runs of entries: more than fit into memory.
// It holds keyed hashes only.
type exactScratch struct {
	dir  string
	file *os.File
	ends []int64 // of the runs
}

// scratchRecord is the size of an entry in the file, in bytes.
const scratchRecord = exactRecord + 8

// write appends a run.
func (s *exactScratch) write(run []exactEntry) (err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp(s.dir, "exact-*.tmp"); err != nil {
			return fmt.Errorf("%w: scratch file: %w", ErrExact, err)
		}
	}
	out := bufio.NewWriterSize(s.file, 1<<16)
	var b []byte
	for i := range run {
		b = binary.LittleEndian.AppendUint32(append(b[:0], run[i].hash[:]...), run[i].row)
		_, _ = out.Write(binary.LittleEndian.AppendUint64(b, run[i].probe)) // Flush returns the error
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("%w: scratch file: %w", ErrExact, err)
	}
	s.ends = append(s.ends, s.size()+int64(len(run))*scratchRecord)
	return nil
}

func (s *exactScratch) size() int64 {
	if len(s.ends) == 0 {
		return 0
	}
	return s.ends[len(s.ends)-1]
}

func (s *exactScratch) close() error {
	if s.file == nil {
		return nil
	}
	name, err := s.file.Name(), s.file.Close()
	if gone := os.Remove(name); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	s.file = nil
	return err
}

// sorted yields all entries in order.
func (b *ExactBuilder) sorted() iter.Seq2[exactEntry, error] {
	return func(yield func(exactEntry, error) bool) {
		slices.SortFunc(b.batch, exactEntry.compare)
		runs := entryRuns{{rest: b.batch}}
		from := int64(0)
		for _, end := range b.scratch.ends {
			part := io.NewSectionReader(b.scratch.file, from, end-from)
			runs, from = append(runs, &entryRun{in: bufio.NewReaderSize(part, 1<<16)}), end
		}
		runs = slices.DeleteFunc(runs, func(r *entryRun) bool { return !r.advance() })
		heap.Init(&runs)
		for len(runs) > 0 {
			r := runs[0]
			if !yield(r.head, r.err) || r.err != nil {
				return
			}
			if r.advance() {
				heap.Fix(&runs, 0)
			} else {
				heap.Pop(&runs)
			}
		}
	}
}

// entryRun is a sorted run that is being read: from the scratch file, or from
// memory.
type entryRun struct {
	in   *bufio.Reader
	rest []exactEntry
	head exactEntry
	err  error
}

// advance makes the next entry the head; false at the end. An error is a head
// too.
func (r *entryRun) advance() bool {
	if r.in == nil {
		if len(r.rest) == 0 {
			return false
		}
		r.head, r.rest = r.rest[0], r.rest[1:]
		return true
	}
	raw, err := r.in.Peek(scratchRecord)
	switch {
	case errors.Is(err, io.EOF) && len(raw) == 0:
		return false
	case err != nil:
		r.err = fmt.Errorf("%w: scratch file: %w", ErrExact, err)
		return true
	}
	copy(r.head.hash[:], raw)
	r.head.row = binary.LittleEndian.Uint32(raw[exactHash:])
	r.head.probe = binary.LittleEndian.Uint64(raw[exactRecord:])
	_, err = r.in.Discard(scratchRecord)
	r.err = err
	return true
}

// entryRuns is a heap by the heads; a run that could not be read comes first.
type entryRuns []*entryRun

func (h entryRuns) Len() int      { return len(h) }
func (h entryRuns) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *entryRuns) Push(any)     {} // runs do not come later
func (h entryRuns) Less(i, j int) bool {
	if h[i].err != nil || h[j].err != nil {
		return h[i].err != nil
	}
	return h[i].head.compare(h[j].head) < 0
}

func (h *entryRuns) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

package ooxml

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

const (
	textBlock  = 256 << 10 // bytes of text that are kept together
	endsBlock  = 16 << 10  // strings whose ends are kept together
	stringsMax = 4 << 20   // bytes of text held in memory
	windowSize = 4 << 10   // bytes read at once of what is not
)

// stringTable holds the strings that cells point into. A register of half a
// million people has millions of them: they lie end to end in blocks without
// pointers, and in a scratch file where they are many. close gives that back.
type stringTable struct {
	scratch string
	limit   int64 // bytes

	blocks [][]byte   // of text, all but the last one full
	ends   [][]uint32 // where each string ends, all but the last one full
	count  int
	size   int64 // bytes of text

	file   *os.File // of the blocks that were full; nil: they are in memory
	filed  int64    // bytes in it
	window []byte   // a piece of the file
	from   int64    // where it begins
}

func newStringTable(in extract.Input) *stringTable {
	return &stringTable{scratch: in.Scratch, limit: min(4*in.Limits.Text, math.MaxUint32)}
}

// add puts a string at the end.
func (t *stringTable) add(text []byte) error {
	if t.size+int64(len(text))+4*int64(t.count) > t.limit {
		return fmt.Errorf("ooxml: shared strings: %w", extract.ErrLimit)
	}
	t.size += int64(len(text))
	for len(text) > 0 {
		n := len(t.blocks)
		if n == 0 || len(t.blocks[n-1]) == textBlock {
			if err := t.newBlock(); err != nil {
				return err
			}
			continue
		}
		part := min(len(text), textBlock-len(t.blocks[n-1]))
		t.blocks[n-1] = append(t.blocks[n-1], text[:part]...)
		text = text[part:]
	}
	if t.count%endsBlock == 0 {
		t.ends = append(t.ends, make([]uint32, 0, endsBlock))
	}
	last := len(t.ends) - 1
	t.ends[last] = append(t.ends[last], uint32(t.size)) //nolint:gosec // held to limit
	t.count++
	return nil
}

// newBlock begins a block of text. The full ones go to the file if there are
// too many of them.
func (t *stringTable) newBlock() error {
	if t.file == nil && (t.scratch == "" || len(t.blocks)*textBlock < stringsMax) {
		t.blocks = append(t.blocks, make([]byte, 0, textBlock))
		return nil
	}
	if t.file == nil {
		f, err := os.CreateTemp(t.scratch, "strings-*")
		if err != nil {
			return fmt.Errorf("ooxml: scratch file: %w", extract.ErrLimit)
		}
		t.file = f
		if runtime.GOOS != "windows" {
			_ = os.Remove(f.Name()) // nothing stays behind, whatever happens to this process
		}
	}
	for _, b := range t.blocks {
		if _, err := t.file.Write(b); err != nil {
			return fmt.Errorf("ooxml: scratch file: %w", extract.ErrLimit)
		}
		t.filed += int64(len(b))
	}
	t.blocks = [][]byte{t.blocks[0][:0]}
	return nil
}

// has tells whether there is a string number i.
func (t *stringTable) has(i int) bool { return t != nil && i >= 0 && i < t.count }

// appendTo adds string number i to b; there may be no such string.
func (t *stringTable) appendTo(b []byte, i int) ([]byte, error) {
	if !t.has(i) {
		return b, nil
	}
	from, to := int64(0), int64(t.ends[i/endsBlock][i%endsBlock])
	if i > 0 {
		from = int64(t.ends[(i-1)/endsBlock][(i-1)%endsBlock])
	}
	for from < to {
		piece, err := t.at(from)
		if err != nil {
			return b, err
		}
		piece = piece[:min(int64(len(piece)), to-from)]
		b = append(b, piece...)
		from += int64(len(piece))
	}
	return b, nil
}

// at returns some of the text from an offset on.
func (t *stringTable) at(offset int64) ([]byte, error) {
	if offset >= t.filed {
		offset -= t.filed
		return t.blocks[offset/textBlock][offset%textBlock:], nil
	}
	if in := offset - t.from; in >= 0 && in < int64(len(t.window)) {
		return t.window[in:], nil
	}
	if t.window == nil {
		t.window = make([]byte, windowSize)
	}
	t.from, t.window = offset, t.window[:min(windowSize, t.filed-offset)]
	if _, err := t.file.ReadAt(t.window, offset); err != nil {
		t.window = t.window[:0]
		return nil, fmt.Errorf("ooxml: scratch file: %w", extract.ErrLimit)
	}
	return t.window, nil
}

func (t *stringTable) close() {
	if t != nil && t.file != nil {
		_ = t.file.Close()
		_ = os.Remove(t.file.Name())
	}
}

// unescape replaces _x000D_, which stands for a letter that XML cannot hold or
// might lose (ECMA-376 part 1, 22.9.2.19). It works in place.
func unescape(b []byte) []byte {
	i := bytes.Index(b, []byte("_x"))
	if i < 0 {
		return b
	}
	out := b[:i]
	for b = b[i:]; len(b) > 0; {
		if len(b) >= 7 && b[0] == '_' && b[1] == 'x' && b[6] == '_' {
			if code, err := strconv.ParseUint(string(b[2:6]), 16, 16); err == nil && (code < 0x80 || !utf16.IsSurrogate(rune(code))) {
				b = b[7:]
				out = utf8.AppendRune(out, rune(code))
				continue
			}
		}
		out = append(out, b[0])
		b = b[1:]
	}
	return out
}

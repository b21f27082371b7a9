package ole

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf16"
)

// biffReader reads the records of a workbook stream ([MS-XLS] 2.1.4).
type biffReader struct {
	r      *bufio.Reader
	offset int64 // of the next record
	cipher *blockCipher
	cut    bool // the stream ended in a record
}

func newBiffReader(r io.Reader) *biffReader { return &biffReader{r: bufio.NewReaderSize(r, 64<<10)} }

// peek returns the kind of the next record, or 0 at the end.
func (b *biffReader) peek() uint16 {
	head, err := b.r.Peek(2)
	if err != nil {
		return 0
	}
	return le.Uint16(head)
}

// next reads a record. At the end, or where the stream is cut off in a
// record's head, ok is false.
func (b *biffReader) next() (kind uint16, content []byte, ok bool) {
	var head [4]byte
	if n, err := io.ReadFull(b.r, head[:]); err != nil {
		b.cut = b.cut || n > 0
		return 0, nil, false
	}
	kind = le.Uint16(head[:])
	content = make([]byte, le.Uint16(head[2:]))
	n, _ := io.ReadFull(b.r, content)
	b.cut = n < len(content)
	content = content[:n]
	b.offset += 4
	if b.cipher != nil {
		b.cipher.decryptRecord(kind, content, b.offset)
	}
	b.offset += int64(n)
	return kind, content, true
}

// resync passes over what is no record to where the next sheet begins, and
// tells whether there is one.
func (b *biffReader) resync() bool {
	for {
		window, err := b.r.Peek(32 << 10)
		at := -1
		for _, begin := range []string{"\x09\x08\x10\x00\x00\x06", "\x09\x08\x08\x00\x00\x05"} {
			if i := bytes.Index(window, []byte(begin)); i >= 0 && (at < 0 || i < at) {
				at = i
			}
		}
		skip := at
		if at < 0 {
			skip = max(0, len(window)-8)
		}
		n, _ := b.r.Discard(skip)
		b.offset += int64(n)
		if at >= 0 {
			return true
		}
		if err != nil || n == 0 {
			return false
		}
	}
}

// continued returns the record's content and that of the records that
// continue it.
func (b *biffReader) continued(content []byte, most int) *segments {
	s := &segments{list: [][]byte{content}}
	size := len(content)
	for b.peek() == recordContinue && size < most {
		_, more, ok := b.next()
		if !ok {
			break
		}
		size += len(more)
		s.list = append(s.list, more)
	}
	return s
}

// segments reads through a record and its continuations: a string may go on
// in the next one, which then begins by telling anew how wide letters are.
type segments struct {
	list [][]byte
	at   int // in list[0]
}

func (s *segments) left() bool {
	for len(s.list) > 0 && s.at >= len(s.list[0]) {
		s.list, s.at = s.list[1:], 0
	}
	return len(s.list) > 0
}

func (s *segments) byte() (byte, bool) {
	if !s.left() {
		return 0, false
	}
	c := s.list[0][s.at]
	s.at++
	return c, true
}

func (s *segments) uint16() (int, bool) {
	a, _ := s.byte()
	b, ok := s.byte()
	return int(a) | int(b)<<8, ok
}

func (s *segments) uint32() (int64, bool) {
	a, _ := s.uint16()
	b, ok := s.uint16()
	return int64(a) | int64(b)<<16, ok
}

func (s *segments) skip(n int64) {
	for n > 0 && s.left() {
		step := min(n, int64(len(s.list[0])-s.at))
		s.at += int(step)
		n -= step
	}
}

// characters reads n letters of one or two bytes.
func (s *segments) characters(n int, wide bool) string {
	units := make([]uint16, 0, min(n, 1<<16))
	for n > 0 && len(s.list) > 0 {
		if s.at >= len(s.list[0]) {
			if !s.left() {
				break
			}
			flags, _ := s.byte()
			wide = flags&1 != 0
			continue
		}
		rest := s.list[0][s.at:]
		switch {
		case !wide:
			step := min(n, len(rest))
			for _, c := range rest[:step] {
				units = append(units, uint16(c))
			}
			s.at += step
			n -= step
		case len(rest) < 2:
			s.at = len(s.list[0])
		default:
			step := min(n, len(rest)/2)
			for i := range step {
				units = append(units, le.Uint16(rest[2*i:]))
			}
			s.at += 2 * step
			n -= step
		}
	}
	return string(utf16.Decode(units))
}

// text reads a string with its length and flags ([MS-XLS] 2.5.293).
func (s *segments) text() (string, bool) {
	n, ok := s.uint16()
	if !ok {
		return "", false
	}
	flags, ok := s.byte()
	if !ok {
		return "", false
	}
	runs, extra := 0, int64(0)
	if flags&8 != 0 {
		runs, _ = s.uint16()
	}
	if flags&4 != 0 {
		extra, _ = s.uint32()
	}
	text := s.characters(n, flags&1 != 0)
	s.skip(4*int64(runs) + extra)
	return text, true
}

// shortText reads what is at b as one letter count of a byte and, in BIFF8,
// flags.
func shortText(b []byte, unicode bool, codepage int) string {
	if len(b) < 2 {
		return ""
	}
	n := int(b[0])
	if !unicode {
		return decode(b[1:min(len(b), 1+n)], codepage)
	}
	s := segments{list: [][]byte{b[2:]}}
	return s.characters(n, b[1]&1 != 0)
}

// Records of a workbook.
const (
	recordContinue   = 0x3C
	recordFilePass   = 0x2F
	recordBoundSheet = 0x85
)

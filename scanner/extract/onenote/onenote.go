// Package onenote reads sections of OneNote: the text of their pages, the
// names of links and files, and the files and pictures themselves.
//
// A section keeps its history ([MS-ONESTORE]): what was deleted lately is read
// too, since it is still there.
package onenote

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Extractor reads OneNote sections. The zero value is ready.
type Extractor struct{}

// Name implements extract.Extractor.
func (Extractor) Name() string { return "onenote" }

// Version implements extract.Extractor.
func (Extractor) Version() int { return 1 }

// Accepts implements extract.Extractor.
func (Extractor) Accepts(_, mediaType string) bool {
	return mediaType == "application/onenote" || mediaType == "application/msonenote"
}

// Extract implements extract.Extractor.
func (Extractor) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if in.Size > in.Limits.Inflate {
		return fmt.Errorf("onenote: size: %w", extract.ErrLimit)
	}
	content := make([]byte, in.Size)
	n, _ := in.ReadAt(content, 0)
	s := &section{
		in: in, b: content[:n], flow: extract.NewFlow(ctx, out),
		read: map[int64]bool{}, seen: map[uint64]bool{}, seed: maphash.MakeSeed(),
	}
	s.lists()
	if len(s.seen) == 0 && s.flow.Err() == nil {
		// Sections kept by SharePoint are packed otherwise ([MS-ONESTORE] 2.8),
		// with the texts as they are.
		s.runs()
		if !bytes.Contains(s.b[:min(len(s.b), 128)], []byte(packedFormat)) {
			s.flow.Gap("", fmt.Errorf("onenote: no list of pages: %w", extract.ErrDamaged))
		}
	}
	s.files()
	if err := s.flow.Close(); err != nil {
		return err
	}
	if len(s.seen) == 0 && s.count == 0 {
		return fmt.Errorf("onenote: no page found: %w", extract.ErrDamaged)
	}
	return nil
}

var le = binary.LittleEndian

// section is one file on its way through.
type section struct {
	in    extract.Input
	b     []byte
	flow  *extract.Flow
	read  map[int64]bool  // objects read, by where they lie
	seen  map[uint64]bool // texts written: history repeats itself
	seed  maphash.Seed
	count int // files found
}

const (
	listHead     = "\xC4\xF4\xF7\xF5\xB1\x7A\x56\xA4"                                 // of a file node list ([MS-ONESTORE] 2.4.2)
	fileHead     = "\xE7\x16\xE3\xBD\x65\x26\x11\x45\xA4\xC4\x8D\x4D\x0B\x7A\x9E\xAC" // of an embedded file (2.6.13)
	packedFormat = "\x2F\xE9\x8D\x63\xD4\xA6\xC1\x4B\x9A\x36\xB3\xFC\x25\x11\xA5\xB7" // in the file's head
	mostNested   = 50
)

// lists reads every list of file nodes, found by its head: the chain of lists
// may be broken where the file is.
func (s *section) lists() {
	for at := 0; s.flow.Err() == nil; {
		i := bytes.Index(s.b[at:], []byte(listHead))
		if i < 0 {
			return
		}
		at += i + len(listHead)
		if at+8 <= len(s.b) {
			s.nodes(s.b[at+8:])
		}
	}
}

// nodes reads the file nodes of one list ([MS-ONESTORE] 2.4.3).
func (s *section) nodes(b []byte) {
	for len(b) >= 4 && s.flow.Err() == nil {
		head := le.Uint32(b)
		id, size := head&0x3FF, int(head>>10&0x1FFF)
		if size < 4 || size > len(b) || id == 0xFF || id == 0 {
			return
		}
		if base := head >> 27 & 0xF; base == 1 {
			if at, length, ok := reference(b[4:size], head>>23&3, head>>25&3); ok {
				s.object(at, length)
			}
		}
		b = b[size:]
	}
}

// reference reads where a node's object lies ([MS-ONESTORE] 2.2.4.2).
func reference(b []byte, positionFormat, sizeFormat uint32) (at, length int64, ok bool) {
	read := func(width int, scale int64) (v int64) {
		if len(b) < width {
			b = nil
			return -1
		}
		for i := range width {
			v |= int64(b[i]) << (8 * i)
		}
		b = b[width:]
		return v * scale
	}
	switch positionFormat {
	case 0:
		at = read(8, 1)
	case 1:
		at = read(4, 1)
	case 2:
		at = read(2, 8)
	case 3:
		at = read(4, 8)
	}
	switch sizeFormat {
	case 0:
		length = read(4, 1)
	case 1:
		length = read(8, 1)
	case 2:
		length = read(1, 8)
	case 3:
		length = read(2, 8)
	}
	return at, length, at > 0 && length > 0
}

// object reads the properties of an object ([MS-ONESTORE] 2.6.1): lists of
// identifiers go before them.
func (s *section) object(at, length int64) {
	if at > int64(len(s.b)) || length > int64(len(s.b))-at || s.read[at] {
		return
	}
	s.read[at] = true
	b := s.b[at : at+length]
	objects, b := identifiers(b)
	if objects>>31 == 0 { // a list of object spaces follows
		var spaces uint32
		if spaces, b = identifiers(b); spaces>>30&1 == 1 { // and one of contexts
			_, b = identifiers(b)
		}
	}
	s.properties(b, 0)
}

// identifiers passes over a list of identifiers, and returns its head
// ([MS-ONESTORE] 2.6.2).
func identifiers(b []byte) (head uint32, rest []byte) {
	if len(b) < 4 {
		return 0, nil
	}
	head = le.Uint32(b)
	return head, b[min(int64(len(b)), 4+4*int64(head&0xFFFFFF)):]
}

// properties reads a set of properties ([MS-ONESTORE] 2.6.7), and returns how
// many bytes it takes, or -1 where it makes no sense.
func (s *section) properties(b []byte, depth int) int {
	if len(b) < 2 || depth > mostNested {
		return -1
	}
	count := int(le.Uint16(b))
	at := 2 + 4*count
	if at > len(b) {
		return -1
	}
	for i := range count {
		id := le.Uint32(b[2+4*i:])
		n := s.property(id&^(1<<31), b[at:], depth)
		if n < 0 || at+n > len(b) {
			return -1
		}
		at += n
	}
	return at
}

// property reads the value of one property, and returns its size.
func (s *section) property(id uint32, b []byte, depth int) int {
	switch kind := id >> 26 & 0x1F; kind {
	case 0x1, 0x2, 0x8, 0xA, 0xC:
		return 0
	case 0x3:
		return 1
	case 0x4:
		return 2
	case 0x5, 0x9, 0xB, 0xD:
		return 4
	case 0x6:
		return 8
	case 0x7:
		if len(b) < 4 || int64(le.Uint32(b)) > int64(len(b)-4) {
			return -1
		}
		n := int(le.Uint32(b))
		s.text(id, b[4:4+n])
		return 4 + n
	case 0x10:
		return s.propertyArray(b, depth)
	case 0x11:
		return s.properties(b, depth+1)
	}
	return -1
}

func (s *section) propertyArray(b []byte, depth int) int {
	if len(b) < 4 {
		return -1
	}
	count, at := le.Uint32(b), 4
	if count == 0 {
		return at
	}
	for at += 4; count > 0; count-- {
		if at > len(b) {
			return -1
		}
		n := s.properties(b[at:], depth+1)
		if n < 0 {
			return -1
		}
		at += n
	}
	return at
}

// text writes a property that holds a text ([MS-ONE] 2.1.12).
func (s *section) text(id uint32, b []byte) {
	part := extract.Part{Kind: extract.Body}
	text := ""
	switch id {
	case 0x1C001C22: // RichEditTextUnicode
		text = wide(b)
	case 0x1C003498: // TextExtendedAscii
		text = narrow(b)
	case 0x1C001CF3, 0x1C001D3C: // CachedTitleString, and of a page
		part.Kind = extract.Heading
		text = wide(b)
	case 0x1C001E20, 0x1C001D9C, 0x1C001DD7, 0x1C001E58: // link, names of file and picture, text in its place
		part.Kind = extract.Hidden
		text = wide(b)
	case 0x1C001D75: // Author
		part.Kind = extract.Property
		text = wide(b)
	}
	s.write(part, text)
}

func (s *section) write(part extract.Part, text string) {
	text = strings.TrimSpace(strings.NewReplacer("\x00", "", "\r", "\n", "\v", "\n").Replace(text))
	if text == "" {
		return
	}
	key := maphash.String(s.seed, text)
	if s.seen[key] {
		return
	}
	if len(s.seen) < 1_000_000 {
		s.seen[key] = true
	}
	s.flow.Alone(part, text)
}

func wide(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = le.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

func narrow(b []byte) string {
	s, err := extract.Codepage(1252).NewDecoder().Bytes(b)
	if err != nil {
		return ""
	}
	return string(s)
}

// runs writes what looks like text: letters of UTF-16, five or more, or of
// eight bits, twelve or more.
func (s *section) runs() {
	part := extract.Part{Kind: extract.Body}
	for i := 0; i < len(s.b) && s.flow.Err() == nil; {
		w, n := 0, 0
		for i+w+1 < len(s.b) && s.b[i+w+1] == 0 && printable(s.b[i+w]) {
			w += 2
		}
		for i+n < len(s.b) && printable(s.b[i+n]) {
			n++
		}
		switch {
		case w >= 10:
			s.write(part, wide(s.b[i:i+w]))
			i += w
		case n >= 12:
			s.write(part, narrow(s.b[i:i+n]))
			i += n
		default:
			i += max(1, n)
		}
	}
}

func printable(c byte) bool { return c >= ' ' && c < 0x7F || c >= 0xC0 || c == '\t' || c == 0xA0 }

// files hands over the embedded files and pictures.
func (s *section) files() {
	for at := 0; s.flow.Err() == nil; {
		i := bytes.Index(s.b[at:], []byte(fileHead))
		if i < 0 {
			return
		}
		at += i + len(fileHead)
		if at+20 > len(s.b) {
			return
		}
		size := le.Uint64(s.b[at:])
		body := s.b[at+20:]
		if size == 0 || size > uint64(len(body)) {
			continue
		}
		if s.count++; s.count > s.in.Limits.Entries {
			s.flow.Gap("files", fmt.Errorf("onenote: files: %w", extract.ErrLimit))
			return
		}
		var content io.Reader = bytes.NewReader(body[:size])
		s.flow.File(extract.File{Name: fmt.Sprintf("file%d", s.count), Role: extract.Embedded, Content: content})
		at += 20 + int(size)
	}
}

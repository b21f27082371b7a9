package ole

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode/utf16"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// word reads a Word document ([MS-DOC] 2.4.1): the pieces of its text in
// order, with what the formatting says about deletions, hidden text, tables
// and headings. Documents of Word 2 to 95 are read with what they share.
func (d *document) word(main, table0, table1 []byte, path string) error {
	if len(main) < 0x60 {
		return fmt.Errorf("word: header: %w", extract.ErrDamaged)
	}
	flags, version := le.Uint16(main[0x0A:]), le.Uint16(main[2:])
	old := le.Uint16(main) != 0xA5EC || version < 0x69
	if flags&0x0100 != 0 {
		decrypted, err := d.decryptWord(main, table0, table1, old)
		if err != nil {
			return err
		}
		main, table0, table1 = decrypted[0], decrypted[1], decrypted[2]
	}
	w := &wordReader{d: d, main: main, codepage: 1252}
	if old {
		return w.readOld(flags)
	}
	w.table = table0
	if flags&0x0200 != 0 && table1 != nil || table0 == nil {
		w.table = table1
	}
	return w.read()
}

// wordReader reads one document.
type wordReader struct {
	d           *document
	main, table []byte
	codepage    int // of 8-bit text
	pieces      []wordPiece
	hidden      []wordRun // runs that are deleted or hidden
	paragraphs  []wordRun
	headers     []uint32 // where header stories begin, relative to their first
	hasTables   bool     // paragraphs tell rows' ends
	lost        bool     // some text lies where there is nothing
	zeros       int      // characters that are none

	tables int
	row    int
	// What is gathered:
	text, deleted, vanished strings.Builder
	field                   strings.Builder
	fields                  []bool // open fields: true while in the instruction
	cell                    strings.Builder
	cells                   []string
	held                    int // bytes in cells
}

// wordPiece is a run of characters that lie together in the file.
type wordPiece struct {
	from, to uint32 // character positions
	at       int64  // byte position
	wide     bool
}

// wordRun is what formatting says about bytes [from,to) of the main stream.
type wordRun struct {
	from, to          uint32
	deleted, vanished bool
	inTable, rowEnd   bool
	heading           bool
}

// fib reads a 32-bit field of the header.
func (w *wordReader) fib(offset int) uint32 {
	if offset+4 > len(w.main) {
		return 0
	}
	return le.Uint32(w.main[offset:])
}

// fromTable returns the bytes of the table stream that a pair of header fields
// (position, length) points to.
func (w *wordReader) fromTable(offset int) []byte {
	at, n := int64(w.fib(offset)), int64(w.fib(offset+4))
	if at+n > int64(len(w.table)) || n == 0 {
		return nil
	}
	return w.table[at : at+n]
}

func (w *wordReader) read() error {
	clx := w.fromTable(0x01A2)
	if clx == nil {
		return fmt.Errorf("word: no piece table: %w", extract.ErrDamaged)
	}
	if err := w.readPieces(clx); err != nil {
		w.d.strings(bytes.NewReader(w.main)) // what is left may still be read by eye
		return err
	}
	w.hidden = w.formats(w.fromTable(0x00FA), characterRuns)
	w.paragraphs = w.formats(w.fromTable(0x0102), paragraphRuns)
	for _, p := range w.paragraphs {
		w.hasTables = w.hasTables || p.rowEnd
	}
	if plc := w.fromTable(0x00F2); plc != nil {
		for ; len(plc) >= 4; plc = plc[4:] {
			w.headers = append(w.headers, le.Uint32(plc))
		}
	}
	return w.stories()
}

// readPieces reads the piece table ([MS-DOC] 2.9.38).
func (w *wordReader) readPieces(clx []byte) error {
	for len(clx) >= 3 && clx[0] == 1 {
		clx = clx[min(len(clx), 3+int(le.Uint16(clx[1:]))):]
	}
	if len(clx) < 5 || clx[0] != 2 {
		return fmt.Errorf("word: piece table: %w", extract.ErrDamaged)
	}
	size := min(int64(le.Uint32(clx[1:])), int64(len(clx)-5))
	plc := clx[5 : 5+size]
	if len(plc) < 4 {
		return fmt.Errorf("word: piece table: %w", extract.ErrDamaged)
	}
	count := (len(plc) - 4) / 12
	for i := range count {
		p := wordPiece{from: le.Uint32(plc[4*i:]), to: le.Uint32(plc[4*i+4:]), wide: true}
		position := le.Uint32(plc[4*(count+1)+8*i+2:])
		p.at = int64(position)
		if position&0x40000000 != 0 {
			p.at, p.wide = int64(position&^0x40000000)/2, false
		}
		switch {
		case p.from >= p.to:
		case p.at < int64(len(w.main)):
			w.pieces = append(w.pieces, p)
		default:
			w.lost = true
		}
	}
	return nil
}

// readOld reads the text of Word 2, 6 and 95.
func (w *wordReader) readOld(flags uint16) error {
	w.codepage = codepageOf(le.Uint16(w.main[6:]))
	from, to := w.fib(0x18), w.fib(0x1C)
	if flags&4 != 0 { // saved in pieces, whose table lies in the main stream
		w.table = w.main
		if clx := w.fromTable(0x0160); clx != nil && w.readPieces(clx) == nil {
			for i, p := range w.pieces { // 8-bit, whatever the bit says
				w.pieces[i].wide = false
				if !p.wide {
					w.pieces[i].at = p.at * 2
				}
			}
			err := w.story(0, ^uint32(0), extract.Body)
			w.tell()
			return err
		}
	}
	size := uint32(len(w.main))
	if from = min(from, size); to > size || to < from {
		to, w.lost = size, true
	}
	w.pieces = []wordPiece{{0, to - from, int64(from), false}}
	err := w.story(0, to-from, extract.Body)
	w.tell()
	return err
}

// codepageOf is the 8-bit character set of a language, by its identifier.
func codepageOf(language uint16) int {
	switch language & 0x3FF {
	case 0x19, 0x22, 0x02, 0x2F: // Russian, Ukrainian, Bulgarian, Macedonian
		return 1251
	case 0x15, 0x05, 0x0E, 0x1B, 0x18, 0x24: // Polish, Czech, Hungarian, Slovak, Romanian, Slovenian
		return 1250
	case 0x08:
		return 1253
	case 0x1F:
		return 1254
	case 0x11:
		return 932
	}
	return 1252
}

// stories reads the document's parts, which follow each other in one row of
// characters ([MS-DOC] 2.3).
func (w *wordReader) stories() error {
	from := uint32(0)
	for _, s := range []struct {
		offset int
		kind   extract.Kind
	}{
		{0x4C, extract.Body}, {0x50, extract.Note}, {0x54, extract.Header}, {0x58, extract.Body},
		{0x5C, extract.Comment}, {0x60, extract.Note}, {0x64, extract.TextBox}, {0x68, extract.TextBox},
	} {
		n := w.fib(s.offset)
		if n == 0 || from+n < from {
			continue
		}
		var err error
		if s.kind == extract.Header && len(w.headers) > 1 {
			err = w.headerStories(from, n)
		} else {
			err = w.story(from, from+n, s.kind)
		}
		if err != nil {
			return err
		}
		from += n
	}
	end := uint32(0)
	for _, p := range w.pieces {
		end = max(end, p.to)
	}
	if from+1 < end { // the last one is no character of any part
		w.lost = true
		if err := w.story(from, end, extract.Body); err != nil {
			return err
		}
	}
	w.lost = w.lost || from > end
	w.tell()
	return nil
}

// manyZeros is how many of them are the remains of a text.
const manyZeros = 64

// tell notes that some text could not be read.
func (w *wordReader) tell() {
	if w.lost || w.zeros >= manyZeros {
		w.d.flow.Gap("", fmt.Errorf("word: text that is not there: %w", extract.ErrDamaged))
	}
}

// headerStories tells headers from footers: six separators come first, and
// then for each section even and odd header, even and odd footer, first
// header, first footer ([MS-DOC] 2.3.3).
func (w *wordReader) headerStories(from, n uint32) error {
	for i := 6; i+1 < len(w.headers); i++ {
		a, b := w.headers[i], w.headers[i+1]
		if a >= b || b > n {
			continue
		}
		kind := extract.Header
		if slot := i % 6; slot == 2 || slot == 3 || slot == 5 {
			kind = extract.Footer
		}
		if err := w.story(from+a, from+b, kind); err != nil {
			return err
		}
	}
	return nil
}

// story reads the characters [from,to).
func (w *wordReader) story(from, to uint32, kind extract.Kind) error {
	w.fields = nil
	for _, p := range w.pieces {
		if p.to <= from || p.from >= to {
			continue
		}
		if err := w.piece(p, max(from, p.from), min(to, p.to), kind); err != nil {
			return err
		}
	}
	w.endParagraph(kind, false)
	w.endRow(kind)
	w.d.flow.Flush()
	return w.d.flow.Err()
}

// piece decodes the characters [from,to) of a piece.
func (w *wordReader) piece(p wordPiece, from, to uint32, kind extract.Kind) error {
	width := uint32(1)
	if p.wide {
		width = 2
	}
	at := p.at + int64(from-p.from)*int64(width)
	end := at + int64(to-from)*int64(width)
	if most := int64(len(w.main)); end > most {
		end, w.lost = most, true
	}
	for at < end {
		run := w.runAt(uint32(at))
		stop := min(end, int64(run.to))
		if stop <= at || p.wide && stop-at < 2 {
			stop = min(end, at+int64(width))
		}
		if p.wide {
			stop -= (stop - at) & 1
		}
		if stop <= at {
			break
		}
		if err := w.characters(w.main[at:stop], at, p.wide, run, kind); err != nil {
			return err
		}
		at = stop
	}
	return nil
}

// runAt is the formatting at a byte: a hidden run, or the room before the
// next one.
func (w *wordReader) runAt(at uint32) wordRun {
	i := sort.Search(len(w.hidden), func(i int) bool { return w.hidden[i].to > at })
	if i == len(w.hidden) {
		return wordRun{from: at, to: ^uint32(0)}
	}
	if w.hidden[i].from <= at {
		return w.hidden[i]
	}
	return wordRun{from: at, to: w.hidden[i].from}
}

// paragraphAt is the formatting of the paragraph that ends at a byte.
func (w *wordReader) paragraphAt(at uint32) wordRun {
	i := sort.Search(len(w.paragraphs), func(i int) bool { return w.paragraphs[i].to > at })
	if i < len(w.paragraphs) && w.paragraphs[i].from <= at {
		return w.paragraphs[i]
	}
	return wordRun{}
}

// characters takes a run of equally formatted characters.
func (w *wordReader) characters(b []byte, at int64, wide bool, run wordRun, kind extract.Kind) error {
	width, start := 1, 0
	if wide {
		width = 2
	}
	for i := 0; i+width <= len(b); i += width {
		c := uint16(b[i])
		if wide {
			c = le.Uint16(b[i:])
		}
		if c >= 0x20 {
			continue
		}
		w.add(w.decode(b[start:i], wide), run)
		start = i + width
		if err := w.control(c, uint32(at)+uint32(i), run, kind); err != nil {
			return err
		}
	}
	w.add(w.decode(b[start:len(b)-len(b)%width], wide), run)
	if w.text.Len() > 1<<20 {
		w.endParagraph(kind, len(w.cells) > 0)
	}
	return w.d.flow.Err()
}

func (w *wordReader) decode(b []byte, wide bool) string {
	if len(b) == 0 {
		return ""
	}
	if !wide {
		return decode(b, w.codepage)
	}
	u := make([]uint16, len(b)/2)
	for i := range u {
		if u[i] = le.Uint16(b[2*i:]); u[i] >= 0xF000 && u[i] <= 0xF0FF {
			u[i] = ' ' // a picture from a symbol font
		}
	}
	return string(utf16.Decode(u))
}

func (w *wordReader) add(s string, run wordRun) {
	switch {
	case s == "":
	case len(w.fields) > 0 && w.fields[len(w.fields)-1]:
		w.field.WriteString(s)
	case run.deleted:
		w.deleted.WriteString(s)
	case run.vanished:
		w.vanished.WriteString(s)
	default:
		w.text.WriteString(s)
	}
}

// control acts on a special character ([MS-DOC] 2.4.1 and 2.8.25).
func (w *wordReader) control(c uint16, at uint32, run wordRun, kind extract.Kind) error {
	switch c {
	case 0:
		w.zeros++
	case 0x07:
		w.cellMark(at, kind)
	case 0x0D, 0x0C, 0x0E:
		p := w.paragraphAt(at)
		w.endParagraphAs(kind, p.inTable && !p.rowEnd, p.heading)
	case 0x0B:
		w.add("\n", run)
	case 0x09:
		w.add("\t", run)
	case 0x1E:
		w.add("-", run)
	case 0x13:
		if len(w.fields) < 100 {
			w.fields = append(w.fields, true)
		}
	case 0x14:
		if n := len(w.fields); n > 0 {
			w.fields[n-1] = false
		}
	case 0x15:
		if n := len(w.fields); n > 0 {
			w.fields = w.fields[:n-1]
		}
	}
	return w.d.flow.Err()
}

// cellMark ends a cell, or a row: by the paragraph's formatting, or where that
// is missing by its being the second mark in a row.
func (w *wordReader) cellMark(at uint32, kind extract.Kind) {
	rowEnd := w.paragraphAt(at).rowEnd
	if !w.hasTables {
		rowEnd = w.text.Len() == 0 && w.cell.Len() == 0 && len(w.cells) > 0
	}
	if rowEnd {
		w.endRow(kind)
		return
	}
	w.endParagraph(kind, true)
	if len(w.cells) < 1000 {
		w.cells = append(w.cells, w.cell.String())
		w.held += w.cell.Len()
	}
	w.cell.Reset()
	if int64(w.held) > w.d.in.Limits.Text {
		w.endRow(kind)
	}
}

func (w *wordReader) endParagraph(kind extract.Kind, inTable bool) {
	w.endParagraphAs(kind, inTable, false)
}

// endParagraphAs hands on the paragraph that was gathered.
func (w *wordReader) endParagraphAs(kind extract.Kind, inTable, heading bool) {
	flow := w.d.flow
	if link := linkTarget(w.field.String()); link != "" {
		flow.Aside(extract.Part{Kind: extract.Hidden}, link+"\n")
	}
	w.field.Reset()
	if s := w.text.String(); inTable {
		if w.cell.Len() > 0 && s != "" {
			w.cell.WriteByte('\n')
		}
		w.cell.WriteString(s)
	} else {
		if len(w.cells) > 0 || w.cell.Len() > 0 {
			w.endRow(kind)
		}
		w.row = 0
		if heading && kind == extract.Body {
			kind = extract.Heading
		}
		if strings.TrimSpace(s) != "" {
			flow.In(extract.Part{Kind: kind})
			flow.Write(s)
			flow.Line()
		}
	}
	w.text.Reset()
	aside(flow, extract.Deleted, &w.deleted)
	aside(flow, extract.Hidden, &w.vanished)
}

func aside(flow *extract.Flow, kind extract.Kind, s *strings.Builder) {
	if strings.TrimSpace(s.String()) != "" {
		flow.Aside(extract.Part{Kind: kind}, s.String()+"\n")
	}
	s.Reset()
}

func (w *wordReader) endRow(kind extract.Kind) {
	if w.cell.Len() > 0 {
		w.cells = append(w.cells, w.cell.String())
		w.cell.Reset()
	}
	if strings.Join(w.cells, "") != "" {
		if w.row == 0 {
			w.tables++
		}
		w.row++
		w.d.flow.Row(extract.Part{Kind: kind, Place: fmt.Sprintf("table %d", w.tables)}, extract.Row{Number: w.row, Cells: w.cells})
	}
	w.cells, w.held = nil, 0
	w.text.Reset()
}

// linkTarget returns where a HYPERLINK field leads.
func linkTarget(instruction string) string {
	_, after, found := strings.Cut(instruction, "HYPERLINK")
	if !found {
		return ""
	}
	if _, quoted, found := strings.Cut(after, `"`); found {
		link, _, _ := strings.Cut(quoted, `"`)
		return strings.TrimSpace(link)
	}
	return ""
}

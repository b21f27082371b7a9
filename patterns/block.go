package patterns

import (
	"bytes"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// pieceSize is how much text is looked at at once, in bytes. Individuals and
// words further apart than a block never meet.
const pieceSize = 64 << 10

// block is text that waits to be looked at, with the parts and rows it is
// made of. Every part begins on its own line.
type block struct {
	text  []byte
	parts []part
	rows  []row
	cells []int // of the rows, one after the other
	lines []int // where lines begin; made by index
	// stops are where sentences begin; made by sentence.
	stops   []int
	stopped bool
}

// part is a run of text of one kind at one place.
type part struct {
	start       int
	kind, place string
}

// row is a line that is a row of a table, cells separated by tabs.
type row struct {
	start, end int
	cells      []int // where each cell begins
	number     int
	table      *table
	header     bool
}

func (b *block) reset() {
	b.text, b.parts, b.rows, b.cells = b.text[:0], b.parts[:0], b.rows[:0], b.cells[:0]
}

// begin starts a part, unless it goes on from the last.
func (b *block) begin(kind, place string) {
	if n := len(b.parts); n > 0 && b.parts[n-1].kind == kind && b.parts[n-1].place == place {
		return
	}
	b.endLine()
	b.parts = append(b.parts, part{len(b.text), kind, place})
}

func (b *block) endLine() {
	if n := len(b.text); n > 0 && b.text[n-1] != '\n' {
		b.text = append(b.text, '\n')
	}
}

// addRow appends the cells as one line.
func (b *block) addRow(t *table, number int, header bool, cells []string) {
	b.endLine()
	r := row{start: len(b.text), number: number, table: t, header: header}
	first := len(b.cells)
	for i, c := range cells {
		if i > 0 {
			b.text = append(b.text, '\t')
		}
		at := len(b.text)
		b.cells = append(b.cells, at)
		b.text = append(b.text, c...)
		for k, x := range b.text[at:] {
			if x == '\n' || x == '\r' || x == '\t' {
				b.text[at+k] = ' '
			}
		}
	}
	r.cells = b.cells[first:len(b.cells):len(b.cells)]
	r.end = len(b.text)
	b.text = append(b.text, '\n')
	b.rows = append(b.rows, r)
}

// index finds where the lines begin.
func (b *block) index() {
	b.stopped = false
	b.lines = append(b.lines[:0], 0)
	for pos := 0; ; {
		i := bytes.IndexByte(b.text[pos:], '\n')
		if i < 0 {
			return
		}
		pos += i + 1
		b.lines = append(b.lines, pos)
	}
}

// line returns the number of the line that holds the offset.
func (b *block) line(at int) int {
	return sort.SearchInts(b.lines, at+1) - 1
}

// span returns a line without its end.
func (b *block) span(line int) (start, end int) {
	if line < 0 || line >= len(b.lines) {
		return 0, 0
	}
	start, end = b.lines[line], len(b.text)
	if line+1 < len(b.lines) {
		end = b.lines[line+1] - 1
	}
	return start, end
}

// lineOf returns the place behind some text of a part that names the line on
// which it begins; other places stay.
func lineOf(place string, before []byte) string {
	number, ok := strings.CutPrefix(place, "line ")
	if !ok {
		return place
	}
	first, err := strconv.Atoi(number)
	if err != nil {
		return place
	}
	return "line " + strconv.Itoa(first+bytes.Count(before, []byte("\n")))
}

// part returns the part that holds the offset.
func (b *block) part(at int) part {
	i := sort.Search(len(b.parts), func(i int) bool { return b.parts[i].start > at }) - 1
	if i < 0 {
		return part{}
	}
	return b.parts[i]
}

// row returns the row that holds the offset, nil if it is no row.
func (b *block) row(at int) *row {
	i := sort.Search(len(b.rows), func(i int) bool { return b.rows[i].start > at }) - 1
	if i < 0 || at > b.rows[i].end {
		return nil
	}
	return &b.rows[i]
}

// column returns the number of the cell that holds the offset.
func (r *row) column(at int) int {
	return sort.SearchInts(r.cells, at+1) - 1
}

// cell returns where a cell begins and ends.
func (r *row) cell(i int) (start, end int) {
	if i < 0 || i >= len(r.cells) {
		return r.start, r.start
	}
	if i+1 < len(r.cells) {
		return r.cells[i], r.cells[i+1] - 1
	}
	return r.cells[i], r.end
}

// sentence returns the bounds of the sentence, or the row, around an offset;
// at most maxSentence bytes to either side.
func (b *block) sentence(at int) (start, end int) {
	if r := b.row(at); r != nil {
		return r.start, r.end
	}
	if !b.stopped {
		b.findStops()
	}
	start, end = max(0, at-maxSentence), min(len(b.text), at+maxSentence)
	i, _ := slices.BinarySearch(b.stops, at+1)
	if i > 0 {
		start = max(start, b.stops[i-1])
	}
	if i < len(b.stops) {
		end = min(end, b.stops[i])
	}
	return start, end
}

// findStops finds where sentences begin.
func (b *block) findStops() {
	b.stops, b.stopped = append(b.stops[:0], 0), true
	for i := 1; i < len(b.text); i++ {
		if c := b.text[i-1]; (c == ' ' || c == '\n') && b.breaks(i) {
			b.stops = append(b.stops, i)
		}
	}
}

const maxSentence = 400

// breaks reports whether a sentence begins at i: after a full stop and a
// space, or on a line that does not go on from the one before.
func (b *block) breaks(i int) bool {
	if i == 0 || i >= len(b.text) {
		return true
	}
	if i == 1 {
		return b.text[0] == '\n'
	}
	switch before := b.text[i-1]; before {
	case ' ':
		stop := b.text[i-2] == '.' || b.text[i-2] == '!' || b.text[i-2] == '?'
		return stop && !startsLower(b.text[i:]) && !abbreviates(b.text[:i-2])
	case '\n':
		return b.text[i-2] == '\n' || b.text[i-2] == '\r' || b.text[i-2] == ':' || !startsLower(b.text[i:])
	}
	return false
}

func startsLower(text []byte) bool {
	return len(text) > 0 && (text[0] >= 'a' && text[0] <= 'z' || len(text) > 1 && text[0] == 0xC3 && text[1] >= 0xA0)
}

// abbreviates reports whether the word before a full stop is short, as in
// "f. 2014", "kap. 1" and "A. K.".
func abbreviates(before []byte) bool {
	i := len(before)
	for i > 0 && nameByte(before[i-1]) {
		i--
	}
	return len(before)-i <= 3 && len(before) > i && !(before[i] >= '0' && before[i] <= '9')
}

// Package table reads text that is a table: CSV, TSV and their Swedish kin
// with semicolons, in any charset. Registers are read by columns, so rows stay
// rows.
package table

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Extractor reads tables of delimited text. Their only Part has no Place; a
// cell's place is its A1 name.
type Extractor struct{}

var _ extract.Extractor = Extractor{}

// New returns the reader of delimited text.
func New() Extractor { return Extractor{} }

// Name implements extract.Extractor.
func (Extractor) Name() string { return "table" }

// Version implements extract.Extractor.
func (Extractor) Version() int { return 1 }

// Accepts implements extract.Extractor.
func (Extractor) Accepts(_, mediaType string) bool {
	return mediaType == "text/csv" || mediaType == "text/tab-separated-values"
}

// sampleSize is how much of the text decides on its delimiter, in bytes.
const sampleSize = 64 << 10

const (
	maxCell  = 64 << 10 // bytes; what is longer was never a cell
	maxCells = 16_384   // in a row, as in a spreadsheet
)

// Extract implements extract.Extractor.
func (Extractor) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	text, err := extract.TextReader(in, in.Size, "")
	if err != nil {
		return extract.Damaged(err)
	}
	buffered := bufio.NewReaderSize(text, sampleSize)
	sample, err := buffered.Peek(sampleSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return extract.Damaged(err)
	}
	named := namedDelimiter(string(sample))
	delimiter, isTable := extract.Delimiter(string(sample))
	switch {
	case named != 0:
		delimiter = named
	case isTable:
	case in.MediaType == "text/tab-separated-values":
		delimiter = '\t'
	default:
		delimiter = likeliest(string(sample))
	}
	if delimiter == 0 {
		return extract.Lines(ctx, buffered, extract.Body, out)
	}
	r := reader{text: buffered, delimiter: byte(delimiter)}
	return r.rows(ctx, hasHeader(string(sample), byte(delimiter)), out)
}

// namedDelimiter reads the line with which Excel is told: "sep=;".
func namedDelimiter(sample string) rune {
	line, _, _ := strings.Cut(sample, "\n")
	line = strings.TrimRight(line, "\r")
	if rest, ok := strings.CutPrefix(strings.ToLower(line), "sep="); ok && len(rest) == 1 {
		return rune(rest[0])
	}
	return 0
}

func namesDelimiter(cells []string) bool {
	return strings.HasPrefix(strings.ToLower(cells[0]), "sep=")
}

// likeliest chooses for a file that is named a table but is too small or too
// uneven to show it.
func likeliest(sample string) rune {
	best, most := rune(0), 0
	for _, d := range []rune{';', '\t', ',', '|'} {
		if n := strings.Count(sample, string(d)); n > most {
			best, most = d, n
		}
	}
	return best
}

// hasHeader says whether the first row names the columns: nothing but
// different words, none with a digit, and digits in the rows below.
func hasHeader(sample string, delimiter byte) bool {
	r := reader{text: bufio.NewReader(strings.NewReader(sample)), delimiter: delimiter}
	first, err := r.row()
	if err == nil && namesDelimiter(first) {
		first, err = r.row()
	}
	if err != nil || len(first) < 2 {
		return false
	}
	seen := map[string]bool{}
	named := 0
	for _, cell := range first {
		name := strings.ToLower(strings.TrimSpace(cell))
		switch {
		case name == "":
			continue
		case seen[name] || len(name) > 80 || strings.ContainsFunc(name, unicode.IsDigit) && !strings.ContainsFunc(name, unicode.IsLetter):
			return false
		case strings.ContainsAny(name, "@"):
			return false
		}
		seen[name] = true
		named++
	}
	if named*2 <= len(first) {
		return false
	}
	digits := strings.ContainsFunc(strings.Join(first, ""), unicode.IsDigit)
	for range 20 {
		row, err := r.row()
		for _, cell := range row {
			if !digits && strings.ContainsFunc(cell, unicode.IsDigit) {
				return true
			}
		}
		if err != nil {
			break
		}
	}
	return false
}

// reader reads rows. It takes quotes as spreadsheets do, and where they never
// end it takes them for what they are, a mark in the text.
type reader struct {
	text      *bufio.Reader
	delimiter byte
	cell      []byte
	columns   int // of the row before
}

func (r *reader) rows(ctx context.Context, header bool, out extract.Sink) error {
	for number := 1; ; number++ {
		if number%256 == 1 && ctx.Err() != nil {
			return ctx.Err()
		}
		cells, err := r.row()
		empty := strings.TrimSpace(strings.Join(cells, "")) == ""
		empty = empty || number == 1 && namesDelimiter(cells)
		isHeader := header && !empty
		if !empty {
			if err := out.Row(extract.Part{Kind: extract.Body}, extract.Row{Number: number, Cells: cells, Header: isHeader}); err != nil {
				return err
			}
		}
		header = header && !isHeader
		switch {
		case errors.Is(err, io.EOF):
			return ctx.Err()
		case err != nil:
			return extract.Damaged(err)
		}
	}
}

// row reads the next row. The last one comes with io.EOF.
func (r *reader) row() (cells []string, err error) {
	quoted := false // within quotes
	start := true   // of a cell
	cells = make([]string, 0, r.columns)
	defer func() { r.columns = len(cells) }()
	for {
		if r.run(quoted) {
			start = false
		}
		c, err := r.text.ReadByte()
		switch {
		case err != nil:
			return append(cells, r.take()), err
		case c == 0:
		case quoted:
			quoted = r.inQuotes(c)
		case c == '"' && start && len(bytes.TrimSpace(r.cell)) == 0:
			quoted, start = true, false
		case c == r.delimiter:
			cells, start = append(cells, r.take()), true
			if len(cells) == maxCells {
				return cells, nil // goes on as another row
			}
		case c == '\n':
			return append(cells, r.take()), nil
		case c == '\r':
			if next, _ := r.text.Peek(1); len(next) == 0 || next[0] != '\n' {
				return append(cells, r.take()), nil // the line end of old Macintosh
			}
		default:
			r.cell = append(r.cell, c)
		}
		if len(r.cell) > maxCell {
			quoted, start = false, false
			cells = append(cells, r.takeLong())
		}
	}
}

// run takes the bytes up to the next that may mean something, and says whether
// there were any but spaces.
func (r *reader) run(quoted bool) bool {
	ready, _ := r.text.Peek(max(1, min(r.text.Buffered(), maxCell)))
	n := 0
	for n < len(ready) {
		c := ready[n]
		if c == '"' || c == 0 || !quoted && (c == r.delimiter || c == '\n' || c == '\r') {
			break
		}
		n++
	}
	r.cell = append(r.cell, ready[:n]...)
	_, _ = r.text.Discard(n) // they were peeked
	return len(bytes.TrimSpace(ready[:n])) > 0
}

// inQuotes adds a byte that stands in quotes and says whether they go on.
func (r *reader) inQuotes(c byte) bool {
	if c != '"' {
		r.cell = append(r.cell, c)
		return true
	}
	if next, _ := r.text.Peek(1); len(next) == 1 && next[0] == '"' {
		r.cell = append(r.cell, '"')
		_, _ = r.text.Discard(1) // it was peeked
		return true
	}
	return false
}

func (r *reader) take() string {
	s := strings.ToValidUTF8(string(bytes.TrimSpace(r.cell)), "\ufffd")
	r.cell = r.cell[:0]
	return s
}

// takeLong takes what is too long for a cell, up to its last whole rune.
func (r *reader) takeLong() string {
	n := len(r.cell)
	for n > 0 && n > len(r.cell)-utf8.UTFMax && !utf8.RuneStart(r.cell[n-1]) {
		n--
	}
	rest := bytes.Clone(r.cell[max(0, n-1):])
	r.cell = r.cell[:max(0, n-1)]
	s := r.take()
	r.cell = append(r.cell, rest...)
	return s
}
